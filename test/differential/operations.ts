/** Operations as data, so that fast-check can print and shrink them. */
import * as fc from "fast-check";
import { MEMORY_BLOCK_PAGES } from "../../assembly/abi.ts";
import type { MigrationMode } from "../../src/core/names.ts";
import { type Arbitraries, node, op, page, rarely, usually, which } from "./operations/arbitraries.ts";
import { type FileOperation, fileOperations } from "./operations/file.ts";
import { fullList } from "./operations/full-list.ts";
import { type SwapOperation, swapOperations, swapWeights } from "./operations/swap.ts";

/** A process, region, pin or vCPU is named by a number, taken modulo how many there are. */
interface InRegion {
  readonly region: number;
  readonly start: number;
  readonly count: number;
}

export type Operation =
  | FileOperation
  | SwapOperation
  | { readonly op: "process"; readonly guest: boolean; readonly cpu: number }
  | {
      readonly op: "map";
      readonly process: number;
      readonly kind: "anon" | "shmem";
      readonly pages: number;
      readonly node: number;
      readonly bind: boolean;
      readonly dontFork: boolean;
    }
  | { readonly op: "fork"; readonly process: number }
  | ({ readonly op: "touch"; readonly write: boolean } & InRegion)
  | ({ readonly op: "writeEqual"; readonly content: number } & InRegion)
  | {
      readonly op: "mergeKsm";
      readonly groups: readonly (readonly { readonly region: number; readonly index: number }[])[];
    }
  | ({ readonly op: "unmap" } & InRegion)
  | ({ readonly op: "discard" } & InRegion)
  | ({ readonly op: "protect"; readonly prot: "none" | "read" | "read-write" } & InRegion)
  | ({ readonly op: "mlock" } & InRegion)
  | { readonly op: "exit"; readonly process: number }
  | {
      readonly op: "pin";
      readonly region: number;
      readonly indexes: readonly number[];
      readonly kind: "get" | "pin" | "longterm" | "read";
    }
  | { readonly op: "release"; readonly pin: number }
  | { readonly op: "releaseLater"; readonly pin: number; readonly afterNs: number }
  | { readonly op: "wait"; readonly ns: number }
  | { readonly op: "drain" }
  | {
      readonly op: "flag";
      readonly region: number;
      readonly index: number;
      readonly flag: "locked" | "writeback" | "dirty";
      readonly on: boolean;
    }
  | {
      readonly op: "movePages";
      readonly region: number;
      readonly entries: readonly { readonly index: number; readonly node: number }[];
      readonly moveAll: boolean;
    }
  | {
      readonly op: "beginSteps";
      readonly region: number;
      readonly index: number;
      readonly node: number;
      readonly mode: MigrationMode;
      readonly force: boolean;
      /** The page is unmapped at once. */
      readonly unmap: boolean;
    }
  | { readonly op: "nextStep"; readonly migration: number; readonly finish: boolean }
  | { readonly op: "moveFilled"; readonly filled: number; readonly node: number }
  | {
      readonly op: "pinFilled";
      readonly filled: number;
      readonly every: number;
      readonly kind: "get" | "pin";
    }
  | {
      readonly op: "mbind";
      readonly region: number;
      readonly node: number;
      readonly move: boolean;
      readonly strict: boolean;
    }
  | { readonly op: "migratePages"; readonly process: number; readonly nodes: readonly number[] }
  | ({
      readonly op: "migrateRange";
      readonly node: number;
      readonly mode: MigrationMode;
    } & InRegion)
  | { readonly op: "reserve"; readonly pfn: number }
  | { readonly op: "offline"; readonly block: number; readonly maxRounds: number }
  | { readonly op: "online"; readonly block: number }
  | { readonly op: "startAsyncPf"; readonly vcpu: number; readonly gfn: number }
  | { readonly op: "startMany"; readonly vcpu: number; readonly count: number }
  | { readonly op: "faultTogether"; readonly gfn: number }
  | { readonly op: "runWorkers"; readonly vcpu: number }
  | { readonly op: "complete"; readonly vcpu: number; readonly limit: number }
  | { readonly op: "clear"; readonly vcpu: number }
  | { readonly op: "wakeupAll"; readonly vcpu: number }
  | { readonly op: "failContexts"; readonly count: number };

