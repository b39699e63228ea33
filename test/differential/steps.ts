/** Migrations that are driven a step at a time, on a host and on the reference model. */
import * as abi from "../../assembly/abi.ts";
import { migrationModes } from "../../src/core/names.ts";
import type { Host, Migration } from "../../src/index.ts";
import type { Machine } from "../reference/machine.ts";
import { run } from "../reference/state.ts";
import { type Stepped, beginSteps, stepFinish, stepMove, stepUnmap } from "../reference/step.ts";
import { returned } from "./answers.ts";
import type { Operation } from "./operations.ts";
import { type RegionPair, pageBehind, pick } from "./regions.ts";
import { type Answers, nothing } from "./vcpu.ts";

type Begin = Extract<Operation, { op: "beginSteps" }>;
type Next = Omit<Extract<Operation, { op: "nextStep" }>, "op">;
type StepResult = ReturnType<Migration["isolate"]>;

const MAX_UNDER_WAY = 4;

function answers(core: StepResult, rc: number | "sleeps" | null): Answers {
  const reference = rc === "sleeps" ? { ...returned(0), sleeps: true } : { ...returned(rc), sleeps: false };
  return {
    core: core.crash === null ? { ret: core.ret, errno: core.errno, sleeps: core.sleeps } : null,
    reference: rc === null ? null : reference,
  };
}

export class Steps {
  readonly #host: Host;
  readonly #machine: Machine;
  #underWay: { readonly core: Migration; readonly reference: Stepped }[] = [];

  constructor(host: Host, machine: Machine) {
    this.#host = host;
    this.#machine = machine;
  }

  begin(region: RegionPair, { index, node, mode, force, unmap }: Begin): Answers {
    const page = pageBehind(region, index % region.core.pages);
    if (page === null || page.pfn < abi.FIRST_PFN || this.#underWay.length === MAX_UNDER_WAY) return nothing;
    const { pfn } = page;
    const core = this.#host.migration(pfn, { node, mode, force });
    const isolated = core.isolate();
    const manner = { mode: migrationModes[mode], force };
    const reference = run(this.#machine, () => beginSteps(this.#machine, page, node, manner));
    if (reference === null || typeof reference === "number") return answers(isolated, reference);
    this.#underWay.push({ core, reference });
    if (!unmap) return answers(isolated, 0);
    return this.#both(
      () => core.unmap(),
      () => stepUnmap(this.#machine, reference),
    );
  }

  /** The step that follows the last one, or the end, which backs out. */
  next({ migration, finish }: Next): Answers {
    const chosen = pick(this.#underWay, migration);
    if (chosen === undefined) return nothing;
    const { core, reference } = chosen;
    if (finish || reference.step === "moved") {
      this.#underWay = this.#underWay.filter((other) => other !== chosen);
      return this.#both(
        () => core.finish(),
        () => stepFinish(this.#machine, reference),
      );
    }
    if (reference.step === "unmapped") {
      return this.#both(
        () => core.move(),
        () => stepMove(this.#machine, reference),
      );
    }
    return this.#both(
      () => core.unmap(),
      () => stepUnmap(this.#machine, reference),
    );
  }

  /** Ends all that are under way. */
  end(): void {
    while (this.#underWay.length > 0 && this.#machine.crash === null)
      this.next({ migration: 0, finish: true });
  }

  #both(core: () => StepResult, reference: () => number | "sleeps"): Answers {
    return answers(core(), run(this.#machine, reference));
  }
}
