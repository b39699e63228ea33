/** Numbers on the command line. */
import { InvalidArgumentError } from "commander";

/** A parser of an option that takes an integer; without bounds one that is not negative. */
export function integerBetween(min = 0, max = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw new InvalidArgumentError(`Allowed is an integer from ${min} to ${max}.`);
  };
}

const UNITS_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;

function isUnit(text: string): text is keyof typeof UNITS_MS {
  return Object.hasOwn(UNITS_MS, text);
}

/** "30s" in ms. */
export function parseDuration(text: string): number {
  const [, value, unit = ""] = /^(\d+(?:\.\d+)?)([a-z]+)$/.exec(text) ?? [];
  if (isUnit(unit)) return Number(value) * UNITS_MS[unit];
  throw new InvalidArgumentError("Allowed is a number with its unit: 500ms, 30s, 2m, 1h.");
}
