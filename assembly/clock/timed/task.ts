/** Tasks of guests, and the guest's scheduler: of those that can run, the one that has had least runs. */
import {
  TABLE_TASKS,
  TASK_ACCESS_NS,
  TASK_EVERY_NS,
  TASK_FIRST_PAGE,
  TASK_PAGES,
  TASK_PATTERN,
  TASK_RNG,
  TASK_SIZE,
  TASK_SLEEP_EVERY,
  TASK_SLEEP_NS,
  TASK_STEP,
  TASK_WINDOW,
  TASK_WRITE_PERCENT,
} from "../../abi";
import { tablePtr } from "../../arena";
import { machine } from "../../state/machine";
import { NEVER } from "./queue";
import { Thread } from "./thread_state";

export const TASK_READY: i32 = 0;
export const TASK_WAITS: i32 = 1; // for a page, with a token
export const TASK_SLEEPS: i32 = 2;
export const TASK_ENDED: i32 = 3; // killed by a fault that is not allowed

@unmanaged
export class Task {
  pattern: i32; // PATTERN_*
  firstPage: i32; // its range
  nrPages: i32;
  accessNs: u32;
  writePercent: i32;
  sleepEvery: i32; // accesses, 0 = it never sleeps
  rng: u64;
  sleepNs: u64;
  everyNs: u64;
  window: i32; // see TASK_WINDOW
  step: i32;
  vcpu: i32;
  state: i32; // TASK_*
  cursor: i32;
  untilSleep: i32; // accesses
  waitsFor: i32; // virtual page
  pending: i32; // the access that has faulted is to be done first: page, WRITES
  hasPending: i32;
  share: u64; // of CPU time: what the guest's clock has run while it was the current task
  faultNs: u64; // when the access that it waits for has faulted, NEVER = it waits for none

  @inline
  stream(): usize {
    return changetype<usize>(this) + offsetof<Task>("rng");
  }
}

if (offsetof<Task>() > <usize>TASK_SIZE) ERROR("size of a task record");
if (offsetof<Task>("pattern") != TASK_PATTERN) ERROR("Task record");
if (offsetof<Task>("firstPage") != TASK_FIRST_PAGE) ERROR("Task record");
if (offsetof<Task>("nrPages") != TASK_PAGES) ERROR("Task record");
if (offsetof<Task>("accessNs") != TASK_ACCESS_NS) ERROR("Task record");
if (offsetof<Task>("writePercent") != TASK_WRITE_PERCENT) ERROR("Task record");
if (offsetof<Task>("sleepEvery") != TASK_SLEEP_EVERY) ERROR("Task record");
if (offsetof<Task>("rng") != TASK_RNG) ERROR("Task record");
if (offsetof<Task>("sleepNs") != TASK_SLEEP_NS) ERROR("Task record");
if (offsetof<Task>("everyNs") != TASK_EVERY_NS) ERROR("Task record");
if (offsetof<Task>("window") != TASK_WINDOW) ERROR("Task record");
if (offsetof<Task>("step") != TASK_STEP) ERROR("Task record");

export const NO_TASK: i32 = -1;

/** sched_latency of CFS, and the share by which one who wakes up must lag behind to run at once. */
const SLEEPER_BONUS_NS: u64 = 3_000_000;
const WAKEUP_GRANULARITY_NS: u64 = 1_000_000;

export function taskAt(number: i32): Task {
  return changetype<Task>(tablePtr(TABLE_TASKS) + <usize>number * TASK_SIZE);
}

/** Adds what the current task has had of the guest's time: also what the host has taken of it meanwhile. */
export function addShare(thread: Thread): void {
  const now = machine().nowNs;
  if (thread.task != NO_TASK && now > thread.taskSinceNs)
    taskAt(thread.task).share += now - thread.taskSinceNs;
  thread.taskSinceNs = max<u64>(now, thread.taskSinceNs);
}

/** The ready task with the smallest share, of equal ones the first; NO_TASK if none can run. */
function leastServed(thread: Thread): i32 {
  let found = NO_TASK;
  for (let number = thread.firstTask; number < thread.firstTask + thread.nrTasks; number++) {
    if (taskAt(number).state != TASK_READY) continue;
    if (found == NO_TASK || taskAt(number).share < taskAt(found).share) found = number;
  }
  return found;
}

function nrReady(thread: Thread): i32 {
  let nr = 0;
  for (let number = thread.firstTask; number < thread.firstTask + thread.nrTasks; number++) {
    if (taskAt(number).state == TASK_READY) nr += 1;
  }
  return nr;
}

/** schedule() of the guest: picks who runs from `nowNs` on. Returns false if nobody can. */
export function pickTask(thread: Thread, nowNs: u64): bool {
  addShare(thread);
  thread.task = leastServed(thread);
  thread.taskSinceNs = nowNs;
  thread.taskEndNs = nrReady(thread) > 1 ? nowNs + <u64>thread.guestSliceNs : NEVER;
  return thread.task != NO_TASK;
}

/** The task that is to run when the vCPU enters the guest: the present one until its slice ends. */
export function keepTask(thread: Thread, nowNs: u64): bool {
  const present = thread.task;
  if (present == NO_TASK || taskAt(present).state != TASK_READY) return pickTask(thread, nowNs);
  addShare(thread);
  const least = leastServed(thread);
  const lags = taskAt(least).share + WAKEUP_GRANULARITY_NS < taskAt(present).share;
  if (lags || nowNs >= thread.taskEndNs) return pickTask(thread, nowNs);
  if (thread.taskEndNs == NEVER && nrReady(thread) > 1) thread.taskEndNs = nowNs + <u64>thread.guestSliceNs;
  return true;
}

/** A task can run again. One that has slept does not get all at once what it has missed. */
export function wakeTask(thread: Thread, number: i32): void {
  const task = taskAt(number);
  const present = thread.task;
  task.state = TASK_READY;
  if (present == NO_TASK || present == number) return;
  addShare(thread);
  const share = taskAt(present).share;
  const least = share > SLEEPER_BONUS_NS ? share - SLEEPER_BONUS_NS : 0;
  task.share = max<u64>(task.share, least);
}
