/** The swap cache, and the entries that lead to it. */
import * as abi from "../../assembly/abi.ts";
import { getPage, putPage } from "./lru.ts";
import { type Machine, type Page, Crash, clearFlag, count, has, setFlag } from "./machine.ts";
import { unchargeUncached } from "./memcg.ts";
import { hasSubstitute } from "./rmap.ts";
import { type SwapSlot, forgetIfUnused, isSwapFull, slotOf, takeSlot } from "./swap-area.ts";

export function addToSwapCache(m: Machine, page: Page, slot: SwapSlot): void {
  getPage(page);
  setFlag(page, abi.PG_SWAPCACHE);
  page.private = slot;
  slot.page = page;
  count(m, abi.NR_FILE_PAGES, 1);
}

/** add_to_swap() of an anonymous page. A context of the repaired RFC needs its private word. */
export function addToSwap(m: Machine, page: Page): boolean {
  const slot = hasSubstitute(m, page) ? null : takeSlot(m);
  if (slot === null) return false;
  addToSwapCache(m, page, slot);
  setFlag(page, abi.PG_DIRTY);
  return true;
}

/** Without the reference of the swap cache. */
export function forgetSwapCache(m: Machine, page: Page): void {
  const slot = slotOf(page);
  if (slot === null) {
    throw new Crash({
      kind: abi.CRASH_OOPS,
      trace: [abi.FN_RAW_SPIN_LOCK_IRQ, abi.FN_DELETE_FROM_SWAP_CACHE],
      pfn: page.pfn,
      invariant: abi.INV_PRIV,
    });
  }
  clearFlag(page, abi.PG_SWAPCACHE);
  page.private = null;
  slot.page = null;
  forgetIfUnused(slot);
  count(m, abi.NR_FILE_PAGES, -1);
  // A page of a file in memory is in the page cache again.
  if (page.mapping === null || page.anon) unchargeUncached(m, page);
}

/** delete_from_swap_cache(), and that the page is the only copy from now on. */
export function deleteFromSwapCache(m: Machine, page: Page): void {
  forgetSwapCache(m, page);
  setFlag(page, abi.PG_DIRTY);
  putPage(m, page);
}

/** page_swapcount(). */
export function swapCount(page: Page): number {
  return slotOf(page)?.count ?? 0;
}

/** try_to_free_swap(): the slot goes if no entry leads to it. */
export function tryToFreeSwap(m: Machine, page: Page): boolean {
  if (!has(page, abi.PG_SWAPCACHE) || has(page, abi.PG_WRITEBACK) || swapCount(page) > 0) return false;
  deleteFromSwapCache(m, page);
  return true;
}

/** free_swap_cache() of a page that has lost a PTE. */
export function freeSwapCache(m: Machine, page: Page): void {
  if (page.mapcount === 0 && !has(page, abi.PG_LOCKED)) tryToFreeSwap(m, page);
}

/** reuse_swap_page(): v3.12 asks how many places have the page, mapped or swapped out. */
export function isReusable(m: Machine, page: Page): boolean {
  if (page.ksm || page.mapcount > 1) return false;
  if (!has(page, abi.PG_SWAPCACHE)) return true;
  const places = page.mapcount + swapCount(page);
  if (places === 1 && !has(page, abi.PG_WRITEBACK)) deleteFromSwapCache(m, page);
  return places <= 1;
}

/** swap_free(). */
export function dropEntry(slot: SwapSlot): void {
  slot.count -= 1;
  forgetIfUnused(slot);
}

/** free_swap_and_cache(): the last entry takes the page in the swap cache along, if nothing else needs it. */
export function dropEntryAndCache(m: Machine, slot: SwapSlot): void {
  dropEntry(slot);
  const { page } = slot;
  if (slot.count > 0 || page === null || has(page, abi.PG_LOCKED | abi.PG_WRITEBACK)) return;
  if (page.mapcount === 0 || isSwapFull(m)) deleteFromSwapCache(m, page);
}
