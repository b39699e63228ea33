/** Runs against closed forms: Little's law, and the chance that nobody holds a page of the block. */
import { describe, expect, it } from "vitest";
import { exponential } from "../../src/run/timed/distributions.ts";
import {
  MS,
  SECOND,
  at,
  blocks,
  constant,
  guest,
  host,
  offlineBlock,
  pin,
  pinner,
  play,
  scenario,
  tasks,
} from "../helpers/scenarios.ts";
import type { Scenario } from "../../src/scenario/scenario.ts";

/** Offlines for each number of pins. */
const SEEDS = 100;
const seeds = Array.from({ length: 10 }, (_, nr) => nr + 1);

function mean(values: readonly number[]): number {
  return values.reduce((sum, one) => sum + one, 0) / values.length;
}

describe("Little's law", () => {
  it.each([
    ["constant", constant(5 * MS)],
    ["exponential", exponential(5 * MS)],
  ])("mean pins = rate × hold, with %s hold times", async (_, hold) => {
    const one = scenario({ durationNs: SECOND, pinners: [pinner({ perSecond: 2000, hold })] });
    const runs = await Promise.all(seeds.map(async (seed) => play(one, pin, seed)));
    const pins = mean(runs.map(({ metrics }) => metrics.pinNs / SECOND));
    // 10 of them on average. Ten seeds of 2000 pins: the standard error is below 0.11.
    expect(Math.abs(pins - 10)).toBeLessThan(0.45);
    // Poisson: 20,000 pins in all, with a standard deviation of 141.
    expect(Math.abs(mean(runs.map(({ metrics }) => metrics.pins)) - 2000)).toBeLessThan(60);
  });
});

/** The Wilson score interval at 99.9 % for `hits` of `n`. */
function wilson(hits: number, n: number): { low: number; high: number } {
  const z = 3.2905;
  const share = hits / n;
  const middle = (share + z ** 2 / (2 * n)) / (1 + z ** 2 / n);
  const half = (z / (1 + z ** 2 / n)) * Math.sqrt((share * (1 - share)) / n + z ** 2 / (4 * n ** 2));
  return { low: middle - half, high: middle + half };
}

describe("the chance that a block goes offline in one round", () => {
  // The guest is in the block, and the pins in it are Poisson with a mean of rate × hold: M/G/∞. Those
  // that are taken while 64 pages move, some 100 µs, are 0.04 on average at the most.
  const mostly: Scenario = scenario({
    durationNs: 60 * MS,
    untilDone: true,
    host: host({ ...blocks, swap: [] }),
    guests: [guest({ pages: 64, touched: 64 })],
    operations: [at(50, offlineBlock(2))],
  });

  it.each([0.3, 1, 2])("with %f pins on average is e to the minus that", async (pins) => {
    const one = {
      ...mostly,
      pinners: [pinner({ pages: 64, perSecond: pins * 200, hold: exponential(5 * MS) })],
    };
    let clean = 0;
    for (let seed = 1; seed <= SEEDS; seed++) {
      // One after the other: each takes the memory of a host.
      // oxlint-disable-next-line no-await-in-loop
      const [offline] = (await play(one, pin, seed)).operations;
      if (offline?.ret === 0 && offline.rounds === 1 && offline.cleanAtOnce) clean += 1;
    }
    const { low, high } = wilson(clean, SEEDS);
    expect(low).toBeLessThan(Math.exp(-pins));
    expect(high).toBeGreaterThan(Math.exp(-pins));
  });
});

it("the pages of a Zipf pattern are accessed as often as their ranks say", async () => {
  const ranks = 1000;
  const skew = 0.9;
  const pattern = { kind: "zipf", skew } as const;
  const weights = Array.from({ length: ranks }, (_, rank) => (rank + 1) ** -skew);
  const total = weights.reduce((sum, one) => sum + one, 0);
  // All pages are swapped out, and there is room: each is read by its first access. After n accesses
  // Σ 1 − (1 − p)^n pages have been read.
  const one = scenario({
    guests: [
      guest({
        vcpus: 1,
        pages: ranks,
        touched: ranks,
        swappedOut: 1000,
        tasks: [tasks({ pages: ranks, pattern })],
      }),
    ],
  });
  const runs = await Promise.all(seeds.map(async (seed) => play(one, pin, seed)));
  const met = mean(runs.map(({ metrics }) => metrics.swapIns));
  const accesses = mean(runs.map(({ metrics }) => metrics.accesses));
  const expected = weights.reduce((sum, weight) => sum + 1 - (1 - weight / total) ** accesses, 0);
  // The standard deviation of one run is below √(Σ q(1−q)) ≤ 16, of ten seeds 5.
  expect(Math.abs(met - expected)).toBeLessThan(20);
  expect(expected).toBeLessThan(ranks);
});
