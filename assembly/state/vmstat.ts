/** Counters: items of /proc/vmstat and probe counts, see abi.ts. Sums over the host, u64 each. */
import { countersPtr } from "../arena";

export function count(counter: i32, n: i64): void {
  const address = countersPtr + ((<usize>counter) << 3);
  store<i64>(address, load<i64>(address) + n);
}

export function counterOf(counter: i32): i64 {
  return load<i64>(countersPtr + ((<usize>counter) << 3));
}
