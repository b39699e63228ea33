/** A vCPU thread before it enters the guest: kvm_check_async_pf_completion(), one finished item an entry. */
import {
  COMPLETION_FREED,
  COMPLETION_NONE,
  COMPLETION_READ,
  COMPLETION_RESTORED,
  COMPLETION_TESTED,
  STEP_BLOCKED,
  STEP_TAKEN,
  TRANSITION_ENTRY_FREE,
  TRANSITION_ENTRY_PUT,
  TRANSITION_ENTRY_READ,
  TRANSITION_ENTRY_RESTORE,
  TRANSITION_ENTRY_TAKE,
  TRANSITION_ENTRY_TEST,
} from "../abi";
import { completionSleeps, completionStep } from "../kernel/async_pf";
import { policyIsUnlocked } from "../kernel/policy/policy";
import { Actor } from "../state/actor";
import { mmAt } from "../state/mm";
import { vcpuAt } from "../state/vcpu";

/** TRANSITION_ENTRY_* of the step that comes after COMPLETION_*. */
function transitionAfter(completion: i32): i32 {
  if (completion == COMPLETION_NONE) return TRANSITION_ENTRY_TAKE;
  if (!policyIsUnlocked() || completion == COMPLETION_FREED) return TRANSITION_ENTRY_PUT;
  if (completion == COMPLETION_TESTED) return TRANSITION_ENTRY_READ;
  if (completion == COMPLETION_READ) return TRANSITION_ENTRY_RESTORE;
  return completion == COMPLETION_RESTORED ? TRANSITION_ENTRY_FREE : TRANSITION_ENTRY_TEST;
}

/** TRANSITION_ENTRY_* of the next step of a vCPU's completion. */
export function nextEntryTransition(vcpuId: i32): i32 {
  return transitionAfter(vcpuAt(vcpuId).completion);
}

/** True if a finished item waits for this vCPU, or is being ended by it. */
export function entryHasWork(entry: Actor): bool {
  const vcpu = vcpuAt(entry.vcpu);
  return vcpu.completing != 0 || (vcpu.firstDone != 0 && mmAt(entry.mm).exiting == 0);
}

/** The next step of a completion. The thread must not sleep in a fault or be reset. */
export function entryStep(entry: Actor): i32 {
  const vcpu = vcpuAt(entry.vcpu);
  entry.transition = transitionAfter(vcpu.completion);
  const away = vcpu.clearing | vcpu.sleepsOn;
  if (away != 0 || !entryHasWork(entry) || completionSleeps(entry.vcpu)) return STEP_BLOCKED;
  completionStep(entry.vcpu);
  return STEP_TAKEN;
}
