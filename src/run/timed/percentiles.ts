/** Percentiles of durations, over the histograms of several runs. */
import { build } from "hdr-histogram-js";
import type { Bucket } from "./result.ts";

/** In ns: so many values in a hundred are not above it, to the width of the core's buckets. */
export interface Percentiles {
  readonly count: number;
  readonly p50Ns: number;
  readonly p90Ns: number;
  readonly p99Ns: number;
  readonly p999Ns: number;
  /** Upper end of the highest bucket. */
  readonly maxNs: number;
}

/** Three digits: a value is told to 0.1 %, which is finer than the core's buckets are. */
const DIGITS = 3;

/** Null if there is no value. */
export function percentiles(histograms: readonly (readonly Bucket[])[]): Percentiles | null {
  const buckets = histograms.flat().filter(({ count }) => count > 0);
  if (buckets.length === 0) return null;
  const merged = build({
    bitBucketSize: 64,
    lowestDiscernibleValue: 1,
    highestTrackableValue: Number.MAX_SAFE_INTEGER,
    numberOfSignificantValueDigits: DIGITS,
    useWebAssembly: false,
  });
  // What lies in a bucket is at most its upper end: no percentile is told too low.
  for (const { to, count } of buckets) merged.recordValueWithCount(to - 1, count);
  const maxNs = Math.max(...buckets.map(({ to }) => to - 1));
  const at = (percent: number): number => Math.min(merged.getValueAtPercentile(percent), maxNs);
  return {
    count: merged.totalCount,
    p50Ns: at(50),
    p90Ns: at(90),
    p99Ns: at(99),
    p999Ns: at(99.9),
    maxNs,
  };
}
