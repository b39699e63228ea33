/**
 * Jobs: what runs beside the guests. Operations, which begin at a time and end; pinners and background
 * migration, which go on. Those that migrate pages have a list of pages that they have isolated.
 */
import {
  JOB_AT_ONCE,
  JOB_BATCH,
  JOB_EVERY,
  JOB_FAILED_FIRST,
  JOB_FIRST,
  JOB_GIVE_UP_NS,
  JOB_GIVE_UP_ROUNDS,
  JOB_HOLD,
  JOB_IS_OPERATION,
  JOB_KIND,
  JOB_LEFT,
  JOB_MM,
  JOB_MOVED,
  JOB_NODE,
  JOB_NR,
  JOB_PINS_AT_START,
  JOB_PIN_KIND,
  JOB_RC,
  JOB_RNG,
  JOB_ROUNDS,
  JOB_SIZE,
  JOB_STATE,
  TABLE_JOBS,
} from "../../abi";
import { tablePtr } from "../../arena";
import { MigrateList } from "../../kernel/migrate_list";
import { machine } from "../../state/machine";
import { timed } from "./timed_state";

@unmanaged
export class Job {
  kind: i32; // JOB_*
  state: i32; // 0, JOB_RUNNING, JOB_ENDED or JOB_GAVE_UP
  startNs: u64;
  endNs: u64;
  rc: i32;
  rounds: i32; // of an offline; of move_pages(): calls
  moved: i32; // pages
  left: i32;
  pinsAtStart: i32; // of an offline: pins in the block
  failedFirst: i32; // pages whose first attempt has failed
  mm: i32;
  first: i32; // page, block or vCPU
  nr: i32; // pages
  node: i32; // that pages go to
  batch: i32; // pages of one call
  giveUpRounds: i32; // rounds that leave a page behind, 0 = no limit of the caller
  giveUpNs: u64; // from the start
  rng: u64;
  every: i32; // distribution of the intervals
  hold: i32; // of the hold times, 0 = for ever
  atOnce: i32; // pins at the start
  pinKind: i32; // HOLDER_*
  isOperation: i32;
  does: i32; // how far its program is; its meaning is the kind's
  cursor: i32; // the next page
  // Passes over isolated pages.
  head: i32; // a MigrateList
  tail: i32;
  nrPages: i32;
  pass: i32;
  at: i32; // the page that comes next in the pass
  before: i32; // the one before it on the list
  retry: i32; // pages that are to be tried again
  failed: i32; // pages that have failed for good
  succeeded: i32;
  migration: i32; // of the page that is being tried, 0 = none
  targetKind: i32; // TARGET_*
  pageNs: u64; // since when the present page is being tried
  roundNs: u64; // when the last round has ended
  callEnd: i32; // of move_pages(): behind the last page of the present call
  failedRounds: i32; // of an offline: rounds that have left a page behind
  failedHead: i32; // pages that have failed for good, on a later kernel: a MigrateList
  failedTail: i32;
  failedNr: i32;

  @inline
  pages(): MigrateList {
    return changetype<MigrateList>(changetype<usize>(this) + offsetof<Job>("head"));
  }

  @inline
  failedPages(): MigrateList {
    return changetype<MigrateList>(changetype<usize>(this) + offsetof<Job>("failedHead"));
  }

  @inline
  stream(): usize {
    return changetype<usize>(this) + offsetof<Job>("rng");
  }
}

if (offsetof<Job>() > <usize>JOB_SIZE) ERROR("size of a job record");
if (offsetof<Job>("kind") != JOB_KIND || offsetof<Job>("state") != JOB_STATE) ERROR("Job record");
if (offsetof<Job>("rc") != JOB_RC || offsetof<Job>("rounds") != JOB_ROUNDS) ERROR("Job record");
if (offsetof<Job>("moved") != JOB_MOVED || offsetof<Job>("left") != JOB_LEFT) ERROR("Job record");
if (offsetof<Job>("pinsAtStart") != JOB_PINS_AT_START) ERROR("Job record");
if (offsetof<Job>("failedFirst") != JOB_FAILED_FIRST) ERROR("Job record");
if (offsetof<Job>("mm") != JOB_MM || offsetof<Job>("first") != JOB_FIRST) ERROR("Job record");
if (offsetof<Job>("nr") != JOB_NR || offsetof<Job>("node") != JOB_NODE) ERROR("Job record");
if (offsetof<Job>("batch") != JOB_BATCH) ERROR("Job record");
if (offsetof<Job>("giveUpRounds") != JOB_GIVE_UP_ROUNDS) ERROR("Job record");
if (offsetof<Job>("giveUpNs") != JOB_GIVE_UP_NS || offsetof<Job>("rng") != JOB_RNG) ERROR("Job record");
if (offsetof<Job>("every") != JOB_EVERY || offsetof<Job>("hold") != JOB_HOLD) ERROR("Job record");
if (offsetof<Job>("atOnce") != JOB_AT_ONCE || offsetof<Job>("pinKind") != JOB_PIN_KIND) ERROR("Job record");
if (offsetof<Job>("isOperation") != JOB_IS_OPERATION) ERROR("Job record");

/** Jobs are numbered from 0. */
export function jobAt(number: i32): Job {
  return changetype<Job>(tablePtr(TABLE_JOBS) + <usize>number * JOB_SIZE);
}

/** The job has ended, as `state` says. */
export function endJob(job: Job, state: i32, rc: i32): void {
  const t = timed();
  job.state = state;
  job.rc = rc;
  job.endNs = machine().nowNs;
  if (job.isOperation == 0) return;
  t.operationsLeft -= 1;
  if (t.operationsLeft == 0 && t.endsWithOperations != 0) t.hasEnded = 1;
}
