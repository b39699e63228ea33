import { describe, expect, it } from "vitest";
import {
  durationPattern,
  parseDuration,
  parseSize,
  sizePattern,
} from "../../../../src/scenario/timed/quantity.ts";

describe("a duration", () => {
  it.each([
    ["0s", 0],
    ["800ns", 800],
    ["75us", 75_000],
    ["75µs", 75_000], // micro sign
    ["75μs", 75_000], // Greek letter
    ["1.5ms", 1_500_000],
    ["0.1s", 100_000_000],
    ["0.000000001s", 1],
    ["4.35us", 4350], // 4.35 * 1000 is 4350 only without floating point
    ["1.001us", 1001],
    ["3s", 3_000_000_000],
    ["10min", 600_000_000_000],
    ["9007199254740991ns", 9_007_199_254_740_991],
  ])("%s is %d ns", (text, ns) => {
    expect(text).toMatch(durationPattern);
    expect(parseDuration(text)).toBe(ns);
  });

  it.each([
    ["0.5ns", "is not a whole number of ns"],
    ["1.0005us", "is not a whole number of ns"],
    ["9007199254740992ns", "is more than 2^53 ns, 104 days"],
    ["9007200s", "is more than 2^53 ns, 104 days"],
  ])("%s is refused", (text, wrong) => {
    expect(parseDuration(text)).toBe(wrong);
  });

  it.each([
    "3",
    "s",
    "-3s",
    "+3s",
    "3 s",
    "3S",
    "3sec",
    "1e3s",
    "1,5ms",
    ".5s",
    "5.s",
    " 3s",
    "3s ",
    "3m",
    "1.0000000001s",
  ])("is not %j", (text) => expect(text).not.toMatch(durationPattern));
});

describe("a size", () => {
  it.each([
    ["4KiB", 1],
    ["1.5MiB", 384],
    ["128MiB", 32_768],
    ["2GiB", 524_288],
    ["0.25GiB", 65_536],
    ["256GiB", 67_108_864],
  ])("%s is %d pages", (text, pages) => {
    expect(text).toMatch(sizePattern);
    expect(parseSize(text)).toBe(pages);
  });

  it.each([
    ["5KiB", "is not a multiple of 4KiB, the page"],
    ["0.001MiB", "is not a multiple of 4KiB, the page"],
    ["257GiB", "is more than 256GiB"],
  ])("%s is refused", (text, wrong) => expect(parseSize(text)).toBe(wrong));

  it.each(["128MB", "128M", "128mib", "4096B", "128", "-4KiB"])("is not %j", (text) =>
    expect(text).not.toMatch(sizePattern),
  );
});
