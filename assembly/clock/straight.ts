/**
 * The straight clock: runs an operation to its end, nothing in between. What it decides itself is only how
 * long that takes, and which rounds of an offline it need not execute.
 */
import {
  ACCESS_SLEEPS,
  CFG_COST_FAULT,
  CFG_COST_ROUND,
  CFG_COST_SYSCALL,
  EAGAIN,
  EBUSY,
  EINTR,
  FAULT_NONE,
  FAULT_WAIT,
  MEMORY_BLOCK_ORDER,
  MEMORY_BLOCK_PAGES,
  OFFLINE_BUDGET,
  OFFLINE_FOREVER,
  OFFLINE_RETURNED,
  PFN_NONE,
  PROBE_OFFLINE_SKIPPED,
  CFG_CPUS,
  TABLE_ROUND,
} from "../abi";
import { ROUND_BUDGET_OFFSET, ROUND_RECORD_SIZE, config, tablePtr } from "../arena";
import { flushCopies } from "../state/content";
import { lruAddDrainAll } from "../state/lru_batch";
import { machine } from "../state/machine";
import { cancelRoundEvents, nextRoundEvent, runDueEvents, runRoundEvents, spend } from "../state/timeline";
import { count } from "../state/vmstat";
import { access } from "../kernel/fault";
import { clearBlame } from "../kernel/migrate_control";
import {
  offlineBegin,
  offlineEnd,
  offlineRound,
  scanMovablePages,
  testPagesIsolated,
} from "../kernel/offline";
import { profile } from "../state/profile";
import { endRound, forgetRounds, repeatRound, roundRepeats } from "./fruitless";

/**
 * Accesses virtual pages start … end-1 in order. Returns how many faulted, or the first error. One that
 * sleeps on a migration entry ends the run: ACCESS_SLEEPS is set then.
 */
export function accessRange(mm: i32, start: i32, end: i32, write: bool): i32 {
  let faults = 0;
  let sleeps = 0;
  for (let vpn = start; vpn < end; vpn++) {
    const rc = access(mm, vpn, write);
    if (rc < 0) return rc;
    if (rc != FAULT_NONE) faults += 1;
    if (rc == FAULT_WAIT) {
      sleeps = ACCESS_SLEEPS;
      break;
    }
  }
  spend(<u64>faults * <u64>config(CFG_COST_FAULT));
  runDueEvents();
  return faults | sleeps;
}

/** Ends an offline call, the block staying online unless `rc` is 0. */
function leave(block: i32, rc: i32, ending: i32): i32 {
  machine().offlineEnding = ending;
  machine().signalPending = 0;
  cancelRoundEvents();
  flushCopies();
  offlineEnd(block, rc == 0);
  return rc;
}

/** What an offline call may spend, and has spent. */
@unmanaged
class Budget {
  expireNs: u64; // the kernel's own limit
  deadlineNs: u64; // the caller's
  maxRounds: i64;
  rounds: i64;
  retriesLeft: i32;
}

if (ROUND_BUDGET_OFFSET + offsetof<Budget>() > ROUND_RECORD_SIZE) ERROR("round region too small");

function budget(): Budget {
  return changetype<Budget>(tablePtr(TABLE_ROUND) + ROUND_BUDGET_OFFSET);
}

const GO_ON: i32 = 1;

/** Whether another round begins: GO_ON, or the return value of the call. */
function mayBeginRound(block: i32, b: Budget): i32 {
  const m = machine();
  runDueEvents();
  runRoundEvents(b.rounds);
  if (m.nowNs > b.expireNs) return leave(block, -EAGAIN, OFFLINE_RETURNED);
  if (m.signalPending != 0) return leave(block, -EINTR, OFFLINE_RETURNED);
  if (b.rounds >= b.maxRounds || m.nowNs >= b.deadlineNs) return leave(block, -EINTR, OFFLINE_BUDGET);
  return GO_ON;
}

/** Nothing on the LRU is left in the block: the end, or on 6.x once more from the start. */
function allMoved(block: i32, start: i32): i32 {
  lruAddDrainAll(config(CFG_CPUS));
  if (testPagesIsolated(start)) return leave(block, 0, OFFLINE_RETURNED);
  if (profile().offlineBatch > 0) return leave(block, -EBUSY, OFFLINE_RETURNED);
  spend(config(CFG_COST_ROUND));
  return GO_ON;
}

/** Counts the rounds that would repeat the last one; OFFLINE_FOREVER if nothing would ever end them. */
function skipRounds(block: i32, b: Budget, skipping: bool): i32 {
  const m = machine();
  const limitNs = min<u64>(b.expireNs, b.deadlineNs);
  const limit = min<i64>(b.maxRounds, nextRoundEvent());
  if (min<u64>(limitNs, m.nextEventNs) == u64.MAX_VALUE && limit == i64.MAX_VALUE) {
    return roundRepeats() ? leave(block, -EINTR, OFFLINE_FOREVER) : GO_ON;
  }
  if (!skipping) return GO_ON;
  const skipped = repeatRound(limitNs, limit - b.rounds);
  b.rounds += skipped;
  count(PROBE_OFFLINE_SKIPPED, skipped);
  return GO_ON;
}

/** Rounds until the call returns. */
function runRounds(block: i32, b: Budget, skipping: bool): i32 {
  const p = profile();
  const start = block << MEMORY_BLOCK_ORDER;
  const end = start + MEMORY_BLOCK_PAGES;
  let pfn = start;
  let first = true;
  while (true) {
    let rc = mayBeginRound(block, b);
    if (rc <= 0) return rc;
    // v3.12 drains before every round but the first and begins each scan anew; 6.x goes on where it found a
    // page.
    if (p.offlineBatch > 0) {
      pfn = start;
      if (!first) lruAddDrainAll(config(CFG_CPUS));
      first = false;
    }
    pfn = scanMovablePages(pfn, end);
    if (pfn == PFN_NONE) {
      rc = allMoved(block, start);
      if (rc <= 0) return rc;
      pfn = start;
    } else {
      rc = offlineRound(pfn, end);
      spend(config(CFG_COST_ROUND));
    }
    b.rounds += 1;
    endRound();
    if (rc < 0 && p.offlineRetries > 0) {
      b.retriesLeft -= 1;
      if (b.retriesLeft == 0) return leave(block, rc, OFFLINE_RETURNED);
      continue;
    }
    rc = skipRounds(block, b, skipping);
    if (rc <= 0) return rc;
  }
}

/**
 * Takes a block offline. `maxRounds` and `untilNs` (0: none) are the caller's budget; when it runs out the
 * call ends as by a signal, and offlineEnding() says so. With `skipping`, rounds in which nothing can change
 * are counted instead of executed. Returns 0 or a negative errno.
 */
export function offlineBlock(block: i32, maxRounds: i64, untilNs: u64, skipping: bool): i32 {
  const m = machine();
  m.offlineEnding = OFFLINE_RETURNED;
  clearBlame();
  spend(config(CFG_COST_SYSCALL));
  const err = offlineBegin(block);
  if (err != 0) {
    cancelRoundEvents();
    return err;
  }
  const p = profile();
  const b = budget();
  b.expireNs = p.offlineTimeoutNs > 0 ? m.nowNs + p.offlineTimeoutNs : u64.MAX_VALUE;
  b.deadlineNs = untilNs > 0 ? untilNs : u64.MAX_VALUE;
  b.maxRounds = maxRounds > 0 ? maxRounds : i64.MAX_VALUE;
  b.rounds = 0;
  b.retriesLeft = p.offlineRetries;
  forgetRounds();
  return runRounds(block, b, skipping);
}
