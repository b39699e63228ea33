/** try_to_unmap() for reclaim (mm/rmap.c): PTEs become swap entries, or go. */
import { FN_TRY_TO_UNMAP, FN_TRY_TO_UNMAP_FILE, PTE_ACCESSED, PTE_DIRTY } from "../abi";
import { mmAt } from "../state/mm";
import { Page } from "../state/page";
import { pteAt, ptePfn, ptePresent, setPte } from "../state/pgtable";
import { profile } from "../state/profile";
import { VM_LOCKED, Vma } from "../state/vma";
import { setPageDirty } from "./dirty";
import { rmapMapping, rmapPageAnon } from "./rmap";
import { NO_PLACE, beginWalk, lockForWalk, nextPlace, placeVma } from "./rmap_walk";
import { finishUnmapping, unmapToSwap } from "./unmap";

export const UNMAP_SUCCESS: i32 = 0; // SWAP_SUCCESS: nobody maps the page any more
export const UNMAP_AGAIN: i32 = 1; // SWAP_AGAIN: somebody does, and was not found
export const UNMAP_FAIL: i32 = 2; // SWAP_FAIL: it is in use, or may not go
export const UNMAP_MLOCK: i32 = 3; // SWAP_MLOCK: a VM_LOCKED VMA maps it

/** A page of the page cache comes back by a fault: its PTE goes. */
function unmapFilePte(page: Page, vma: Vma, number: i32, pte: i32): void {
  setPte(number, 0);
  if ((pte & PTE_DIRTY) != 0) setPageDirty(page);
  mmAt(vma.mm).rssFile -= 1;
  finishUnmapping(page, pte);
}

function unmapOne(page: Page, vma: Vma, number: i32, pte: i32): i32 {
  if ((vma.flags & VM_LOCKED) != 0) return UNMAP_MLOCK;
  if ((pte & PTE_ACCESSED) != 0 && profile().youngStopsUnmap) {
    setPte(number, pte & ~PTE_ACCESSED);
    return UNMAP_FAIL;
  }
  if (!rmapPageAnon(page)) unmapFilePte(page, vma, number, pte);
  else if (!unmapToSwap(page, vma, number, pte)) return UNMAP_FAIL;
  return UNMAP_SUCCESS;
}

/** Unmaps a locked page everywhere, an anonymous one into its slot. Returns UNMAP_*. */
export function tryToUnmapForReclaim(pfn: i32, page: Page): i32 {
  const word = rmapMapping(page);
  lockForWalk(word, pfn, FN_TRY_TO_UNMAP_FILE, FN_TRY_TO_UNMAP);
  beginWalk(word, page.index);
  for (let number = nextPlace(); number != NO_PLACE; number = nextPlace()) {
    const pte = pteAt(number);
    if (!ptePresent(pte) || ptePfn(pte) != pfn) continue;
    const result = unmapOne(page, placeVma(), number, pte);
    if (result != UNMAP_SUCCESS) return result;
    if (page.mapcount == 0) return UNMAP_SUCCESS;
  }
  return page.mapcount == 0 ? UNMAP_SUCCESS : UNMAP_AGAIN;
}
