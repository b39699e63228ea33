/**
 * The migration of one page, step by step (mm/migrate.c). Each step ends where another CPU could see its
 * effect.
 */
import {
  CRASH_HANG,
  EAGAIN,
  EBUSY,
  INV_LIVE,
  FN_LOCK_PAGE,
  MIGRATE_ASYNC,
  MIGRATE_SYNC,
  PG_LOCKED,
  PG_SWAPCACHE,
  PG_WRITEBACK,
  PROBE_REFCOUNT_CHECK,
  PROBE_TRY_TO_UNMAP,
  TRACE_MOVED,
  TRACE_MOVE_RETURN,
  TRACE_UNMAP,
} from "../abi";
import { crash } from "../state/crash";
import { machine } from "../state/machine";
import { MIGRATEPAGE_ASYNC_PF, mappingAt, objectOf, putMapping } from "../state/mapping";
import { endChargeMigration, migrateCharge, prepareChargeMigration } from "../state/memcg";
import { Page, pageAnon, pageHasPrivate, pageKsm, pfnOf } from "../state/page";
import { trace, tracing } from "../state/trace";
import { count } from "../state/vmstat";
import { pageMapping } from "./dirty";
import { migrateByMapping } from "./migrate_file";
import { prepareTarget, traceCheck } from "./move_mapping";
import { unlockPage } from "./page_lock";
import { asyncPfMigratepage } from "./policy/rfc";
import { profile } from "../state/profile";
import { pageGetAnonVma, rmapPageAnon } from "./rmap";
import { removeMigrationPtes, tryToUnmap } from "./unmap";
import { endPageWriteback } from "./writeback";

const NO_ANON_VMA: i32 = 0;

/** 1. Locks the page. Returns 0, or -EAGAIN when another holds the lock and this attempt may not sleep. */
export function lockForMigration(page: Page, force: bool, mode: i32): i32 {
  if ((page.flags & PG_LOCKED) != 0) {
    if (!force || mode == MIGRATE_ASYNC) return -EAGAIN;
    // On the straight clock nobody is left to unlock it.
    crash(CRASH_HANG, FN_LOCK_PAGE, 0, pfnOf(page), INV_LIVE);
  }
  page.flags |= PG_LOCKED;
  return 0;
}

/** 3. Deals with writeback: 0, -EBUSY where the mode never waits, -EAGAIN where this attempt does not. */
function waitForWriteback(page: Page, force: bool, mode: i32): i32 {
  if ((page.flags & PG_WRITEBACK) == 0) return 0;
  if (mode != MIGRATE_SYNC) return -EBUSY;
  if (!force) return -EAGAIN;
  endPageWriteback(pfnOf(page), page); // wait_on_page_writeback()
  return 0;
}

/**
 * 2.–8. From the locked page to the unmapped one. Returns 0 when the move may be tried, else the errno of the
 * attempt. The machine notes what the end of the attempt has to undo: the anon_vma reference, and whether
 * PTEs were removed.
 */
export function unmapStep(pfn: i32, page: Page, force: bool, mode: i32): i32 {
  const m = machine();
  m.anonVma = NO_ANON_VMA;
  m.unmapped = 0;
  // 2. The charge stays while nothing maps the page.
  if (rmapPageAnon(page)) prepareChargeMigration(page);
  const err = waitForWriteback(page, force, mode);
  if (err != 0) return err;
  // 4. An anonymous page needs its anon_vma until the PTEs are back.
  const p = profile();
  if (pageAnon(page) && !pageKsm(page)) {
    m.anonVma = pageGetAnonVma(page);
    if (m.anonVma == NO_ANON_VMA && p.unmappedAnonRetries) {
      // In the swap cache it can be moved: nothing has to be mapped again ("remap_swapcache").
      if ((page.flags & PG_SWAPCACHE) == 0) return -EAGAIN;
      count(PROBE_TRY_TO_UNMAP, 1);
      if (tracing()) trace(TRACE_UNMAP, pfn, page.refcount, 0, 0);
      return 0;
    }
  }
  // 6. No mapping: nothing maps the page.
  if (page.mapping == 0) {
    if (pageHasPrivate(page)) return -EAGAIN;
  } else if (page.mapcount > 0 || p.unmapsUnmapped) {
    m.unmapped = 1;
    tryToUnmap(pfn, page);
  }
  // 8. Still mapped: the attempt has failed.
  return page.mapcount == 0 ? 0 : -EAGAIN;
}

