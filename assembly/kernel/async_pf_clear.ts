/**
 * kvm_clear_async_pf_completion_queue(), a transition at a time. Unlike check it holds async_pf.lock while it
 * ends the finished items; where the end of an item needs its page lock (the repaired RFC), it takes that
 * first and the other one for each item anew.
 */
import {
  APF_DONE,
  COMPLETION_FREED,
  COMPLETION_READ,
  COMPLETION_RESTORED,
  COMPLETION_TESTED,
  STEP_BLOCKED,
  STEP_TAKEN,
  TRANSITION_CLEAR_CANCEL,
  TRANSITION_CLEAR_FREE,
  TRANSITION_CLEAR_PUT,
  TRANSITION_CLEAR_READ,
  TRANSITION_CLEAR_RESTORE,
  TRANSITION_CLEAR_TEST,
  WORKER_NOT_BEGUN,
} from "../abi";
import { apfAt } from "../state/apf";
import { machine } from "../state/machine";
import { mmAt } from "../state/mm";
import { Vcpu, vcpuAt } from "../state/vcpu";
import { dequeue, freeCancelled, releaseSleeps, releaseStep, takeFirst } from "./async_pf";
import { policyLocksPages, policyMustLock } from "./policy/policy";

/** The oldest item whose worker has not finished, 0 if there is none. */
function firstUnfinished(vcpu: Vcpu): i32 {
  let id = vcpu.firstQueued;
  while (id != 0 && apfAt(id).state == APF_DONE) id = apfAt(id).nextQueued;
  return id;
}

/** True if nothing is outstanding on the vCPU. */
export function isCleared(vcpuId: i32): bool {
  const vcpu = vcpuAt(vcpuId);
  return (vcpu.firstQueued | vcpu.completing) == 0;
}

/** What clearStep() does next: TRANSITION_CLEAR_*. */
export function clearTransition(vcpuId: i32): i32 {
  const vcpu = vcpuAt(vcpuId);
  const at = vcpu.completion;
  if (at == COMPLETION_TESTED) return TRANSITION_CLEAR_READ;
  if (at == COMPLETION_READ) return TRANSITION_CLEAR_RESTORE;
  if (at == COMPLETION_RESTORED) return TRANSITION_CLEAR_FREE;
  if (at == COMPLETION_FREED) return TRANSITION_CLEAR_PUT;
  return firstUnfinished(vcpu) != 0 ? TRANSITION_CLEAR_CANCEL : TRANSITION_CLEAR_TEST;
}

/** cancel_work_sync(), which waits for a worker that has begun. Returns STEP_*. */
function cancel(vcpu: Vcpu, apfId: i32): i32 {
  const apf = apfAt(apfId);
  if (apf.worker != WORKER_NOT_BEGUN) return STEP_BLOCKED;
  vcpu.clearing = 1;
  dequeue(vcpu, apfId);
  freeCancelled(vcpu, apfId);
  return STEP_TAKEN;
}

/** The next step towards the end of a finished item, which is taken with the first one. Returns STEP_*. */
function release(vcpu: Vcpu): i32 {
  const m = machine();
  if (vcpu.completing == 0) {
    if (releaseSleeps(vcpu.firstDone)) return STEP_BLOCKED;
    vcpu.clearing = 1;
    takeFirst(vcpu);
    dequeue(vcpu, vcpu.completing);
  }
  m.cpu = mmAt(vcpu.mm).cpu;
  m.lockTaken = policyMustLock(apfAt(vcpu.completing).page);
  releaseStep(vcpu);
  const goesOn = (vcpu.completing | vcpu.firstDone) != 0;
  vcpu.locked = goesOn && !policyLocksPages() ? 1 : 0;
  return STEP_TAKEN;
}

/** The next transition; something must be outstanding. Returns STEP_TAKEN, or STEP_BLOCKED. */
export function clearStep(vcpuId: i32): i32 {
  const vcpu = vcpuAt(vcpuId);
  const unfinished = firstUnfinished(vcpu);
  const step = unfinished != 0 ? cancel(vcpu, unfinished) : release(vcpu);
  if (step == STEP_TAKEN && isCleared(vcpuId)) vcpu.clearing = 0;
  return step;
}
