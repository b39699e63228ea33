/** The report of `pinshift run` as JSON: a summary a policy, and every run with its state hash. */
import type { ComparisonReport } from "../../run/timed/comparison.ts";
import type { TimedRun } from "../../run/timed/result.ts";
import { renderJson } from "../csv.ts";
import { timedVerdict } from "./verdict.ts";

/** A run without its histograms, whose percentiles are in the summaries. */
function jsonRun(run: TimedRun, withIntervals: boolean): Record<string, unknown> {
  return {
    policy: run.policy,
    repairs: run.repairs,
    seed: run.seed,
    stateHash: run.stateHash,
    endNs: run.endNs,
    events: run.events,
    crash: run.crash,
    violation: run.violation,
    operations: run.operations,
    metrics: run.metrics,
    ...(withIntervals ? { intervals: run.intervals } : {}),
  };
}

export function renderComparisonJson(
  report: ComparisonReport,
  { intervals = false }: { readonly intervals?: boolean } = {},
): string {
  const policies = report.policies.map((summary) => ({ verdict: timedVerdict(summary), ...summary }));
  const runs = report.runs.map((run) => jsonRun(run, intervals));
  return renderJson({ ...report, policies, runs });
}
