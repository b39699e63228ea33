/** MADV_PAGEOUT (mm/madvise.c): reclaim of the pages of a range, which is not asked who has accessed them. */
import {
  EINVAL,
  PFN_NONE,
  PG_ACTIVE,
  PG_LRU,
  PG_REFERENCED,
  PG_UNEVICTABLE,
  PTE_ACCESSED,
  RECLAIM_FREED,
  ZERO_PFN,
} from "../abi";
import { lruAddDrainCpu } from "../state/lru_batch";
import { machine } from "../state/machine";
import { mmAt } from "../state/mm";
import { pageAt } from "../state/page";
import { pteAt, ptePfn, ptePresent, setPte } from "../state/pgtable";
import { VM_LOCKED, Vma, pteNumber, vmaAt } from "../state/vma";
import { endIsolation, putbackLruPage, takeFromLru } from "./isolate";
import { append, reclaimedPages, takeFirst } from "./migrate_list";
import { shrinkPage } from "./shrink_page";

/** Isolates the page of a PTE for reclaim_pages(): one that no other process maps, now not accessed. */
function isolateForPageout(vma: Vma, vpn: i32): void {
  const number = pteNumber(vma, vpn);
  const pte = pteAt(number);
  const pfn = ptePfn(pte);
  if (!ptePresent(pte) || pfn == ZERO_PFN) return;
  const page = pageAt(pfn);
  if (page.mapcount != 1 || (page.flags & PG_LRU) == 0) return;
  setPte(number, pte & ~PTE_ACCESSED);
  page.flags &= ~PG_REFERENCED;
  if ((page.flags & PG_UNEVICTABLE) != 0 || !takeFromLru(pfn, page)) return;
  page.flags &= ~PG_ACTIVE;
  append(reclaimedPages(), pfn, page, 0);
}

/** can_madv_lru_vma() fails for a VMA of the range. */
function hasLockedVma(mm: i32, start: i32, end: i32): bool {
  for (let id = mmAt(mm).firstVma; id != 0; id = vmaAt(id).nextVma) {
    const vma = vmaAt(id);
    if (vma.start < end && start < vma.end && (vma.flags & VM_LOCKED) != 0) return true;
  }
  return false;
}

/**
 * MADV_PAGEOUT of virtual pages start … end-1: reclaim_pages() of the pages that this process alone maps,
 * accessed or not. Returns how many were freed, or -EINVAL if memory there is mlocked.
 */
export function pageoutRange(mm: i32, start: i32, end: i32): i32 {
  if (hasLockedVma(mm, start, end)) return -EINVAL;
  machine().cpu = mmAt(mm).cpu;
  lruAddDrainCpu(machine().cpu);
  for (let id = mmAt(mm).firstVma; id != 0; id = vmaAt(id).nextVma) {
    const vma = vmaAt(id);
    const to = min<i32>(end, vma.end);
    for (let vpn = max<i32>(start, vma.start); vpn < to; vpn++) isolateForPageout(vma, vpn);
  }
  const list = reclaimedPages();
  let freed = 0;
  while (list.head != PFN_NONE) {
    const pfn = takeFirst(list);
    const page = pageAt(pfn);
    if (shrinkPage(pfn, page, true) == RECLAIM_FREED) {
      freed += 1;
      continue;
    }
    endIsolation(page);
    putbackLruPage(pfn, page);
  }
  return freed;
}
