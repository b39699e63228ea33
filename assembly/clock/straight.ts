/**
 * The straight clock: runs an operation to its end, nothing in between. What it decides itself is which
 * rounds of an offline it need not execute, and when the caller's patience ends.
 */
import {
  ACCESS_SLEEPS,
  CFG_COST_FAULT,
  CFG_COST_SYSCALL,
  EINTR,
  FAULT_NONE,
  FAULT_WAIT,
  OFFLINE_BUDGET,
  OFFLINE_FOREVER,
  OFFLINE_RETURNED,
  PROBE_OFFLINE_SKIPPED,
  TABLE_ROUND,
} from "../abi";
import { OFFLINE_RECORD_OFFSET, ROUND_BUDGET_OFFSET, config, tablePtr } from "../arena";
import { machine } from "../state/machine";
import { cancelRoundEvents, nextRoundEvent, runDueEvents, runRoundEvents, spend } from "../state/timeline";
import { count } from "../state/vmstat";
import { access } from "../kernel/fault";
import {
  OFFLINE_GO_ON,
  offlineExpiry,
  offlineLeave,
  offlineMayGoOn,
  offlineRetriesLeft,
  offlineStart,
  offlineTurn,
} from "../kernel/offline_pages";
import { endRound, forgetRounds, repeatRound, roundRepeats } from "./fruitless";

/**
 * Accesses virtual pages start … end-1 in order. Returns how many faulted, or the first error. One that
 * sleeps on a migration entry ends the run: ACCESS_SLEEPS is set then. Writes leave `content`.
 */
export function accessRange(mm: i32, start: i32, end: i32, write: bool, content: i32): i32 {
  let faults = 0;
  let rc = FAULT_NONE;
  for (let vpn = start; vpn < end && rc >= 0 && rc != FAULT_WAIT; vpn++) {
    rc = access(mm, vpn, write, content);
    if (rc > FAULT_NONE) faults += 1;
  }
  spend(<u64>faults * <u64>config(CFG_COST_FAULT));
  runDueEvents();
  if (rc < 0) return rc;
  return rc == FAULT_WAIT ? faults | ACCESS_SLEEPS : faults;
}

/** What the caller of an offline allows, and what it has used. */
@unmanaged
class Budget {
  deadlineNs: u64;
  maxRounds: i64;
  rounds: i64;
}

if (ROUND_BUDGET_OFFSET + offsetof<Budget>() > OFFLINE_RECORD_OFFSET)
  ERROR("budget overlaps the offline call");

function budget(): Budget {
  return changetype<Budget>(tablePtr(TABLE_ROUND) + ROUND_BUDGET_OFFSET);
}

/** True if nothing will ever end the call: no limit of the kernel or of the caller, and nothing scheduled. */
function neverEnds(limitNs: u64, limit: i64): bool {
  return min<u64>(limitNs, machine().nextEventNs) == u64.MAX_VALUE && limit == i64.MAX_VALUE;
}

/**
 * Counts the rounds that would repeat the last one. Returns how OFFLINE_* the call ends if they have no end.
 */
function skipRounds(b: Budget, skipping: bool): i32 {
  const limitNs = min<u64>(offlineExpiry(), b.deadlineNs);
  const limit = min<i64>(b.maxRounds, nextRoundEvent());
  if (neverEnds(limitNs, limit)) return roundRepeats() ? OFFLINE_FOREVER : OFFLINE_RETURNED;
  if (!skipping) return OFFLINE_RETURNED;
  const skipped = repeatRound(limitNs, limit - b.rounds);
  b.rounds += skipped;
  count(PROBE_OFFLINE_SKIPPED, skipped);
  return OFFLINE_RETURNED;
}

/** Turns until the call returns, or is ended from outside. */
function runTurns(b: Budget, skipping: bool): i32 {
  const m = machine();
  while (true) {
    runDueEvents();
    runRoundEvents(b.rounds);
    let rc = offlineMayGoOn();
    if (rc != OFFLINE_GO_ON) return rc;
    if (b.rounds >= b.maxRounds || m.nowNs >= b.deadlineNs) {
      m.offlineEnding = OFFLINE_BUDGET;
      return offlineLeave(-EINTR);
    }
    const retriesLeft = offlineRetriesLeft();
    rc = offlineTurn();
    if (rc != OFFLINE_GO_ON) return rc;
    b.rounds += 1;
    endRound();
    if (offlineRetriesLeft() != retriesLeft) continue;
    m.offlineEnding = skipRounds(b, skipping);
    if (m.offlineEnding == OFFLINE_FOREVER) return offlineLeave(-EINTR);
  }
}

/**
 * Takes a block offline. `maxRounds` and `untilNs` (0: none) are the caller's budget; when it runs out the
 * call ends as by a signal, and offlineEnding says so. With `skipping`, rounds in which nothing can change
 * are counted instead of executed. Returns 0 or a negative errno.
 */
export function offlineBlock(block: i32, maxRounds: i64, untilNs: u64, skipping: bool): i32 {
  machine().offlineEnding = OFFLINE_RETURNED;
  spend(config(CFG_COST_SYSCALL));
  let rc = offlineStart(block);
  if (rc == OFFLINE_GO_ON) {
    const b = budget();
    b.deadlineNs = untilNs > 0 ? untilNs : u64.MAX_VALUE;
    b.maxRounds = maxRounds > 0 ? maxRounds : i64.MAX_VALUE;
    b.rounds = 0;
    forgetRounds();
    rc = runTurns(b, skipping);
  }
  cancelRoundEvents();
  return rc;
}
