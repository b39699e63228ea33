/** Free memory, and below what somebody has to make more of it. */
import { CFG_NR_ZONES, MIGRATE_ISOLATE, NR_ORDERS, PAGE_SHIFT } from "../../abi";
import { config } from "../../arena";
import { Zone, freeList, zoneAt } from "../../state/zone";

const KIB_SHIFT: i32 = PAGE_SHIFT - 10;

/** init_per_zone_wmark_min(): 4 * sqrt(KiB of memory), within 128 KiB … 64 MiB, in pages. */
export function minFreePages(): i32 {
  let managed: u64 = 0;
  for (let number = 0; number < config(CFG_NR_ZONES); number++) managed += <u64>zoneAt(number).managedPages;
  const kib = (managed << KIB_SHIFT) * 16;
  // Exact below 2^52, and the same everywhere: an operation of IEEE 754.
  const root = <u64>sqrt<f64>(<f64>kib);
  return <i32>(min<u64>(max<u64>(root, 128), 65536) >> KIB_SHIFT);
}

/** Free frames that can be handed out: those of isolated pageblocks cannot. */
function usableFree(zone: Zone): i32 {
  let free = zone.freePages;
  for (let order = 0; order < NR_ORDERS; order++) free -= freeList(zone, order, MIGRATE_ISOLATE).nr << order;
  return free;
}

/** Free frames of all zones together. Watermarks are those of the whole memory, not of each zone. */
export function freeFrames(): i32 {
  let free = 0;
  for (let number = 0; number < config(CFG_NR_ZONES); number++) free += usableFree(zoneAt(number));
  return free;
}

/** kswapd goes on while memory is low. Returns how many pages it is to reclaim, 0 if enough are free. */
export function kswapdWants(): i32 {
  const low = minFreePages();
  const high = low + (low >> 1);
  return max<i32>(high - freeFrames(), 0);
}
