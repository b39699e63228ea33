/** The switch that picks a pin policy: where async_pf takes its page, and where it drops it. */
import { CFG_POLICY, POLICY_PIN, POLICY_RFC } from "../../abi";
import { config } from "../../arena";
import { dropGetExecute } from "./drop_get";
import { pinExecute, pinRelease } from "./pin";
import { rfcExecute, rfcRelease } from "./rfc";

/** The worker's GUP. Returns false if the worker returned without completing its item. */
export function policyExecute(apfId: i32): bool {
  const policy = config(CFG_POLICY);
  if (policy == POLICY_RFC) return rfcExecute(apfId);
  if (policy == POLICY_PIN) pinExecute(apfId);
  else dropGetExecute(apfId);
  return true;
}

/**
 * The end of a finished item, in kvm_check_async_pf_completion() and kvm_clear_async_pf_completion_queue().
 */
export function policyRelease(apfId: i32): void {
  const policy = config(CFG_POLICY);
  if (policy == POLICY_RFC) rfcRelease(apfId);
  else if (policy == POLICY_PIN) pinRelease(apfId);
}
