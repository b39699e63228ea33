/** migrate_pages(): passes over a list of isolated pages. */
import * as abi from "../../assembly/abi.ts";
import { type Where, allocPage } from "./buddy.ts";
import { putback } from "./lru.ts";
import { type Machine, type Page, at, count } from "./machine.ts";
import {
  type Attempt,
  attemptOnce,
  finishAttempt,
  lockPage,
  moveToNewPage,
  unmapPage,
} from "./migrate-page.ts";
import { runDueEvents } from "./time.ts";

/** An isolated page, and the entry of move_pages(2) that it is of. */
export interface Item {
  readonly page: Page;
  readonly entry: number;
}

export interface Job {
  readonly mode: number;
  readonly where: (item: Item) => Where;
  /** Is told the result of every attempt of the kernels that try a page as a whole. */
  readonly onResult?: (item: Item, rc: number, to: Page) => void;
}

interface Result {
  /** Pages that did not move, or -ENOMEM. */
  readonly rc: number;
  /** They are isolated still. */
  readonly left: readonly Item[];
}

interface Tally {
  succeeded: number;
  failed: number;
}

const PASSES = 10;
const ASYNC_PASSES_OF_A_BATCH = 3;

export function endPass(m: Machine, moved: number, attempts: number): void {
  const { movedPageNs, failedAttemptNs } = m.config.costs;
  m.nowNs += moved * movedPageNs + (attempts - moved) * failedAttemptNs;
  runDueEvents(m);
}

export function allocTarget(m: Machine, where: Where): Page | null {
  const to = allocPage(m, where);
  if (to !== null) count(m, abi.PROBE_TARGETS, 1);
  return to;
}

/** unmap_and_move(). */
function unmapAndMove(m: Machine, job: Job, item: Item, force: boolean): number {
  const { page } = item;
  const to = allocTarget(m, job.where(item));
  if (to === null) return -abi.ENOMEM;
  count(m, abi.PROBE_ATTEMPTS, 1);
  const rc = page.refcount === 1 ? 0 : attemptOnce(m, page, to, { mode: job.mode, force });
  job.onResult?.(item, rc, to);
  if (rc === 0) {
    putback(m, page);
  } else if (rc !== -abi.EAGAIN && m.profile.putsBackFailures) {
    m.blamed.push(page);
    putback(m, page);
  }
  putback(m, to);
  return rc;
}

function passesOver(m: Machine, job: Job, items: readonly Item[], tally: Tally): Result {
  const failed: Item[] = [];
  const left = (waiting: readonly Item[]): Item[] =>
    m.profile.putsBackFailures ? [...waiting] : [...failed, ...waiting];
  let waiting = items;
  for (let pass = 0; pass < PASSES && waiting.length > 0; pass++) {
    const again: Item[] = [];
    let moved = 0;
    for (const [nr, item] of waiting.entries()) {
      const rc = unmapAndMove(m, job, item, pass >= m.profile.forcedFromPass);
      if (rc === -abi.ENOMEM) {
        tally.succeeded += moved;
        tally.failed += failed.length + (m.profile.failCountsAgain ? again.length + 1 : 0);
        endPass(m, moved, nr);
        return { rc, left: left([...again, ...waiting.slice(nr)]) };
      }
      if (rc === 0) moved += 1;
      else if (rc === -abi.EAGAIN) again.push(item);
      else failed.push(item);
    }
    tally.succeeded += moved;
    endPass(m, moved, waiting.length);
    waiting = again;
  }
  tally.failed += failed.length + (m.profile.failCountsAgain ? waiting.length : 0);
  return { rc: failed.length + waiting.length, left: left(waiting) };
}

interface Unmapped {
  readonly item: Item;
  readonly to: Page;
  readonly attempt: Attempt;
}

/** What the two phases of a batch hand on. */
interface Batch {
  readonly unmapped: Unmapped[];
  readonly failed: Item[];
  waiting: Item[];
  outOfMemory: boolean;
}

/** Unmaps one page: recorded in the batch, or the result of the attempt. 0: freed meanwhile. */
function unmapForBatch(m: Machine, job: Job, item: Item, batch: Batch): number | "unmapped" {
  const { page } = item;
  if (page.refcount === 1) {
    putback(m, page);
    return 0;
  }
  const to = allocTarget(m, job.where(item));
  if (to === null) return -abi.ENOMEM;
  const manner = { mode: job.mode, force: true };
  const busy = lockPage(page, manner);
  if (busy !== 0) {
    putback(m, to);
    return busy;
  }
  const { rc, attempt } = unmapPage(m, page, manner);
  if (rc === 0) {
    batch.unmapped.push({ item, to, attempt });
    return "unmapped";
  }
  finishAttempt(m, page, attempt, false);
  putback(m, to);
  return rc;
}

interface Phase {
  readonly passes: number;
  readonly tally: Tally;
}

