/**
 * Guest mode: accesses of the task that runs, one after the other, as far as nobody can interfere. That is
 * until the next event, and with other vCPUs in guest mode until a fault of one of them could be seen: an
 * access that faults changes nothing before the exit it causes has passed. Writes of several vCPUs to one
 * page within that time have no order among each other.
 */
import {
  COST_EXIT,
  EVENT_TASK,
  METRIC_ACCESSES,
  METRIC_EXITS,
  METRIC_FAULTS,
  METRIC_WORK_NS,
  PATTERN_NONE,
  PTE_ACCESSED,
  PTE_DIRTY,
  PTE_PRESENT,
  PTE_SHIFT,
  PTE_WRITE,
} from "../../abi";
import { ptesPtr } from "../../arena";
import { expectStamp, nextStamp, writeContent } from "../../state/content";
import { machine } from "../../state/machine";
import { mmAt } from "../../state/mm";
import { scheduleThread, setTimer } from "./cpu";
import { drawBelow } from "./draw";
import { addTo } from "./metrics";
import { AS_DRAWN, WRITES, nextPageOf } from "./pattern";
import { NEVER, eventOf, schedule } from "./queue";
import { addRun, firstRunner, firstStay, replaceFirst, secondRunNs } from "./runs";
import { NO_TASK, TASK_SLEEPS, Task, keepTask, pickTask, taskAt, wakeTask } from "./task";
import {
  DOES_ENTRY,
  DOES_FAULT,
  THREAD_GUEST,
  THREAD_KERNEL,
  Thread,
  addStateTime,
  setState,
  threadAt,
} from "./thread_state";
import { costOf, timed } from "./timed_state";

const ACCESS_MASK: i32 = AS_DRAWN - 1;

function computes(thread: Thread): bool {
  return thread.task != NO_TASK && taskAt(thread.task).pattern == PATTERN_NONE;
}

/** The task that computes has done so up to `nowNs`. */
function addWork(thread: Thread, nowNs: u64): void {
  if (computes(thread) && nowNs > thread.enteredNs) addTo(METRIC_WORK_NS, nowNs - thread.enteredNs);
  thread.enteredNs = max<u64>(thread.enteredNs, nowNs);
}

/** The vCPU has to leave the guest, or the turn of a task that computes ends, which nothing else notices. */
function setGuestTimer(thread: Thread): void {
  const dueNs = computes(thread) ? min<u64>(thread.exitNs, thread.taskEndNs) : thread.exitNs;
  if (dueNs != NEVER) setTimer(thread, dueNs);
  else thread.serial = 0;
}

/** The task that the vCPU has picked runs from `atNs` on. */
function runTask(thread: Thread, atNs: u64): void {
  thread.stay += 1;
  if (!computes(thread)) addRun(atNs, thread.vcpu, thread.stay);
  setGuestTimer(thread);
}

/** The vCPU is in guest mode from `atNs` on, with the task that it has picked. */
export function enterGuest(thread: Thread, atNs: u64): void {
  setState(thread, THREAD_GUEST);
  thread.sinceNs = atNs;
  thread.enteredNs = atNs;
  runTask(thread, atNs);
}

/** The vCPU leaves the guest, at present or at `atNs`; what it `does` comes when the exit has passed. */
export function leaveGuest(thread: Thread, does: i32, atNs: u64): void {
  const m = machine();
  const now = m.nowNs;
  m.nowNs = atNs;
  addWork(thread, atNs);
  setState(thread, THREAD_KERNEL);
  m.nowNs = now;
  thread.does = does;
  thread.stay += 1;
  thread.exitNs = NEVER;
  addTo(METRIC_EXITS, 1);
  scheduleThread(thread, atNs + <u64>costOf(COST_EXIT));
}

/** Makes a vCPU in guest mode leave it by `atNs`. */
export function requestExit(thread: Thread, atNs: u64): void {
  if (thread.exitNs <= atNs) return;
  thread.exitNs = atNs;
  if (thread.state == THREAD_GUEST) setGuestTimer(thread);
}

/** Another task may have to run in the guest: one has woken up. The present one has computed up to now. */
export function rescheduleGuest(thread: Thread): void {
  const now = machine().nowNs;
  if (thread.state != THREAD_GUEST) return;
  const before = thread.task;
  addWork(thread, now);
  keepTask(thread, now);
  if (thread.task != before) runTask(thread, now);
  else if (computes(thread)) setGuestTimer(thread);
}

/** The turn of the task that computes has ended. */
export function endTurn(thread: Thread): void {
  const now = machine().nowNs;
  addWork(thread, now);
  if (pickTask(thread, now)) runTask(thread, now);
  else leaveGuest(thread, DOES_ENTRY, now);
}

/** A store of the guest through a PTE that allows it. */
function storeTo(pteAddress: usize, pte: i32): void {
  store<i32>(pteAddress, pte | PTE_DIRTY | PTE_ACCESSED);
  const stamp = nextStamp();
  writeContent(<i32>(<u32>pte >> PTE_SHIFT), stamp);
  expectStamp(<i32>((pteAddress - ptesPtr) >> 2), stamp);
}

