/**
 * The end of a process: exit_mmap(), which takes no mmap_sem and runs beside the workers of async_pf; then,
 * with the last file of a guest, that of its vCPUs.
 */
import {
  ACTOR_PINNER,
  ACTOR_PROCESS,
  CFG_VCPUS,
  PFN_NONE,
  STEP_BLOCKED,
  STEP_TAKEN,
  TRANSITION_EXIT_VCPUS,
  TRANSITION_REMOVE_VMA,
  TRANSITION_ZAP_PTE,
  TRANSITION_ZAP_RMAP,
} from "../abi";
import { config } from "../arena";
import { destroyVcpus, holdsMmUsers } from "../kernel/async_pf";
import { clearStep, clearTransition, isCleared } from "../kernel/async_pf_clear";
import { removeZappedVmas } from "../kernel/mmap";
import { beginZap, endZap, nextToZap } from "../kernel/zap";
import { Actor, actorAt, endOperation, nrActors } from "../state/actor";
import { mmAt } from "../state/mm";
import { vcpuAt } from "../state/vcpu";
import { Faulter, isBusy } from "./faulter";
import { ProcessActor } from "./process_actor";
import { vcpuIsBusy } from "./reset";

/** True if an actor is a thread of the address space, and inside an operation. */
function isBusyThread(actor: Actor, mm: i32): bool {
  if (actor.mm != mm || (actor.kind != ACTOR_PROCESS && actor.kind != ACTOR_PINNER)) return false;
  return isBusy(changetype<Faulter>(actor));
}

/** True if a thread of the process is inside the kernel, or somebody else uses the address space still. */
function mustWait(mm: i32): bool {
  for (let vcpuId = 0; vcpuId < config(CFG_VCPUS); vcpuId++) {
    if (vcpuAt(vcpuId).mm == mm && (vcpuIsBusy(vcpuId) || holdsMmUsers(vcpuId))) return true;
  }
  for (let number = 0; number < nrActors(); number++) {
    if (isBusyThread(actorAt(number), mm)) return true;
  }
  return false;
}

/** The first vCPU of the process with something outstanding, -1 if there is none. */
function vcpuToClear(mm: i32): i32 {
  for (let vcpuId = 0; vcpuId < config(CFG_VCPUS); vcpuId++) {
    if (vcpuAt(vcpuId).mm == mm && !isCleared(vcpuId)) return vcpuId;
  }
  return -1;
}

/** kvm_destroy_vm(): one queue after the other, then the vCPUs. Returns STEP_*. */
function exitVcpusStep(process: ProcessActor, mm: i32): i32 {
  const vcpuId = vcpuToClear(mm);
  if (vcpuId >= 0) {
    process.transition = clearTransition(vcpuId);
    return clearStep(vcpuId);
  }
  process.transition = TRANSITION_EXIT_VCPUS;
  destroyVcpus(mm);
  return STEP_TAKEN;
}

function exitMmapStep(process: ProcessActor, mmId: i32): void {
  const mm = mmAt(mmId);
  if (mm.zapped != PFN_NONE) {
    process.transition = TRANSITION_ZAP_RMAP;
    endZap(mmId);
    return;
  }
  const vpn = nextToZap(mmId, process.cursor);
  if (vpn >= 0) {
    process.transition = TRANSITION_ZAP_PTE;
    beginZap(mmId, vpn);
    process.cursor = vpn + 1;
  } else {
    process.transition = TRANSITION_REMOVE_VMA;
    removeZappedVmas(mmId, 0, mm.nrPages);
  }
}

/**
 * The next transition of the end of `mmId`, the process's own address space or its child's. The record stays,
 * for what is left in its rss counters.
 */
export function exitStep(process: ProcessActor, mmId: i32): i32 {
  const mm = mmAt(mmId);
  const begins = process.pc == 0;
  if (begins) {
    process.transition = TRANSITION_ZAP_PTE;
    if (mustWait(mmId)) return STEP_BLOCKED;
    mm.exiting = 1;
    process.pc = 1;
  }
  if (mm.firstVma != 0) exitMmapStep(process, mmId);
  else if (!begins && mm.nrVcpus != 0 && exitVcpusStep(process, mmId) == STEP_BLOCKED) return STEP_BLOCKED;
  if ((mm.firstVma | mm.nrVcpus) == 0) {
    process.cursor = 0;
    endOperation(process);
  }
  return STEP_TAKEN;
}
