/**
 * migrate_pages_batch() as 6.12 has it: a batch is unmapped as a whole and then moved; a page that fails the
 * count check stays unmapped, with its target, while the move is tried again. First asynchronously for the
 * batch, then page by page.
 */
import {
  EAGAIN,
  ENOMEM,
  MIGRATE_ASYNC,
  PFN_NONE,
  PROBE_ATTEMPTS,
  PROBE_MIGRATE_BATCH,
  TRACE_BATCH,
} from "../abi";
import { machine } from "../state/machine";
import { pageAt } from "../state/page";
import { trace, tracing } from "../state/trace";
import { count } from "../state/vmstat";
import { endIsolation, putbackLruPage } from "./isolate";
import { MigrateControl, endPass } from "./migrate_control";
import {
  MigrateList,
  append,
  failedPages,
  moveFirst,
  retriedPages,
  splice,
  targetPages,
  unlink,
  unmappedPages,
} from "./migrate_list";
import { finishStep, lockForMigration, moveToNewPage, unmapStep } from "./migrate_page";
import { profile } from "../state/profile";
import { allocTarget } from "./target";

// While a target waits for its page, its private word keeps what the end of the attempt must undo.
const RECORD_UNMAPPED: i32 = 1;

/** migrate_folio_unmap(): 0 = freed meanwhile, 1 = unmapped and recorded, else errno. */
function unmapForBatch(c: MigrateControl, pfn: i32, mode: i32): i32 {
  const page = pageAt(pfn);
  if (page.refcount == 1) {
    endIsolation(page);
    putbackLruPage(pfn, page);
    return 0;
  }
  const to = allocTarget(c.targetKind, c.targetNode, pfn, page.prev);
  if (to == PFN_NONE) return -ENOMEM;
  const newPage = pageAt(to);
  let rc = lockForMigration(page, true, mode);
  if (rc == 0) {
    rc = unmapStep(pfn, page, true, mode);
    const m = machine();
    if (rc == 0) {
      newPage.privateWord = (m.anonVma << 1) | m.unmapped;
      append(unmappedPages(), pfn, page, page.prev);
      append(targetPages(), to, newPage, 0);
      return 1;
    }
    finishStep(pfn, page, m.anonVma, false, m.unmapped != 0);
  }
  putbackLruPage(to, newPage);
  return rc;
}

/**
 * Unmaps what it can of `list` in up to `nrPasses` passes; a page that is unmapped has its attempt still
 * before it. Returns pages that failed for good, or -ENOMEM with all failures counted: the page that found no
 * target, those to be tried again and those that failed for good.
 */
function unmapPhase(
  c: MigrateControl,
  list: MigrateList,
  mode: i32,
  nrPasses: i32,
  failed: MigrateList,
): i32 {
  let nrFailed = 0;
  let retry = 1;
  for (let pass = 0; pass < nrPasses && retry > 0; pass++) {
    retry = 0;
    let freed = 0;
    const failedBefore = nrFailed;
    let rc = 0;
    let before = PFN_NONE;
    let pfn = list.head;
    while (pfn != PFN_NONE && rc != -ENOMEM) {
      const page = pageAt(pfn);
      const next = page.next;
      const entry = page.prev;
      unlink(list, before, page);
      page.prev = entry;
      rc = unmapForBatch(c, pfn, mode);
      if (rc <= 0 && rc != -ENOMEM) count(PROBE_ATTEMPTS, 1);
      if (rc == 0) {
        freed += 1;
      } else if (rc == -EAGAIN || rc == -ENOMEM) {
        insertAfter(list, before, pfn);
        before = pfn;
        if (rc == -EAGAIN) retry += 1;
      } else if (rc < 0) {
        append(failed, pfn, page, entry);
        nrFailed += 1;
      }
      pfn = next;
    }
    c.succeeded += freed;
    endPass(freed, retry + nrFailed - failedBefore);
    if (rc == -ENOMEM) {
      c.failed += nrFailed + retry + 1;
      return -ENOMEM;
    }
  }
  return nrFailed;
}

/** Puts a page back where it was unlinked. */
function insertAfter(list: MigrateList, before: i32, pfn: i32): void {
  const page = pageAt(pfn);
  page.next = before == PFN_NONE ? list.head : pageAt(before).next;
  if (before == PFN_NONE) list.head = pfn;
  else pageAt(before).next = pfn;
  if (page.next == PFN_NONE) list.tail = pfn;
  list.nr += 1;
}

/**
 * migrate_folio_move() for every unmapped page, in up to `nrPasses` passes. Returns pages that failed for
 * good.
 */
