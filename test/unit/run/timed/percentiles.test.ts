import { describe, expect, it } from "vitest";
import { percentiles } from "../../../../src/run/timed/percentiles.ts";

/** A bucket that holds one value only. */
const exactly = (value: number, count: number) => ({ from: value, to: value + 1, count });

describe("percentiles", () => {
  it("are to be read off where values are counted one by one", () => {
    // 1000 values: 500 of 10, 400 of 20, 90 of 30, 9 of 40, 1 of 50.
    const counts: [number, number][] = [
      [10, 500],
      [20, 400],
      [30, 90],
      [40, 9],
      [50, 1],
    ];
    const histogram = counts.map(([value, count]) => exactly(value, count));
    expect(percentiles([histogram])).toEqual({
      count: 1000,
      p50Ns: 10,
      p90Ns: 20,
      p99Ns: 30,
      p999Ns: 40,
      maxNs: 50,
    });
  });

  it("count the values of all runs", () => {
    // Alone the medians are 10 and 1000; of the 4 values together three are 10.
    const found = percentiles([[exactly(10, 1)], [exactly(10, 2), exactly(1000, 1)]]);
    expect(found).toMatchObject({ count: 4, p50Ns: 10, p90Ns: 1000, maxNs: 1000 });
  });

  it("tell the upper end of a bucket, and nothing beyond the highest", () => {
    const second = 1_000_000_000;
    const found = percentiles([[{ from: second, to: second + 8_000_000, count: 3 }]]);
    expect(found).toMatchObject({ p50Ns: second + 7_999_999, maxNs: second + 7_999_999 });
  });

  it("tell large values to a thousandth", () => {
    const found = percentiles([[exactly(123_456_789, 99), exactly(9_000_000_000_000, 1)]]);
    expect(found?.p50Ns).toBeGreaterThanOrEqual(123_456_789);
    expect(found?.p50Ns).toBeLessThan(123_456_789 * 1.001);
    expect(found?.maxNs).toBe(9_000_000_000_000);
  });

  it("are null where nothing was counted", () => {
    expect(percentiles([[], [{ from: 1, to: 2, count: 0 }]])).toBeNull();
  });
});
