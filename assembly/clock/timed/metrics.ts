/** What is counted on the timed clock: sums, and histograms of durations. */
import {
  HISTOGRAM_BUCKETS,
  HISTOGRAM_SHIFT,
  METRIC_PIN_NS,
  TABLE_HISTOGRAMS,
  TABLE_METRICS,
} from "../../abi";
import { tablePtr } from "../../arena";
import { machine } from "../../state/machine";
import { timed } from "./timed_state";

export function addTo(metric: i32, value: u64): void {
  const at = tablePtr(TABLE_METRICS) + ((<usize>metric) << 3);
  store<u64>(at, load<u64>(at) + value);
}

/**
 * The bucket of a value, as HDR histograms have them: the first 2^SHIFT hold a value each, then 2^(SHIFT-1)
 * each octave.
 */
function bucketOf(value: u64): i32 {
  const bits = 64 - <i32>clz<u64>(value);
  if (bits <= HISTOGRAM_SHIFT) return <i32>value;
  const shift = bits - HISTOGRAM_SHIFT;
  const half = 1 << (HISTOGRAM_SHIFT - 1);
  return (1 << HISTOGRAM_SHIFT) + (shift - 1) * half + (<i32>(value >> shift) - half);
}

export function record(histogram: i32, ns: u64): void {
  const bucket = min<i32>(bucketOf(ns), HISTOGRAM_BUCKETS - 1);
  const at = tablePtr(TABLE_HISTOGRAMS) + ((<usize>(histogram * HISTOGRAM_BUCKETS + bucket)) << 2);
  store<u32>(at, load<u32>(at) + 1);
}

/**
 * Adds up for how long pins have been held, up to now; before their number changes, and before it is read.
 */
export function addPinTime(nowNs: u64): void {
  const t = timed();
  addTo(METRIC_PIN_NS, <u64>(machine().nrAsyncPfPins + t.otherPins) * (nowNs - t.pinsSinceNs));
  t.pinsSinceNs = nowNs;
}
