/** A vCPU that is reset: its thread clears the queue of its asynchronous page faults. */
import { STEP_BLOCKED, STEP_TAKEN } from "../abi";
import { clearStep, clearTransition, isCleared } from "../kernel/async_pf_clear";
import { Actor } from "../state/actor";
import { mmAt } from "../state/mm";
import { vcpuAt } from "../state/vcpu";

/** True if the thread of the vCPU ends an item, sleeps in a fault or clears its queue. */
export function vcpuIsBusy(vcpuId: i32): bool {
  const vcpu = vcpuAt(vcpuId);
  return (vcpu.completing | vcpu.sleepsOn | vcpu.clearing) != 0;
}

/** The next transition of a reset. A vCPU whose process has been killed is not reset any more. */
export function resetStep(reset: Actor): i32 {
  if (reset.ended != 0) return STEP_BLOCKED;
  const vcpuId = reset.vcpu;
  const vcpu = vcpuAt(vcpuId);
  reset.transition = clearTransition(vcpuId);
  const isKilled = reset.pc == 0 && mmAt(reset.mm).exiting != 0;
  if (!isKilled) {
    if (reset.pc == 0 && vcpuIsBusy(vcpuId)) return STEP_BLOCKED;
    if (!isCleared(vcpuId) && clearStep(vcpuId) == STEP_BLOCKED) return STEP_BLOCKED;
    reset.pc = 1;
    if (!isCleared(vcpuId)) return STEP_TAKEN;
    vcpu.halted = 0; // kvm_arch_vcpu_reset() goes on: nothing is waited for any more
  }
  reset.pc = 0;
  reset.ended = 1;
  return STEP_TAKEN;
}
