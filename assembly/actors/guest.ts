/**
 * A vCPU in guest mode: its tasks, one for each operation of the script, access memory. A task whose page is
 * not there sleeps with its token while the vCPU runs another one; without paravirtual delivery the vCPU
 * halts instead.
 */
import {
  ACTOR_SIZE,
  FAULT_NONE,
  FAULT_NOWAIT,
  FAULT_WAIT,
  OP_WRITE,
  PG_LOCKED,
  STEP_BLOCKED,
  STEP_TAKEN,
  TRANSITION_GUEST_ACCESS,
  TRANSITION_GUEST_FAULT,
  TRANSITION_GUEST_HALT,
  TRANSITION_GUEST_NOT_PRESENT,
  TRANSITION_GUEST_SLEEP,
} from "../abi";
import { isPending, setupAsyncPf } from "../kernel/async_pf";
import { access, isAllowed } from "../kernel/fault";
import { entryPfn } from "../kernel/gup";
import { Actor, OPERATION_BITS, operationOf, pageOf } from "../state/actor";
import { machine } from "../state/machine";
import { mmAt } from "../state/mm";
import { pageAt } from "../state/page";
import { vcpuAt } from "../state/vcpu";

@unmanaged
export class Guest extends Actor {
  done: i32; // tasks that have ended, one bit each
  waits: i32; // tasks that sleep with a token until their page is there
}

if (offsetof<Guest>() > <usize>ACTOR_SIZE) ERROR("size of a guest's record");

/** Content that a task writes: its own, whatever the others do meanwhile. */
const FIRST_STAMP: i32 = 1 << 16;

/** options: "page ready" reaches the guest as an exception, so that it can run something else meanwhile. */
const NOT_PARAVIRTUAL: i32 = 1;

function operationAt(guest: Guest, task: i32): i32 {
  return <i32>(<u32>guest.script >> (task * OPERATION_BITS)) & ((1 << OPERATION_BITS) - 1);
}

/**
 * The first task that can run: it has an access to make, and sleeps with no token. One that has not tried yet
 * does not know that its page is pending. -1 if there is none.
 */
function runnableTask(guest: Guest): i32 {
  const vcpu = vcpuAt(guest.vcpu);
  for (let task = 0; task < 4; task++) {
    const operation = operationAt(guest, task);
    if (operation == 0) return -1;
    const bit = 1 << task;
    const sleeps = (guest.waits & bit) != 0 && isPending(vcpu, pageOf(operation));
    if ((guest.done & bit) == 0 && !sleeps) return task;
  }
  return -1;
}

function allDone(guest: Guest): bool {
  for (let task = 0; task < 4 && operationAt(guest, task) != 0; task++) {
    if ((guest.done & (1 << task)) == 0) return false;
  }
  return true;
}

/** True while the vCPU thread cannot enter the guest. */
function isOutside(guest: Guest): bool {
  const vcpu = vcpuAt(guest.vcpu);
  if (vcpu.halted != 0 || vcpu.completing != 0 || vcpu.clearing != 0) return true;
  return vcpu.sleepsOn != 0 && (pageAt(vcpu.sleepsOn).flags & PG_LOCKED) != 0;
}

/** True if the access needs a fault, and GUP would wait for mmap_sem. */
function waitsForMmapSem(guest: Guest, page: i32, write: bool): bool {
  return mmAt(guest.mm).mmapSem < 0 && !isAllowed(guest.mm, page, write);
}

function endTask(guest: Guest, task: i32): void {
  guest.done |= 1 << task;
  if (allDone(guest)) guest.ended = 1;
}

/** The NOWAIT attempt has given up: the fault goes to a worker, or the vCPU halts, or it sleeps. */
function startAsyncPf(guest: Guest, task: i32, page: i32): void {
  guest.transition = TRANSITION_GUEST_NOT_PRESENT;
  const vcpu = vcpuAt(guest.vcpu);
  const item = setupAsyncPf(guest.vcpu, page);
  if (item > 0) {
    guest.waits |= 1 << task;
    if ((guest.options & NOT_PARAVIRTUAL) != 0) vcpu.halted = 1; // KVM_REQ_APF_HALT
  } else if (vcpu.halted != 0) {
    guest.transition = TRANSITION_GUEST_HALT;
  } else {
    guest.transition = TRANSITION_GUEST_SLEEP;
    vcpu.sleepsOn = entryPfn(guest.mm, page);
  }
}

/** One access of the guest, with the exit and the fault that it causes. */
export function guestStep(guest: Guest): i32 {
  const vcpu = vcpuAt(guest.vcpu);
  guest.transition = TRANSITION_GUEST_ACCESS;
  if (mmAt(guest.mm).exiting != 0) {
    if (guest.ended != 0) return STEP_BLOCKED;
    guest.ended = 1; // SIGKILL ends the thread
    vcpu.sleepsOn = 0;
    return STEP_TAKEN;
  }
  if (guest.ended != 0 || isOutside(guest)) return STEP_BLOCKED;
  const task = runnableTask(guest);
  if (task < 0) return STEP_BLOCKED;
  const operation = operationAt(guest, task);
  const page = pageOf(operation);
  const write = operationOf(operation) == OP_WRITE;
  if (waitsForMmapSem(guest, page, write)) return STEP_BLOCKED;
  vcpu.sleepsOn = 0;
  const m = machine();
  m.nowait = 1;
  const stamp = FIRST_STAMP + (guest.vcpu << 2) + task;
  const rc = access(guest.mm, page, write, stamp);
  m.nowait = 0;
  if (rc == FAULT_NOWAIT) {
    startAsyncPf(guest, task, page);
  } else if (rc == FAULT_WAIT) {
    guest.transition = TRANSITION_GUEST_SLEEP; // on a migration entry, NOWAIT or not
    vcpu.sleepsOn = entryPfn(guest.mm, page);
  } else {
    if (rc != FAULT_NONE) guest.transition = TRANSITION_GUEST_FAULT;
    endTask(guest, task); // or KVM_RUN has returned -EFAULT
  }
  return STEP_TAKEN;
}