/** move_to_new_page() up to the migratepage of the mapping. Returns page_mapping(). */
export function beginMove(newPage: Page, page: Page): i32 {
  newPage.flags |= PG_LOCKED;
  prepareTarget(newPage, page);
  const word = pageMapping(page);
  if (profile().checkAtMoveEntry) {
    count(PROBE_REFCOUNT_CHECK, 1);
    if (tracing()) traceCheck(page, word);
  }
  return word;
}

/** True if the migratepage of a mapping is the RFC's. */
export function isOfAsyncPf(word: i32): bool {
  return word != 0 && <i32>mappingAt(objectOf(word)).migratepage == MIGRATEPAGE_ASYNC_PF;
}

/** The migratepage of a mapping, with nobody in between. Returns 0 or the errno of the attempt. */
export function callMigratepage(word: i32, newPage: Page, page: Page, mode: i32): i32 {
  if (isOfAsyncPf(word)) return asyncPfMigratepage(newPage, page);
  return migrateByMapping(word, newPage, page, mode);
}

/** What is left of move_to_new_page() when migratepage has returned `rc`. */
export function endMove(newPage: Page, page: Page, unmapped: bool, rc: i32): void {
  if (tracing()) trace(TRACE_MOVE_RETURN, pfnOf(page), rc, 0, 0);
  if (rc != 0) {
    newPage.mapping = 0;
  } else {
    migrateCharge(page, newPage);
    if (unmapped) removeMigrationPtes(pfnOf(page), pfnOf(newPage));
    endChargeMigration(page, newPage);
    if (!pageAnon(page) || profile().clearsAnonMapping) page.mapping = 0;
    if (tracing()) trace(TRACE_MOVED, pfnOf(page), pfnOf(newPage), 0, 0);
  }
  newPage.flags &= ~PG_LOCKED;
}

/**
 * move_to_new_page(): the mapping, the content, the flags; then, if the attempt has called try_to_unmap(),
 * the PTEs of the target. Returns 0 or the errno of the attempt.
 */
export function moveToNewPage(newPage: Page, page: Page, unmapped: bool, mode: i32): i32 {
  const word = beginMove(newPage, page);
  const rc = callMigratepage(word, newPage, page, mode);
  endMove(newPage, page, unmapped, rc);
  return rc;
}

/** 10.–11. Back out or finish: PTEs of a page that did not move, the anon_vma reference, the lock. */
export function finishStep(pfn: i32, page: Page, anonVma: i32, moved: bool, unmapped: bool): void {
  if (!moved && unmapped) removeMigrationPtes(pfn, pfn);
  endChargeMigration(page, page);
  if (anonVma != NO_ANON_VMA) putMapping(anonVma);
  unlockPage(page);
}

/** __unmap_and_move(): one attempt on an isolated page. Returns 0 or the errno of the attempt. */
export function unmapAndMoveOnce(pfn: i32, page: Page, newPage: Page, force: bool, mode: i32): i32 {
  let rc = lockForMigration(page, force, mode);
  if (rc != 0) return rc;
  rc = unmapStep(pfn, page, force, mode);
  const m = machine();
  const anonVma = m.anonVma;
  const unmapped = m.unmapped != 0;
  if (rc == 0) rc = moveToNewPage(newPage, page, unmapped, mode);
  finishStep(pfn, page, anonVma, rc == 0, unmapped);
  return rc;
}
