/** Asynchronous page faults: what they gain, how long they pin, and that each is completed. */
import type { AsyncPfMode, ScenarioDevice, ScenarioTasks } from "../../scenario/scenario.ts";
import type { PolicyVariant } from "../../scenario/variant.ts";
import { builtinScenario } from "../../scenario/timed/builtin.ts";
import type { TimedRun } from "../timed/result.ts";
import { runScenario } from "../timed/run-scenario.ts";
import { type Experiment, experiment } from "./figure.ts";
import { SECOND, between, constant, idleGuest, offlineAt, operationOf, runOf } from "./scenarios.ts";

const TCG = "measured: Linux 3.11 under QEMU TCG, nested guest, swap throttled to 4 reads a second";
const NATAPOV = "Gleb Natapov, kvm list, Aug 2010, ./bm -f 4 -w 4 -t 60";
const NATAPOV_LATER = "Gleb Natapov, lkml 2010/10/14/115";
const KVM_UNIT_TESTS = "kvm-unit-tests, asyncpf: each token of a page not present gets one ready";
const MS = 1e6;

const computes: ScenarioTasks = {
  name: "worker",
  count: 1,
  pattern: { kind: "none" },
  firstPage: 0,
  pages: 1,
  accessNs: 1000,
  writePercent: 0,
  sleepEvery: 0,
  sleepNs: 0,
};

/** A disk that seeks for each page. */
const hdd: ScenarioDevice = {
  kind: "hdd",
  pages: 524_288,
  queueDepth: 1,
  read: between(4 * MS, 12 * MS),
  write: between(4 * MS, 12 * MS),
  bytesPerSecond: 150e6,
};

/** 4 reads a second, as the throttle lets them through. */
const throttled: ScenarioDevice = {
  kind: "hdd",
  pages: 65_536,
  queueDepth: 64,
  read: between(250 * MS, 350 * MS),
  write: constant(MS),
  bytesPerSecond: 150e6,
};

/** The built-in scenario as it stands, with the first of its seeds. */
async function workNs(asyncPf: AsyncPfMode): Promise<number> {
  const built = builtinScenario("async-pf-gain");
  const scenario = { ...built, guests: built.guests.map((guest) => ({ ...guest, asyncPf })) };
  const run = await runScenario({ scenario, variant: { policy: "pin", repairs: [] }, seed: 1 });
  return run.metrics.workNs;
}

async function gains(): Promise<{ readonly halt: number; readonly paravirtual: number }> {
  const off = await workNs("off");
  const halt = (await workNs("halt")) / off;
  return { halt, paravirtual: (await workNs("paravirtual")) / off };
}

/** A quarter of a GiB is touched once within half of it; then the guest waits until all is there. */
async function tokens(): Promise<TimedRun> {
  const pages = 65_536;
  const touches: ScenarioTasks = {
    ...computes,
    name: "touches",
    pattern: { kind: "sequential" },
    pages,
    writePercent: 100,
    sleepEvery: pages,
    sleepNs: 100 * SECOND,
  };
  return runOf({
    costs: "server",
    kernel: "v3.12",
    guest: { ...idleGuest(pages), tasks: [touches] },
    durationNs: 60 * SECOND,
    swap: [{ ...hdd, queueDepth: 32, read: constant(100_000), write: constant(20_000) }],
    memoryLimit: pages / 2,
  });
}

/** Faults of one task, each waited for, beside one that keeps the vCPU in guest mode. */
async function holds(policy: PolicyVariant["policy"]): Promise<TimedRun> {
  const pages = 2000;
  const faults: ScenarioTasks = { ...computes, name: "faults", pattern: { kind: "sequential" }, pages };
  return runOf(
    {
      costs: "tcg-3.11",
      kernel: "v3.12",
      guest: { ...idleGuest(pages), swappedOut: 1000, tasks: [faults, computes] },
      durationNs: 120 * SECOND,
      swap: [throttled],
    },
    policy,
  );
}

/** The value below which half of a histogram's lie: in the middle of its bucket. */
function medianOf({ histograms }: TimedRun): number {
  const buckets = histograms.pinHold;
  const half = buckets.reduce((sum, { count }) => sum + count, 0) / 2;
  let below = 0;
  for (const { from, to, count } of buckets) {
    if (below + count >= half) return from + ((half - below) / count) * (to - from);
    below += count;
  }
  return 0;
}

