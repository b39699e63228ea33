/**
 * migrate_pages() on the timed clock: passes over the pages that a job has isolated, a transition at a
 * time. Runs of ordinary pages that have moved before anything else happens are moved in one go, at the
 * same cost.
 *
 * All kernels move one page after the other here; that 6.12 unmaps a batch before it moves it is not
 * followed.
 */
import {
  EAGAIN,
  ENOMEM,
  HISTOGRAM_MIGRATION,
  MIGRATE_SYNC,
  MIGRATION_ISOLATED,
  METRIC_MIGRATION_FAILURES,
  PFN_NONE,
  PGMIGRATE_FAIL,
  PGMIGRATE_SUCCESS,
  PROBE_ATTEMPTS,
  PROBE_MIGRATE_PAGES,
  STEP_BLOCKED,
  TRANSITION_MIGRATE_ALLOCATE,
  TRANSITION_MIGRATE_ANON_VMA,
  TRANSITION_MIGRATE_CHECK,
  TRANSITION_MIGRATE_COPY,
  TRANSITION_MIGRATE_DISPATCH,
  TRANSITION_MIGRATE_LOCK,
  TRANSITION_MIGRATE_PREPARE,
  TRANSITION_MIGRATE_PUTBACK,
  TRANSITION_MIGRATE_REMAP,
  TRANSITION_MIGRATE_UNLOCK,
  TRANSITION_MIGRATE_UNMAP,
  TRANSITION_MIGRATE_WRITEBACK,
} from "../../abi";
import { endIsolation, putbackLruPage } from "../../kernel/isolate";
import { blame } from "../../kernel/migrate_control";
import { append, isolatedPages, splice, unlink } from "../../kernel/migrate_list";
import { isOrdinary, moveOrdinaryPage } from "../../kernel/migrate_ordinary";
import { putTarget } from "../../kernel/migrate_step";
import { migrationTransition, nextTransition } from "../../kernel/migrate_transition";
import { putbackMovablePages } from "../../kernel/migrate";
import { takeTarget } from "../../kernel/target";
import { closeFrameRuns } from "../../state/frame_run";
import { machine } from "../../state/machine";
import {
  Migration,
  beginMigration,
  endMigration,
  findFreeMigration,
  migrationAt,
} from "../../state/migration";
import { Page, pageAt } from "../../state/page";
import { profile } from "../../state/profile";
import { count } from "../../state/vmstat";
import { parkOn } from "../../state/wait_queue";
import { Job } from "./job_state";
import { addTo, record } from "./metrics";
import { PARKED, costOf, timed } from "./timed_state";

/** Pages that are moved in one go at most, so that the queue is looked at now and then. */
const MAX_RUN: i32 = 512;
/** A spinning wait for a lock without a queue, ns. */
const SPIN_NS: i64 = 200;

/** What the transitions of an ordinary page that moves take together. */
function ordinaryCost(): u64 {
  const first = costOf(TRANSITION_MIGRATE_ALLOCATE) + costOf(TRANSITION_MIGRATE_LOCK);
  const waits = costOf(TRANSITION_MIGRATE_WRITEBACK) + costOf(TRANSITION_MIGRATE_ANON_VMA);
  const move = costOf(TRANSITION_MIGRATE_UNMAP) + costOf(TRANSITION_MIGRATE_PREPARE);
  const decide = costOf(TRANSITION_MIGRATE_DISPATCH) + costOf(TRANSITION_MIGRATE_CHECK);
  const end = costOf(TRANSITION_MIGRATE_COPY) + costOf(TRANSITION_MIGRATE_REMAP);
  const put = costOf(TRANSITION_MIGRATE_UNLOCK) + costOf(TRANSITION_MIGRATE_PUTBACK);
  return <u64>(first + waits + move + decide + end + put);
}

function beginPass(job: Job): void {
  job.at = job.pages().head;
  job.before = PFN_NONE;
  job.retry = 0;
}

/** Begins a call of migrate_pages() for the pages that have been isolated. */
export function beginPasses(job: Job, targetKind: i32, node: i32): void {
  splice(isolatedPages(), job.pages());
  count(PROBE_MIGRATE_PAGES, 1);
  job.targetKind = targetKind;
  job.node = node;
  job.pass = 0;
  job.failed = 0;
  job.succeeded = 0;
  beginPass(job);
}

/** True while a call is under way. */
export function isMigrating(job: Job): bool {
  return job.at != PFN_NONE || job.migration != 0 || job.retry > 0;
}

/** A page whose attempt has begun. */
function beginAttempt(job: Job, pfn: i32): bool {
  const id = findFreeMigration();
  if (id == 0) return false;
  const migration = beginMigration(id, MIGRATION_ISOLATED);
  migration.pfn = pfn;
  migration.node = job.node;
  migration.targetKind = job.targetKind;
  migration.mode = MIGRATE_SYNC;
  migration.force = job.pass >= profile().firstForcedPass ? 1 : 0;
  job.migration = id;
  if (job.pass == 0) job.pageNs = machine().nowNs;
  return true;
}

