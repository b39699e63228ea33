/**
 * How long a property is tried, and on what: FUZZ_RUNS runs, the same ones each time, so that a run of the
 * tests says something of the change it tests. FUZZ_SEED=random tries others, FUZZ_SEED=<integer> repeats a
 * failure.
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

/** `share` of the runs, for properties that take longer. fast-check prints the seed of a failure. */
export function runs<T>(share = 1): Parameters<T> {
  const random = process.env["FUZZ_SEED"] === "random";
  const seed = random ? undefined : (fromEnvironment("FUZZ_SEED") ?? USUAL_SEED);
  const numRuns = Math.ceil((fromEnvironment("FUZZ_RUNS") ?? 100) * share);
  return { numRuns, ...(seed !== undefined && { seed }) };
}

/** Long enough for that many. */
export const fuzzTimeoutMs = MINUTE_MS * Math.max(1, Math.ceil((fromEnvironment("FUZZ_RUNS") ?? 100) / 50));
