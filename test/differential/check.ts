/** One list of operations on a host and on the reference model, compared after each. */
import { isDeepStrictEqual } from "node:util";
import { expect } from "vitest";
import {
  FIRST_PFN,
  SECTION_CONTENT,
  SECTION_COUNTERS,
  SECTION_PAGES,
  SECTION_PTES,
} from "../../assembly/abi.ts";
import type { Invariant } from "../../src/index.ts";
import { type Both, smallFrames } from "../helpers/machines.ts";
import type { Config } from "../reference/machine.ts";
import { stateSections } from "../reference/state.ts";
import type { Operation } from "./operations.ts";
import { Pair } from "./pair.ts";

/** Frames that are left on each node of the small machine. */
const FREE = 28;

/** small: few free frames. family: besides, processes that share pages. blocks: memory blocks. */
export type Start = "small" | "family" | "blocks";

async function begin(config: Both, start: Start): Promise<Pair> {
  const pair = await Pair.create(config);
  if (start !== "blocks") {
    pair.fill(0, smallFrames[0] - FIRST_PFN - FREE);
    pair.fill(1, smallFrames[1] - FREE);
  } else {
    pair.fill(0, 700);
  }
  const guest = pair.createProcess({ guest: true, cpu: 0 });
  pair.touch(pair.map(guest, { kind: "anon", pages: 10 }), { start: 0, count: 8, write: true });
  pair.touch(pair.map(guest, { kind: "shmem", pages: 4 }), { start: 0, count: 3, write: true });
  if (start === "family") pair.haveFamily(guest);
  return pair;
}

function expectSame(pair: Pair, operation: Operation | null): void {
  const found = pair.differences();
  if (found !== null) expect({ after: operation, differ: found }).toEqual({ after: operation, differ: null });
}

function expectSameHashes(pair: Pair): void {
  const sections = stateSections(pair.machine);
  for (const section of [SECTION_PAGES, SECTION_PTES, SECTION_COUNTERS, SECTION_CONTENT]) {
    expect([section, pair.host.sectionHash(section)]).toEqual([section, sections.get(section)]);
  }
}

/** What a page that is locked or under writeback from outside makes of the recount. */
const byFlags: readonly Invariant[] = ["INV-ENTRY", "INV-FREE"];
/** What the RFC breaks below L5. */
const byRfc: readonly Invariant[] = ["INV-TAG", "INV-RSS", "INV-VMSTAT", "INV-CTX", "INV-LIVE", "INV-FREE"];

function mayBreak({ policy, repairs }: Config, list: readonly Operation[]): readonly Invariant[] {
  const flags = list.some(({ op }) => op === "flag") ? byFlags : [];
  return policy === "rfc" && repairs?.includes("L5") !== true ? [...flags, ...byRfc] : flags;
}

export async function check(config: Both, list: readonly Operation[], start: Start): Promise<void> {
  const pair = await begin(config, start);
  expectSame(pair, null);
  for (const operation of list) {
    const { core, reference } = pair.perform(operation);
    if (!isDeepStrictEqual(core, reference)) {
      expect({ after: operation, answer: core }).toEqual({ after: operation, answer: reference });
      throw new Error("answers that differ in no way that could be shown");
    }
    expectSame(pair, operation);
    if (pair.machine.crash !== null) return;
  }
  pair.endSteps();
  expectSame(pair, null);
  if (pair.machine.crash !== null) return;
  expectSameHashes(pair);
  const broken = pair.host.verify();
  if (broken !== null) expect(mayBreak(config, list)).toContain(broken.invariant);
}
