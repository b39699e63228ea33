/** The swap cache and the entries that lead to it (mm/swap_state.c, mm/swapfile.c). */
import {
  CRASH_OOPS,
  FN_DELETE_FROM_SWAP_CACHE,
  FN_RAW_SPIN_LOCK_IRQ,
  INV_PRIV,
  NR_FILE_PAGES,
  PFN_NONE,
  PG_DIRTY,
  PG_LOCKED,
  PG_SWAPCACHE,
  PG_WRITEBACK,
  SWAP_SLOT_NONE,
} from "../abi";
import { crash } from "../state/crash";
import { isSubstitute, mappingAt } from "../state/mapping";
import { unchargeUncached } from "../state/memcg";
import { Page, getPage, pageAnon, pageAt, pageKsm, pfnOf } from "../state/page";
import { putPage } from "../state/page_free";
import { allocSwapSlot, areaOfSlot, freeUnusedSlot, isSwapFull, swapAreaAt, swapSlotAt } from "../state/swap";
import { count } from "../state/vmstat";

/** add_to_swap_cache(): the page, which is locked, becomes the one of the slot. */
export function addToSwapCache(pfn: i32, page: Page, slot: i32): void {
  getPage(page);
  page.flags |= PG_SWAPCACHE;
  page.privateWord = slot;
  swapSlotAt(slot).pfn = pfn;
  mappingAt(swapAreaAt(areaOfSlot(slot)).mapping).nrpages += 1;
  count(NR_FILE_PAGES, 1);
}

/**
 * add_to_swap(): gives an anonymous page a slot. Returns false if none is left. The repaired RFC, under which
 * a page with a context is anonymous still, refuses: page->private is taken.
 */
export function addToSwap(pfn: i32, page: Page): bool {
  if (isSubstitute(page.mapping) && pageAnon(page)) return false;
  const slot = allocSwapSlot();
  if (slot == SWAP_SLOT_NONE) return false;
  addToSwapCache(pfn, page, slot);
  page.flags |= PG_DIRTY; // the device has nothing of it yet
  return true;
}

/** Takes a page out of the swap cache without dropping the reference of that. */
export function forgetSwapCache(page: Page): void {
  const slot = page.privateWord;
  const area = areaOfSlot(slot);
  // swap_address_space() of what is no entry: a lock in memory that is no address_space.
  if (area == 0) {
    crash(CRASH_OOPS, FN_RAW_SPIN_LOCK_IRQ, FN_DELETE_FROM_SWAP_CACHE, pfnOf(page), INV_PRIV);
  }
  page.flags &= ~PG_SWAPCACHE;
  page.privateWord = 0;
  swapSlotAt(slot).pfn = PFN_NONE;
  mappingAt(swapAreaAt(area).mapping).nrpages -= 1;
  count(NR_FILE_PAGES, -1);
  if (page.mapping == 0 || pageAnon(page)) unchargeUncached(page);
  freeUnusedSlot(slot);
}

/** delete_from_swap_cache(): the page, which is locked, is an ordinary one from now on, and dirty. */
export function deleteFromSwapCache(page: Page): void {
  forgetSwapCache(page);
  page.flags |= PG_DIRTY;
  putPage(page);
}

/** page_swapcount(): PTEs that name the page's slot; 0 for a word that is no entry. */
function pageSwapCount(page: Page): i32 {
  const slot = page.privateWord;
  return areaOfSlot(slot) == 0 ? 0 : swapSlotAt(slot).count;
}

/** try_to_free_swap(): gives up the slot of a page that no PTE has as a swap entry. */
export function tryToFreeSwap(page: Page): bool {
  if ((page.flags & (PG_SWAPCACHE | PG_WRITEBACK)) != PG_SWAPCACHE) return false;
  if (pageSwapCount(page) > 0) return false;
  deleteFromSwapCache(page);
  return true;
}

/** free_swap_cache(): as tryToFreeSwap(), for a page that has just been unmapped and may be locked. */
export function freeSwapCache(page: Page): void {
  if ((page.flags & (PG_SWAPCACHE | PG_LOCKED)) == PG_SWAPCACHE && page.mapcount == 0) tryToFreeSwap(page);
}

/** reuse_swap_page(): nobody but one PTE has the page; its slot is given up if that can be done now. */
export function reuseSwapPage(page: Page): bool {
  if (pageKsm(page)) return false;
  let nr = page.mapcount;
  if (nr <= 1 && (page.flags & PG_SWAPCACHE) != 0) {
    nr += pageSwapCount(page);
    if (nr == 1 && (page.flags & PG_WRITEBACK) == 0) deleteFromSwapCache(page);
  }
  return nr <= 1;
}

/** swap_duplicate(): one more PTE has the entry. Returns false for a word that is none. */
export function swapDuplicate(slot: i32): bool {
  if (areaOfSlot(slot) == 0) return false;
  swapSlotAt(slot).count += 1;
  return true;
}

/** swap_free(): one PTE less has the entry. */
export function swapFree(slot: i32): void {
  swapSlotAt(slot).count -= 1;
  freeUnusedSlot(slot);
}

/** free_swap_and_cache(): the same, and the page in the swap cache goes too if nothing needs it. */
export function freeSwapAndCache(number: i32): void {
  const slot = swapSlotAt(number);
  slot.count -= 1;
  freeUnusedSlot(number);
  if (slot.count > 0 || slot.pfn == PFN_NONE) return;
  const page = pageAt(slot.pfn);
  if ((page.flags & (PG_LOCKED | PG_WRITEBACK)) != 0) return;
  if (page.mapcount == 0 || isSwapFull()) deleteFromSwapCache(page);
}
