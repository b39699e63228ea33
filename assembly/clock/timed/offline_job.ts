/** Taking a memory block offline on the timed clock: the loop of the kernel, and the caller's patience. */
import {
  COST_CALL,
  COST_DRAIN,
  COST_ISOLATE,
  COST_ROUND,
  EINTR,
  HOLDER_ASYNC_PF,
  HOLDER_GET,
  JOB_ENDED,
  JOB_GAVE_UP,
  MEMORY_BLOCK_ORDER,
  MEMORY_BLOCK_PAGES,
  PFN_NONE,
  PG_RESERVED,
  PROBE_LOG_MIGRATION_FAILED,
} from "../../abi";
import { isolatedPages } from "../../kernel/migrate_list";
import { offlineIsolate, offlineTarget } from "../../kernel/offline";
import {
  OFFLINE_GO_ON,
  offlineAllMoved,
  offlineBlockEnd,
  offlineLeave,
  offlineMayGoOn,
  offlineScan,
  offlineSettle,
  offlineStart,
} from "../../kernel/offline_pages";
import { machine } from "../../state/machine";
import { pageAt } from "../../state/page";
import { isFollPin, nextPinOf, pinAt } from "../../state/pins";
import { count } from "../../state/vmstat";
import { blameHolders } from "./blame";
import { Job, endJob } from "./job_state";
import { beginPasses, endPasses, isMigrating, passStep } from "./passes";
import { PARKED, costOf, timed } from "./timed_state";

const STARTS: i32 = 0;
const TURNS: i32 = 1;
const MIGRATES: i32 = 2;

/** While another call has the hotplug lock: how long until it is tried again, ns. */
const LOCK_NS: i64 = 1_000_000;

/** Frames of the block that are in use. */
function pagesInUse(block: i32): i32 {
  let nr = 0;
  const start = block << MEMORY_BLOCK_ORDER;
  for (let pfn = start; pfn < start + MEMORY_BLOCK_PAGES; pfn++) {
    const page = pageAt(pfn);
    if (page.refcount > 0 && (page.flags & PG_RESERVED) == 0) nr += 1;
  }
  return nr;
}

/** True if a holder is a pin, and no fault that waits for a moment. */
function isPin(kind: i32): bool {
  return kind == HOLDER_ASYNC_PF || kind == HOLDER_GET || isFollPin(kind);
}

function pinsIn(block: i32): i32 {
  let nr = 0;
  const start = block << MEMORY_BLOCK_ORDER;
  for (let pfn = start; pfn < start + MEMORY_BLOCK_PAGES; pfn++) {
    for (let id = nextPinOf(pfn, 0); id != 0; id = nextPinOf(pfn, id)) if (isPin(pinAt(id).kind)) nr += 1;
  }
  return nr;
}

function end(job: Job, state: i32, rc: i32): i64 {
  const before = job.moved;
  timed().offliner = 0;
  job.left = pagesInUse(job.first);
  job.moved = before - job.left;
  endJob(job, state, rc);
  return PARKED;
}

function begin(job: Job, number: i32): i64 {
  const t = timed();
  if (t.offliner != 0) return LOCK_NS;
  t.offliner = number + 1;
  job.moved = pagesInUse(job.first); // until it is known how many are left
  job.pinsAtStart = pinsIn(job.first);
  const rc = offlineStart(job.first);
  if (rc != OFFLINE_GO_ON) return end(job, JOB_ENDED, rc);
  job.does = TURNS;
  return <i64>(costOf(COST_CALL) + costOf(COST_DRAIN));
}

/** The caller has waited long enough: it sends a signal. */
function isImpatient(job: Job): bool {
  if (job.giveUpRounds > 0 && job.failedRounds >= job.giveUpRounds) return true;
  return job.giveUpNs > 0 && machine().nowNs >= job.startNs + job.giveUpNs;
}

function turn(job: Job): i64 {
  let rc = offlineMayGoOn();
  if (rc != OFFLINE_GO_ON) return end(job, JOB_ENDED, rc);
  if (isImpatient(job)) {
    offlineLeave(-EINTR);
    return end(job, JOB_GAVE_UP, -EINTR);
  }
  const pfn = offlineScan();
  const cost = <i64>(costOf(COST_ROUND) + costOf(COST_DRAIN));
  if (pfn == PFN_NONE) {
    rc = offlineAllMoved();
    return rc == OFFLINE_GO_ON ? cost : end(job, JOB_ENDED, rc);
  }
  job.rounds += 1;
  job.roundNs = machine().nowNs;
  rc = offlineIsolate(pfn, offlineBlockEnd());
  const nr = isolatedPages().nr;
  if (rc != 0 || nr == 0) {
    rc = offlineSettle(rc);
    return rc == OFFLINE_GO_ON ? cost : end(job, JOB_ENDED, rc);
  }
  beginPasses(job, offlineTarget(), 0);
  job.does = MIGRATES;
  return cost + <i64>costOf(COST_ISOLATE) * nr;
}

function endRound(job: Job): i64 {
  job.does = TURNS;
  blameHolders(job.pages(), job.roundNs);
  const failed = endPasses(job);
  if (failed > 0) {
    job.failedRounds += 1;
    count(PROBE_LOG_MIGRATION_FAILED, failed);
  }
  const rc = offlineSettle(failed);
  return rc == OFFLINE_GO_ON ? 0 : end(job, JOB_ENDED, rc);
}

/** The next transition of an offline. Returns how long it takes, or PARKED. */
export function offlineJobStep(job: Job, number: i32, sleeper: i32): i64 {
  if (job.does == STARTS) return begin(job, number);
  if (job.does == TURNS) return turn(job);
  return isMigrating(job) ? passStep(job, sleeper) : endRound(job);
}
