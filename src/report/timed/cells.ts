/** What stands in a cell: estimates, differences, outcomes, holders. */
import type {
  Compared,
  ComparisonReport,
  MeasureName,
  OperationSummary,
  VariantSummary,
} from "../../run/timed/comparison.ts";
import type { BlameRow } from "../../run/timed/result.ts";
import { type Difference, type Estimate, significanceMark } from "../../run/timed/statistics.ts";
import { formatCount, formatDuration, formatRanges } from "../format.ts";

export const NONE = "–";
export type Format = (value: number) => string;

/** 12345.6 → "12,346", 2.34567 → "2.3", 0.0314 → "0.031". */
export function formatNumber(value: number): string {
  const size = Math.abs(value);
  if (Number.isInteger(value) || size >= 100) return formatCount(Math.round(value));
  return size >= 1 ? value.toFixed(1) : String(Number(value.toPrecision(2)));
}

export function formatPercent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

/** How a number of this name is written: its name says if it is a time. */
export function formatOf(name: string): Format {
  return name.endsWith("Ns") ? formatDuration : formatNumber;
}

/** "36.2 ms ± 1.1 ms"; the mean alone where there is no interval, or an empty one. */
export function estimateText(estimate: Estimate | null, format: Format): string {
  if (estimate === null) return NONE;
  const { mean, low, high } = estimate;
  if (low === null || high === null || low === high) return format(mean);
  return `${format(mean)} ± ${format((high - low) / 2)}`;
}

function signed(value: number, format: Format): string {
  if (value === 0) return "0";
  return `${value < 0 ? "−" : "+"}${format(Math.abs(value))}`;
}

/** "−3.0 s **". */
export function differenceText(difference: Difference | null, format: Format): string {
  if (difference === null) return NONE;
  return `${signed(difference.mean, format)} ${significanceMark(difference)}`.trimEnd();
}

/** "+91.0 % **": the difference as a part of what the first policy has. */
export function relativeText({ estimate, difference }: Compared): string {
  if (estimate === null || difference === null) return NONE;
  const base = estimate.mean - difference.mean;
  return base === 0 ? NONE : differenceText({ ...difference, mean: difference.mean / base }, formatPercent);
}

/** What it is called if it has succeeded. */
const DONE: Readonly<Record<string, string>> = { offline: "offline", "move-pages": "moved" };

export function doneWord(operation: { readonly do: string }): string {
  return DONE[operation.do] ?? "done";
}

/** What became of an operation and in how many runs, the best first. */
export function outcomes(
  summary: VariantSummary,
  operation: OperationSummary,
): (readonly [what: string, runs: number])[] {
  const { success, endings, errnos } = operation;
  const failed = endings.returned - success.successes;
  const found: (readonly [string, number])[] = [
    [doneWord(operation), success.successes],
    [errnos.length === 0 ? "in part" : errnos.join("/"), failed],
    ["gave up", endings.gaveUp],
    ["unfinished", endings.unfinished],
    [summary.crash?.kind ?? "crash", endings.crashed],
  ];
  return found.filter(([, runs]) => runs > 0);
}

/** "offline 3/5, gave up 2/5"; with one run "offline". */
export function outcomeText(summary: VariantSummary, operation: OperationSummary): string {
  const { runs } = operation.success;
  const found = outcomes(summary, operation);
  return found.map(([what, nr]) => (runs === 1 ? what : `${what} ${nr}/${runs}`)).join(", ");
}

/** The operation that the scenario is about: to take memory offline, to move it, or its first one. */
export function mainOperation({ operations }: VariantSummary): OperationSummary | undefined {
  return (
    operations.find((operation) => operation.do === "offline") ??
    operations.find((operation) => operation.do === "move-pages") ??
    operations[0]
  );
}

export function hasOperations(report: ComparisonReport): boolean {
  return report.policies.some(({ operations }) => operations.length > 0);
}

/** "async_pf vcpu 0–3, get": those who have kept pages from moving. */
export function holderNames(blame: readonly BlameRow[]): string {
  const kinds = [...new Set(blame.map(({ kind }) => kind))];
  if (kinds.length === 0) return NONE;
  return kinds
    .map((kind) => {
      const rows = blame.filter((row) => row.kind === kind);
      const vcpus = [...new Set(rows.flatMap(({ vcpu }) => vcpu ?? []))].toSorted((a, b) => a - b);
      return vcpus.length === 0 ? kind : `${kind} vcpu ${formatRanges(vcpus)}`;
    })
    .join(", ");
}

/** The mean of a measure, 0 if there is none. */
export function meanOf(summary: VariantSummary, name: MeasureName): number {
  return summary.measures[name].estimate?.mean ?? 0;
}

/** The part of vCPU time in which a task could have run and the vCPU did not; null without vCPUs. */
export function stalledShare(summary: VariantSummary): number | null {
  const parts = ["guestNs", "haltedNs", "stalledNs", "waitingNs"] as const;
  const all = parts.reduce((sum, name) => sum + meanOf(summary, name), 0);
  return all === 0 ? null : meanOf(summary, "stalledNs") / all;
}
