/** A small scenario, and runs of it written by hand. */
import type { Runner } from "../../src/run/timed/compare.ts";
import {
  type Metrics,
  type OperationResult,
  type TimedRun,
  metricNames,
} from "../../src/run/timed/result.ts";
import type { Scenario, ScenarioGuest } from "../../src/scenario/scenario.ts";
import { type PolicyVariant, parseVariant } from "../../src/scenario/variant.ts";

export const SECOND = 1_000_000_000;
const BLOCK_PAGES = 32_768;

const guest: ScenarioGuest = {
  name: "vm",
  pages: 40_000,
  vcpus: 4,
  asyncPf: "paravirtual",
  touched: 40_000,
  swappedOut: 0,
  tickNs: 4_000_000,
  sliceNs: 4_000_000,
  tasks: [],
};

/** One guest over a normal zone and a movable one of a block, which is to go offline after a second. */
export const scenario: Scenario = {
  name: "small",
  title: "Can the block be offlined?",
  kernel: "v3.12",
  costs: "server",
  durationNs: 10 * SECOND,
  untilDone: true,
  policies: ["pin", "drop-get"],
  seeds: [1, 2, 3],
  intervalNs: null,
  verifyNs: null,
  contentBytes: 8,
  host: {
    nodes: [
      {
        zones: [
          { kind: "normal", pages: 2 * BLOCK_PAGES },
          { kind: "movable", pages: BLOCK_PAGES },
        ],
      },
    ],
    cpus: 4,
    sliceNs: 4_000_000,
    tickNs: 4_000_000,
    memoryLimit: null,
    pageCluster: 3,
    swap: [],
    maxActive: 256,
  },
  guests: [guest],
  pinners: [],
  migrations: [],
  operations: [
    { name: "offline", do: "offline", atNs: SECOND, block: 2, giveUpNs: 3 * SECOND, giveUpRounds: null },
  ],
};

export const variants = (...names: string[]): PolicyVariant[] =>
  names.map((name) => parseVariant("test", name));

export function metrics(some: Partial<Metrics> = {}): Metrics {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- all names are there
  const zero = Object.fromEntries(metricNames.map((name): [string, number] => [name, 0])) as Metrics;
  return { ...zero, ...some };
}

/** The block is offline 40 ms after the operation began. */
export const offlined: OperationResult = {
  name: "offline",
  do: "offline",
  atNs: SECOND,
  durationNs: 40_000_000,
  ret: 0,
  errno: null,
  ending: "returned",
  rounds: 1,
  pagesMoved: BLOCK_PAGES,
  pagesLeft: 0,
  cleanAtOnce: true,
  pinsAtStart: 5,
};

/** The caller's three seconds are over with five pages still there. */
export const gaveUp: OperationResult = {
  ...offlined,
  durationNs: 3 * SECOND,
  ret: null,
  ending: "gave-up",
  rounds: 250,
  pagesMoved: BLOCK_PAGES - 5,
  pagesLeft: 5,
  cleanAtOnce: false,
};

export const crash = {
  kind: "oops",
  function: "mutex_lock",
  trace: ["mutex_lock", "try_to_unmap_file"],
  pfn: 65_600,
  invariant: "INV-LOCK",
} as const;

export function timedRun(some: Partial<TimedRun> & { readonly seed: number }): TimedRun {
  return {
    policy: "pin",
    repairs: [],
    stateHash: "0123456789abcdef",
    endNs: 2 * SECOND,
    events: 1000,
    metrics: metrics(),
    histograms: { faultLatency: [], pinHold: [], migration: [], stall: [] },
    operations: [offlined],
    blame: [],
    intervals: [],
    crash: null,
    violation: null,
    ...some,
  };
}

/** A runner whose results are given by a function of policy and seed. */
export function fakeRunner(resultOf: (name: string, seed: number) => Partial<TimedRun>): Runner {
  const run = ({ policy, repairs }: PolicyVariant, seed: number): TimedRun =>
    timedRun({ ...resultOf([policy, ...repairs].join("+"), seed), policy, repairs, seed });
  return {
    runScenario: async ({ variant, seed, onProgress }) => {
      await onProgress?.(SECOND);
      return run(variant, seed);
    },
    forkScenario: async ({ variants: all, seed, onProgress }) => {
      await onProgress?.(SECOND);
      return all.map((variant) => run(variant, seed));
    },
  };
}