function unmapPhase(m: Machine, job: Job, batch: Batch, { passes, tally }: Phase): void {
  for (let pass = 0; pass === 0 || (pass < passes && batch.waiting.length > 0); pass++) {
    const again: Item[] = [];
    const untried = [...batch.waiting];
    let freed = 0;
    let failed = 0;
    while (untried.length > 0 && !batch.outOfMemory) {
      const item = at(untried, 0);
      const rc = unmapForBatch(m, job, item, batch);
      if (rc === -abi.ENOMEM) {
        batch.outOfMemory = true;
        break;
      }
      untried.shift();
      if (rc !== "unmapped") count(m, abi.PROBE_ATTEMPTS, 1);
      if (rc === 0) {
        freed += 1;
      } else if (rc === -abi.EAGAIN) {
        again.push(item);
      } else if (rc !== "unmapped") {
        failed += 1;
        batch.failed.push(item);
      }
    }
    batch.waiting = [...again, ...untried];
    tally.succeeded += freed;
    endPass(m, freed, freed + failed + again.length);
    if (batch.outOfMemory) {
      tally.failed += again.length + 1;
      return;
    }
  }
  tally.failed += batch.waiting.length;
}

function movePhase(m: Machine, { mode }: Job, batch: Batch, { passes, tally }: Phase): void {
  let waiting = batch.unmapped;
  for (let pass = 0; pass === 0 || (pass < passes && waiting.length > 0); pass++) {
    const again: Unmapped[] = [];
    let moved = 0;
    for (const one of waiting) {
      const { page } = one.item;
      count(m, abi.PROBE_ATTEMPTS, 1);
      const rc = moveToNewPage(m, { page, to: one.to }, one.attempt.called, mode);
      if (rc === -abi.EAGAIN) {
        again.push(one);
        continue;
      }
      finishAttempt(m, page, one.attempt, rc === 0);
      if (rc === 0) {
        moved += 1;
        putback(m, page);
      } else {
        batch.failed.push(one.item);
      }
      putback(m, one.to);
    }
    tally.succeeded += moved;
    endPass(m, moved, waiting.length);
    waiting = again;
  }
  for (const { item, to, attempt } of waiting) {
    finishAttempt(m, item.page, attempt, false);
    batch.failed.push(item);
    putback(m, to);
  }
  tally.failed += batch.failed.length;
}

/** migrate_pages_batch() of 6.12: unmaps all pages, then moves them. */
function unmapThenMove(m: Machine, job: Job, items: readonly Item[], phase: Phase): Result {
  count(m, abi.PROBE_MIGRATE_BATCH, 1);
  const batch: Batch = { unmapped: [], failed: [], waiting: [...items], outOfMemory: false };
  unmapPhase(m, job, batch, phase);
  movePhase(m, job, batch, phase);
  const left = [...batch.failed, ...batch.waiting];
  return { rc: batch.outOfMemory ? -abi.ENOMEM : left.length, left };
}

/** migrate_pages_sync() of 6.12: asynchronously together, then one by one. */
function inTwoStages(m: Machine, job: Job, items: readonly Item[], tally: Tally): Result {
  if (job.mode === abi.MIGRATE_ASYNC) return unmapThenMove(m, job, items, { passes: PASSES, tally });
  const first: Tally = { succeeded: 0, failed: 0 };
  const asynchronously = { ...job, mode: abi.MIGRATE_ASYNC };
  const together = unmapThenMove(m, asynchronously, items, { passes: ASYNC_PASSES_OF_A_BATCH, tally: first });
  tally.succeeded += first.succeeded;
  if (together.rc < 0) {
    tally.failed += first.failed;
    return together;
  }
  const failed: Item[] = [];
  for (const [nr, item] of together.left.entries()) {
    const alone = unmapThenMove(m, job, [item], { passes: PASSES - ASYNC_PASSES_OF_A_BATCH, tally });
    failed.push(...alone.left);
    if (alone.rc < 0) return { rc: alone.rc, left: [...failed, ...together.left.slice(nr + 1)] };
  }
  return { rc: failed.length, left: failed };
}

function oneBatch(m: Machine, job: Job, items: readonly Item[], tally: Tally): Result {
  if (m.profile.unmapsBatchFirst) return inTwoStages(m, job, items, tally);
  if (m.profile.migrateBatch < Infinity) count(m, abi.PROBE_MIGRATE_BATCH, 1);
  return passesOver(m, job, items, tally);
}

function allBatches(m: Machine, job: Job, items: readonly Item[], tally: Tally): Result {
  const left: Item[] = [];
  let rest = items;
  let failed = 0;
  while (rest.length > 0) {
    const { rc, left: ofBatch } = oneBatch(m, job, rest.slice(0, m.profile.migrateBatch), tally);
    rest = rest.slice(m.profile.migrateBatch);
    left.push(...ofBatch);
    if (rc < 0) return { rc, left: [...left, ...rest] };
    failed += rc;
  }
  return { rc: failed, left };
}

/**
 * migrate_pages(), and putting back what it left. Returns how many pages did not move, or -ENOMEM. `left`:
 * how many were put back here.
 */
export function migratePages(m: Machine, job: Job, items: readonly Item[]): { rc: number; left: number } {
  count(m, abi.PROBE_MIGRATE_PAGES, 1);
  const tally: Tally = { succeeded: 0, failed: 0 };
  const { rc, left } = allBatches(m, job, items, tally);
  count(m, abi.PGMIGRATE_SUCCESS, tally.succeeded);
  count(m, abi.PGMIGRATE_FAIL, tally.failed);
  for (const { page } of left) {
    m.blamed.push(page);
    putback(m, page);
  }
  return { rc, left: left.length };
}
