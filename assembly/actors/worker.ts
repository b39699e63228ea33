/** A kworker that runs async_pf_execute() for the work items of one vCPU, one after the other. */
import {
  ACTOR_SIZE,
  APF_DONE,
  APF_LOST,
  APF_QUEUED,
  STEP_BLOCKED,
  STEP_TAKEN,
  TRANSITION_WORKER_ALLOC,
  TRANSITION_WORKER_FINISH,
  TRANSITION_WORKER_GUP,
  TRANSITION_WORKER_POINT,
  TRANSITION_WORKER_READ,
  TRANSITION_WORKER_STORE,
  TRANSITION_WORKER_TEST,
  WORKER_BEGUN,
  WORKER_HAS_PAGE,
  WORKER_HAS_POINTED,
  WORKER_HAS_READ,
  WORKER_HAS_STORED,
  WORKER_HAS_TESTED,
  WORKER_NOT_BEGUN,
} from "../abi";
import { asyncPfStep, workerSleeps } from "../kernel/async_pf";
import { policyAllocates, policyIsUnlocked } from "../kernel/policy/policy";
import { Actor } from "../state/actor";
import { Apf, apfAt } from "../state/apf";
import { mmAt, mmapSemBlocksReader } from "../state/mm";
import { vcpuAt } from "../state/vcpu";

@unmanaged
export class Worker extends Actor {
  item: i32; // work item that it runs, 0 = none
  holdsSem: i32; // mmap_sem of the guest, for reading
}

if (offsetof<Worker>() > <usize>ACTOR_SIZE) ERROR("size of a worker's record");

/** The oldest item of the vCPU that no worker has begun, 0 if there is none. */
function pendingItem(worker: Worker): i32 {
  for (let id = vcpuAt(worker.vcpu).firstQueued; id != 0; id = apfAt(id).nextQueued) {
    const apf = apfAt(id);
    if (apf.state == APF_QUEUED && apf.worker == WORKER_NOT_BEGUN) return id;
  }
  return 0;
}

/** TRANSITION_WORKER_* of the step that comes after WORKER_*. */
function transitionAfter(at: i32): i32 {
  if (at == WORKER_NOT_BEGUN && policyAllocates()) return TRANSITION_WORKER_ALLOC;
  if (at <= WORKER_BEGUN) return TRANSITION_WORKER_GUP;
  if (at == WORKER_HAS_STORED) return TRANSITION_WORKER_FINISH;
  if (!policyIsUnlocked()) return TRANSITION_WORKER_STORE;
  if (at == WORKER_HAS_PAGE) return TRANSITION_WORKER_TEST;
  if (at == WORKER_HAS_TESTED) return TRANSITION_WORKER_READ;
  if (at == WORKER_HAS_READ) return TRANSITION_WORKER_POINT;
  assert(at == WORKER_HAS_POINTED, "transitionAfter: no such step");
  return TRANSITION_WORKER_STORE;
}

/** True if GUP comes next. */
export function isBeforeGup(apf: Apf): bool {
  return apf.worker == WORKER_BEGUN || (apf.worker == WORKER_NOT_BEGUN && !policyAllocates());
}

/** The work item that a worker is at, or would begin; 0 if there is none. */
export function workerItem(worker: Worker): i32 {
  return worker.item != 0 ? worker.item : pendingItem(worker);
}

export function workerHasWork(worker: Worker): bool {
  return workerItem(worker) != 0;
}

/** TRANSITION_WORKER_* of the next step of a worker. */
export function nextWorkerTransition(worker: Worker): i32 {
  return transitionAfter(apfAt(workerItem(worker)).worker);
}

/** What the next step waits for: a page lock, mmap_sem or the lock of the vCPU. */
function waits(worker: Worker, apf: Apf): bool {
  if (workerSleeps(apf)) return true;
  if (apf.worker == WORKER_HAS_STORED) return vcpuAt(apf.vcpu).locked != 0;
  return isBeforeGup(apf) && worker.holdsSem == 0 && mmapSemBlocksReader(worker.mm);
}

/** down_read() comes with GUP, up_read() with the last store. */
function upRead(worker: Worker): void {
  if (worker.holdsSem != 0) mmAt(worker.mm).mmapSem -= 1;
  worker.holdsSem = 0;
}

/** The next step of async_pf_execute(). */
export function workerStep(worker: Worker): i32 {
  const item = workerItem(worker);
  if (item == 0) return STEP_BLOCKED;
  const apf = apfAt(item);
  worker.transition = transitionAfter(apf.worker);
  if (waits(worker, apf)) return STEP_BLOCKED;
  worker.item = item;
  if (isBeforeGup(apf) && worker.holdsSem == 0) {
    mmAt(worker.mm).mmapSem += 1;
    worker.holdsSem = 1;
    if (apf.worker == WORKER_NOT_BEGUN) asyncPfStep(item); // nothing to be seen by others
  }
  const state = asyncPfStep(item);
  if (apf.worker == WORKER_HAS_STORED) upRead(worker);
  if (state == APF_DONE || state == APF_LOST) worker.item = 0;
  return STEP_TAKEN;
}