export type Kind = Operation["op"];

const inRegion = { region: which, start: page, count: fc.integer({ min: 1, max: 12 }) };
const mode = fc.constantFrom("async", "sync-light", "sync");
const anyNode = fc.oneof(
  { weight: 8, arbitrary: node },
  { weight: 1, arbitrary: fc.constantFrom(-1, 2, 63) },
);
const indexes = fc.array(page, { minLength: 1, maxLength: 5 });
const entry = fc.record({
  index: fc.oneof({ weight: 9, arbitrary: fc.nat({ max: 11 }) }, { weight: 1, arbitrary: fc.constant(-1) }),
  node: fc.oneof({ weight: 5, arbitrary: fc.constant(1) }, { weight: 3, arbitrary: anyNode }),
});

const byKind: Arbitraries<Operation> = {
  ...fileOperations,
  ...swapOperations,
  process: fc.record({ ...op("process"), guest: fc.boolean(), cpu: fc.constantFrom(0, 1) }),
  map: fc.record({
    ...op("map"),
    process: which,
    kind: fc.constantFrom("anon", "shmem"),
    pages: fc.integer({ min: 1, max: 8 }),
    node: fc.constantFrom(-1, 0, 1),
    bind: fc.boolean(),
    dontFork: rarely,
  }),
  fork: fc.record({ ...op("fork"), process: which }),
  touch: fc.record({ ...op("touch"), ...inRegion, write: fc.boolean() }),
  writeEqual: fc.record({ ...op("writeEqual"), ...inRegion, content: fc.constantFrom(1, 1, 1, 0) }),
  mergeKsm: fc.record({
    ...op("mergeKsm"),
    groups: fc.array(
      fc.array(fc.record({ region: which, index: page }), { minLength: 1, maxLength: 8, size: "max" }),
      { minLength: 1, maxLength: 2 },
    ),
  }),
  unmap: fc.record({ ...op("unmap"), ...inRegion }),
  discard: fc.record({ ...op("discard"), ...inRegion }),
  protect: fc.record({
    ...op("protect"),
    ...inRegion,
    prot: fc.constantFrom("none", "read", "read-write"),
  }),
  mlock: fc.record({ ...op("mlock"), ...inRegion }),
  exit: fc.record({ ...op("exit"), process: which }),
  pin: fc.record({
    ...op("pin"),
    region: which,
    indexes,
    kind: fc.constantFrom("get", "pin", "longterm", "read"),
  }),
  release: fc.record({ ...op("release"), pin: which }),
  releaseLater: fc.record({
    ...op("releaseLater"),
    pin: which,
    afterNs: fc.integer({ min: 1, max: 50_000 }),
  }),
  wait: fc.record({ ...op("wait"), ns: fc.nat({ max: 50_000 }) }),
  drain: fc.record({ ...op("drain") }),
  flag: fc.record({
    ...op("flag"),
    region: which,
    index: page,
    flag: fc.constantFrom("locked", "writeback", "dirty"),
    on: fc.boolean(),
  }),
  movePages: fc.record({
    ...op("movePages"),
    region: which,
    entries: fc.array(entry, { minLength: 1, maxLength: 16 }),
    moveAll: fc.boolean(),
  }),
  beginSteps: fc.record({
    ...op("beginSteps"),
    region: which,
    index: page,
    node,
    mode,
    force: fc.boolean(),
    unmap: usually,
  }),
  nextStep: fc.record({ ...op("nextStep"), migration: which, finish: rarely }),
  moveFilled: fc.record({ ...op("moveFilled"), filled: fc.nat({ max: 1 }), node }),
  pinFilled: fc.record({
    ...op("pinFilled"),
    filled: fc.nat({ max: 1 }),
    every: fc.constantFrom(20, 100, 170, 600),
    kind: fc.constantFrom("get", "pin"),
  }),
  mbind: fc.record({
    ...op("mbind"),
    region: which,
    node: anyNode,
    move: fc.boolean(),
    strict: fc.boolean(),
  }),
  migratePages: fc.record({
    ...op("migratePages"),
    process: which,
    nodes: fc.constantFrom([0, 1], [1, 0], [0, 1, 1, 0], [0, 5]),
  }),
  migrateRange: fc.record({
    ...op("migrateRange"),
    ...inRegion,
    node,
    mode,
  }),
  // In block 1: where its next pages come from, and anywhere.
  reserve: fc.record({
    ...op("reserve"),
    pfn: fc.oneof(
      fc.integer({ min: MEMORY_BLOCK_PAGES + 700, max: MEMORY_BLOCK_PAGES + 730 }),
      fc.integer({ min: MEMORY_BLOCK_PAGES, max: 2 * MEMORY_BLOCK_PAGES - 1 }),
    ),
  }),
  offline: fc.record({
    ...op("offline"),
    block: fc.constantFrom(1, 1, 1, 0),
    maxRounds: fc.integer({ min: 1, max: 20 }),
  }),
  online: fc.record({ ...op("online"), block: fc.constantFrom(1, 1, 0) }),
  startAsyncPf: fc.record({ ...op("startAsyncPf"), vcpu: which, gfn: page }),
  startMany: fc.record({ ...op("startMany"), vcpu: which, count: fc.constantFrom(63, 64, 70) }),
  // Two vCPUs fault on one page, and both workers run.
  faultTogether: fc.record({ ...op("faultTogether"), gfn: page }),
  runWorkers: fc.record({ ...op("runWorkers"), vcpu: which }),
  complete: fc.record({ ...op("complete"), vcpu: which, limit: fc.constantFrom(1, 1, 64) }),
  clear: fc.record({ ...op("clear"), vcpu: which }),
  wakeupAll: fc.record({ ...op("wakeupAll"), vcpu: which }),
  failContexts: fc.record({ ...op("failContexts"), count: fc.nat({ max: 2 }) }),
};

