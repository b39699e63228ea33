/** Asynchronous page faults of one vCPU, on a host and on the reference model. */
import type { Vcpu } from "../../src/index.ts";
import * as apf from "../reference/async-pf.ts";
import type { Machine, Vcpu as ReferenceVcpu } from "../reference/machine.ts";
import { run } from "../reference/state.ts";
import type { Operation } from "./operations.ts";

/** What a call answered on both sides. */
export interface Answers {
  readonly core: unknown;
  readonly reference: unknown;
}

export const nothing: Answers = { core: null, reference: null };

export interface VcpuPair {
  readonly core: Vcpu;
  readonly reference: ReferenceVcpu;
}

export type VcpuOperation = Extract<Operation, { readonly vcpu: number }>;

function answers(m: Machine, operation: VcpuOperation, vcpu: VcpuPair): Answers {
  switch (operation.op) {
    case "startAsyncPf":
      return {
        core: vcpu.core.startAsyncPf(operation.gfn).outcome,
        reference: apf.startAsyncPf(vcpu.reference, operation.gfn),
      };
    case "startMany": {
      const gfns = Array.from({ length: operation.count }, (_, gfn) => gfn);
      return {
        core: gfns.map((gfn) => vcpu.core.startAsyncPf(gfn).outcome),
        reference: gfns.map((gfn) => apf.startAsyncPf(vcpu.reference, gfn)),
      };
    }
    case "runWorkers":
      vcpu.core.runWorkers();
      run(m, () => apf.runWorkers(m, vcpu.reference));
      return nothing;
    case "complete":
      return {
        core: vcpu.core.complete(operation.limit).completed,
        reference: run(m, () => apf.complete(m, vcpu.reference, operation.limit)) ?? 0,
      };
    case "clear": {
      const { cancelled, sleeps } = vcpu.core.clear();
      return {
        core: sleeps ? "sleeps" : cancelled,
        reference: run(m, () => apf.clearQueue(m, vcpu.reference)) ?? 0,
      };
    }
    case "wakeupAll":
      vcpu.core.wakeupAll();
      apf.wakeupAll(vcpu.reference);
      return nothing;
    default:
      throw new Error("an operation without a case");
  }
}

/** Halted, notifications and items of a vCPU, as the API shows them. */
function vcpuState(vcpu: ReferenceVcpu): unknown[] {
  const states = {
    queued: "queued",
    begun: "queued",
    "has page": "queued",
    done: "done",
    lost: "lost",
    freed: "freed",
  };
  const items = vcpu.queue.map(({ state, token, gfn, page }) => ({
    state: states[state],
    token,
    gfn,
    pfn: state === "done" ? (page?.pfn ?? null) : null,
  }));
  const { notPresent, ready, kvmRefs } = vcpu;
  return [vcpu.halted, { notPresent, ready, kvmRefs }, items];
}

/** Performs an operation on both sides, and looks at the vCPU afterwards. */
export function performOnVcpu(m: Machine, operation: VcpuOperation, vcpu: VcpuPair): Answers {
  const { core, reference } = answers(m, operation, vcpu);
  if (m.crash !== null) return { core, reference };
  return {
    core: [core, vcpu.core.halted, vcpu.core.notifications, vcpu.core.asyncPfs()],
    reference: [reference, ...vcpuState(vcpu.reference)],
  };
}
