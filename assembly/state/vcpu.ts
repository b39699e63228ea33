/** vCPUs of guests, as far as asynchronous page faults concern them. */
import {
  TABLE_VCPUS,
  VCPU_COMPLETION,
  VCPU_HALTED,
  VCPU_KVM_REFS,
  VCPU_MM,
  VCPU_NOT_PRESENT,
  VCPU_QUEUED,
  VCPU_READY,
} from "../abi";
import { VCPU_RECORD_SIZE, tablePtr } from "../arena";

@unmanaged
export class Vcpu {
  mm: i32; // its guest, 0 = not created
  firstQueued: i32; // async_pf.queue: all that are outstanding, oldest first
  firstDone: i32; // async_pf.done: of them those whose worker has finished
  queued: i32; // async_pf.queued
  nextId: i32; // async_pf.id: part of the next token
  halted: i32; // KVM_MP_STATE_HALTED, waits for a completion
  notPresent: i32; // "page not present" notifications so far
  ready: i32; // "page ready" notifications so far
  kvmRefs: i32; // references of the VM that work items hold
  wakeups: i32; // broadcasts among the "page ready"
  completion: i32; // COMPLETION_*, how far it is with `completing`
  completing: i32; // the work item that it is about to end, 0 = none
  locked: i32; // async_pf.lock is held from one transition to the next
  sleepsOn: i32; // page whose lock the thread waits for within a fault, 0 = none
  clearing: i32; // the thread is in kvm_clear_async_pf_completion_queue()
  completingCtx: i32; // and the context that it has found on the page of that
}

if (offsetof<Vcpu>() > VCPU_RECORD_SIZE) ERROR("size of a vCPU record");
if (offsetof<Vcpu>("mm") != VCPU_MM) ERROR("Vcpu record");
if (offsetof<Vcpu>("queued") != VCPU_QUEUED) ERROR("Vcpu record");
if (offsetof<Vcpu>("halted") != VCPU_HALTED) ERROR("Vcpu record");
if (offsetof<Vcpu>("notPresent") != VCPU_NOT_PRESENT) ERROR("Vcpu record");
if (offsetof<Vcpu>("ready") != VCPU_READY) ERROR("Vcpu record");
if (offsetof<Vcpu>("kvmRefs") != VCPU_KVM_REFS) ERROR("Vcpu record");
if (offsetof<Vcpu>("completion") != VCPU_COMPLETION) ERROR("Vcpu record");

export function vcpuAt(id: i32): Vcpu {
  return changetype<Vcpu>(tablePtr(TABLE_VCPUS) + <usize>id * VCPU_RECORD_SIZE);
}
