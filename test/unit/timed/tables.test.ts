/** The event queue, histograms and random quantities of the core, against arrays and plain arithmetic. */
import * as fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import * as abi from "../../../assembly/abi.ts";
import type { Core } from "../../../src/core/core.ts";
import { histogramsOf } from "../../../src/run/timed/collect.ts";
import { Distributions, exponential } from "../../../src/run/timed/distributions.ts";
import { buildTimedMachine } from "../../../src/run/timed/machine.ts";
import type { Distribution } from "../../../src/scenario/scenario.ts";
import { device, drain, host, pin, scenario } from "../../helpers/scenarios.ts";
import { runs } from "../../helpers/runs.ts";

describe("the queue", () => {
  let core: Core;
  beforeAll(async () => {
    ({ core } = await buildTimedMachine(scenario({ operations: [drain] }), pin, 1));
    // What the scenario has scheduled is taken out first.
    for (let left = queued(); left > 0; left--) core.read((x) => x.popEvent());
  });

  /** Entries that are in use: those behind the end are zero, and no event has the target 0. */
  function queued(): number {
    const words = core.words(abi.TABLE_QUEUE);
    let nr = 0;
    while ((words[nr * 4 + 3] ?? 0) !== 0) nr += 1;
    return nr;
  }

  it("gives events by time, and those of one time in the order in which they came", () => {
    const step = fc.oneof(
      { weight: 3, arbitrary: fc.nat({ max: 50 }) },
      { weight: 1, arbitrary: fc.maxSafeNat() },
      { weight: 3, arbitrary: fc.constant(null) },
    );
    const property = fc.property(fc.array(step, { minLength: 100, maxLength: 400 }), (steps) => {
      const expected: { atNs: number; target: number }[] = [];
      let target = 0;
      const pop = (): void => {
        // toSorted() is stable: of equal ones the first comes first.
        const [first] = expected.toSorted((a, b) => a.atNs - b.atNs);
        if (first === undefined) return;
        expect(core.read((x) => x.popEvent())).toBe(first.target);
        expected.splice(expected.indexOf(first), 1);
      };
      for (const atNs of steps) {
        if (atNs === null) {
          pop();
          continue;
        }
        target += 1;
        core.read((x) => x.pushEvent(BigInt(atNs), target));
        expected.push({ atNs, target });
      }
      while (expected.length > 0) pop();
      expect(queued()).toBe(0);
    });
    fc.assert(property, runs(0.2));
  });
});

/** The bucket that has been counted for a value. */
async function bucketsFor(values: readonly number[]): Promise<{ from: number; to: number; count: number }[]> {
  const { core } = await buildTimedMachine(scenario({ operations: [drain] }), pin, 1);
  for (const value of values) core.read((x) => x.recordValue(abi.HISTOGRAM_STALL, BigInt(value)));
  return histogramsOf(core).stall;
}

describe("histograms", () => {
  it("hold each value in a bucket that is at most a sixteenth of it wide", async () => {
    const values = [
      0,
      1,
      31,
      32,
      33,
      63,
      64,
      65,
      127,
      1000,
      12_345,
      10 ** 6,
      2 ** 32 - 1,
      2 ** 32,
      10 ** 12,
      2 ** 48,
    ];
    for (const value of values) {
      // One at a time, so that each is known by itself.
      // oxlint-disable-next-line no-await-in-loop
      const [bucket, ...others] = await bucketsFor([value]);
      expect(others).toEqual([]);
      expect(bucket?.count).toBe(1);
      const { from, to } = bucket ?? { from: 0, to: 0 };
      expect(from).toBeLessThanOrEqual(value);
      expect(to).toBeGreaterThan(value);
      expect(to - from).toBeLessThanOrEqual(Math.max(1, from / 16));
    }
  });

  it("have buckets that follow each other without gaps", async () => {
    const buckets = await bucketsFor(Array.from({ length: 5000 }, (_, value) => value));
    buckets.forEach(({ from }, nr) => {
      expect(from).toBe(nr === 0 ? 0 : buckets[nr - 1]?.to);
    });
    // The last one is for values above 4999, too.
    for (const { from, to, count } of buckets.slice(0, -1)) expect(count).toBe(to - from);
  });
});

describe("random quantities", () => {
  const devices = [
    device({
      read: {
        points: [
          { share: 0, ns: 1000 },
          { share: 0.5, ns: 2000 },
          { share: 1, ns: 10_000 },
        ],
      },
    }),
    device({ read: exponential(1_000_000) }),
    device({ read: { points: [{ share: 1, ns: 777 }] } }),
  ];

  /** So many draws from a distribution of the scenario, sorted. */
  async function draws(distribution: Distribution, nr: number): Promise<number[]> {
    const one = scenario({ host: host({ swap: devices }), operations: [drain] });
    const { core } = await buildTimedMachine(one, pin, 1);
    const points = new Distributions();
    for (const { read, write } of devices) {
      points.place(read);
      points.place(write);
    }
    const number = points.place(distribution);
    const stream = core.tablePtr(abi.TABLE_DEVICES);
    core.record(abi.TABLE_DEVICES, 0).setU64(0, 4711n);
    const drawn = Array.from({ length: nr }, () => Number(core.read((x) => x.draw(stream, number))));
    return drawn.toSorted((a, b) => a - b);
  }

  it("lie between their points as their shares say", async () => {
    const sorted = await draws(devices[0]?.read ?? exponential(1), 20_000);
    // Of 20,000 draws a share of a half is met to within 0.014: four standard deviations.
    const below = (ns: number): number => sorted.filter((one) => one < ns).length / sorted.length;
    expect(Math.abs(below(1500) - 0.25)).toBeLessThan(0.014);
    expect(Math.abs(below(2000) - 0.5)).toBeLessThan(0.014);
    expect(Math.abs(below(6000) - 0.75)).toBeLessThan(0.014);
    expect(sorted[0]).toBeGreaterThanOrEqual(1000);
    expect(sorted.at(-1)).toBeLessThan(10_000);
  });

  it("of an exponential distribution have its mean and its quantiles", async () => {
    const sorted = await draws(devices[1]?.read ?? exponential(1), 20_000);
    const mean = sorted.reduce((sum, one) => sum + one, 0) / sorted.length;
    // The standard error is the mean / 141.
    expect(Math.abs(mean / 1e6 - 1)).toBeLessThan(0.03);
    for (const share of [0.1, 0.5, 0.9, 0.99]) {
      const below = sorted.filter((one) => one < -Math.log(1 - share) * 1e6).length / sorted.length;
      expect(Math.abs(below - share)).toBeLessThan(0.014);
    }
  });

  it("of one point are that point", async () => {
    expect(new Set(await draws(devices[2]?.read ?? exponential(1), 50))).toEqual(new Set([777]));
  });
});
