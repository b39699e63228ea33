/**
 * A vCPU thread outside the guest: the fault that made it leave, kvm_check_async_pf_completion(), and the way
 * back in. In the guest it is guest.ts that runs it.
 */
import {
  APF_REFUSED,
  ASYNC_PF_HALT,
  ASYNC_PF_OFF,
  ASYNC_PF_PARAVIRTUAL,
  COST_ENTRY,
  COST_EXIT,
  COST_FAULT,
  COST_NOT_PRESENT,
  COST_READY,
  EFAULT,
  ENOMEM,
  EVENT_THREAD,
  FAULT_NOWAIT,
  FAULT_WAIT,
  HISTOGRAM_FAULT,
  METRIC_ACCESSES,
  METRIC_ASYNC_PFS,
  METRIC_EXITS,
  METRIC_READY,
  METRIC_SYNC_FAULTS,
  NEW_CONTENT,
  PG_LOCKED,
} from "../../abi";
import { entryStep } from "../../actors/entry";
import { completionSleeps, setupAsyncPf } from "../../kernel/async_pf";
import { access, isAllowed } from "../../kernel/fault";
import { awaitedPfn } from "../../kernel/gup";
import { apfAt } from "../../state/apf";
import { machine } from "../../state/machine";
import { mmapSemBlocksReader } from "../../state/mm";
import { pageAt } from "../../state/page";
import { profile } from "../../state/profile";
import { Vcpu, vcpuAt } from "../../state/vcpu";
import { parkOn } from "../../state/wait_queue";
import { leaveCpu, setTimer, wakeThread, yieldCpu } from "./cpu";
import { endAccess, endTurn, enterGuest, leaveGuest, putToSleep, requestExit } from "./guest";
import { endPinHold, queueWork } from "./kworker";
import { addTo, record } from "./metrics";
import { makeRoomFor } from "./pressure";
import { NEVER, eventOf } from "./queue";
import { NO_TASK, TASK_ENDED, TASK_WAITS, Task, keepTask, taskAt, wakeTask } from "./task";
import {
  DOES_ENTRY,
  DOES_FAULT,
  THREAD_ENDED,
  THREAD_GUEST,
  THREAD_HALTED,
  THREAD_KERNEL,
  THREAD_PAUSED,
  THREAD_SLEEPING,
  THREAD_STALLED,
  Thread,
  WANTS_END,
  WANTS_PAUSE,
} from "./thread_state";
import { endStall, nextTick } from "./thread_wake";
import { PARKED, costOf, semKey, timed } from "./timed_state";

const MAX_RETRIES: i32 = 16;

/** The thread sleeps on a page within its fault, or within a completion. */
function sleepOn(thread: Thread, key: i32): i64 {
  parkOn(key, eventOf(EVENT_THREAD, thread.vcpu));
  thread.stallSinceNs = machine().nowNs;
  leaveCpu(thread, THREAD_SLEEPING);
  return PARKED;
}

/** The access that has faulted is over, done or not. */
function endFault(thread: Thread, task: Task, costNs: u64): void {
  const now = machine().nowNs;
  if (task.faultNs != NEVER) record(HISTOGRAM_FAULT, now + costNs - task.faultNs);
  task.faultNs = NEVER;
  thread.retries = 0;
  thread.does = DOES_ENTRY;
}

function sleepInFault(thread: Thread): i64 {
  const pfn = awaitedPfn(thread.mm, thread.faultPage);
  if (pfn == 0 || (pageAt(pfn).flags & PG_LOCKED) == 0) {
    // It is taken again, for ever if the RFC has put a pointer over the swap entry.
    return <i64>timed().tickNs;
  }
  vcpuAt(thread.vcpu).sleepsOn = pfn;
  addTo(METRIC_SYNC_FAULTS, 1);
  return sleepOn(thread, pfn);
}

/** NOWAIT has given up. Returns false if the fault has to be taken synchronously. */
function startAsyncPf(thread: Thread, task: Task): bool {
  const vcpu = vcpuAt(thread.vcpu);
  const id = setupAsyncPf(thread.vcpu, thread.faultPage);
  if (id == APF_REFUSED) return false;
  if (id > 0) {
    addTo(METRIC_ASYNC_PFS, 1);
    queueWork(id, thread.cpu);
    if (thread.mode == ASYNC_PF_PARAVIRTUAL) {
      task.state = TASK_WAITS;
      task.waitsFor = thread.faultPage;
      thread.injects = 1;
    } else {
      vcpu.halted = 1; // KVM_REQ_APF_HALT
    }
  }
  thread.does = DOES_ENTRY;
  return true;
}

function accessOf(thread: Thread, nowait: bool): i32 {
  const m = machine();
  m.nowait = nowait ? 1 : 0;
  const rc = access(thread.mm, thread.faultPage, thread.faultWrites != 0, NEW_CONTENT);
  m.nowait = 0;
  return rc;
}

