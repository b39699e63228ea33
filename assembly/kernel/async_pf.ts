/**
 * KVM's asynchronous page faults (virt/kvm/async_pf.c): set-up, worker, completion, cancellation, broadcast.
 */
import {
  APF_DONE,
  APF_LOST,
  APF_QUEUED,
  APF_REFUSED,
  APF_REPEATED,
  APF_SLEEPS,
  ASYNC_PF_PER_VCPU,
  CFG_VCPUS,
  COMPLETION_NONE,
  COMPLETION_TAKEN,
  FAULT_WAIT,
  PG_LOCKED,
  WORKER_BEGUN,
  WORKER_HAS_PAGE,
  WORKER_HAS_STORED,
  WORKER_NOT_BEGUN,
} from "../abi";
import { config } from "../arena";
import { Apf, allocApf, apfAt, freeApf } from "../state/apf";
import { machine } from "../state/machine";
import { mmAt } from "../state/mm";
import { profile } from "../state/profile";
import { pageAt } from "../state/page";
import { Vcpu, vcpuAt } from "../state/vcpu";
import { entryPfn } from "./gup";
import {
  policyBegin,
  policyGup,
  policyMustLock,
  policyRelease,
  policySetPage,
  policyStore,
} from "./policy/policy";

const TOKEN_VCPU_BITS: i32 = 12;
const TOKEN_MASK: i32 = 0x7fffffff; // ours: 31 of the kernel's 32 bits

/** Gives a guest its next vCPU. Returns its id, or -1 when no record is left. */
export function createVcpu(mm: i32): i32 {
  for (let id = 0; id < config(CFG_VCPUS); id++) {
    const vcpu = vcpuAt(id);
    if (vcpu.mm != 0) continue;
    vcpu.mm = mm;
    mmAt(mm).nrVcpus += 1;
    return id;
  }
  return -1;
}

/** What is left of a guest's vCPUs when its process exits: their queues are cleared, then they go. */
export function destroyVcpus(mm: i32): void {
  for (let id = 0; id < config(CFG_VCPUS); id++) {
    const vcpu = vcpuAt(id);
    if (vcpu.mm != mm) continue;
    clearAsyncPfQueue(id);
    memory.fill(changetype<usize>(vcpu), 0, offsetof<Vcpu>());
  }
  mmAt(mm).nrVcpus = 0;
}

function enqueue(vcpu: Vcpu, apfId: i32): void {
  vcpu.queued += 1;
  if (vcpu.firstQueued == 0) {
    vcpu.firstQueued = apfId;
    return;
  }
  let last = apfAt(vcpu.firstQueued);
  while (last.nextQueued != 0) last = apfAt(last.nextQueued);
  last.nextQueued = apfId;
}

export function dequeue(vcpu: Vcpu, apfId: i32): void {
  vcpu.queued -= 1;
  if (vcpu.firstQueued == apfId) {
    vcpu.firstQueued = apfAt(apfId).nextQueued;
    return;
  }
  let before = apfAt(vcpu.firstQueued);
  while (before.nextQueued != apfId) before = apfAt(before.nextQueued);
  before.nextQueued = apfAt(apfId).nextQueued;
}

function addDone(vcpu: Vcpu, apfId: i32): void {
  if (vcpu.firstDone == 0) {
    vcpu.firstDone = apfId;
    return;
  }
  let last = apfAt(vcpu.firstDone);
  while (last.nextDone != 0) last = apfAt(last.nextDone);
  last.nextDone = apfId;
}

/** True if a fault on `gfn` is outstanding on this vCPU. */
export function isPending(vcpu: Vcpu, gfn: i32): bool {
  for (let id = vcpu.firstQueued; id != 0; id = apfAt(id).nextQueued) {
    const apf = apfAt(id);
    if (apf.wakeupAll == 0 && apf.gfn == gfn) return true;
  }
  return false;
}

/**
 * kvm_setup_async_pf(). Returns the work item, APF_REPEATED when the gfn is pending on this vCPU (the vCPU
 * halts), or APF_REFUSED when 64 are outstanding or no record is left (the fault is taken synchronously).
 */
