import { describe, expect, it } from "vitest";
import { constant, exponential, quantiles, uniform } from "../../../../src/scenario/timed/distribution.ts";
import type { Distribution } from "../../../../src/scenario/scenario.ts";

/** Mean of the draws: the area under straight lines between the points. */
function mean({ points }: Distribution): number {
  return points.reduce((sum, point, i) => {
    const before = points[i - 1];
    return before === undefined ? 0 : sum + ((point.share - before.share) * (point.ns + before.ns)) / 2;
  }, 0);
}

function valueAt({ points }: Distribution, share: number): number {
  const i = points.findIndex((point) => point.share >= share);
  const [before, after] = [points[i - 1], points[i]];
  if (before === undefined || after === undefined) throw new Error(`nothing at ${share}`);
  const part = (share - before.share) / (after.share - before.share);
  return before.ns + part * (after.ns - before.ns);
}

function isSound({ points }: Distribution): boolean {
  const ascends = points.every((point, i) => {
    const before = points[i - 1];
    return before === undefined || (before.share < point.share && before.ns <= point.ns);
  });
  const whole = points.every(({ ns }) => Number.isSafeInteger(ns));
  return ascends && whole && points.at(0)?.share === 0 && points.at(-1)?.share === 1;
}

describe("an exponential distribution", () => {
  // −mean · ln(1 − share)
  it.each([
    [0.5, 693_147],
    [0.9, 2_302_585],
    [0.99, 4_605_170],
    [0.999, 6_907_755],
    [0.9999, 9_210_340],
  ])("has the share %d of draws below %d ns if the mean is 1 ms", (share, ns) => {
    const found = valueAt(exponential(1_000_000), share);
    expect(found).toBeGreaterThan(ns * 0.999);
    expect(found).toBeLessThan(ns * 1.001);
  });

  it.each([75_000, 1_000_000, 1e12])("keeps its mean, %d ns, to 0.1 %%", (ns) => {
    expect(Math.abs(mean(exponential(ns)) / ns - 1)).toBeLessThan(0.001);
  });

  it.each([0, 1, 75_000, 1_000_000, 1e12])("ascends in whole ns with a mean of %d ns", (ns) => {
    expect(isSound(exponential(ns))).toBe(true);
  });

  it("has 64 points or more, up to 0.9999", () => {
    const { points } = exponential(1000);
    expect(points.length).toBeGreaterThanOrEqual(64);
    expect(points.at(-2)?.share).toBe(1 - 2 ** -14);
  });
});

describe("other distributions", () => {
  it("are two points where they are a line", () => {
    expect(constant(5).points).toEqual([
      { share: 0, ns: 5 },
      { share: 1, ns: 5 },
    ]);
    expect(uniform(5, 7).points).toEqual([
      { share: 0, ns: 5 },
      { share: 1, ns: 7 },
    ]);
  });

  it("are their quantiles in ascending order", () => {
    // Keys that look like integers come first in objects.
    expect(quantiles({ "0.99": 200, "0.5": 75, "1": 2000, "0": 50 })).toEqual({
      points: [
        { share: 0, ns: 50 },
        { share: 0.5, ns: 75 },
        { share: 0.99, ns: 200 },
        { share: 1, ns: 2000 },
      ],
    });
  });

  it.each([
    [{ "0": 1, "0.5": 2 }, 'has not both "0" and "1"'],
    [{ "0.5": 1, "1": 2 }, 'has not both "0" and "1"'],
    [{}, 'has not both "0" and "1"'],
    [{ "0": 1, "0.5": 3, "0.50": 3, "1": 4 }, "has 0.5 twice"],
    [
      Object.fromEntries(Array.from({ length: 129 }, (_, i) => [String(i / 128), i])),
      "has 129 shares, at most 128 may be",
    ],
    [{ "0": 1, "0.5": 3, "1": 2 }, "has less at 1 than at 0.5"],
  ])("are refused: %j", (table, wrong) => expect(quantiles(table)).toBe(wrong));
});
