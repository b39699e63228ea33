/** One list of operations on a host and on the reference model, compared after each. */
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
import { sectionHash } from "../reference/state.ts";
import { forgetInstances } from "../helpers/host-and-core.ts";
import type { Operation } from "./operations.ts";
import { Pair } from "./pair.ts";
import type { Answers } from "./vcpu.ts";

/** Frames that are left on each node of the small machine. */
const FREE = 28;

/**
 * small: few free frames. family: besides, processes that share pages. tiny: as family, and most frames are
 * out of play. equal: as small, and pages that are equal, with PTEs that are clean. blocks: memory blocks.
 */
export type Start = "small" | "family" | "tiny" | "equal" | "blocks";

/** Few frames stay in each zone. */
function leaveFew(pair: Pair): void {
  const [zoneFrames, node1] = [smallFrames[0] / 2, smallFrames[0]];
  pair.reserve({ start: FIRST_PFN, end: zoneFrames - 30 });
  pair.reserve({ start: zoneFrames, end: 2 * zoneFrames - 50 });
  pair.reserve({ start: node1, end: node1 + smallFrames[1] - 50 });
  pair.fill(0, 40);
  pair.fill(1, 50 - FREE);
}

/** The pages of the first region: written equal, and moved since; some can only be read now. */
function haveEqualPages(pair: Pair): void {
  const indexes = Array.from({ length: 8 }, (_, index) => index);
  pair.perform({ op: "writeEqual", region: 0, start: 0, count: indexes.length, content: 1 });
  const entries = indexes.map((index) => ({ index, node: 1 }));
  pair.perform({ op: "movePages", region: 0, entries, moveAll: false });
  pair.perform({ op: "drain" });
  pair.perform({ op: "protect", region: 0, start: 1, count: 3, prot: "read" });
}

export async function begin(config: Both, start: Start): Promise<Pair> {
  const pair = await Pair.create(config);
  if (start === "tiny") {
    leaveFew(pair);
  } else if (start === "blocks") {
    pair.fill(0, 700);
  } else {
    pair.fill(0, smallFrames[0] - FIRST_PFN - FREE);
    pair.fill(1, smallFrames[1] - FREE);
  }
  const guest = pair.createProcess({ guest: true, cpu: 0 });
  pair.touch(pair.map(guest, { kind: "anon", pages: 10 }), { start: 0, count: 8, write: true });
  pair.touch(pair.map(guest, { kind: "shmem", pages: 4 }), { start: 0, count: 3, write: true });
  if (start === "family" || start === "tiny") pair.haveFamily(guest);
  if (start === "equal") haveEqualPages(pair);
  return pair;
}

/** After how many operations verify() recounts; it does at the end of a list, too. */
const VERIFY_EVERY = 50;

function expectSame(pair: Pair, operation: Operation | null): void {
  const found = pair.comparison.differences();
  if (found !== null) expect({ after: operation, differ: found }).toEqual({ after: operation, differ: null });
}

function expectSameAnswer(operation: Operation, { core, reference }: Answers): void {
  // Answers are plain data; their texts are had for a fraction of the time.
  if (core === reference || JSON.stringify(core) === JSON.stringify(reference)) return;
  expect({ after: operation, answer: core }).toEqual({ after: operation, answer: reference });
  throw new Error("answers that differ in no way that could be shown");
}

/** Content is compared by its hash alone; of the rest it is only the hash that has not been compared. */
function expectSameHashes(pair: Pair, start: Start): void {
  const rest = start === "tiny" ? [] : [SECTION_PAGES, SECTION_PTES, SECTION_COUNTERS];
  for (const section of [SECTION_CONTENT, ...rest]) {
    expect([section, pair.host.sectionHash(section)]).toEqual([section, sectionHash(pair.machine, section)]);
  }
}

/** What a page that is locked or under writeback from outside makes of the recount. */
const byFlags: readonly Invariant[] = ["INV-ENTRY", "INV-FREE"];
/**
 * What the RFC breaks below L5: INV-PRIV by storing a pointer where a page of the swap cache has its slot,
 * INV-REF by letting reclaim take a pin for the reference of a page cache that has no pages.
 */
const byRfc: readonly Invariant[] = [
  "INV-TAG",
  "INV-RSS",
  "INV-VMSTAT",
  "INV-CTX",
  "INV-LIVE",
  "INV-FREE",
  "INV-PRIV",
  "INV-REF",
];

function mayBreak({ policy, repairs }: Config, list: readonly Operation[]): readonly Invariant[] {
  const flags = list.some(({ op }) => op === "flag") ? byFlags : [];
  return policy === "rfc" && repairs?.includes("L5") !== true ? [...flags, ...byRfc] : flags;
}

function expectSound(pair: Pair, list: readonly Operation[]): void {
  const broken = pair.host.verify();
  if (broken !== null) expect(mayBreak(pair.machine.config, list)).toContain(broken.invariant);
}

/** A crash ends the list. What is reserved before it is looked at in the reference only before and after. */
function performAll(pair: Pair, list: readonly Operation[]): void {
  expectSame(pair, null);
  pair.comparison.setInPlay({ few: true });
  for (const [nr, operation] of list.entries()) {
    expectSameAnswer(operation, pair.perform(operation));
    expectSame(pair, operation);
    if (pair.machine.crash !== null) break;
    if (nr % VERIFY_EVERY === VERIFY_EVERY - 1) expectSound(pair, list);
  }
  pair.endSteps();
  pair.comparison.setInPlay({ few: false });
  expectSame(pair, null);
}

export async function check(config: Both, list: readonly Operation[], start: Start): Promise<void> {
  try {
    const pair = await begin(config, start);
    performAll(pair, list);
    if (pair.machine.crash !== null) return;
    expectSameHashes(pair, start);
    expectSound(pair, list);
  } catch (error) {
    // A core that has panicked would do so again.
    forgetInstances();
    throw error;
  }
}
