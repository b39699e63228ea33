/** What came of a policy, in a sentence made of its numbers. The same facts read the same. */
import type { ComparisonReport, OperationSummary, VariantSummary } from "../../run/timed/comparison.ts";
import { formatDuration } from "../format.ts";
import { joinLabels, variantLabel } from "../variant.ts";
import {
  doneWord,
  formatNumber,
  formatPercent,
  holderNames,
  mainOperation,
  meanOf,
  stalledShare,
} from "./cells.ts";

/** "with every seed", "with 2 of 5 seeds". */
function howOften(nr: number, runs: number): string {
  if (runs === 1) return "";
  return nr === runs ? " with every seed" : ` with ${nr} of ${runs} seeds`;
}

function pagesText(mean: number): string {
  return `${formatNumber(mean)} page${mean === 1 ? "" : "s"}`;
}

function crashText({ crash, crashed, runs }: VariantSummary): string[] {
  if (crash === null) return [];
  const where = crash.trace.slice(0, 2).join(" ← ");
  return [`${crash.kind}${howOften(crashed, runs)}: ${where} (${crash.invariant})`];
}

function brokenText({ violation, violated, runs }: VariantSummary): string[] {
  if (violation === null) return [];
  return [`a recount finds ${violation.invariant} broken${howOften(violated, runs)}`];
}

function successText({ success, durationNs, cleanAtOnce, ...operation }: OperationSummary): string[] {
  if (success.successes === 0) return [];
  const often = howOften(success.successes, success.runs);
  // With failures among them the mean is one of both.
  const after =
    success.successes === durationNs.estimate?.runs
      ? ` after ${formatDuration(durationNs.estimate.mean)}`
      : "";
  const atOnce =
    operation.do === "offline" && cleanAtOnce === success.successes
      ? ", every page at the first attempt"
      : "";
  return [`${doneWord(operation)}${often}${after}${atOnce}`];
}

function failureText(summary: VariantSummary, operation: OperationSummary): string[] {
  const { success, endings, errnos, pagesLeft } = operation;
  const failed = endings.returned - success.successes;
  const found: string[] = [];
  if (failed > 0) {
    const what = errnos.length === 0 ? "returns with pages left" : `returns -${errnos.join(" or -")}`;
    found.push(`${what}${howOften(failed, success.runs)}`);
  }
  if (endings.gaveUp > 0) found.push(`the caller gives up${howOften(endings.gaveUp, success.runs)}`);
  if (endings.unfinished > 0) found.push(`not ended${howOften(endings.unfinished, success.runs)}`);
  const left = pagesLeft.estimate?.mean ?? 0;
  if (found.length > 0 && left > 0) {
    const mean = success.runs > 1 ? " on average" : "";
    const holders = summary.blame.length === 0 ? "" : `; held by ${holderNames(summary.blame)}`;
    found.push(`${pagesText(left)} left${mean}${holders}`);
  }
  return found;
}

function workText(summary: VariantSummary): string[] {
  const share = stalledShare(summary);
  const median = summary.percentiles.faultLatency?.p50Ns;
  const accesses = meanOf(summary, "accesses");
  return [
    ...(accesses > 0 ? [`${formatNumber(accesses)} accesses`] : []),
    ...(share === null ? [] : [`vCPUs stall ${formatPercent(share)} of their time`]),
    ...(median === undefined ? [] : [`half of the faults take ${formatDuration(median)} or less`]),
  ];
}

/** What happened, in a line. */
export function timedVerdict(summary: VariantSummary): string {
  if (summary.runs === 0) return "not run";
  const operation = mainOperation(summary);
  const told = operation === undefined ? workText(summary) : successText(operation);
  const failed = operation === undefined ? [] : failureText(summary, operation);
  const parts = [...told, ...failed, ...crashText(summary), ...brokenText(summary)];
  return parts.length === 0 ? "nothing to tell" : parts.join("; ");
}

/** Which policies did what the scenario asks for, in a line; empty if it asks for nothing. */
export function timedAnswer(report: ComparisonReport): string {
  const found = { every: [] as string[], some: [] as string[], never: [] as string[] };
  for (const summary of report.policies) {
    const operation = mainOperation(summary);
    if (operation === undefined) continue;
    const { successes, runs } = operation.success;
    const label = variantLabel(summary);
    if (successes === 0) found.never.push(label);
    else if (successes < runs) found.some.push(label);
    else found.every.push(label);
  }
  const main = report.policies.map(mainOperation).find((operation) => operation !== undefined);
  if (main === undefined) return "";
  const word = doneWord(main);
  const start = `${word.slice(0, 1).toUpperCase()}${word.slice(1)}`;
  const parts: readonly (readonly [string, readonly string[]])[] = [
    [report.seeds.length === 1 ? start : `${start} with every seed`, found.every],
    ["With some", found.some],
    [report.seeds.length === 1 ? `Not ${word}` : "With none", found.never],
  ];
  return parts
    .filter(([, labels]) => labels.length > 0)
    .map(([what, labels]) => `${what}: ${joinLabels(labels)}.`)
    .join(" ");
}
