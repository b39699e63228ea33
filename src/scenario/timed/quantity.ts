/** Durations and sizes as people write them, in integers: "1.5ms" is 1,500,000 ns exactly. */
import { MAX_PFN } from "../../core/abi.ts";

const DURATION_UNITS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3, // the micro sign
  μs: 1e3, // the Greek letter
  ms: 1e6,
  s: 1e9,
  min: 60e9,
};

/** In pages of 4 KiB. */
const SIZE_UNITS: Readonly<Record<string, readonly [times: number, per: number]>> = {
  KiB: [1, 4],
  MiB: [2 ** 8, 1],
  GiB: [2 ** 18, 1],
};

function patternOf(units: Readonly<Record<string, unknown>>): RegExp {
  return new RegExp(`^(\\d{1,16})(?:\\.(\\d{1,9}))?(${Object.keys(units).join("|")})$`);
}

export const durationPattern = patternOf(DURATION_UNITS);
export const sizePattern = patternOf(SIZE_UNITS);

/** A number; or in words what is wrong with the text. */
export type Quantity = number | string;

/** `whole.fraction * times / per`, if it is an integer. */
function exactly(whole: string, fraction: string, times: number, per: number): bigint | null {
  const divisor = 10n ** BigInt(fraction.length) * BigInt(per);
  const value = BigInt(whole + fraction) * BigInt(times);
  return value % divisor === 0n ? value / divisor : null;
}

/** A duration in ns. */
export function parseDuration(text: string): Quantity {
  const [, whole = "", fraction = "", unit = ""] = durationPattern.exec(text) ?? [];
  const ns = exactly(whole, fraction, DURATION_UNITS[unit] ?? 0, 1);
  if (ns === null) return "is not a whole number of ns";
  return ns <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(ns) : "is more than 2^53 ns, 104 days";
}

/** A size in pages of 4 KiB. */
export function parseSize(text: string): Quantity {
  const [, whole = "", fraction = "", unit = ""] = sizePattern.exec(text) ?? [];
  const [times, per] = SIZE_UNITS[unit] ?? [0, 1];
  const pages = exactly(whole, fraction, times, per);
  if (pages === null) return "is not a multiple of 4KiB, the page";
  return pages <= BigInt(MAX_PFN) ? Number(pages) : "is more than 256GiB";
}