/** The access, page and WRITES, that a task makes next. */
function nextAccess(task: Task, nowNs: u64): i32 {
  if (task.hasPending != 0) return task.pending;
  const drawn = nextPageOf(task, nowNs);
  const page = task.firstPage + (drawn & ACCESS_MASK);
  if ((drawn & AS_DRAWN) == 0) return page | (drawn & WRITES);
  const writes = task.writePercent > 0 && drawBelow(task.stream(), 100) < task.writePercent;
  return page | (writes ? WRITES : 0);
}

/** The access of a task has been done. Returns true if the task goes to sleep. */
export function endAccess(task: Task): bool {
  task.hasPending = 0;
  if (task.sleepEvery == 0) return false;
  task.untilSleep -= 1;
  if (task.untilSleep > 0) return false;
  task.untilSleep = task.sleepEvery;
  return true;
}

/** The task sleeps from `atNs` on. */
export function putToSleep(task: Task, number: i32, atNs: u64): void {
  task.state = TASK_SLEEPS;
  schedule(atNs + task.sleepNs, eventOf(EVENT_TASK, number));
}

/** The access of the task that runs has to leave the guest. */
function faultAt(thread: Thread, task: Task, access: i32, atNs: u64): void {
  task.hasPending = 1;
  task.pending = access;
  if (task.faultNs == NEVER) task.faultNs = atNs;
  thread.faultPage = access & ~WRITES;
  thread.faultWrites = access & WRITES;
  addTo(METRIC_FAULTS, 1);
  leaveGuest(thread, DOES_FAULT, atNs);
}

/** Another task runs from `atNs` on, or there is none and the vCPU halts. Returns when its access is due. */
function switchTask(thread: Thread, atNs: u64): u64 {
  const m = machine();
  const now = m.nowNs;
  m.nowNs = atNs;
  addWork(thread, atNs);
  const found = pickTask(thread, atNs);
  m.nowNs = now;
  if (!found) {
    leaveGuest(thread, DOES_ENTRY, atNs);
    return NEVER;
  }
  setGuestTimer(thread);
  return computes(thread) ? NEVER : atNs;
}

/**
 * Accesses of the task that runs from `atNs` on, before `horizonNs`. Returns when the next one is due,
 * NEVER if the vCPU has left the guest.
 */
function accesses(thread: Thread, atNs: u64, horizonNs: u64): u64 {
  const number = thread.task;
  const task = taskAt(number);
  const base = ptesPtr + ((<usize>mmAt(thread.mm).firstPte) << 2);
  const endNs = min<u64>(horizonNs, thread.taskEndNs);
  const step = <u64>max<u32>(task.accessNs, 1);
  let nr: u64 = 0;
  let dueNs = atNs;
  while (dueNs < endNs) {
    const next = nextAccess(task, dueNs);
    const page = next & ~WRITES;
    const pteAddress = base + ((<usize>page) << 2);
    const pte = load<i32>(pteAddress);
    const needed = (next & WRITES) != 0 ? PTE_PRESENT | PTE_WRITE : PTE_PRESENT;
    if ((pte & needed) != needed) {
      addTo(METRIC_ACCESSES, nr);
      faultAt(thread, task, next, dueNs);
      return NEVER;
    }
    if ((next & WRITES) != 0) storeTo(pteAddress, pte);
    else if ((pte & PTE_ACCESSED) == 0) store<i32>(pteAddress, pte | PTE_ACCESSED);
    nr += 1;
    dueNs += step;
    if (endAccess(task)) {
      putToSleep(task, number, dueNs);
      addTo(METRIC_ACCESSES, nr);
      return switchTask(thread, dueNs);
    }
  }
  addTo(METRIC_ACCESSES, nr);
  return dueNs;
}

/**
 * Until when the vCPU that is first may go on. A slice ends it only where no other one is in guest mode:
 * beside others it would change the order of their writes.
 */
function horizon(atNs: u64, untilNs: u64): u64 {
  const t = timed();
  const others = secondRunNs();
  const seenNs = others == NEVER ? untilNs : max<u64>(others + <u64>t.lookaheadNs, atNs + 1);
  return min<u64>(min<u64>(t.nextNs, t.endNs), seenNs);
}

/** Lets the vCPU whose access is due first run on, in a slice up to `untilNs`. */
export function runFirst(untilNs: u64): void {
  const thread = threadAt(firstRunner());
  if (thread.stay != firstStay()) {
    replaceFirst(NEVER);
    return;
  }
  const atNs = timed().nextRunNs;
  machine().nowNs = max<u64>(machine().nowNs, atNs);
  let dueNs = atNs;
  if (atNs >= thread.taskEndNs) {
    dueNs = switchTask(thread, atNs);
  } else {
    dueNs = accesses(thread, atNs, horizon(atNs, untilNs));
  }
  replaceFirst(dueNs);
}

/** A task has slept enough. */
export function endSleep(thread: Thread, number: i32): void {
  if (taskAt(number).state == TASK_SLEEPS) wakeTask(thread, number);
}

/** Adds the time up to now of a vCPU in guest mode to the sums. */
export function addGuestTime(thread: Thread): void {
  if (thread.state == THREAD_GUEST) addWork(thread, machine().nowNs);
  addStateTime(thread);
}