export function setupAsyncPf(vcpuId: i32, gfn: i32): i32 {
  const vcpu = vcpuAt(vcpuId);
  if (isPending(vcpu, gfn)) {
    vcpu.halted = 1;
    return APF_REPEATED;
  }
  if (vcpu.queued >= ASYNC_PF_PER_VCPU) return APF_REFUSED;
  const id = allocApf(APF_QUEUED);
  if (id == 0) return APF_REFUSED;
  const apf = apfAt(id);
  apf.vcpu = vcpuId;
  apf.mm = vcpu.mm;
  apf.gfn = gfn;
  apf.token = ((vcpu.nextId << TOKEN_VCPU_BITS) | vcpuId) & TOKEN_MASK;
  vcpu.nextId += 1;
  mmAt(vcpu.mm).mmCount += 1;
  vcpu.kvmRefs += 1;
  enqueue(vcpu, id);
  vcpu.notPresent += 1;
  return id;
}

function dropWorkRefs(vcpu: Vcpu): void {
  mmAt(vcpu.mm).mmCount -= 1;
  vcpu.kvmRefs -= 1;
}

/** True while async_pf.lock of the vCPU is held from one transition to the next. */
export function vcpuLocked(vcpuId: i32): bool {
  return vcpuAt(vcpuId).locked != 0;
}

/** True while the lock that the worker sleeps on is held. Until then nothing of it runs. */
function stillSleeps(apf: Apf): bool {
  return apf.sleepsOn != 0 && (pageAt(apf.sleepsOn).flags & PG_LOCKED) != 0;
}

function sleepOn(apf: Apf, pfn: i32): i32 {
  apf.sleepsOn = pfn;
  return APF_SLEEPS;
}

/** True if work of async_pf keeps the address space of a vCPU from its end: mm_users, not mm_count. */
export function holdsMmUsers(vcpuId: i32): bool {
  const p = profile();
  for (let id = vcpuAt(vcpuId).firstQueued; id != 0; id = apfAt(id).nextQueued) {
    const apf = apfAt(id);
    if (apf.state != APF_QUEUED) continue;
    const running = apf.worker != WORKER_NOT_BEGUN && apf.worker != WORKER_HAS_STORED;
    if (p.workHoldsMmUsers || (p.workerHoldsMmUsers && running)) return true;
  }
  return false;
}

/** GUP, which sleeps on a migration entry even though the entry is not its own. */
function workerGup(apfId: i32, apf: Apf): i32 {
  if (profile().workerHoldsMmUsers && mmAt(apf.mm).exiting != 0) {
    apf.worker = WORKER_HAS_PAGE; // mmget_not_zero() has failed: there is no page
    return APF_QUEUED;
  }
  machine().cpu = mmAt(apf.mm).cpu;
  if (policyGup(apfId) == -FAULT_WAIT) return sleepOn(apf, entryPfn(apf.mm, apf.gfn));
  apf.worker = WORKER_HAS_PAGE;
  return APF_QUEUED;
}

/** The worker's end: the item goes to the done list. */
function workerFinish(apfId: i32, apf: Apf): i32 {
  const vcpu = vcpuAt(apf.vcpu);
  policySetPage(apfId);
  addDone(vcpu, apfId);
  apf.state = APF_DONE;
  apf.worker = WORKER_NOT_BEGUN;
  dropWorkRefs(vcpu);
  return APF_DONE;
}

/**
 * The worker's next step: begin, GUP, store (four of them for the RFC as posted), finish. The item must be
 * queued. Returns APF_QUEUED when more is to come, APF_SLEEPS when the step waits for a page lock and has to
 * be tried again, else the item's new state.
 */
