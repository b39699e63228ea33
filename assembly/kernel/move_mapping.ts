/** The reference-count check, and what a migrated page carries over (mm/migrate.c). */
import {
  EAGAIN,
  FN_MIGRATE_PAGE_MOVE_MAPPING,
  FN_RAW_SPIN_LOCK_IRQ,
  PG_ACTIVE,
  PG_ANON_EXCLUSIVE,
  PG_CHECKED,
  PG_DIRTY,
  PG_ERROR,
  PG_MAPPEDTODISK,
  PG_MLOCKED,
  PG_PRIVATE,
  PG_REFERENCED,
  PG_SWAPBACKED,
  PG_SWAPCACHE,
  PG_UNEVICTABLE,
  PG_UPTODATE,
  PROBE_PAGES_COPIED,
  PROBE_REFCOUNT_CHECK,
  TRACE_CHECK,
} from "../abi";
import { copyContent } from "../state/content";
import { AS_SWAP, CacheSlot, cacheSlotAt, mappingAt, objectOf } from "../state/mapping";
import { ksmMigratePage } from "../state/ksm";
import { Page, getPage, pageHasPrivate, pfnOf } from "../state/page";
import { swapSlotAt } from "../state/swap";
import { trace, tracing } from "../state/trace";
import { count } from "../state/vmstat";
import { clearPageDirtyForIo } from "./dirty";
import { lockTree } from "./locks";
import { profile } from "../state/profile";

export const CARRIED: i32 = PG_ERROR | PG_REFERENCED | PG_UPTODATE | PG_CHECKED | PG_MAPPEDTODISK;

/** Moves the page-cache slot and its reference; the count was frozen from `expected`. */
function replaceSlot(slot: CacheSlot, newPage: Page, page: Page, expected: i32): void {
  getPage(newPage);
  slot.pfn = pfnOf(newPage);
  page.refcount = expected - 1;
}

/** The same for the swap cache, which finds the page by its slot. Returns 0 or -EAGAIN. */
function replaceInSwapCache(newPage: Page, page: Page, expected: i32): i32 {
  const slot = swapSlotAt(page.privateWord);
  if (slot.pfn != pfnOf(page)) return -EAGAIN;
  getPage(newPage);
  newPage.flags |= PG_SWAPCACHE;
  newPage.privateWord = page.privateWord;
  slot.pfn = pfnOf(newPage);
  page.refcount = expected - 1;
  return 0;
}

/** References of an unmapped page that migration can account for: isolation, page cache, private data. */
export function expectedRefs(word: i32, page: Page): i32 {
  if (word == 0) return 1;
  return 2 + (pageHasPrivate(page) ? 1 : 0);
}

/**
 * migrate_page_move_mapping(): compares the count of an unmapped page with what migration can account for and
 * moves the mapping. `word` is the mapping, 0 for an anonymous page outside the swap cache. Returns 0 or
 * -EAGAIN.
 */
export function migratePageMoveMapping(word: i32, newPage: Page, page: Page): i32 {
  const pfn = pfnOf(page);
  if (!profile().checkAtMoveEntry) {
    count(PROBE_REFCOUNT_CHECK, 1);
    if (tracing()) traceCheck(page, word);
  }
  if (word == 0) return page.refcount == 1 ? 0 : -EAGAIN;

  lockTree(word, pfn, FN_RAW_SPIN_LOCK_IRQ, FN_MIGRATE_PAGE_MOVE_MAPPING);
  const expected = expectedRefs(word, page);
  const mapping = mappingAt(objectOf(word));
  if (page.refcount != expected) return -EAGAIN;
  if ((mapping.flags & AS_SWAP) != 0) return replaceInSwapCache(newPage, page, expected);
  if (page.index >= mapping.nrSlots) return -EAGAIN;
  const slot = cacheSlotAt(mapping, page.index);
  if (slot.pfn != pfn) return -EAGAIN;
  replaceSlot(slot, newPage, page, expected);
  return 0;
}

/** Notes what a probe at the entry of the check sees; its result follows from it. */
export function traceCheck(page: Page, word: i32): void {
  const expected = expectedRefs(word, page);
  trace(TRACE_CHECK, pfnOf(page), page.refcount, word == 0 ? 0 : 1, page.refcount == expected ? 0 : -EAGAIN);
}

/** migrate_page_copy(): content, then flags. */
export function migratePageCopy(newPage: Page, page: Page): void {
  count(PROBE_PAGES_COPIED, 1);
  copyContent(pfnOf(page), pfnOf(newPage));
  newPage.flags |= page.flags & (CARRIED | PG_ACTIVE | PG_UNEVICTABLE);
  page.flags &= ~(PG_ACTIVE | PG_UNEVICTABLE);
  if ((page.flags & PG_DIRTY) != 0) {
    clearPageDirtyForIo(page);
    newPage.flags |= PG_DIRTY;
  }
  if ((page.flags & PG_MLOCKED) != 0) {
    // mlock_migrate_page(): the counter of the host stays as it is.
    page.flags &= ~PG_MLOCKED;
    newPage.flags |= PG_MLOCKED;
  }
  ksmMigratePage(newPage, page);
  page.flags &= ~(PG_SWAPCACHE | PG_PRIVATE | PG_ANON_EXCLUSIVE);
  page.privateWord = 0;
}

/** migrate_page(): the migratepage operation of everything that needs nothing special. */
export function migratePage(word: i32, newPage: Page, page: Page): i32 {
  const rc = migratePageMoveMapping(word, newPage, page);
  if (rc == 0) migratePageCopy(newPage, page);
  return rc;
}

/** What move_to_new_page() gives the target before the mapping decides. */
export function prepareTarget(newPage: Page, page: Page): void {
  newPage.index = page.index;
  newPage.mapping = page.mapping;
  newPage.flags |= page.flags & PG_SWAPBACKED;
}
