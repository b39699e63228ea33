/** The report of `pinshift run` for a terminal: a line a policy, what it comes to, and more on request. */
import type { ComparisonReport, VariantSummary } from "../../run/timed/comparison.ts";
import { formatCount, formatDuration } from "../format.ts";
import type { Layout } from "../explain.ts";
import { type Column, type Paint, renderTable, wrap } from "../table.ts";
import { variantLabel } from "../variant.ts";
import {
  NONE,
  differenceText,
  estimateText,
  formatNumber,
  formatPercent,
  formatOf,
  hasOperations,
  holderNames,
  mainOperation,
  meanOf,
  outcomeText,
  relativeText,
  stalledShare,
} from "./cells.ts";
import { blameTable, intervalsTable, metricsTables, operationsTable, percentilesTable } from "./details.ts";
import { timedAnswer, timedVerdict } from "./verdict.ts";

export const MAX_WIDTH = 120;

/** What is shown besides the table of policies. */
export interface TimedDetails {
  readonly percentiles?: boolean;
  readonly metrics?: boolean;
  readonly intervals?: boolean;
}

/** The measure that a scenario without operations is about: what its tasks have got done. */
function workMeasure({ policies }: ComparisonReport): "accesses" | "workNs" {
  return policies.some((summary) => meanOf(summary, "workNs") > meanOf(summary, "accesses"))
    ? "workNs"
    : "accesses";
}

const POLICY: Column = { head: "policy", width: 16 };

const OPERATION_COLUMNS: readonly Column[] = [
  POLICY,
  { head: "outcome", width: 12 },
  { head: "after", width: 16, align: "right" },
  { head: "difference", width: 12, align: "right" },
  { head: "left", width: 5, align: "right" },
  { head: "pins", width: 5, align: "right" },
  { head: "fault p50", width: 7, align: "right" },
  { head: "p99", width: 7, align: "right" },
  { head: "stalled", width: 7, align: "right" },
  { head: "held by", width: 15 },
];

const WORK_COLUMNS: readonly Column[] = [
  POLICY,
  { head: "work", width: 21, align: "right" },
  { head: "difference", width: 12, align: "right" },
  { head: "faults", width: 10, align: "right" },
  { head: "async", width: 10, align: "right" },
  { head: "pins", width: 5, align: "right" },
  { head: "fault p50", width: 7, align: "right" },
  { head: "p99", width: 7, align: "right" },
  { head: "stalled", width: 8, align: "right" },
];

/** Mean number of pins, latency of faults, time stalled. */
function loadCells(summary: VariantSummary): string[] {
  const { faultLatency } = summary.percentiles;
  const share = stalledShare(summary);
  const pins = summary.measures.meanPins.estimate;
  return [
    pins === null ? NONE : formatNumber(pins.mean),
    faultLatency === null ? NONE : formatDuration(faultLatency.p50Ns),
    faultLatency === null ? NONE : formatDuration(faultLatency.p99Ns),
    share === null ? NONE : formatPercent(share),
  ];
}

function paintedOutcome(summary: VariantSummary, paint: Paint): string {
  const operation = mainOperation(summary);
  if (operation === undefined) return NONE;
  const text = outcomeText(summary, operation);
  if (summary.crashed > 0) return paint("red", text);
  const { successes, runs } = operation.success;
  return paint(successes === runs && summary.violated === 0 ? "green" : "yellow", text);
}

function operationRow(summary: VariantSummary, paint: Paint): string[] {
  const operation = mainOperation(summary);
  return [
    variantLabel(summary),
    paintedOutcome(summary, paint),
    estimateText(operation?.durationNs.estimate ?? null, formatDuration),
    differenceText(operation?.durationNs.difference ?? null, formatDuration),
    estimateText(operation?.pagesLeft.estimate ?? null, formatNumber).replace(/ ±.*/, ""),
    ...loadCells(summary),
    holderNames(summary.blame),
  ];
}

function workRow(summary: VariantSummary, measure: "accesses" | "workNs"): string[] {
  const work = summary.measures[measure];
  return [
    summary.crashed > 0
      ? `${variantLabel(summary)} (${summary.crashed}/${summary.runs} crash)`
      : variantLabel(summary),
    estimateText(work.estimate, formatOf(measure)),
    relativeText(work),
    formatNumber(meanOf(summary, "faults")),
    formatNumber(meanOf(summary, "asyncPfs")),
    ...loadCells(summary),
  ];
}