const PINNED = 12;
const PAUSE_NS = 8 * SECOND;
const OFFLINE_NS = 2 * SECOND;

/** Twelve faults whose vCPU returns to the VMM, and comes back eight seconds after the offline has begun. */
async function pausedOffline(policy: PolicyVariant["policy"]): Promise<{ ms: number; rounds: number }> {
  const tasks = Array.from({ length: PINNED }, (_, page): ScenarioTasks => ({
    ...computes,
    name: `fault ${page}`,
    pattern: { kind: "sequential" },
    firstPage: page,
    sleepEvery: 1,
    sleepNs: 100 * SECOND,
  }));
  const vcpu = { guest: "guest", vcpu: 0 } as const;
  const run = await runOf(
    {
      costs: "tcg-3.11",
      kernel: "v3.12",
      guest: { ...idleGuest(PINNED), swappedOut: 1000, tasks },
      durationNs: 20 * SECOND,
      swap: [throttled],
      operations: [
        { do: "pause", ...vcpu, atNs: 100 * MS, name: "pause" },
        offlineAt(OFFLINE_NS),
        { do: "resume", ...vcpu, atNs: OFFLINE_NS + PAUSE_NS, name: "resume" },
      ],
    },
    policy,
  );
  const { durationNs, rounds } = operationOf(run, "offline");
  return { ms: durationNs / MS, rounds };
}

const common = { plusMinus: null, calibrates: false } as const;
const gain = { ...common, profile: "server", unit: "× work", bandPercent: 15 } as const;
const tcg = { ...common, profile: "tcg-3.11", source: TCG, bandPercent: 25 } as const;
const scale = "(one seed)";

export const asyncPageFaults: readonly Experiment[] = [
  experiment(gains, [
    {
      ...gain,
      id: "apf-gain",
      what: `work with paravirtual async_pf, first report ${scale}`,
      source: NATAPOV,
      published: 1.99,
      of: ({ paravirtual }) => paravirtual,
    },
    {
      ...gain,
      id: "apf-gain-later",
      what: "the same, later report",
      source: NATAPOV_LATER,
      published: 1.91,
      of: ({ paravirtual }) => paravirtual,
    },
    {
      ...gain,
      id: "apf-gain-halt",
      what: "the same, async_pf without paravirtual delivery",
      source: NATAPOV_LATER,
      published: 1.13,
      of: ({ halt }) => halt,
    },
  ]),
  experiment(tokens, [
    {
      ...common,
      id: "apf-tokens",
      what: "ready for each token of a page not present (a quarter of the memory)",
      source: KVM_UNIT_TESTS,
      profile: "server",
      unit: "a token",
      bandPercent: 0,
      published: 1,
      of: ({ metrics }) => metrics.asyncPfReady / metrics.asyncPfs,
    },
  ]),
  experiment(
    () => holds("pin"),
    [
      {
        ...tcg,
        id: "apf-hold",
        what: "pin, vCPU in guest code, median (0.45 to 1.42 ms)",
        unit: "ms",
        published: 0.63,
        of: (run) => medianOf(run) / MS,
      },
    ],
  ),
  experiment(
    () => holds("rfc"),
    [
      {
        ...tcg,
        id: "apf-hold-rfc",
        what: "the same with the RFC (0.27 to 0.93 ms)",
        unit: "ms",
        published: 0.51,
        of: (run) => medianOf(run) / MS,
      },
    ],
  ),
  experiment(
    () => pausedOffline("pin"),
    [
      {
        ...tcg,
        id: "offline-apf",
        what: "offline, 12 pins of async_pf, vCPU back after 8 s, which are given",
        unit: "s",
        published: 8,
        of: ({ ms }) => ms / 1000,
      },
      {
        ...tcg,
        id: "offline-apf-rounds",
        what: "the same, rounds",
        unit: "rounds",
        published: 374,
        of: ({ rounds }) => rounds,
      },
    ],
  ),
  experiment(
    () => pausedOffline("drop-get"),
    [
      {
        ...tcg,
        id: "offline-drop-get",
        what: "the same, no reference taken (other pages of the block are not stated)",
        unit: "ms",
        published: 28,
        of: ({ ms }) => ms,
      },
    ],
  ),
];
