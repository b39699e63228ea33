/**
 * Makes equal what is equal: clears what a step leaves behind for the caller alone, and counts of events, on
 * which no later step depends.
 */
import { MEMCG_CHARGED, NR_ANON_PAGES, NR_COUNTERS, NR_FOLL_PIN_ACQUIRED } from "../../abi";
import { countersPtr } from "../../arena";
import { machine } from "../../state/machine";

const COUNTER_SIZE: usize = 8;

function clearCounters(from: i32, end: i32): void {
  memory.fill(countersPtr + <usize>from * COUNTER_SIZE, 0, <usize>(end - from) * COUNTER_SIZE);
}

/** nr_anon_pages … nr_mlock and the charge of the memory cgroup say how things are; the rest counts. */
export function normalise(): void {
  clearCounters(0, NR_ANON_PAGES);
  clearCounters(NR_FOLL_PIN_ACQUIRED, MEMCG_CHARGED);
  clearCounters(MEMCG_CHARGED + 1, NR_COUNTERS);
  const m = machine();
  m.nowNs = 0;
  m.anonVma = 0;
  m.unmapped = 0;
  m.nrBlamed = 0;
  m.gupErrno = 0;
  m.lockTaken = 0;
}
