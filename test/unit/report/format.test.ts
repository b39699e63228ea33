import { describe, expect, it } from "vitest";
import { formatCount, formatDuration, formatLarge, formatRanges } from "../../../src/report/format.ts";

describe("numbers for people", () => {
  it.each([
    [0, "0 ns"],
    [999, "999 ns"],
    [1_500, "1.5 µs"],
    [668_200, "668 µs"],
    [40_559_800, "40.6 ms"],
    [120_000_428_600, "120.0 s"],
  ])("%d ns is %s", (ns, text) => expect(formatDuration(ns)).toBe(text));

  it.each([
    [7, "7"],
    [999, "999"],
    [1_000, "1,000"],
    [32_768, "32,768"],
    [1_234_567, "1,234,567"],
  ])("%d is counted as %s", (nr, text) => expect(formatCount(nr)).toBe(text));

  it.each([
    [99_999, "99,999"],
    [100_000, "0.1 M"],
    [66_334_056, "66.3 M"],
    [1_234_567_890, "1,234.5 M"],
  ])("%d is short as %s", (nr, text) => expect(formatLarge(nr)).toBe(text));

  it.each([
    [[], ""],
    [[3], "3"],
    [[0, 1, 2, 3], "0–3"],
    [[0, 2, 3, 7], "0, 2–3, 7"],
  ])("%j is written as %j", (numbers, text) => expect(formatRanges(numbers)).toBe(text));
});
