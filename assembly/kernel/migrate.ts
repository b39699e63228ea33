/** migrate_pages(): passes over a list of isolated pages, in the form of the profile (mm/migrate.c). */
import {
  EAGAIN,
  ENOMEM,
  PFN_NONE,
  PGMIGRATE_FAIL,
  PGMIGRATE_SUCCESS,
  PROBE_ATTEMPTS,
  PROBE_MIGRATE_BATCH,
  PROBE_MIGRATE_PAGES,
  TRACE_BATCH,
  TRACE_MIGRATE_PAGES,
} from "../abi";
import { closeFrameRuns } from "../state/frame_run";
import { Page, pageAt } from "../state/page";
import { trace, tracing } from "../state/trace";
import { count } from "../state/vmstat";
import { nodeOf } from "../state/zone";
import { setStatus } from "./entries";
import { endIsolation, putbackLruPage } from "./isolate";
import { syncBatch } from "./migrate_batch";
import { MigrateControl, blame, control, endPass } from "./migrate_control";
import {
  MigrateList,
  append,
  batchPages,
  failedPages,
  isolatedPages,
  moveFirst,
  splice,
  unlink,
} from "./migrate_list";
import { isOrdinary, moveOrdinaryPage } from "./migrate_ordinary";
import { unmapAndMoveOnce } from "./migrate_page";
import { profile } from "../state/profile";
import { TARGET_ENTRY, allocTarget, takeTarget } from "./target";

/** v3.12 leaves the result of each attempt in the status of the page's entry. */
function noteResult(c: MigrateControl, entry: i32, rc: i32, to: i32): void {
  if (c.targetKind == TARGET_ENTRY) setStatus(entry, rc != 0 ? rc : nodeOf(to));
}

/**
 * unmap_and_move(): allocates a target, tries once, and puts back what is settled: the target always, the
 * page unless it is to be tried again. Returns the result of the attempt.
 */
function unmapAndMove(
  c: MigrateControl,
  list: MigrateList,
  before: i32,
  pfn: i32,
  page: Page,
  force: bool,
): i32 {
  const ordinary = isOrdinary(pfn, page);
  const to = ordinary
    ? takeTarget(c.targetKind, c.targetNode, pfn, page.prev)
    : allocTarget(c.targetKind, c.targetNode, pfn, page.prev);
  if (to == PFN_NONE) return -ENOMEM;
  count(PROBE_ATTEMPTS, 1);
  const newPage = pageAt(to);
  if (ordinary) {
    noteResult(c, page.prev, 0, to);
    unlink(list, before, page);
    moveOrdinaryPage(pfn, page, to, newPage);
    return 0;
  }
  let rc = 0;
  // A page whose owners have dropped it meanwhile counts as moved.
  if (page.refcount > 1) rc = unmapAndMoveOnce(pfn, page, newPage, force, c.mode);
  noteResult(c, page.prev, rc, to);
  if (rc != -EAGAIN) {
    const entry = page.prev;
    unlink(list, before, page);
    if (rc != 0 && profile().failureStaysOnList) {
      append(failedPages(), pfn, page, entry);
    } else {
      if (rc != 0) blame(pfn);
      endIsolation(page);
      putbackLruPage(pfn, page);
    }
  }
  putbackLruPage(to, newPage);
  return rc;
}

/**
 * Up to nrPasses passes over `list`; pages left with -EAGAIN stay on it. Adds to the control record and
 * returns the number of pages that did not move, or -ENOMEM.
 */
function passesOver(c: MigrateControl, list: MigrateList): i32 {
  const p = profile();
  let failed = 0;
  let retry = 1;
  for (let pass = 0; pass < p.nrPasses && retry > 0; pass++) {
    const force = pass >= p.firstForcedPass;
    let moved = 0;
    let attempts = 0;
    retry = 0;
    let before = PFN_NONE;
    let pfn = list.head;
    while (pfn != PFN_NONE) {
      const page = pageAt(pfn);
      const next = page.next;
      const rc = unmapAndMove(c, list, before, pfn, page, force);
      if (rc == -ENOMEM) {
        // 6.x counts the page that found no target, too, and those it would have tried again.
        c.failed += p.failCountsAgain ? failed + retry + 1 : failed;
        c.succeeded += moved;
        endPass(moved, attempts - moved);
        return -ENOMEM;
      }
      attempts += 1;
      if (rc == 0) {
        moved += 1;
      } else if (rc == -EAGAIN) {
        retry += 1;
        before = pfn;
      } else {
        failed += 1;
      }
      pfn = next;
    }
    closeFrameRuns();
    c.succeeded += moved;
    endPass(moved, attempts - moved);
  }
  c.failed += p.failCountsAgain ? failed + retry : failed;
  return failed + retry;
}

/** 6.x: cuts the list into batches; what a batch leaves goes to the failed pages. */
function batches(c: MigrateControl, list: MigrateList): i32 {
  const p = profile();
  const batch = batchPages();
  let failed = 0;
  let rc = 0;
  while (list.head != PFN_NONE && rc >= 0) {
    moveFirst(list, batch, p.batchPages);
    if (p.splitPhases) {
      rc = syncBatch(c, batch);
    } else {
      count(PROBE_MIGRATE_BATCH, 1);
      rc = passesOver(c, batch);
      if (tracing()) trace(TRACE_BATCH, rc, 0, 0, 0);
    }
    splice(batch, failedPages());
    failed += rc;
  }
  splice(list, failedPages()); // list_splice(): what failed comes before what was never tried
  splice(failedPages(), list);
  return rc < 0 ? rc : failed;
}

/**
 * migrate_pages(): tries to move every page of isolatedPages(), each at most nrPasses times. What does not
 * move stays on that list, for the caller to put back; v3.12 puts pages that failed for good back itself.
 * Returns how many did not move, or -ENOMEM.
 */
export function migratePages(targetKind: i32, targetNode: i32, mode: i32, reason: i32): i32 {
  const c = control();
  c.targetKind = targetKind;
  c.targetNode = targetNode;
  c.mode = mode;
  c.reason = reason;
  c.succeeded = 0;
  c.failed = 0;
  count(PROBE_MIGRATE_PAGES, 1);
  const list = isolatedPages();
  const rc = profile().batchPages > 0 ? batches(c, list) : passesOver(c, list);
  count(PGMIGRATE_SUCCESS, c.succeeded);
  count(PGMIGRATE_FAIL, c.failed);
  if (tracing()) trace(TRACE_MIGRATE_PAGES, (reason << 2) | mode, c.succeeded, c.failed, rc);
  return rc;
}

/** putback_movable_pages(): returns what is left on the caller's list to the LRU. */
export function putbackMovablePages(): void {
  const list = isolatedPages();
  while (list.head != PFN_NONE) {
    const pfn = list.head;
    const page = pageAt(pfn);
    unlink(list, PFN_NONE, page);
    blame(pfn);
    endIsolation(page);
    putbackLruPage(pfn, page);
  }
}