function heading({ title, kernel, costs, seeds, forked, ...report }: ComparisonReport): string[] {
  const first = Math.min(...seeds);
  const last = Math.max(...seeds);
  const isRange = seeds.length > 2 && last - first === seeds.length - 1;
  const list = isRange ? `${first}–${last}` : seeds.join(", ");
  const facts = [
    `scenario ${report.scenario}`,
    `Linux ${kernel}`,
    `costs ${costs}`,
    `at most ${formatDuration(report.durationNs)}`,
    `${seeds.length === 1 ? "seed" : "seeds"} ${list}`,
    ...(forked ? ["one state for all policies"] : []),
  ];
  return [title, facts.join(" · ")];
}

/** What the numbers are, and what the marks say. */
function legend(report: ComparisonReport): string {
  const [first] = report.policies;
  const base = first === undefined ? "" : variantLabel(first);
  const load =
    "pins: mean number of pages pinned. fault: from an access to when the task can go on. " +
    "stalled: part of vCPU time in which a task could have run. Times are simulated.";
  if (report.seeds.length === 1) return `One seed: no intervals, and no tests. ${load}`;
  const crashed = report.policies.some((summary) => summary.crashed > 0)
    ? " Runs that crash are counted and enter no mean."
    : "";
  if (report.comparisons === 0) return `±: 95 % interval of the mean.${crashed} ${load}`;
  const compared = `${report.comparisons} comparison${report.comparisons === 1 ? "" : "s"}`;
  return (
    `±: 95 % interval of the mean. difference: to ${base}, seed by seed; * p < 0.05, ** p < 0.01 by a ` +
    `paired t test, corrected for ${compared} (Holm); = the same with every seed.${crashed} ${load}`
  );
}

function verdicts(report: ComparisonReport, paint: Paint, columns: number): string {
  const labels = report.policies.map(variantLabel);
  const indent = Math.max(...labels.map((label) => label.length)) + 2;
  return report.policies
    .map((summary) => {
      const label = variantLabel(summary);
      const text = wrap(timedVerdict(summary), columns, " ".repeat(indent));
      return paint("bold", label) + text.slice(label.length);
    })
    .join("\n");
}

function policyTable(report: ComparisonReport, paint: Paint): string {
  if (hasOperations(report)) {
    const rows = report.policies.map((summary) => operationRow(summary, paint));
    return renderTable(OPERATION_COLUMNS, rows, paint);
  }
  const measure = workMeasure(report);
  const columns = WORK_COLUMNS.map((column) =>
    column.head === "work" && measure === "accesses" ? { ...column, head: "accesses" } : column,
  );
  return renderTable(
    columns,
    report.policies.map((summary) => workRow(summary, measure)),
    paint,
  );
}

/** For a terminal of so many columns, at most 120 of which are used. */
export function renderComparisonTable(
  report: ComparisonReport,
  layout: Layout,
  details: TimedDetails = {},
): string {
  const { paint } = layout;
  const columns = Math.min(layout.columns, MAX_WIDTH);
  const [title = "", facts = ""] = heading(report);
  const done = report.runs.length;
  const all = report.policies.length * report.seeds.length;
  const answer = timedAnswer(report);
  const blocks = [
    `${paint("bold", title)}\n${wrap(facts, columns)}`,
    policyTable(report, paint).trimEnd(),
    verdicts(report, paint, columns),
    ...(answer === "" ? [] : [paint("bold", wrap(answer, columns))]),
    ...operationsTable(report, paint),
    ...blameTable(report, paint),
    ...(details.percentiles === true ? percentilesTable(report, paint) : []),
    ...(details.metrics === true ? metricsTables(report, paint) : []),
    ...(details.intervals === true ? intervalsTable(report, paint) : []),
    ...(report.interrupted
      ? [paint("yellow", `Interrupted: ${formatCount(done)} of ${formatCount(all)} runs.`)]
      : []),
    paint("dim", wrap(legend(report), columns)),
  ];
  return `${blocks.join("\n\n")}\n`;
}
