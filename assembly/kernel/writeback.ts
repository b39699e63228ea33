/**
 * Writing pages of files back (mm/page-writeback.c): what makes them clean, and keeps them so until a fault.
 */
import {
  CRASH_OOPS,
  FN_END_PAGE_WRITEBACK,
  FN_TEST_CLEAR_PAGE_WRITEBACK,
  INV_PRIV,
  PFN_NONE,
  PGROTATED,
  PG_ACTIVE,
  PG_DIRTY,
  PG_LOCKED,
  PG_LRU,
  PG_RECLAIM,
  PG_SWAPCACHE,
  PG_UNEVICTABLE,
  PG_WRITEBACK,
  PTE_DIRTY,
  PTE_WRITE,
} from "../abi";
import { crash } from "../state/crash";
import { lruAddTail, lruDel } from "../state/lru";
import { AS_SHMEM, cacheSlotAt, mappingAt } from "../state/mapping";
import { Page, pageAt } from "../state/page";
import { pteAt, ptePfn, ptePresent, setPte } from "../state/pgtable";
import { profile } from "../state/profile";
import { areaOfSlot } from "../state/swap";
import { count } from "../state/vmstat";
import { wakeUpPage } from "../state/wait_queue";
import { NO_PLACE, beginWalk, nextPlace } from "./rmap_walk";

/**
 * end_page_writeback(): the I/O of a page has ended. One that reclaim waits for goes to the end of the
 * inactive list (rotate_reclaimable_page(), without a batch), unless it is in use again.
 */
export function endPageWriteback(pfn: i32, page: Page): void {
  if ((page.flags & PG_SWAPCACHE) != 0 && areaOfSlot(page.privateWord) == 0) {
    crash(CRASH_OOPS, FN_TEST_CLEAR_PAGE_WRITEBACK, FN_END_PAGE_WRITEBACK, pfn, INV_PRIV);
  }
  const awaited = (page.flags & PG_RECLAIM) != 0;
  page.flags &= ~(PG_WRITEBACK | PG_RECLAIM);
  wakeUpPage(pfn);
  if (!awaited || (page.flags & (PG_LRU | PG_LOCKED | PG_DIRTY | PG_UNEVICTABLE)) != PG_LRU) return;
  if ((page.flags & PG_ACTIVE) != 0 && !profile().rotatesActive) return;
  count(PGROTATED, 1);
  lruDel(pfn, page);
  page.flags &= ~PG_ACTIVE;
  lruAddTail(pfn, page);
}

/** page_mkclean(): no PTE lets the page be written without a fault. */
function pageMkclean(pfn: i32, page: Page): void {
  beginWalk(page.mapping, page.index);
  for (let number = nextPlace(); number != NO_PLACE; number = nextPlace()) {
    const pte = pteAt(number);
    if (!ptePresent(pte) || ptePfn(pte) != pfn) continue;
    setPte(number, pte & ~(PTE_DIRTY | PTE_WRITE));
  }
}

/**
 * write_cache_pages() for pages start … end-1: starts the writeback of those that are marked dirty, which
 * every write fault does. With `wait` they are clean afterwards, as by fsync(2), which waits for an earlier
 * writeback first; without it (WB_SYNC_NONE) a page under writeback stays as it is. What lies in memory alone
 * is not written back.
 */
export function writebackFile(object: i32, start: i32, end: i32, wait: bool): void {
  const mapping = mappingAt(object);
  if ((mapping.flags & AS_SHMEM) != 0) return;
  for (let index = start; index < end; index++) {
    const pfn = cacheSlotAt(mapping, index).pfn;
    if (pfn == PFN_NONE) continue;
    const page = pageAt(pfn);
    if ((page.flags & PG_DIRTY) != 0 && (wait || (page.flags & PG_WRITEBACK) == 0)) {
      pageMkclean(pfn, page);
      page.flags = (page.flags & ~PG_DIRTY) | PG_WRITEBACK;
    }
    if (wait && (page.flags & PG_WRITEBACK) != 0) endPageWriteback(pfn, page);
  }
}
