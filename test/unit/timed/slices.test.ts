/** Where a run is cut, and who looks at it meanwhile, makes no difference to it. */
import { afterEach, describe, expect, it } from "vitest";
import * as abi from "../../../assembly/abi.ts";
import { buildTimedMachine } from "../../../src/run/timed/machine.ts";
import { runScenario } from "../../../src/run/timed/run-scenario.ts";
import type { Scenario } from "../../../src/scenario/scenario.ts";
import { runOn } from "../../helpers/cores.ts";
import {
  MS,
  at,
  blocks,
  constant,
  guest,
  host,
  offlineBlock,
  pin,
  pinner,
  play,
  pressed,
  scenario,
  tasks,
} from "../../helpers/scenarios.ts";

afterEach(() => runOn("release"));

/** A bit of everything: pressure, sleepers, a pinner, migrations, fork, pause and resume. */
const busy: Scenario = pressed({
  durationNs: 40 * MS,
  host: host({
    nodes: [{ zones: [{ kind: "normal", pages: 8192 }] }, { zones: [{ kind: "normal", pages: 4096 }] }],
    memoryLimit: 3072,
  }),
  guests: [
    guest({
      vcpus: 3,
      tasks: [
        tasks({ count: 4 }),
        tasks({ name: "sleeper", count: 2, sleepEvery: 20, sleepNs: 300_000 }),
        tasks({ name: "computes", pattern: { kind: "none" } }),
      ],
    }),
  ],
  pinners: [pinner({ perSecond: 2000, hold: constant(MS) })],
  migrations: [{ guest: "guest", firstPage: 0, pages: 4096, perSecond: 2000, toNode: 1 }],
  operations: [
    at(10, { do: "fork", guest: "guest" }),
    at(15, { do: "pause", guest: "guest", vcpu: 1 }),
    at(20, { do: "resume", guest: "guest", vcpu: 1 }),
  ],
});

/** Its hash at the end when it is run up to each of `marks`, with so many events a slice. */
async function hashOf(one: Scenario, marks: readonly number[], budget: number): Promise<bigint> {
  const { core } = await buildTimedMachine(one, pin, 1);
  for (const mark of [...marks, one.durationNs])
    while (core.run((x) => x.runTimed(BigInt(mark), budget)) === abi.TIMED_MORE);
  return core.read((x) => {
    x.settleTimed(BigInt(one.durationNs));
    return x.stateHash();
  });
}

it.each([1, 7, 1000])("slices of %i events", async (budget) => {
  expect(await hashOf(busy, [], budget)).toBe(await hashOf(busy, [], 1e9));
});

it("slices that end at any time", async () => {
  const whole = await hashOf(busy, [], 1e9);
  const odd = Array.from({ length: 400 }, (_, number) => Math.round((number * busy.durationNs) / 400.7));
  expect(await hashOf(busy, odd, 1e9)).toBe(whole);
  const short = Array.from({ length: 4000 }, (_, number) => 15 * MS + number * 137);
  expect(await hashOf(busy, short, 3)).toBe(whole);
});

describe("intervals and checks", () => {
  it.each([
    ["intervals", { intervalNs: 3 * MS }],
    ["odd intervals", { intervalNs: 777_777 }],
    ["checks", { verifyNs: 5 * MS }],
    ["both", { intervalNs: 7 * MS, verifyNs: 3 * MS }],
  ])("%s change nothing", async (_, options) => {
    const plain = await play(busy);
    expect({ ...(await play({ ...busy, ...options })), intervals: [] }).toEqual(plain);
    expect(plain.metrics.swapIns).toBeGreaterThan(100);
    expect(plain.metrics.workNs).toBeGreaterThan(0);
  });

  it("add up to the whole", async () => {
    const { intervals, metrics } = await play({ ...busy, intervalNs: 4 * MS });
    expect(intervals.map(({ endNs }) => endNs)).toEqual(
      Array.from({ length: 10 }, (_, n) => (n + 1) * 4 * MS),
    );
    for (const name of ["accesses", "faults", "swapIns", "pins", "exits"] as const)
      expect(intervals.reduce((sum, one) => sum + one.metrics[name], 0)).toBe(metrics[name]);
  });
});

it("onProgress sees time go on, and may end the run", async () => {
  const one = scenario({ durationNs: 400 * MS, guests: [guest({ tasks: [tasks({ count: 4 })] })] });
  const slow = { ...one, host: host({ memoryLimit: 2048 }) };
  const seen: number[] = [];
  const whole = await runScenario({
    scenario: slow,
    variant: pin,
    seed: 1,
    onProgress: (nowNs) => seen.push(nowNs) > 0,
  });
  expect(whole).toEqual(await play(slow));
  expect(seen.length).toBeGreaterThan(0);
  expect(seen).toEqual(seen.toSorted((a, b) => a - b));
  const ended = await runScenario({ scenario: slow, variant: pin, seed: 1, onProgress: () => false });
  expect(ended.endNs).toBe(seen[0]);
});

describe("a guest whose pages are all there, and nothing else", () => {
  const alone = scenario({ guests: [guest({ vcpus: 1, tasks: [tasks()] })] });

  it("makes an access every 2 µs up to the end, and none after it", async () => {
    const { metrics, endNs } = await play(alone);
    expect(endNs).toBe(100 * MS);
    // It begins after the wakeup of its thread and the entry: less than 10 µs.
    expect(metrics.accesses).toBeLessThanOrEqual(50_000);
    expect(metrics.accesses).toBeGreaterThanOrEqual(49_995);
  });

  it("spreads them over intervals", async () => {
    const { intervals } = await play({ ...alone, intervalNs: 10 * MS });
    expect(intervals).toHaveLength(10);
    for (const { metrics } of intervals.slice(1)) expect(metrics.accesses).toBe(5000);
  });
});

describe("again", () => {
  it("the same seed gives the same, on both cores; another seed something else", async () => {
    const first = await play(busy);
    expect(await play(busy)).toEqual(first);
    expect((await play(busy, pin, 2)).stateHash).not.toBe(first.stateHash);
    runOn("debug");
    expect(await play(busy)).toEqual(first);
  });

  it("also an offline under load", async () => {
    const one = scenario({
      durationNs: 300 * MS,
      host: host({ ...blocks, memoryLimit: 38_000 }),
      guests: [guest({ pages: 40_000, touched: 40_000, tasks: [tasks({ count: 8, pages: 40_000 })] })],
      operations: [at(50, offlineBlock(60))],
    });
    const first = await play(one);
    expect(first.operations[0]?.pagesMoved).toBeGreaterThan(1000);
    expect(await play({ ...one, intervalNs: 33_333_333 })).toMatchObject({ stateHash: first.stateHash });
    runOn("debug");
    expect(await play(one)).toEqual(first);
  });
});
