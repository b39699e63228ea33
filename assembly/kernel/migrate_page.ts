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
  TRACE_MOVED,
  TRACE_MOVE_RETURN,
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
const NOTHING_TO_REMAP: i32 = -1; // in the place of an anon_vma: in the swap cache, and mapped by nobody

/** True if the attempt sleeps until another unlocks the page. */
export function sleepsForLock(page: Page, force: bool, mode: i32): bool {
  return (page.flags & PG_LOCKED) != 0 && force && mode != MIGRATE_ASYNC;
}

/**
 * 1.–2. Locks the page, whose charge stays from now on while nothing maps it. Returns 0, or -EAGAIN when
 * another holds the lock and this attempt may not sleep.
 */
export function lockForMigration(page: Page, force: bool, mode: i32): i32 {
  if ((page.flags & PG_LOCKED) != 0) {
    if (!sleepsForLock(page, force, mode)) return -EAGAIN;
    // On the straight clock nobody is left to unlock it.
    crash(CRASH_HANG, FN_LOCK_PAGE, 0, pfnOf(page), INV_LIVE);
  }
  page.flags |= PG_LOCKED;
  if (rmapPageAnon(page)) prepareChargeMigration(page);
  return 0;
}

/** True if the attempt sleeps until the I/O actor ends the writeback; on other clocks it ends here. */
export function sleepsForWriteback(page: Page, force: bool, mode: i32): bool {
  return (page.flags & PG_WRITEBACK) != 0 && force && mode == MIGRATE_SYNC && machine().interleaved != 0;
}

/** 3. Deals with writeback: 0, -EBUSY where the mode never waits, -EAGAIN where this attempt does not. */
export function waitForWriteback(page: Page, force: bool, mode: i32): i32 {
  if ((page.flags & PG_WRITEBACK) == 0) return 0;
  if (mode != MIGRATE_SYNC) return -EBUSY;
  if (!force) return -EAGAIN;
  endPageWriteback(pfnOf(page), page); // wait_on_page_writeback()
  return 0;
}

/**
 * 4. An anonymous page needs its anon_vma until the PTEs are back. Returns what dropAnonVma() wants to know,
 * or -EAGAIN when the page is mapped by nobody.
 */
export function holdAnonVma(page: Page): i32 {
  if (!pageAnon(page) || pageKsm(page)) return NO_ANON_VMA;
  const anonVma = pageGetAnonVma(page);
  if (anonVma != NO_ANON_VMA || !profile().unmappedAnonRetries) return anonVma;
  // In the swap cache it can be moved: nothing has to be mapped again ("remap_swapcache").
  return (page.flags & PG_SWAPCACHE) != 0 ? NOTHING_TO_REMAP : -EAGAIN;
}

function dropAnonVma(anonVma: i32): void {
  if (anonVma > NO_ANON_VMA) putMapping(anonVma);
}

/**
 * 6.–8. Unmaps a page for which holdAnonVma() has returned `anonVma`. Returns 0 when the move may be tried,
 * or -EAGAIN. The machine notes whether PTEs may have to be restored.
 */
export function unmapPtes(pfn: i32, page: Page, anonVma: i32): i32 {
  // 6. No mapping: nothing maps the page.
  if (page.mapping == 0) {
    if (pageHasPrivate(page)) return -EAGAIN;
  } else if (page.mapcount > 0 || profile().unmapsUnmapped) {
    machine().unmapped = anonVma != NOTHING_TO_REMAP ? 1 : 0;
    tryToUnmap(pfn, page);
  }
  // 8. Still mapped: the attempt has failed.
  return page.mapcount == 0 ? 0 : -EAGAIN;
}

/**
 * 3.–8. From the locked page to the unmapped one, with nobody in between. Returns 0 when the move may be
 * tried, else the errno of the attempt. The machine notes what the end of the attempt has to undo: the
 * anon_vma reference, and whether PTEs were removed.
 */
export function unmapStep(pfn: i32, page: Page, force: bool, mode: i32): i32 {
  const m = machine();
  m.anonVma = NO_ANON_VMA;
  m.unmapped = 0;
  const err = waitForWriteback(page, force, mode);
  if (err != 0) return err;
  const anonVma = holdAnonVma(page);
  if (anonVma == -EAGAIN) return -EAGAIN;
  m.anonVma = anonVma;
  return unmapPtes(pfn, page, anonVma);
}

/** move_to_new_page() up to its look at page_mapping(). */
export function beginMove(newPage: Page, page: Page): void {
  newPage.flags |= PG_LOCKED;
  prepareTarget(newPage, page);
}

/** Looks which mapping is to move the page. Returns page_mapping(). */
export function dispatchMove(page: Page): i32 {
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
  unlockPage(newPage); // a fault may have found it in the swap cache
}

/**
 * move_to_new_page(): the mapping, the content, the flags; then, if the attempt has called try_to_unmap(),
 * the PTEs of the target. Returns 0 or the errno of the attempt.
 */
export function moveToNewPage(newPage: Page, page: Page, unmapped: bool, mode: i32): i32 {
  beginMove(newPage, page);
  const word = dispatchMove(page);
  const rc = callMigratepage(word, newPage, page, mode);
  endMove(newPage, page, unmapped, rc);
  return rc;
}

/** 11. What a locked page gives back at the end of an attempt: the anon_vma reference, the lock. */
export function unlockMigrated(page: Page, anonVma: i32): void {
  endChargeMigration(page, page);
  dropAnonVma(anonVma);
  unlockPage(page);
}

/** 10.–11. Back out or finish: PTEs of a page that did not move, the anon_vma reference, the lock. */
export function finishStep(pfn: i32, page: Page, anonVma: i32, moved: bool, unmapped: bool): void {
  if (!moved && unmapped) removeMigrationPtes(pfn, pfn);
  unlockMigrated(page, anonVma);
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
