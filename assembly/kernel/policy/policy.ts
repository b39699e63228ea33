/** The switch that picks a pin policy: where async_pf takes its page, and where it drops it. */
import {
  CFG_POLICY,
  COMPLETION_NONE,
  POLICY_DROP_GET,
  POLICY_LONGTERM,
  POLICY_RFC,
  WORKER_HAS_STORED,
} from "../../abi";
import { config } from "../../arena";
import { apfAt } from "../../state/apf";
import { Vcpu } from "../../state/vcpu";
import { dropGetGup } from "./drop_get";
import { longtermGup } from "./longterm";
import { pinGup, pinRelease } from "./pin";
import { rfcAllocCtx, rfcMustLock, rfcRelease, rfcStore } from "./rfc";

/** What the worker does before GUP. Returns false if it returned without completing its item. */
export function policyBegin(apfId: i32): bool {
  return config(CFG_POLICY) != POLICY_RFC || rfcAllocCtx(apfId);
}

/** The worker's GUP. Returns the pfn, a negative errno, or -FAULT_WAIT if it sleeps. */
export function policyGup(apfId: i32): i32 {
  const policy = config(CFG_POLICY);
  if (policy == POLICY_DROP_GET) return dropGetGup(apfId);
  return policy == POLICY_LONGTERM ? longtermGup(apfId) : pinGup(apfId);
}

/** What the worker does next to the page that GUP returned. Returns WORKER_*, how far it is now. */
export function policyStore(apfId: i32): i32 {
  return config(CFG_POLICY) == POLICY_RFC ? rfcStore(apfId) : WORKER_HAS_STORED;
}

/** True if the worker allocates something before GUP, so that this is a step of its own. */
export function policyAllocates(): bool {
  return config(CFG_POLICY) == POLICY_RFC;
}

/** True if the stores of the worker and the end of an item are steps of their own: no lock is held. */
export function policyIsUnlocked(): bool {
  return config(CFG_POLICY) == POLICY_RFC && !rfcMustLock();
}

/** True if the store and the release of an item need the lock of its page. */
export function policyLocksPages(): bool {
  return config(CFG_POLICY) == POLICY_RFC && rfcMustLock();
}

/** The page whose lock the store, or the release of the item, needs first: `pfn`, or 0 for none. */
export function policyMustLock(pfn: i32): i32 {
  return policyLocksPages() ? pfn : 0;
}

/** apf->page = page, the worker's last write. */
export function policySetPage(apfId: i32): void {
  const apf = apfAt(apfId);
  // The repaired worker has done so under the page lock, and the callback may have moved it on since.
  if (!policyLocksPages()) apf.page = apf.workerPage;
  apf.workerPage = 0;
}

/**
 * What a vCPU does next at the end of a finished item, in kvm_check_async_pf_completion() and
 * kvm_clear_async_pf_completion_queue(). Returns COMPLETION_*, how far it is now; NONE at the end.
 */
export function policyRelease(vcpu: Vcpu, apfId: i32): i32 {
  const policy = config(CFG_POLICY);
  if (policy == POLICY_RFC) return rfcRelease(vcpu, apfId);
  pinRelease(apfId); // under drop-get there is nothing to put, unless the policy has been changed since
  return COMPLETION_NONE;
}