/** The fault on the page that the guest could not access. */
function faultStep(thread: Thread): i64 {
  const task = taskAt(thread.task);
  const page = thread.faultPage;
  const allowed = isAllowed(thread.mm, page, thread.faultWrites != 0);
  if (!allowed && mmapSemBlocksReader(thread.mm)) return sleepOn(thread, semKey(thread.mm));
  if (!allowed && thread.retries < MAX_RETRIES) {
    if (makeRoomFor(eventOf(EVENT_THREAD, thread.vcpu), thread.mm, page, thread.mode != ASYNC_PF_OFF)) {
      thread.retries += 1;
      return PARKED;
    }
  }
  let rc = accessOf(thread, thread.mode != ASYNC_PF_OFF);
  if (rc == FAULT_NOWAIT) {
    if (startAsyncPf(thread, task)) return <i64>costOf(COST_NOT_PRESENT);
    rc = accessOf(thread, false);
  }
  if (rc == FAULT_WAIT) return sleepInFault(thread);
  const cost = costOf(COST_FAULT);
  endFault(thread, task, cost);
  if (rc == -ENOMEM || rc == -EFAULT) {
    task.state = TASK_ENDED;
    return <i64>cost;
  }
  addTo(METRIC_ACCESSES, 1); // the kernel has done it for the guest
  if (endAccess(task)) putToSleep(task, thread.task, machine().nowNs + <u64>cost);
  return <i64>cost;
}

/** "Page ready" reaches the guest: the tasks that wait for the page can run. */
function notifyReady(thread: Thread, item: i32): void {
  const apf = apfAt(item);
  addTo(METRIC_READY, 1);
  for (let number = thread.firstTask; number < thread.firstTask + thread.nrTasks; number++) {
    const task = taskAt(number);
    if (task.state != TASK_WAITS || (apf.wakeupAll == 0 && task.waitsFor != apf.gfn)) continue;
    if (task.faultNs != NEVER) record(HISTOGRAM_FAULT, machine().nowNs - task.faultNs);
    task.faultNs = NEVER;
    wakeTask(thread, number);
  }
}

/** True if a completion is due at this entry: with paravirtual delivery one, and none beside an exception. */
function completes(thread: Thread, vcpu: Vcpu): bool {
  if (vcpu.completing != 0) return true;
  if (vcpu.firstDone == 0) return false;
  return thread.mode != ASYNC_PF_PARAVIRTUAL || (thread.injects == 0 && thread.handled == 0);
}

/** The next transition of a completion. */
function completionStep(thread: Thread, vcpu: Vcpu): i64 {
  const begins = vcpu.completing == 0;
  const item = begins ? vcpu.firstDone : vcpu.completing;
  if (completionSleeps(thread.vcpu)) {
    const apf = apfAt(item);
    return sleepOn(thread, apf.page != 0 ? apf.page : apf.workerPage);
  }
  entryStep(thread);
  let cost = <i64>costOf(thread.transition);
  if (begins) {
    notifyReady(thread, item);
    thread.handled += 1;
    if (thread.mode == ASYNC_PF_PARAVIRTUAL) cost += <i64>costOf(COST_READY);
  }
  if (vcpu.completing == 0) endPinHold(item);
  return cost;
}

/** Nothing can run: the vCPU halts, for a completion if the fault asked for that, else for anything. */
function halt(thread: Thread, state: i32): i64 {
  leaveCpu(thread, state);
  if (state == THREAD_STALLED) {
    thread.stallSinceNs = machine().nowNs;
    // A timer interrupt of the guest ends it, too, and lets its scheduler pick another task.
    if (thread.mode == ASYNC_PF_HALT) setTimer(thread, machine().nowNs + <u64>thread.tickNs);
  }
  return PARKED;
}

function entry(thread: Thread): i64 {
  const vcpu = vcpuAt(thread.vcpu);
  if (completes(thread, vcpu)) return completionStep(thread, vcpu);
  thread.handled = 0;
  thread.injects = 0;
  if (thread.wants == WANTS_PAUSE) {
    leaveCpu(thread, THREAD_PAUSED);
    return PARKED;
  }
  if (vcpu.halted != 0) return halt(thread, THREAD_STALLED);
  if (thread.endsSlice != 0) {
    yieldCpu(thread);
    return PARKED;
  }
  const now = machine().nowNs;
  const cost = costOf(COST_ENTRY);
  const paravirtual = thread.mode == ASYNC_PF_PARAVIRTUAL;
  if (!keepTask(thread, now)) {
    if (vcpu.firstDone == 0) return halt(thread, THREAD_HALTED);
    addTo(METRIC_EXITS, 1); // HLT, and a completion is there already
    return <i64>(cost + costOf(COST_EXIT));
  }
  thread.exitNs = NEVER;
  enterGuest(thread, now + <u64>cost);
  if (paravirtual && vcpu.firstDone != 0) {
    const acknowledged = now + <u64>(cost + costOf(COST_READY));
    requestExit(thread, profile().finishedWorkKicks ? acknowledged : nextTick(thread));
  }
  return PARKED;
}

/** The process is being killed: its threads end. */
function end(thread: Thread): i64 {
  vcpuAt(thread.vcpu).sleepsOn = 0;
  thread.task = NO_TASK;
  leaveCpu(thread, THREAD_ENDED);
  return PARKED;
}

/** An event of the thread is due. Returns how long its step takes, or PARKED. */
export function threadStep(thread: Thread): i64 {
  if (thread.state == THREAD_GUEST) {
    if (machine().nowNs >= thread.exitNs) leaveGuest(thread, DOES_ENTRY, machine().nowNs);
    else endTurn(thread);
    return PARKED;
  }
  if (thread.state == THREAD_STALLED) {
    vcpuAt(thread.vcpu).halted = 0;
    endStall(thread);
    thread.does = DOES_ENTRY;
    wakeThread(thread);
    return PARKED;
  }
  assert(thread.state == THREAD_KERNEL, "threadStep: the thread does not run");
  const vcpu = vcpuAt(thread.vcpu);
  if (thread.wants == WANTS_END && vcpu.completing == 0) return end(thread);
  return thread.does == DOES_FAULT ? faultStep(thread) : entry(thread);
}
