/** What a search is expected to find: nothing, or certain invariants. */
import { type Invariant, invariants } from "../../core/names.ts";
import { nameOf } from "../../host/config.ts";
import type { ExploreReport } from "./result.ts";

export type Expectation = "clean" | readonly Invariant[];

/** Reads "clean" or "INV-TAG,INV-CTX". @throws {SimError} ERR_UNKNOWN_NAME */
export function parseExpectation(place: string, text: string): Expectation {
  const names = text.split(",").map((name) => name.trim());
  if (names.length === 1 && names[0] === "clean") return "clean";
  return names.map((name) => nameOf(place, invariants, name));
}

function notClean({ findings, models }: ExploreReport): string[] {
  const found = [...new Set(findings.map(({ invariant }) => invariant))];
  const stopped = models.filter(({ complete }) => !complete);
  return [
    ...(found.length === 0 ? [] : [`found ${found.join(", ")}`]),
    ...stopped.map(({ model, stoppedBy }) => `${model} not searched to the end: ${stoppedBy}`),
  ];
}

function otherThan(expected: readonly string[], { findings }: ExploreReport): string[] {
  const found = new Set<string>(findings.map(({ invariant }) => invariant));
  const missing = expected.filter((invariant) => !found.has(invariant));
  const unexpected = [...found].filter((invariant) => !expected.includes(invariant));
  return [
    ...(missing.length === 0 ? [] : [`not found ${missing.join(", ")}`]),
    ...(unexpected.length === 0 ? [] : [`found ${unexpected.join(", ")}`]),
  ];
}

/** How a report is other than expected, null if it is not. */
export function unmetText(report: ExploreReport, expectation: Expectation): string | null {
  const reasons = expectation === "clean" ? notClean(report) : otherThan(expectation, report);
  const expected = expectation === "clean" ? "clean" : expectation.join(", ");
  return reasons.length === 0 ? null : `expected ${expected}, but ${reasons.join("; ")}`;
}
