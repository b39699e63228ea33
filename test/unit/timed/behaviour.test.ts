/** What guests, devices and operations do in simulated time. */
import { describe, expect, it } from "vitest";
import type { TimedRun } from "../../../src/run/timed/result.ts";
import {
  MS,
  at,
  blocks,
  constant,
  device,
  guest,
  host,
  machineAt,
  offlineBlock,
  pin,
  pinner,
  play,
  pressed,
  scenario,
  tasks,
} from "../../helpers/scenarios.ts";
import * as abi from "../../../assembly/abi.ts";
import type { AsyncPfMode, Scenario, TimedOperation } from "../../../src/scenario/scenario.ts";

function longest(run: TimedRun, name: "pinHold" | "stall"): number {
  return run.histograms[name].at(-1)?.to ?? 0;
}

const faulting = (asyncPf: AsyncPfMode): Scenario =>
  scenario({
    host: host({ memoryLimit: 3072 }),
    guests: [guest({ asyncPf, vcpus: 1, tasks: [tasks({ count: 4 })] })],
  });

const busy = (kernel: "v3.12" | "v6.1"): Scenario => ({
  ...faulting("paravirtual"),
  kernel,
  guests: [guest({ vcpus: 1, tasks: [tasks({ count: 1 }), tasks({ count: 1, pattern: { kind: "none" } })] })],
});

const shareOf = async (accessor: number): Promise<number> => {
  const guests = [0, 1, 2, 3].map((nr) => {
    const pattern = nr === accessor ? ({ kind: "uniform" } as const) : ({ kind: "none" } as const);
    const task = tasks({ pages: 512, pattern });
    return guest({ name: `guest${nr}`, pages: 512, touched: 512, vcpus: 1, tasks: [task] });
  });
  const { metrics } = await play(scenario({ durationNs: 240 * MS, host: host({ cpus: 1 }), guests }));
  return (metrics.accesses * 2000) / (240 * MS);
};

const reading = (swap: Parameters<typeof device>[0], pageCluster = 0): Scenario =>
  scenario({
    host: host({ swap: [device(swap)], pageCluster }),
    guests: [guest({ vcpus: 1, swappedOut: 1000, tasks: [tasks({ count: 32 })] })],
  });

const under = (operations: readonly TimedOperation[]): Scenario =>
  pressed({ kernel: "v6.1", durationNs: 60 * MS, intervalNs: 10 * MS, verifyNs: 10 * MS, operations });

const charged = async (memoryLimit: number): Promise<number> => {
  const { core } = await machineAt(under([at(10, { do: "resize", memoryLimit })]), 60 * MS);
  return Number(core.read((x) => x.counter(abi.MEMCG_CHARGED)));
};

describe("an asynchronous page fault", () => {
  it("with paravirtual delivery lets another task run", async () => {
    const { metrics } = await play(faulting("paravirtual"));
    expect(metrics.asyncPfs).toBeGreaterThan(1000);
    expect(metrics.syncFaults).toBe(0);
    // Each that began ends once, but for those outstanding at the end.
    expect(metrics.asyncPfReady).toBeLessThanOrEqual(metrics.asyncPfs);
    expect(metrics.asyncPfReady).toBeGreaterThan(metrics.asyncPfs - 5);
    expect(metrics.accesses).toBeGreaterThan(2 * (await play(faulting("halt"))).metrics.accesses);
  });

  it("without it halts the vCPU for as long as a read takes", async () => {
    const run = await play(faulting("halt"));
    expect(run.metrics.asyncPfs).toBeGreaterThan(500);
    expect(run.metrics.haltedNs).toBe(0);
    expect(run.metrics.stalledNs / run.metrics.asyncPfs).toBeGreaterThan(75_000);
  });

  it("off is a fault in which the vCPU sleeps", async () => {
    const run = await play(faulting("off"));
    expect(run.metrics).toMatchObject({ asyncPfs: 0, pins: 0, pinNs: 0 });
    expect(run.metrics.syncFaults).toBeGreaterThan(500);
    expect(run.histograms.stall[0]?.to).toBeGreaterThan(70_000);
  });

  it("is held up to a tick where nobody kicks the vCPU, and shortly where somebody does", async () => {
    const old = await play(busy("v3.12"));
    const kicked = await play(busy("v6.1"));
    expect(longest(old, "pinHold")).toBeGreaterThan(3 * MS);
    expect(longest(old, "pinHold")).toBeLessThan(4.6 * MS);
    expect(longest(kicked, "pinHold")).toBeLessThan(0.6 * MS);
    expect(kicked.metrics.pins).toBeGreaterThan(10);
  });

  it("is one of 64 of a vCPU at most; the next one is synchronous", async () => {
    const many = scenario({
      durationNs: 20 * MS,
      host: host({ swap: [device({ read: constant(15 * MS) })] }),
      guests: [guest({ vcpus: 1, swappedOut: 1000, tasks: [tasks({ count: 100 })] })],
    });
    const { core } = await machineAt(many, 10 * MS);
    const word = (metric: number): number => core.record(abi.TABLE_METRICS, metric * 8).u64(0);
    expect(word(abi.METRIC_ASYNC_PFS)).toBe(64);
    expect(word(abi.METRIC_SYNC_FAULTS)).toBe(1);
  });
});