export function asyncPfStep(apfId: i32): i32 {
  const apf = apfAt(apfId);
  if (stillSleeps(apf)) return APF_SLEEPS;
  apf.sleepsOn = 0;
  if (apf.worker == WORKER_NOT_BEGUN) {
    if (!policyBegin(apfId)) {
      apf.state = APF_LOST;
      return APF_LOST;
    }
    apf.worker = WORKER_BEGUN;
    return APF_QUEUED;
  }
  if (apf.worker == WORKER_BEGUN) return workerGup(apfId, apf);
  if (apf.worker == WORKER_HAS_STORED) return workerFinish(apfId, apf);
  const needed = policyMustLock(apf.workerPage);
  if (workerSleeps(apf)) return sleepOn(apf, needed);
  machine().lockTaken = needed;
  apf.worker = policyStore(apfId);
  return APF_QUEUED;
}

/** True if asyncPfStep() would return APF_SLEEPS. */
export function workerSleeps(apf: Apf): bool {
  if (stillSleeps(apf)) return true;
  const stores = apf.worker > WORKER_BEGUN && apf.worker != WORKER_HAS_STORED;
  const needed = stores ? policyMustLock(apf.workerPage) : 0;
  return needed != 0 && (pageAt(needed).flags & PG_LOCKED) != 0;
}

/** async_pf_execute(): what is left of the worker. Returns the item's new state, or APF_SLEEPS. */
export function asyncPfExecute(apfId: i32): i32 {
  let state = asyncPfStep(apfId);
  while (state == APF_QUEUED) state = asyncPfStep(apfId);
  return state;
}

/** True if the end of an item has to wait for a page lock that is held. */
export function releaseSleeps(apfId: i32): bool {
  const apf = apfAt(apfId);
  const needed = policyMustLock(apf.page != 0 ? apf.page : apf.workerPage);
  return needed != 0 && (pageAt(needed).flags & PG_LOCKED) != 0;
}

/** Takes the first finished item off the done list; the vCPU must have one. */
export function takeFirst(vcpu: Vcpu): void {
  vcpu.completing = vcpu.firstDone;
  vcpu.completion = COMPLETION_TAKEN;
  vcpu.firstDone = apfAt(vcpu.completing).nextDone;
}

/** The same in check: the guest is told, and nothing is outstanding any more. */
function takeForGuest(vcpu: Vcpu): void {
  takeFirst(vcpu);
  vcpu.ready += 1;
  vcpu.wakeups += apfAt(vcpu.completing).wakeupAll;
  vcpu.halted = 0;
  dequeue(vcpu, vcpu.completing);
}

/** The next step towards the end of the item that the vCPU has taken. */
export function releaseStep(vcpu: Vcpu): void {
  vcpu.completion = policyRelease(vcpu, vcpu.completing);
  if (vcpu.completion != COMPLETION_NONE) return;
  freeApf(vcpu.completing);
  vcpu.completing = 0;
}

/** Ends the item that the vCPU has taken, if any. */
function finishTaken(vcpu: Vcpu): void {
  while (vcpu.completion != COMPLETION_NONE) releaseStep(vcpu);
}

/** The item whose end comes next: the one that the vCPU has taken, or the first finished one; 0 = none. */
function nextToEnd(vcpu: Vcpu): i32 {
  return vcpu.completing != 0 ? vcpu.completing : vcpu.firstDone;
}

/** True if completionStep() would return APF_SLEEPS. */
export function completionSleeps(vcpuId: i32): bool {
  return releaseSleeps(nextToEnd(vcpuAt(vcpuId)));
}

/**
 * The next step of kvm_check_async_pf_completion(): take, then what the policy does with the page. Returns
 * COMPLETION_*, how far the vCPU is now, or APF_SLEEPS when the step waits for a page lock. There must be an
 * item that is finished.
 */
export function completionStep(vcpuId: i32): i32 {
  const vcpu = vcpuAt(vcpuId);
  machine().cpu = mmAt(vcpu.mm).cpu;
  if (releaseSleeps(nextToEnd(vcpu))) return APF_SLEEPS;
  if (vcpu.completing == 0) {
    takeForGuest(vcpu);
  } else {
    machine().lockTaken = policyMustLock(apfAt(vcpu.completing).page);
    releaseStep(vcpu);
  }
  return vcpu.completion;
}

