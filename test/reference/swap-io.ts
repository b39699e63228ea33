/** Pages on their way to a swap device and back. */
import * as abi from "../../assembly/abi.ts";
import { type Where, allocPage } from "./buddy.ts";
import { addToBatch, drainCpu, getPage, putPage } from "./lru.ts";
import { type Machine, type Page, count, setFlag } from "./machine.ts";
import { chargeRead } from "./memcg.ts";
import { type SwapSlot, isUsed, slotOf } from "./swap-area.ts";
import { addToSwapCache, tryToFreeSwap } from "./swap-cache.ts";

/** swap_writepage() of a page that has just been marked clean. */
export function writeToSwap(m: Machine, page: Page): void {
  if (tryToFreeSwap(m, page)) return;
  const slot = slotOf(page);
  if (slot === null) throw new Error(`page ${page.pfn} has no slot`);
  slot.content = page.content;
  count(m, abi.PSWPOUT, 1);
  if (!slot.area.synchronous) setFlag(page, abi.PG_WRITEBACK);
}

function readPage(m: Machine, slot: SwapSlot, where: Where): Page | null {
  if (slot.content === null) throw new Error(`the device has nothing in slot ${slot.number}`);
  const page = allocPage(m, where);
  if (page === null) return null;
  page.content = slot.content;
  setFlag(page, abi.PG_SWAPBACKED | abi.PG_UPTODATE);
  chargeRead(m, page);
  count(m, abi.PSWPIN, 1);
  return page;
}

/** Past the swap cache, with a reference for the caller. */
export function readPastCache(m: Machine, slot: SwapSlot, where: Where): Page | null {
  const page = readPage(m, slot, where);
  if (page !== null) addToBatch(m, page);
  return page;
}

/** read_swap_cache_async(), to the end of the I/O: what is in the swap cache, or comes there. */
function readThroughCache(m: Machine, slot: SwapSlot, where: Where): void {
  if (slot.page !== null || !isUsed(slot)) return;
  const page = readPage(m, slot, where);
  if (page === null) return;
  addToSwapCache(m, page, slot);
  addToBatch(m, page);
  putPage(m, page);
}

/** swapin_readahead(): with a reference for the caller. Null: no memory. */
export function readAhead(m: Machine, slot: SwapSlot, where: Where): Page | null {
  const { first, slots } = slot.area;
  const cluster = 2 ** m.pageCluster;
  // The header of a device is at 0.
  const offset = slot.number - first + 1;
  const start = offset - (offset % cluster);
  for (const [position, other] of slots.entries()) {
    if (position + 1 >= start && position + 1 < start + cluster) readThroughCache(m, other, where);
  }
  if (cluster > 1 || m.profile.alwaysDrainsAfterSwapin) drainCpu(m, m.cpu);
  // Draining may have freed a page.
  readThroughCache(m, slot, where);
  if (slot.page !== null) getPage(slot.page);
  return slot.page;
}
