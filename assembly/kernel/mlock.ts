/** mlock() (mm/mlock.c). */
import { NR_MLOCK, PG_LRU, PG_MLOCKED, PG_UNEVICTABLE, PTE_PRESENT, ZERO_PFN } from "../abi";
import { addToUnevictableList, lruAdd, lruDel } from "../state/lru";
import { lruAddDrainAll } from "../state/lru_batch";
import { mmAt } from "../state/mm";
import { Page, pageAt } from "../state/page";
import { pteAt, pteIsMigrationEntry, ptePfn, ptePresent } from "../state/pgtable";
import { VM_LOCKED, Vma, pteNumber, splitAt, vmaAt } from "../state/vma";
import { count } from "../state/vmstat";
import { rmapMapping } from "./rmap";
import { NO_PLACE, beginWalk, nextPlace, placeVma } from "./rmap_walk";

/** mlock_vma_page(): moves a page to the unevictable list. */
export function mlockPage(pfn: i32): void {
  const page = pageAt(pfn);
  if ((page.flags & PG_MLOCKED) != 0 || pfn == ZERO_PFN) return;
  page.flags |= PG_MLOCKED;
  count(NR_MLOCK, 1);
  if ((page.flags & PG_LRU) == 0) return; // it finds its list when it is put back
  lruDel(pfn, page);
  addToUnevictableList(pfn, page);
}

/** True if a VM_LOCKED VMA maps the page, or has a migration entry for it. */
function mappedByLockedVma(pfn: i32, page: Page): bool {
  beginWalk(rmapMapping(page), page.index);
  for (let number = nextPlace(); number != NO_PLACE; number = nextPlace()) {
    if ((placeVma().flags & VM_LOCKED) == 0) continue;
    const pte = pteAt(number);
    if ((ptePresent(pte) || pteIsMigrationEntry(pte)) && ptePfn(pte) == pfn) return true;
  }
  return false;
}

/**
 * munlock of a page that `vma` has just unmapped: if no VM_LOCKED VMA maps it any more it is evictable,
 * whoever else holds it.
 */
export function munlockUnmapped(vma: Vma, pfn: i32, page: Page): void {
  if ((page.flags & PG_MLOCKED) == 0) return;
  if (page.mapcount > 0 && ((vma.flags & VM_LOCKED) == 0 || mappedByLockedVma(pfn, page))) return;
  page.flags &= ~PG_MLOCKED;
  count(NR_MLOCK, -1);
  if ((page.flags & PG_LRU) == 0) return; // it finds its list when it is put back
  lruDel(pfn, page);
  page.flags &= ~PG_UNEVICTABLE;
  lruAdd(pfn, page);
}

/**
 * The same for a migration entry that has just gone: the copy step has nothing left to carry over. (A kernel
 * has cleared the flag when it put the entry there.)
 */
export function munlockEntry(vma: Vma, pfn: i32, page: Page): void {
  if ((page.flags & PG_MLOCKED) == 0 || (vma.flags & VM_LOCKED) == 0) return;
  if (mappedByLockedVma(pfn, page)) return;
  page.flags &= ~PG_MLOCKED;
  count(NR_MLOCK, -1);
}

/** mlock() of pages that are there already; VM_LOCKED makes later faults follow. */
export function mlock(mm: i32, start: i32, end: i32, nrCpus: i32): void {
  splitAt(mm, start, end);
  lruAddDrainAll(nrCpus);
  for (let id = mmAt(mm).firstVma; id != 0; id = vmaAt(id).nextVma) {
    const vma = vmaAt(id);
    if (vma.start < start || vma.end > end) continue;
    vma.flags |= VM_LOCKED;
    for (let vpn = vma.start; vpn < vma.end; vpn++) {
      const pte = pteAt(pteNumber(vma, vpn));
      if ((pte & PTE_PRESENT) != 0) mlockPage(ptePfn(pte));
    }
  }
}