/**
 * kvm_check_async_pf_completion(), as the vCPU thread runs it once per entry: handles at most `limit`
 * finished items. With paravirtual delivery that is one per guest entry. Returns how many were handled.
 */
export function checkAsyncPfCompletion(vcpuId: i32, limit: i32): i32 {
  const vcpu = vcpuAt(vcpuId);
  machine().cpu = mmAt(vcpu.mm).cpu;
  let nr = 0;
  for (; nr < limit && nextToEnd(vcpu) != 0; nr++) {
    if (releaseSleeps(nextToEnd(vcpu))) break;
    if (vcpu.completing == 0) takeForGuest(vcpu);
    finishTaken(vcpu);
  }
  return nr;
}

/** True if the exit of a guest would have to wait for a page lock that is held. */
export function exitMustWait(mm: i32): bool {
  for (let vcpuId = 0; vcpuId < config(CFG_VCPUS); vcpuId++) {
    const vcpu = vcpuAt(vcpuId);
    if (vcpu.mm != mm) continue;
    if (vcpu.completing != 0 && releaseSleeps(vcpu.completing)) return true;
    for (let id = vcpu.firstQueued; id != 0; id = apfAt(id).nextQueued) {
      if (releaseSleeps(id) || stillSleeps(apfAt(id))) return true;
    }
  }
  return false;
}

/**
 * Lets the workers that have begun run to their ends, as cancel_work_sync() waits for them. Returns false if
 * one of them, or the release of a finished item, has to wait for a page lock that is held.
 */
export function flushWorkers(vcpuId: i32): bool {
  const vcpu = vcpuAt(vcpuId);
  if (vcpu.completing != 0 && releaseSleeps(vcpu.completing)) return false;
  for (let id = vcpu.firstQueued; id != 0; id = apfAt(id).nextQueued) {
    const apf = apfAt(id);
    const running = apf.state == APF_QUEUED && apf.worker != WORKER_NOT_BEGUN;
    if (running && asyncPfExecute(id) == APF_SLEEPS) return false;
    if (apf.state == APF_DONE && releaseSleeps(id)) return false;
  }
  return true;
}

/** The end of an item whose work was cancelled, or has returned too early. */
export function freeCancelled(vcpu: Vcpu, apfId: i32): void {
  dropWorkRefs(vcpu);
  freeApf(apfId);
}

/**
 * kvm_clear_async_pf_completion_queue(): cancels what has not run, then frees what has. Returns how many were
 * cancelled, or APF_SLEEPS when it waits for a page lock and has to be tried again.
 */
export function clearAsyncPfQueue(vcpuId: i32): i32 {
  if (!flushWorkers(vcpuId)) return APF_SLEEPS;
  const vcpu = vcpuAt(vcpuId);
  finishTaken(vcpu); // the vCPU thread does the one after the other
  let cancelled = 0;
  let id = vcpu.firstQueued;
  while (id != 0) {
    const apf = apfAt(id);
    const next = apf.nextQueued;
    if (apf.state != APF_DONE) {
      freeCancelled(vcpu, id);
      cancelled += 1;
    }
    id = next;
  }
  vcpu.firstQueued = 0;
  vcpu.queued = 0;
  while (vcpu.firstDone != 0) {
    takeFirst(vcpu);
    finishTaken(vcpu);
  }
  return cancelled;
}

/** kvm_async_pf_wakeup_all(): queues a broadcast unless a completion is waiting anyway. */
export function wakeupAll(vcpuId: i32): void {
  const vcpu = vcpuAt(vcpuId);
  if (vcpu.firstDone != 0) return;
  const id = allocApf(APF_DONE);
  if (id == 0) return; // -ENOMEM
  const apf = apfAt(id);
  apf.vcpu = vcpuId;
  apf.mm = vcpu.mm;
  apf.wakeupAll = 1;
  addDone(vcpu, id);
  enqueue(vcpu, id);
}