function movePhase(c: MigrateControl, mode: i32, nrPasses: i32, failed: MigrateList): i32 {
  const sources = unmappedPages();
  const targets = targetPages();
  let nrFailed = 0;
  let retry = 1;
  for (let pass = 0; pass < nrPasses && retry > 0; pass++) {
    retry = 0;
    let moved = 0;
    const failedBefore = nrFailed;
    let beforeFrom = PFN_NONE;
    let beforeTo = PFN_NONE;
    let from = sources.head;
    let to = targets.head;
    while (from != PFN_NONE) {
      const page = pageAt(from);
      const newPage = pageAt(to);
      const nextFrom = page.next;
      const nextTo = newPage.next;
      const record = newPage.privateWord;
      newPage.privateWord = 0;
      count(PROBE_ATTEMPTS, 1);
      const rc = moveToNewPage(newPage, page, (record & RECORD_UNMAPPED) != 0, mode);
      if (rc == -EAGAIN) {
        newPage.privateWord = record;
        beforeFrom = from;
        beforeTo = to;
        retry += 1;
      } else {
        const entry = page.prev;
        unlink(sources, beforeFrom, page);
        unlink(targets, beforeTo, newPage);
        finishStep(from, page, record >> 1, rc == 0, (record & RECORD_UNMAPPED) != 0);
        if (rc == 0) {
          moved += 1;
          endIsolation(page);
          putbackLruPage(from, page);
        } else {
          append(failed, from, page, entry);
          nrFailed += 1;
        }
        putbackLruPage(to, newPage);
      }
      from = nextFrom;
      to = nextTo;
    }
    c.succeeded += moved;
    endPass(moved, retry + nrFailed - failedBefore);
  }
  return nrFailed;
}

/** migrate_folio_undo_src() and _dst(): maps what could not be moved where it was, frees the targets. */
function undoUnmapped(failed: MigrateList): i32 {
  const sources = unmappedPages();
  const targets = targetPages();
  let nr = 0;
  while (sources.head != PFN_NONE) {
    const from = sources.head;
    const to = targets.head;
    const page = pageAt(from);
    const newPage = pageAt(to);
    const record = newPage.privateWord;
    const entry = page.prev;
    newPage.privateWord = 0;
    unlink(sources, PFN_NONE, page);
    unlink(targets, PFN_NONE, newPage);
    finishStep(from, page, record >> 1, false, (record & RECORD_UNMAPPED) != 0);
    append(failed, from, page, entry);
    putbackLruPage(to, newPage);
    nr += 1;
  }
  return nr;
}

/**
 * migrate_pages_batch(): returns the number of pages that did not move, which are on `failed` then, or
 * -ENOMEM.
 */
function batchOnce(c: MigrateControl, list: MigrateList, mode: i32, nrPasses: i32, failed: MigrateList): i32 {
  count(PROBE_MIGRATE_BATCH, 1);
  let rc = unmapPhase(c, list, mode, nrPasses, failed);
  const outOfMemory = rc == -ENOMEM;
  let nrFailed = outOfMemory ? 0 : rc + list.nr;
  nrFailed += movePhase(c, mode, nrPasses, failed);
  nrFailed += undoUnmapped(failed);
  splice(list, failed);
  c.failed += nrFailed;
  rc = outOfMemory ? -ENOMEM : nrFailed;
  if (tracing()) trace(TRACE_BATCH, rc, 0, 0, 0);
  return rc;
}

/**
 * migrate_pages_sync() for one batch; an asynchronous caller has the first stage alone, with all its passes.
 */
export function syncBatch(c: MigrateControl, batch: MigrateList): i32 {
  const p = profile();
  if (c.mode == MIGRATE_ASYNC) return batchOnce(c, batch, MIGRATE_ASYNC, p.nrPasses, failedPages());
  const retried = retriedPages();
  const before = c.failed;
  const rc = batchOnce(c, batch, MIGRATE_ASYNC, p.asyncPasses, retried);
  if (rc < 0) {
    splice(retried, failedPages());
    return rc;
  }
  // Their failure does not count yet: each is tried again, alone and synchronously.
  c.failed = before;
  let failed = 0;
  while (retried.head != PFN_NONE) {
    moveFirst(retried, batch, 1);
    const rcOne = batchOnce(c, batch, c.mode, p.nrPasses - p.asyncPasses, failedPages());
    if (rcOne < 0) {
      splice(retried, failedPages());
      return rcOne;
    }
    failed += rcOne;
  }
  return failed;
}
