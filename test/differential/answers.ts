/** What a call returned, in a form in which core and reference can be compared. */
import { errnoName } from "../../src/core/names.ts";
import type { KernelCrash } from "../../src/index.ts";
import type { Machine } from "../reference/machine.ts";
import type { Answers } from "./vcpu.ts";

/** A kernel's return value as the API has it: -1 and the errno's name. */
export function returned(rc: number | null): { ret: number; errno: string | null } | null {
  return rc === null ? null : { ret: Math.max(rc, -1), errno: errnoName(rc) };
}

export function calledCore(result: {
  ret: number;
  errno: string | null;
  crash: KernelCrash | null;
}): unknown {
  return result.crash === null ? { ret: result.ret, errno: result.errno } : null;
}

/** What the last call left, as Blame.pages has it. */
export function blamed(m: Machine): number[] {
  return m.blamed.map(({ pfn }) => pfn);
}

/** What a call that migrates pages returned and left, on both sides. */
export function migrated(
  core: { ret: number; errno: string | null; crash: KernelCrash | null; blame: { pages: readonly number[] } },
  rc: number | null,
  m: Machine,
): Answers {
  return {
    core: core.crash === null ? [calledCore(core), core.blame.pages] : null,
    reference: rc === null ? null : [returned(rc), blamed(m)],
  };
}