/** How often a kind comes, 1 if it is not listed. */
const usualWeights: Partial<Record<Kind, number>> = {
  touch: 6,
  writeEqual: 4,
  mergeKsm: 4,
  fork: 5,
  beginSteps: 3,
  nextStep: 8,
  movePages: 10,
  pin: 4,
  startAsyncPf: 10,
  faultTogether: 5,
  runWorkers: 10,
  complete: 4,
  discard: 2,
  unmap: 2,
  map: 2,
  release: 3,
  mbind: 2,
  migrateRange: 2,
  offline: 3,
  reserve: 3,
  mapFile: 4,
  accessFile: 3,
  writeBack: 3,
  ...swapWeights,
};

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- byKind has no other keys
const kinds = Object.keys(byKind) as Kind[];

/**
 * A list of operations. Whole kinds are left out of some (swarm): what is rare beside them comes up then.
 * Some kinds hide others: a page that is locked from outside hangs v3.12, and memory blocks need large zones.
 */
export function operations(options: {
  readonly without?: readonly Kind[];
  readonly often?: readonly Kind[];
  readonly maxLength: number;
  /** All are as long as that; they shrink all the same. */
  readonly full?: boolean;
}): fc.Arbitrary<Operation[]> {
  const offered = kinds.filter((kind) => options.without?.includes(kind) !== true);
  const weighted = (kind: Kind): { weight: number; arbitrary: fc.Arbitrary<Operation> } => ({
    weight: options.often?.includes(kind) === true ? 8 : (usualWeights[kind] ?? 1),
    arbitrary: byKind[kind],
  });
  const leftOut = fc.oneof(
    { weight: 1, arbitrary: fc.constant<Kind[]>([]) },
    { weight: 2, arbitrary: fc.subarray(offered, { maxLength: Math.floor(offered.length / 2) }) },
  );
  return leftOut.chain((out) => {
    const one = fc.oneof(...offered.filter((kind) => !out.includes(kind)).map(weighted));
    const { maxLength, full = false } = options;
    return full ? fullList(one, maxLength) : fc.array(one, { minLength: 1, maxLength, size: "max" });
  });
}
