/** Tables below that of the policies: all operations, who was in the way, percentiles, numbers, intervals. */
import type { ComparisonReport, MeasureName, VariantSummary } from "../../run/timed/comparison.ts";
import {
  type BlameRow,
  type HistogramName,
  type Interval,
  type MetricName,
  histogramNames,
  metricNames,
} from "../../run/timed/result.ts";
import { formatCount, formatDuration } from "../format.ts";
import { type Column, type Paint, renderTable } from "../table.ts";
import { variantLabel } from "../variant.ts";
import { NONE, estimateText, formatNumber, formatOf, meanOf, outcomeText, relativeText } from "./cells.ts";

const SHOWN_HOLDERS = 8; // of one policy
const POLICIES_ABREAST = 4;

const right = (head: string, width: number): Column => ({ head, width, align: "right" });
const POLICY: Column = { head: "policy", width: 16 };

/** A title and its table; nothing without rows. */
function section(
  title: string,
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  paint: Paint,
): string[] {
  if (rows.length === 0) return [];
  return [`${paint("bold", title)}\n${renderTable(columns, rows, paint).trimEnd()}`];
}

/** Of a scenario with several operations. */
export function operationsTable(report: ComparisonReport, paint: Paint): string[] {
  const rows = report.policies.flatMap((summary) =>
    summary.operations.map((operation) => [
      variantLabel(summary),
      operation.name,
      outcomeText(summary, operation),
      estimateText(operation.durationNs.estimate, formatDuration),
      estimateText(operation.pagesMoved.estimate, formatNumber),
      estimateText(operation.pagesLeft.estimate, formatNumber),
    ]),
  );
  if (rows.length === report.policies.length) return [];
  const columns = [
    POLICY,
    { head: "operation", width: 20 },
    { head: "outcome", width: 22 },
    right("after", 19),
    right("moved", 15),
    right("left", 15),
  ];
  return section("Operations", columns, rows, paint);
}

function blameRow(summary: VariantSummary, row: BlameRow): string[] {
  const counted = summary.runs - summary.crashed;
  return [
    variantLabel(summary),
    row.kind,
    row.guest ?? NONE,
    row.vcpu === null ? NONE : String(row.vcpu),
    formatNumber(row.pages / counted),
    formatDuration(row.blockedNs / counted),
    formatDuration(row.longestNs),
  ];
}

/** Per run: who held pages that could not be moved. */
export function blameTable(report: ComparisonReport, paint: Paint): string[] {
  const columns = [
    POLICY,
    { head: "held by", width: 16 },
    { head: "guest", width: 16 },
    right("vCPU", 5),
    right("pages a run", 11),
    right("blocked a run", 13),
    right("longest", 9),
  ];
  const rows = report.policies.flatMap((summary) => {
    const { blame } = summary;
    const shown = blame.slice(0, SHOWN_HOLDERS).map((row) => blameRow(summary, row));
    const more = blame.length - shown.length;
    return more > 0 ? [...shown, [variantLabel(summary), `${more} more`, "", "", "", "", ""]] : shown;
  });
  return section("Who kept pages from moving", columns, rows, paint);
}

const HISTOGRAMS: Readonly<Record<HistogramName, string>> = {
  faultLatency: "fault, of a task",
  pinHold: "pin of async_pf",
  migration: "migration of a page",
  stall: "stall, of a vCPU",
};

export function percentilesTable(report: ComparisonReport, paint: Paint): string[] {
  const columns = [
    { head: "duration", width: 20 },
    POLICY,
    right("number", 11),
    ...["p50", "p90", "p99", "p99.9", "max"].map((head) => right(head, 9)),
  ];
  const rows = histogramNames.flatMap((name) =>
    report.policies.flatMap((summary) => {
      const found = summary.percentiles[name];
      if (found === null) return [];
      const values = [found.p50Ns, found.p90Ns, found.p99Ns, found.p999Ns, found.maxNs];
      return [
        [
          HISTOGRAMS[name],
          variantLabel(summary),
          formatCount(found.count),
          ...values.map((ns) => formatDuration(ns)),
        ],
      ];
    }),
  );
  return section("Percentiles over all seeds", columns, rows, paint);
}

const measureNames: readonly MeasureName[] = [...metricNames, "meanPins", "endNs"];

/** A few policies abreast, with the difference to the first as a part of it; what is always 0 is left out. */
export function metricsTables(report: ComparisonReport, paint: Paint): string[] {
  const told = measureNames.filter((name) => report.policies.some((summary) => meanOf(summary, name) !== 0));
  const starts = report.policies.map((_, nr) => nr).filter((nr) => nr % POLICIES_ABREAST === 0);
  return starts.flatMap((start) => {
    const policies = report.policies.slice(start, start + POLICIES_ABREAST);
    const columns = [
      { head: "a run", width: 17 },
      ...policies.map((summary) => right(variantLabel(summary), 23)),
    ];
    const rows = told.map((name) => [
      name,
      ...policies.map(({ measures }) => {
        const value = estimateText(measures[name].estimate, formatOf(name));
        const relative = relativeText(measures[name]);
        return relative === NONE || relative === "0" ? value : `${value}\n${relative}`;
      }),
    ]);
    return section("Means", columns, rows, paint);
  });
}

const INTERVAL_METRICS: readonly MetricName[] = ["accesses", "faults", "asyncPfs", "swapIns", "migrated"];

function mean(values: readonly number[]): string {
  return formatNumber(values.reduce((sum, value) => sum + value, 0) / values.length);
}

function intervalRow(label: string, endNs: number, intervals: readonly Interval[]): string[] {
  return [
    label,
    formatDuration(endNs),
    String(intervals.length),
    ...INTERVAL_METRICS.map((name) => mean(intervals.map(({ metrics }) => metrics[name]))),
    mean(intervals.map(({ pinsNow }) => pinsNow)),
    mean(intervals.map(({ freePages }) => freePages)),
  ];
}

/** Means over the seeds whose run has got so far. */
export function intervalsTable(report: ComparisonReport, paint: Paint): string[] {
  const rows = report.policies.flatMap((summary) => {
    const runs = report.runs.filter(
      ({ policy, repairs, crash }) =>
        crash === null && policy === summary.policy && repairs.join() === summary.repairs.join(),
    );
    const ends = [...new Set(runs.flatMap(({ intervals }) => intervals.map(({ endNs }) => endNs)))];
    return ends
      .toSorted((a, b) => a - b)
      .map((endNs) => {
        const same = runs.flatMap(({ intervals }) => intervals.filter((one) => one.endNs === endNs));
        return intervalRow(variantLabel(summary), endNs, same);
      });
  });
  const columns = [
    POLICY,
    right("until", 9),
    right("runs", 4),
    ...INTERVAL_METRICS.map((name) => right(name, 11)),
    right("pins", 6),
    right("free pages", 10),
  ];
  return section("Intervals", columns, rows, paint);
}
