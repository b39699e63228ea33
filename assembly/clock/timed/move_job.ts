/** move_pages(2) on the timed clock, and a background of migrations of one page each. */
import { COST_CALL, COST_ISOLATE, EBUSY, JOB_ENDED, PFN_NONE } from "../../abi";
import { followPage } from "../../kernel/gup";
import { isolateLruPage } from "../../kernel/isolate";
import { append, isolatedPages } from "../../kernel/migrate_list";
import { migrateDone, migratePrep } from "../../kernel/move_pages";
import { TARGET_NODE } from "../../kernel/target";
import { machine } from "../../state/machine";
import { mmAt } from "../../state/mm";
import { pageAt } from "../../state/page";
import { profile } from "../../state/profile";
import { nodeOf } from "../../state/zone";
import { blameHolders } from "./blame";
import { draw, drawBelow } from "./draw";
import { Job, endJob } from "./job_state";
import { beginPasses, endPasses, isMigrating, passStep } from "./passes";
import { PARKED, costOf } from "./timed_state";

const CALLS: i32 = 0;
const CHUNKS: i32 = 1;
const MIGRATES: i32 = 2;

/** Pages of one migrate_pages() within a call: v3.12 takes as many as it has descriptors for. */
function chunkOf(job: Job): i32 {
  const chunk = profile().movePagesChunk;
  return chunk > 0 ? min<i32>(job.cursor + chunk, job.callEnd) : job.callEnd;
}

/** Looks the pages of the range up and isolates those that are not on their node. */
function isolate(job: Job, end: i32): void {
  for (; job.cursor < end; job.cursor++) {
    const pfn = followPage(job.mm, job.first + job.cursor);
    if (pfn <= 0 || nodeOf(pfn) == job.node) continue;
    const page = pageAt(pfn);
    if (page.mapcount > 1 || isolateLruPage(pfn, page) == -EBUSY) continue;
    append(isolatedPages(), pfn, page, 0);
  }
}

/** The end of the call that the cursor is in. */
function endOfCall(job: Job): i32 {
  return min<i32>((job.cursor / job.batch + 1) * job.batch, job.nr);
}

function begin(job: Job): i64 {
  if (job.cursor >= job.nr || mmAt(job.mm).exiting != 0) {
    endJob(job, JOB_ENDED, 0);
    return PARKED;
  }
  machine().cpu = mmAt(job.mm).cpu;
  migratePrep();
  job.rounds += 1;
  job.callEnd = endOfCall(job);
  job.does = CHUNKS;
  return <i64>costOf(COST_CALL);
}

/** The next migrate_pages() of the call, or its end. */
function nextChunk(job: Job): i64 {
  const start = job.cursor;
  const end = job.callEnd;
  if (start >= end) {
    migrateDone();
    job.does = CALLS;
    return 0;
  }
  isolate(job, chunkOf(job));
  job.roundNs = machine().nowNs;
  const nr = isolatedPages().nr;
  if (nr > 0) {
    beginPasses(job, TARGET_NODE, job.node);
    job.does = MIGRATES;
  }
  return <i64>costOf(COST_ISOLATE) * (job.cursor - start);
}

function endChunk(job: Job): i64 {
  blameHolders(job.pages(), job.roundNs);
  job.moved += job.succeeded;
  job.left += endPasses(job);
  job.does = CHUNKS;
  return 0;
}

/** The next transition of move_pages(). Returns how long it takes, or PARKED. */
export function movePagesStep(job: Job, sleeper: i32): i64 {
  if (job.does == CALLS) return begin(job);
  if (job.does == CHUNKS) return nextChunk(job);
  return isMigrating(job) ? passStep(job, sleeper) : endChunk(job);
}

/** The next transition of a background of migrations. */
export function migrationJobStep(job: Job, sleeper: i32): i64 {
  if (mmAt(job.mm).exiting != 0) return PARKED;
  if (job.does == MIGRATES) {
    if (isMigrating(job)) return passStep(job, sleeper);
    job.does = CALLS;
    job.moved += job.succeeded;
    job.left += endPasses(job);
    return <i64>draw(job.stream(), job.every);
  }
  const pfn = followPage(job.mm, job.first + drawBelow(job.stream(), job.nr));
  job.rounds += 1;
  if (pfn <= PFN_NONE || nodeOf(pfn) == job.node || isolateLruPage(pfn, pageAt(pfn)) != 0) {
    return <i64>draw(job.stream(), job.every) + 1;
  }
  append(isolatedPages(), pfn, pageAt(pfn), 0);
  beginPasses(job, TARGET_NODE, job.node);
  job.does = MIGRATES;
  return <i64>costOf(COST_ISOLATE);
}
