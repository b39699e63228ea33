/** vCPU threads: what the timed clock has of each beside the vCPU itself. */
import {
  METRIC_GUEST_NS,
  METRIC_HALTED_NS,
  METRIC_STALLED_NS,
  METRIC_WAITING_NS,
  TABLE_THREADS,
  THREAD_SIZE,
} from "../../abi";
import { tablePtr } from "../../arena";
import { Actor } from "../../state/actor";
import { machine } from "../../state/machine";
import { addTo } from "./metrics";

// Where a thread is.
export const THREAD_NONE: i32 = 0;
export const THREAD_WAITING: i32 = 1; // for a physical CPU
export const THREAD_KERNEL: i32 = 2; // it runs, outside the guest
export const THREAD_GUEST: i32 = 3;
export const THREAD_SLEEPING: i32 = 4; // in a fault
export const THREAD_HALTED: i32 = 5; // HLT: no task can run
export const THREAD_STALLED: i32 = 6; // halted until a page is there: KVM_REQ_APF_HALT
export const THREAD_PAUSED: i32 = 7; // in the VMM
export const THREAD_ENDED: i32 = 8;

// What it does next in the kernel.
export const DOES_FAULT: i32 = 1;
export const DOES_ENTRY: i32 = 2; // completions, then the guest

@unmanaged
export class Thread extends Actor {
  state: i32; // THREAD_*
  does: i32; // DOES_*
  cpu: i32;
  nextOnCpu: i32; // in the queue of its CPU: vCPU + 1
  serial: u32; // of the event that is meant for it; others are out of date
  stay: u32; // in guest mode, the so manieth
  wants: i32; // WANTS_*: what the process has been told to do, and does when it is out of the guest
  mode: i32; // ASYNC_PF_*
  firstTask: i32;
  nrTasks: i32;
  task: i32; // that runs, or ran last, -1 = none
  faultPage: i32; // virtual page of the access that has faulted
  faultWrites: i32;
  injects: i32; // the fault has put an exception in, so that "page ready" comes at a later entry
  endsSlice: i32; // its CPU is to go to another one at the next entry
  handled: i32; // completions at this entry
  tickNs: u32; // of the guest
  guestSliceNs: u32;
  sinceNs: u64; // in its state
  exitNs: u64; // when it is to leave the guest at the latest, NEVER = it need not
  dueNs: u64; // what its timer is for
  timerNs: u64; // when the timer in the queue comes: by then, NEVER = there is none
  timerSerial: u32;
  taskSinceNs: u64; // up to when the task's share of time has been added up
  taskEndNs: u64; // when another task is to run, NEVER = no other can
  enteredNs: u64; // since when the present task has computed in the guest
  stallSinceNs: u64; // of a fault in which it sleeps, 0 = it does not
  retries: i32; // times that it has made room for its fault without success
}

export const WANTS_NOTHING: i32 = 0;
export const WANTS_PAUSE: i32 = 1; // the VMM does not call KVM_RUN any more
export const WANTS_END: i32 = 2; // SIGKILL

if (offsetof<Thread>() > <usize>THREAD_SIZE) ERROR("size of a thread record");

export function threadAt(vcpu: i32): Thread {
  return changetype<Thread>(tablePtr(TABLE_THREADS) + <usize>vcpu * THREAD_SIZE);
}

/** The sum that the time in a state belongs to, -1 for none. */
function metricOf(state: i32): i32 {
  if (state == THREAD_GUEST) return METRIC_GUEST_NS;
  if (state == THREAD_HALTED) return METRIC_HALTED_NS;
  if (state == THREAD_WAITING) return METRIC_WAITING_NS;
  if (state == THREAD_SLEEPING || state == THREAD_STALLED || state == THREAD_PAUSED) return METRIC_STALLED_NS;
  return -1;
}

/** Adds the time in its present state up to now. That may have to begin yet. */
export function addStateTime(thread: Thread): void {
  const now = machine().nowNs;
  const metric = metricOf(thread.state);
  if (metric >= 0 && now > thread.sinceNs) addTo(metric, now - thread.sinceNs);
  thread.sinceNs = max<u64>(thread.sinceNs, now);
}

export function setState(thread: Thread, state: i32): void {
  addStateTime(thread);
  thread.state = state;
}
