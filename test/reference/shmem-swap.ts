/** Shared anonymous memory and tmpfs: out to swap, and back. */
import * as abi from "../../assembly/abi.ts";
import type { Where } from "./buddy.ts";
import { getPage, putPage } from "./lru.ts";
import { type Machine, type Mapping, type Page, clearFlag, count, has, setFlag } from "./machine.ts";
import { charge } from "./memcg.ts";
import { takeSlot } from "./swap-area.ts";
import { addToSwapCache, deleteFromSwapCache, dropEntry } from "./swap-cache.ts";
import { readAhead, writeToSwap } from "./swap-io.ts";
import { endPageWriteback } from "./writeback.ts";

/** shmem_writepage() of an unmapped page. False: there is no slot, and nothing has changed. */
export function writeShmemPage(m: Machine, mapping: Mapping, page: Page): boolean {
  const slot = takeSlot(m);
  if (slot === null) return false;
  const expected = mapping.cache.get(page.index)?.expected ?? 0;
  clearFlag(page, abi.PG_DIRTY);
  setFlag(page, abi.PG_RECLAIM);
  addToSwapCache(m, page, slot);
  slot.count += 1;
  mapping.swapped.set(page.index, { slot, expected });
  mapping.cache.delete(page.index);
  page.mapping = null;
  count(m, abi.NR_FILE_PAGES, -1);
  count(m, abi.NR_SHMEM, -1);
  putPage(m, page);
  writeToSwap(m, page);
  return true;
}

/** From the swap cache, of a page that its finder holds. */
function returnToPageCache(m: Machine, mapping: Mapping, index: number, page: Page): void {
  const swapped = mapping.swapped.get(index);
  if (swapped === undefined) throw new Error(`page ${index} is not swapped out`);
  if (has(page, abi.PG_WRITEBACK)) endPageWriteback(m, page);
  page.mapping = mapping;
  page.index = index;
  charge(m, page);
  mapping.swapped.delete(index);
  mapping.cache.set(index, { page, expected: swapped.expected });
  count(m, abi.NR_FILE_PAGES, 1);
  count(m, abi.NR_SHMEM, 1);
  deleteFromSwapCache(m, page);
  dropEntry(swapped.slot);
}

/** Brings a page that is swapped out back into the page cache. */
export function bringBack(
  m: Machine,
  mapping: Mapping,
  index: number,
  where: Where,
): "back" | "locked" | "no memory" {
  const slot = mapping.swapped.get(index)?.slot;
  if (slot === undefined) throw new Error(`page ${index} is not swapped out`);
  const found = slot.page;
  if (found !== null && has(found, abi.PG_LOCKED)) return "locked";
  if (found !== null) getPage(found);
  const page = found ?? readAhead(m, slot, where);
  if (page === null) return "no memory";
  returnToPageCache(m, mapping, index, page);
  return "back";
}
