/**
 * How long a property is tried, and on what: FUZZ_RUNS runs, the same ones each time, so that a run of the
 * tests says something of the change it tests. FUZZ_SEED=random tries others, FUZZ_SEED=<integer> repeats a
 * failure. FUZZ_LISTS says how many long lists test/differential plays in bulk.
 */
import type { Parameters } from "fast-check";

const MINUTE_MS = 60_000;

function fromEnvironment(name: string): number | undefined {
  const text = process.env[name];
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new Error(`${name}: ${text} is not an integer`);
  return value;
}

const USUAL_SEED = 20_130_930;

const USUAL_RUNS = 100;
const USUAL_LISTS = 10_000;

function seed(): number | undefined {
  if (process.env["FUZZ_SEED"] === "random") return undefined;
  return fromEnvironment("FUZZ_SEED") ?? USUAL_SEED;
}

/** `share` of the runs, for properties that take longer. fast-check prints the seed of a failure. */
export function runs<T>(share = 1): Parameters<T> {
  const numRuns = Math.ceil((fromEnvironment("FUZZ_RUNS") ?? USUAL_RUNS) * share);
  const from = seed();
  return { numRuns, ...(from !== undefined && { seed: from }) };
}

/** Long enough for that many. */
export const fuzzTimeoutMs =
  MINUTE_MS * Math.max(1, Math.ceil((fromEnvironment("FUZZ_RUNS") ?? USUAL_RUNS) / 50));

const lists = fromEnvironment("FUZZ_LISTS") ?? USUAL_LISTS;

/** Part `part` of `parts` of the many lists: from a seed of its own, unless one was given to repeat it. */
export function bulk<T>(part: number, parts: number): Parameters<T> {
  const from = seed();
  const own = from === USUAL_SEED ? from + part : from;
  return { numRuns: Math.ceil(lists / parts), ...(own !== undefined && { seed: own }) };
}

export const bulkTimeoutMs = MINUTE_MS * Math.max(1, Math.ceil(lists / 500));
