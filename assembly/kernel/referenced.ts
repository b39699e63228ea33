/** page_referenced() (mm/rmap.c): who has accessed a page since reclaim last looked at it. */
import { FN_PAGE_REFERENCED, FN_PAGE_REFERENCED_FILE, PG_LOCKED, PG_REFERENCED, PTE_ACCESSED } from "../abi";
import { Page, pageAnon, pageKsm } from "../state/page";
import { pteAt, ptePfn, ptePresent, setPte } from "../state/pgtable";
import { VM_LOCKED } from "../state/vma";
import { rmapMapping } from "./rmap";
import { NO_PLACE, beginWalk, lockForWalk, nextPlace, placeVma } from "./rmap_walk";

/** Beside the number of young PTEs: a VM_LOCKED VMA maps the page. */
export const REFERENCED_LOCKED: i32 = 1 << 30;

/**
 * Makes the PTEs of a page old. Returns how many were young; REFERENCED_LOCKED ends the look. One that is no
 * plain anonymous page is looked at under its lock: if another than the caller has that, as accessed.
 */
export function pageReferenced(pfn: i32, page: Page, lockHeld: bool): i32 {
  const word = rmapMapping(page);
  if (page.mapcount == 0 || word == 0) return 0;
  if (!lockHeld && (!pageAnon(page) || pageKsm(page)) && (page.flags & PG_LOCKED) != 0) return 1;
  let young = 0;
  lockForWalk(word, pfn, FN_PAGE_REFERENCED_FILE, FN_PAGE_REFERENCED);
  beginWalk(word, page.index);
  for (let number = nextPlace(); number != NO_PLACE; number = nextPlace()) {
    const pte = pteAt(number);
    if (!ptePresent(pte) || ptePfn(pte) != pfn) continue;
    if ((placeVma().flags & VM_LOCKED) != 0) return REFERENCED_LOCKED;
    if ((pte & PTE_ACCESSED) == 0) continue;
    setPte(number, pte & ~PTE_ACCESSED);
    young += 1;
  }
  return young;
}

/** TestClearPageReferenced(). */
export function testClearReferenced(page: Page): bool {
  const referenced = (page.flags & PG_REFERENCED) != 0;
  page.flags &= ~PG_REFERENCED;
  return referenced;
}