describe("physical CPUs", () => {
  it("are shared equally by vCPUs that want them", async () => {
    // A turn is 3 of 240 ms.
    for (const share of await Promise.all([0, 1, 2, 3].map(shareOf)))
      expect(Math.abs(share - 0.25)).toBeLessThan(0.015);
  });

  it("so does a guest share a vCPU among its tasks", async () => {
    const pattern = { kind: "none" } as const;
    const one = guest({ vcpus: 1, tasks: [tasks(), tasks({ pattern, count: 3 })] });
    const { metrics } = await play(scenario({ durationNs: 320 * MS, guests: [one] }));
    expect(Math.abs((metrics.accesses * 2000) / (320 * MS) - 0.25)).toBeLessThan(0.015);
    expect(Math.abs(metrics.workNs / (320 * MS) - 0.75)).toBeLessThan(0.015);
  });
});

describe("a swap device", () => {
  it("works on as many requests at one time as it is deep", async () => {
    // 100 ms / 1 ms, at each depth.
    for (const queueDepth of [1, 2, 8]) {
      // oxlint-disable-next-line no-await-in-loop
      const { metrics } = await play(reading({ queueDepth, read: constant(MS) }));
      // Pages are counted when they are asked for, faults when they are over.
      expect(metrics.swapIns).toBeGreaterThan(98 * queueDepth);
      expect(metrics.asyncPfReady).toBeLessThanOrEqual(100 * queueDepth);
      expect(metrics.asyncPfReady).toBeGreaterThan(95 * queueDepth);
    }
  });

  it("carries no more than its bandwidth", async () => {
    const { metrics } = await play(reading({ read: constant(1000), bytesPerSecond: 4096 * 10_000 }));
    expect(metrics.asyncPfReady).toBeLessThanOrEqual(1000);
    expect(metrics.asyncPfReady).toBeGreaterThan(970);
  });

  it("that is synchronous takes the time of the CPU that faults", async () => {
    const { metrics } = await play(reading({ kind: "zram", queueDepth: 0, read: constant(50_000) }));
    expect(metrics).toMatchObject({ asyncPfs: 0, readRequests: 0, stalledNs: 0, haltedNs: 0 });
    expect(metrics.swapIns).toBeLessThanOrEqual(2000);
    expect(metrics.swapIns).toBeGreaterThan(1700);
  });
});

describe("operations", () => {
  it("a guest that is killed leaves nothing", async () => {
    const { core } = await machineAt(under([at(30, { do: "kill", guest: "guest" })]), 60 * MS);
    expect(core.read((x) => x.verify())).toBe(0);
    expect(core.read((x) => x.counter(abi.NR_ANON_PAGES))).toBe(0n);
    expect(core.machineField(abi.MACHINE_NR_PINS)).toBe(0);
  });

  it("one that is paused does nothing until it is resumed, and keeps its pins", async () => {
    const paused = at(20, { do: "pause", guest: "guest", vcpu: null });
    const resumed = at(40, { do: "resume", guest: "guest", vcpu: null });
    const { intervals, violation } = await play({ ...under([paused, resumed]), kernel: "v3.12" });
    expect(violation).toBeNull();
    expect(intervals[1]?.metrics.accesses).toBeGreaterThan(1000);
    expect(intervals[3]?.metrics.accesses).toBe(0);
    expect(intervals[3]?.pinsNow).toBeGreaterThan(0);
    expect(intervals[3]?.pinsNow).toBe(intervals[2]?.pinsNow);
    expect(intervals[5]?.metrics.accesses).toBeGreaterThan(1000);
  });

  it("a smaller limit is met, a larger one is used", async () => {
    expect(await charged(2000)).toBeLessThanOrEqual(2000);
    const large = await charged(3800);
    expect(large).toBeGreaterThan(3072);
    expect(large).toBeLessThanOrEqual(3800);
  });

  it("a signal ends an offline that makes no progress", async () => {
    const one = scenario({
      host: host({ ...blocks, swap: [] }),
      pinners: [pinner({ atOnce: 3 })],
      operations: [at(10, offlineBlock()), at(50, { do: "signal" })],
    });
    const { operations } = await play(one, pin);
    expect(operations[0]).toMatchObject({ ending: "returned", errno: "EINTR", pinsAtStart: 3, pagesLeft: 3 });
    expect(operations[0]?.durationNs).toBeGreaterThan(40 * MS);
    expect(operations[0]?.durationNs).toBeLessThan(41 * MS);
  });
});
