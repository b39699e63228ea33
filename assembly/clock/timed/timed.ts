/**
 * The timed clock: takes the first event, lets its actor take its next transition, and schedules the one
 * after it when that one's cost has passed. A transition that nothing comes before follows at once. Where
 * a run is cut into slices makes no difference.
 */
import {
  CFG_VCPUS,
  EVENT_CPU,
  EVENT_JOB,
  EVENT_KWORKER,
  EVENT_RECLAIM,
  EVENT_REQUEST,
  EVENT_TASK,
  EVENT_THREAD,
  EVENT_UNPIN,
  METRIC_EVENTS,
  TIMED_DONE,
  TIMED_IDLE,
  TIMED_MORE,
  TIMED_UNTIL,
} from "../../abi";
import { config } from "../../arena";
import { machine } from "../../state/machine";
import { takeWoken } from "../../state/wait_queue";
import { endSlice, scheduleThread, takeThreadEvent } from "./cpu";
import { endRequest, submitRequests } from "./device";
import { addGuestTime, endSleep, leaveGuest, rescheduleGuest, runFirst } from "./guest";
import { jobStep } from "./jobs";
import { kworkerStep, wakeKworker } from "./kworker";
import { kworkerAt, scheduleKworker } from "./kworker_state";
import { addPinTime, addTo } from "./metrics";
import { unpin } from "./pinner";
import { NEVER, kindOf, numberOf, popEvent, schedule, skipSerial } from "./queue";
import { reclaimStep } from "./reclaim_run";
import { taskAt } from "./task";
import { threadStep } from "./thread";
import { DOES_ENTRY, threadAt } from "./thread_state";
import { interrupt, wakeSleeper } from "./thread_wake";
import { PARKED, timed } from "./timed_state";

/** The event is not for its target any more: that has been scheduled anew. */
const STALE: i64 = -2;

function endTaskSleep(number: i32): i64 {
  const thread = threadAt(taskAt(number).vcpu);
  endSleep(thread, number);
  interrupt(thread);
  rescheduleGuest(thread);
  return PARKED;
}

function endCpuSlice(number: i32): i64 {
  const thread = endSlice(number);
  if (thread != null) leaveGuest(thread, DOES_ENTRY, machine().nowNs);
  return PARKED;
}

/** The next transition of a target. Returns how long it takes, PARKED, or STALE. */
function stepTarget(target: i32, isNew: bool): i64 {
  const number = numberOf(target);
  const serial = timed().poppedSerial;
  switch (kindOf(target)) {
    case EVENT_THREAD: {
      const thread = threadAt(number);
      return isNew && !takeThreadEvent(thread, serial) ? STALE : threadStep(thread);
    }
    case EVENT_KWORKER:
      return isNew && kworkerAt(number).serial != serial ? STALE : kworkerStep(number);
    case EVENT_RECLAIM:
      return reclaimStep(number);
    case EVENT_JOB:
      return jobStep(number);
    case EVENT_TASK:
      return endTaskSleep(number);
    case EVENT_CPU:
      return endCpuSlice(number);
    case EVENT_REQUEST:
      endRequest(number);
      return PARKED;
    default:
      assert(kindOf(target) == EVENT_UNPIN, "stepTarget: no such kind");
      unpin(number);
      return PARKED;
  }
}

function scheduleTarget(target: i32, atNs: u64): void {
  const kind = kindOf(target);
  if (kind == EVENT_THREAD) scheduleThread(threadAt(numberOf(target)), atNs);
  else if (kind == EVENT_KWORKER) scheduleKworker(numberOf(target), atNs);
  else schedule(atNs, target);
}

/** The target goes on at once. It counts as if it had been scheduled and taken out: a slice may end here. */
function skipQueue(target: i32): void {
  const serial = skipSerial();
  const kind = kindOf(target);
  if (kind == EVENT_THREAD) threadAt(numberOf(target)).serial = serial;
  else if (kind == EVENT_KWORKER) kworkerAt(numberOf(target)).serial = serial;
}

/** Wakes those who slept on what the last transition has let go of. */
function wakeSleepers(): void {
  for (let sleeper = takeWoken(); sleeper != 0; sleeper = takeWoken()) {
    const kind = kindOf(sleeper);
    if (kind == EVENT_THREAD) wakeSleeper(threadAt(numberOf(sleeper)));
    else if (kind == EVENT_KWORKER) wakeKworker(numberOf(sleeper));
    else schedule(machine().nowNs, sleeper);
  }
}

/** What a transition has left to others: sleepers to wake, I/O to start. */
function afterStep(): void {
  const m = machine();
  if (m.firstWoken != 0) wakeSleepers();
  if (m.firstSubmitted != 0) submitRequests();
}

/** Transitions of one target, as long as nothing comes before the next one. Returns how many. */
function runTarget(target: i32, untilNs: u64): i32 {
  const t = timed();
  const m = machine();
  let nr = 0;
  while (true) {
    t.syncNs = 0;
    const pins = m.nrAsyncPfPins;
    const took = stepTarget(target, nr == 0);
    if (took == STALE) return nr;
    afterStep();
    nr += 1;
    addTo(METRIC_EVENTS, 1);
    if (m.nrAsyncPfPins != pins) countPins(pins);
    if (took == PARKED) return nr;
    const nextNs = m.nowNs + <u64>took + <u64>t.syncNs;
    const isNext = nextNs < t.nextNs && nextNs <= t.nextRunNs && nextNs < untilNs && t.hasEnded == 0;
    if (!isNext) {
      scheduleTarget(target, nextNs);
      return nr;
    }
    skipQueue(target);
    m.nowNs = nextNs;
  }
}

/** The number of pins of async_pf has changed from `before` in a transition at the present time. */
function countPins(before: i32): void {
  const m = machine();
  const now = m.nrAsyncPfPins;
  m.nrAsyncPfPins = before;
  addPinTime(m.nowNs);
  m.nrAsyncPfPins = now;
}

/**
 * Runs everything that is due before `untilNs`: about `budget` transitions and stretches of accesses at most.
 * Returns TIMED_*. The clock stays at the last of them.
 */
export function runTimed(untilNs: u64, budget: i32): i32 {
  const t = timed();
  const m = machine();
  let nr = 0;
  let result = TIMED_MORE;
  while (nr < budget) {
    const nextNs = min<u64>(t.nextNs, t.nextRunNs);
    if (t.hasEnded != 0) {
      result = TIMED_DONE;
      break;
    }
    if (nextNs >= untilNs) {
      result = nextNs == NEVER ? TIMED_IDLE : TIMED_UNTIL;
      break;
    }
    if (t.nextNs <= t.nextRunNs) {
      m.nowNs = t.nextNs;
      nr += runTarget(popEvent(), untilNs);
    } else {
      runFirst(untilNs);
      nr += 1;
    }
  }
  return result;
}

/** Adds everything up to `nowNs` to the sums: at the end of a run or of an interval. */
export function settleTimed(nowNs: u64): void {
  const m = machine();
  m.nowNs = max<u64>(m.nowNs, nowNs);
  addPinTime(m.nowNs);
  for (let vcpu = 0; vcpu < config(CFG_VCPUS); vcpu++) addGuestTime(threadAt(vcpu));
}
