import { describe, expect, it } from "vitest";
import {
  corrected,
  difference,
  estimate,
  proportion,
  significanceMark,
} from "../../../../src/run/timed/statistics.ts";

// R's data set `sleep`: Student, Biometrika 6 (1908) 20: hours of sleep won by ten patients on two drugs.
const drug1 = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0, 2];
const drug2 = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4];

describe("estimate", () => {
  it("is what R prints for t.test(extra[group == 2])", () => {
    // "t = 3.6799, df = 9 … 95 percent confidence interval: 0.8976775 3.7623225 … mean of x 2.33"
    const { runs, mean, low, high } = estimate(drug2);
    expect(runs).toBe(10);
    expect(mean).toBeCloseTo(2.33, 12);
    expect(low).toBeCloseTo(0.897_677_5, 7);
    expect(high).toBeCloseTo(3.762_322_5, 7);
  });

  it("takes t for as many degrees of freedom as there are runs less one", () => {
    // -1 and 1: mean 0, standard error 1. Any table of t: 12.706 for one degree.
    expect(estimate([-1, 1]).high).toBeCloseTo(12.706, 3);
    // 1 … 5: standard error sqrt(2.5 / 5), t of four degrees 2.776.
    expect(estimate([1, 2, 3, 4, 5]).high).toBeCloseTo(3 + 2.776 * Math.sqrt(0.5), 3);
  });

  it("has no interval with one run", () => {
    expect(estimate([7])).toEqual({ runs: 1, mean: 7, low: null, high: null });
  });

  it("has an interval of one number where all runs are equal", () => {
    expect(estimate([7, 7, 7])).toEqual({ runs: 3, mean: 7, low: 7, high: 7 });
  });
});

describe("proportion: Newcombe, Stat. Med. 17 (1998) 857, table I, method 3", () => {
  it.each([
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ])("%i of %i", (successes, runs, low, high) => {
    const found = proportion(successes, runs);
    expect(found.low).toBeCloseTo(low, 4);
    expect(found.high).toBeCloseTo(high, 4);
  });

  it("ends at 1 exactly where every run succeeds", () => {
    // The mirror of 0 of 20.
    const { low, high } = proportion(20, 20);
    expect(high).toBe(1);
    expect(low).toBeCloseTo(1 - 0.1611, 4);
  });
});

describe("difference", () => {
  it("is what R prints for t.test(extra ~ group, paired = TRUE)", () => {
    // "t = -4.0621, df = 9, p-value = 0.002833 … -2.4598858 -0.7001142 … mean of the differences -1.58"
    const { runs, mean, low, high, pValue, constant } = difference(drug1, drug2);
    expect({ runs, constant }).toEqual({ runs: 10, constant: false });
    expect(mean).toBeCloseTo(-1.58, 12);
    expect(low).toBeCloseTo(-2.459_885_8, 7);
    expect(high).toBeCloseTo(-0.700_114_2, 7);
    expect(pValue).toBeCloseTo(0.002_833, 6);
  });

  it.each([
    ["nothing", [3, 1, 2], [3, 1, 2], 0],
    ["the same with every seed", [5, 3, 4], [3, 1, 2], 2],
  ])("has no p value where the difference is %s", (_, values, base, mean) => {
    const found = difference(values, base);
    expect(found).toEqual({
      runs: 3,
      mean,
      low: mean,
      high: mean,
      constant: true,
      pValue: null,
      pAdjusted: null,
    });
  });

  it("has neither interval nor p value with one run", () => {
    expect(difference([5], [3])).toMatchObject({ runs: 1, mean: 2, low: null, high: null, pValue: null });
  });
});

describe("corrected", () => {
  it("multiplies by Holm's factors, and never turns their order round", () => {
    const one = difference(drug1, drug2);
    const list = [0.01, 0.02, 0.03, 0.005].map((pValue) => ({ ...one, pValue, pAdjusted: pValue }));
    // Ascending 0.005·4, 0.01·3, 0.02·2, 0.03·1, and none below the one before it.
    const adjusted = corrected(list).map((found) => found?.pAdjusted);
    for (const [nr, expected] of [0.03, 0.04, 0.04, 0.02].entries()) {
      expect(adjusted[nr]).toBeCloseTo(expected, 12);
    }
  });

  it("counts only those that were tested", () => {
    const tested = difference(drug1, drug2);
    const constant = difference([1, 2], [0, 1]);
    expect(corrected([null, constant, tested])).toEqual([null, constant, tested]);
  });
});

describe("significanceMark", () => {
  const one = difference(drug1, drug2);

  it.each([
    [0.0099, "**"],
    [0.01, "*"],
    [0.0499, "*"],
    [0.05, ""],
  ])("%d: %j", (pAdjusted, mark) => {
    // What is corrected counts, not what it was before.
    expect(significanceMark({ ...one, pValue: 0.001, pAdjusted })).toBe(mark);
  });

  it("tells a difference that every seed has from none", () => {
    expect(significanceMark(difference([5, 3], [3, 1]))).toBe("=");
    expect(significanceMark(difference([3, 1], [3, 1]))).toBe("");
    expect(significanceMark(difference([5], [3]))).toBe("");
  });
});
