/** The runs of `pinshift run` as rows: one a run, or one a run and interval. */
import type { ComparisonReport } from "../../run/timed/comparison.ts";
import { percentiles } from "../../run/timed/percentiles.ts";
import { type OperationResult, type TimedRun, histogramNames, metricNames } from "../../run/timed/result.ts";
import { type Value, renderCsv } from "../csv.ts";
import { variantName } from "../variant.ts";

/** A column, and what a run has in it. */
type Field = readonly [name: string, value: (run: TimedRun) => Value];

const OPERATION_FIELDS = [
  "ending",
  "ret",
  "errno",
  "durationNs",
  "rounds",
  "pagesMoved",
  "pagesLeft",
  "cleanAtOnce",
  "pinsAtStart",
] as const satisfies readonly (keyof OperationResult)[];
const PERCENTILE_FIELDS = ["count", "p50Ns", "p90Ns", "p99Ns", "p999Ns", "maxNs"] as const;

function identity({ scenario, kernel }: ComparisonReport): Field[] {
  return [
    ["scenario", () => scenario],
    ["kernel", () => kernel],
    ["policy", variantName],
    ["seed", ({ seed }) => seed],
    ["stateHash", ({ stateHash }) => stateHash],
  ];
}

const ENDS: readonly Field[] = [
  ["endNs", ({ endNs }) => endNs],
  ["events", ({ events }) => events],
  ["crash", ({ crash }) => crash?.kind ?? null],
  ["crashFunctions", ({ crash }) => crash?.trace.join(" ← ") ?? null],
  ["brokenInvariant", ({ crash, violation }) => crash?.invariant ?? violation?.invariant ?? null],
];

/** "offline.durationNs": the columns of each operation. */
function operationFields(report: ComparisonReport): Field[] {
  const names = [...new Set(report.runs.flatMap(({ operations }) => operations.map(({ name }) => name)))];
  return names.flatMap((name) =>
    OPERATION_FIELDS.map((field): Field => [
      `${name}.${field}`,
      ({ operations }) => operations.find((operation) => operation.name === name)?.[field] ?? null,
    ]),
  );
}

const percentileFields: readonly Field[] = histogramNames.flatMap((name) =>
  PERCENTILE_FIELDS.map((field): Field => [
    `${name}.${field}`,
    ({ histograms }) => percentiles([histograms[name]])?.[field] ?? null,
  ]),
);

/** One row a run. */
export function renderComparisonCsv(report: ComparisonReport): string {
  const fields = [
    ...identity(report),
    ...ENDS,
    ...operationFields(report),
    ...metricNames.map((name): Field => [name, ({ metrics }) => metrics[name]]),
    ...percentileFields,
  ];
  return renderCsv(
    fields.map(([name]) => name),
    report.runs.map((run) => fields.map(([, value]) => value(run))),
  );
}

/** One row a run and interval. */
export function renderIntervalsCsv(report: ComparisonReport): string {
  const fields = identity(report);
  const rows = report.runs.flatMap((run) =>
    run.intervals.map(({ endNs, pinsNow, freePages, metrics }, nr) => [
      ...fields.map(([, value]) => value(run)),
      run.intervals[nr - 1]?.endNs ?? 0,
      endNs,
      pinsNow,
      freePages,
      ...metricNames.map((name) => metrics[name]),
    ]),
  );
  const names = fields.map(([name]) => name);
  return renderCsv([...names, "startNs", "endNs", "pinsNow", "freePages", ...metricNames], rows);
}