/** The page is settled: it is on the job's list no more. */
function settle(job: Job, pfn: i32, page: Page): void {
  unlink(job.pages(), job.before, page);
  endIsolation(page);
  putbackLruPage(pfn, page);
}

/** The page has failed for good: later kernels leave it to the caller. */
function fail(job: Job, pfn: i32, page: Page): void {
  job.failed += 1;
  if (profile().failureStaysOnList) {
    const entry = page.prev;
    unlink(job.pages(), job.before, page);
    append(job.failedPages(), pfn, page, entry);
  } else {
    blame(pfn);
    settle(job, pfn, page);
  }
}

/** The end of an attempt; the next page comes. */
function endAttempt(job: Job, migration: Migration): void {
  const pfn = migration.pfn;
  const page = pageAt(pfn);
  const rc = migration.rc;
  const next = page.next;
  job.migration = 0;
  job.at = next;
  if (rc != -ENOMEM) putTarget(migration);
  endMigration(migration);
  if (rc != 0) addTo(METRIC_MIGRATION_FAILURES, 1);
  if (rc != 0 && job.pass == 0) job.failedFirst += 1;
  if (rc == 0) {
    job.succeeded += 1;
    record(HISTOGRAM_MIGRATION, machine().nowNs - job.pageNs);
    settle(job, pfn, page);
  } else if (rc == -EAGAIN) {
    job.retry += 1;
    job.before = pfn;
  } else if (rc == -ENOMEM) {
    job.failed += 1;
    job.at = PFN_NONE; // the call ends
    job.retry = 0;
  } else {
    fail(job, pfn, page);
  }
}

/** Moves ordinary pages from the present one on, as many as fit before the next event. Returns their cost. */
function moveRun(job: Job): i64 {
  const t = timed();
  const cost = ordinaryCost();
  const now = machine().nowNs;
  const nextNs = min<u64>(t.nextNs, t.nextRunNs);
  let nr = 0;
  while (job.at != PFN_NONE && nr < MAX_RUN && t.wantsSlow == 0) {
    const endNs = now + cost * <u64>(nr + 1);
    if (endNs >= nextNs || endNs >= t.endNs) break;
    const pfn = job.at;
    const page = pageAt(pfn);
    if (!isOrdinary(pfn, page)) break;
    const next = page.next;
    const to = takeTarget(job.targetKind, job.node, pfn, page.prev);
    if (to == PFN_NONE) break;
    count(PROBE_ATTEMPTS, 1);
    unlink(job.pages(), job.before, page);
    moveOrdinaryPage(pfn, page, to, pageAt(to));
    record(HISTOGRAM_MIGRATION, cost);
    job.succeeded += 1;
    job.at = next;
    nr += 1;
  }
  closeFrameRuns();
  return <i64>(cost * <u64>nr);
}

/** What the present transition waits for. */
function waitFor(migration: Migration, sleeper: i32): i64 {
  const transition = nextTransition(migration);
  if (transition == TRANSITION_MIGRATE_LOCK || transition == TRANSITION_MIGRATE_WRITEBACK) {
    parkOn(migration.pfn, sleeper);
    return PARKED;
  }
  return SPIN_NS; // for async_pf.lock of a vCPU
}

/**
 * The next transition of a call of migrate_pages(), for the job whose events are `sleeper`. Returns how
 * long it takes, or PARKED; when isMigrating() is false the call has ended.
 */
export function passStep(job: Job, sleeper: i32): i64 {
  if (job.migration == 0 && job.at == PFN_NONE) {
    job.pass += 1;
    if (job.pass < profile().nrPasses) beginPass(job);
    else job.retry = 0;
    return 0;
  }
  if (job.migration == 0) {
    const cost = job.pass == 0 ? moveRun(job) : 0;
    if (cost > 0) return cost;
    return beginAttempt(job, job.at) ? 0 : SPIN_NS;
  }
  const migration = migrationAt(job.migration);
  const transition = nextTransition(migration);
  if (transition == TRANSITION_MIGRATE_PUTBACK) {
    endAttempt(job, migration);
    return <i64>costOf(transition);
  }
  if (migrationTransition(migration) == STEP_BLOCKED) return waitFor(migration, sleeper);
  return <i64>costOf(transition);
}

/** Ends a call: counts it, and puts back what is left. Returns how many pages have not moved. */
export function endPasses(job: Job): i32 {
  const again = job.pages().nr;
  count(PGMIGRATE_SUCCESS, job.succeeded);
  count(PGMIGRATE_FAIL, profile().failCountsAgain ? job.failed + again : job.failed);
  splice(job.pages(), isolatedPages());
  splice(job.failedPages(), isolatedPages());
  putbackMovablePages();
  return job.failed + again;
}
