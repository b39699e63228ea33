/** What the runs of each policy have in common, and how the policies differ. */
import type { Errno } from "../../core/names.ts";
import type { PolicyVariant } from "../../scenario/variant.ts";
import type { Compared, MeasureName, OperationSummary, VariantSummary } from "./comparison.ts";
import { percentiles } from "./percentiles.ts";
import { type BlameRow, type OperationResult, type TimedRun, histogramNames, metricNames } from "./result.ts";
import { corrected, difference, estimate, proportion } from "./statistics.ts";

/** What a run has of something; null: nothing that may be averaged. */
type Value = (run: TimedRun) => number | null;

const NOTHING: Compared = { estimate: null, difference: null };

const intact = ({ crash }: TimedRun): boolean => crash === null;

/** The values of the runs that have one, by seed. */
function valuesBySeed(runs: readonly TimedRun[], value: Value): Map<number, number> {
  const found = new Map<number, number>();
  for (const run of runs.filter(intact)) {
    const nr = value(run);
    if (nr !== null) found.set(run.seed, nr);
  }
  return found;
}

/** One entry a policy. */
function compare(byVariant: readonly (readonly TimedRun[])[], value: Value): Compared[] {
  const values = byVariant.map((runs) => valuesBySeed(runs, value));
  const [base = new Map<number, number>()] = values;
  const differences = corrected(
    values.map((own, nr) => {
      const pairs = [...own].flatMap(([seed, mine]) => {
        const other = base.get(seed);
        return other === undefined ? [] : [[mine, other] as const];
      });
      if (nr === 0 || pairs.length === 0) return null;
      return difference(
        pairs.map(([mine]) => mine),
        pairs.map(([, other]) => other),
      );
    }),
  );
  return values.map((own, nr) => ({
    estimate: own.size === 0 ? null : estimate([...own.values()]),
    difference: differences[nr] ?? null,
  }));
}

/** True if the kernel has done what it was asked for. */
export function hasSucceeded({ ending, ret, errno, pagesLeft, ...operation }: OperationResult): boolean {
  if (ending !== "returned" || ret === null || ret < 0 || errno !== null) return false;
  // move_pages() returns 0 with pages that stayed: their status says so.
  return operation.do !== "move-pages" || pagesLeft === 0;
}

/** A table with these names. */
function recordOf<K extends string, V>(names: readonly K[], value: (name: K) => V): Record<K, V> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- fromEntries() forgets the keys
  return Object.fromEntries(names.map((name) => [name, value(name)])) as Record<K, V>;
}

/** One table a policy: each number of `names` compared. */
function compareAll<K extends string>(
  byVariant: readonly (readonly TimedRun[])[],
  names: readonly K[],
  valueOf: (run: TimedRun, name: K) => number | null,
): Record<K, Compared>[] {
  const all = recordOf(names, (name) => compare(byVariant, (run) => valueOf(run, name)));
  return byVariant.map((_, nr) => recordOf(names, (name) => all[name][nr] ?? NOTHING));
}

const measureNames: readonly MeasureName[] = [...metricNames, "endNs", "meanPins"];

function measureOf({ metrics, endNs }: TimedRun, name: MeasureName): number | null {
  if (name === "endNs") return endNs;
  // Little's law: the sum of the hold times over the time.
  if (name === "meanPins") return endNs === 0 ? null : metrics.pinNs / endNs;
  return metrics[name];
}

type OperationMeasure = (typeof operationMeasures)[number];
const operationMeasures = ["durationNs", "rounds", "pagesMoved", "pagesLeft", "pinsAtStart"] as const;

function namedOperation(run: TimedRun, name: string): OperationResult | undefined {
  return run.operations.find((operation) => operation.name === name);
}

function summariseOperation(
  runs: readonly TimedRun[],
  operation: OperationResult,
  compared: Record<OperationMeasure, Compared>,
): OperationSummary {
  const results = runs.filter(intact).flatMap((run) => namedOperation(run, operation.name) ?? []);
  const ended = (ending: OperationResult["ending"]): number =>
    results.filter((result) => result.ending === ending).length;
  const errnos = results.flatMap(({ errno }): Errno[] => (errno === null ? [] : [errno]));
  return {
    name: operation.name,
    do: operation.do,
    success: proportion(results.filter(hasSucceeded).length, runs.length),
    endings: {
      returned: ended("returned"),
      gaveUp: ended("gave-up"),
      unfinished: ended("unfinished"),
      crashed: runs.length - runs.filter(intact).length,
    },
    errnos: [...new Set(errnos)].toSorted(),
    cleanAtOnce: results.filter(({ cleanAtOnce }) => cleanAtOnce).length,
    ...compared,
  };
}

/** For each policy its operations. */
function summariseOperations(byVariant: readonly (readonly TimedRun[])[]): OperationSummary[][] {
  const [first] = byVariant.flat();
  const byOperation = (first?.operations ?? []).map((operation) => {
    const compared = compareAll(
      byVariant,
      operationMeasures,
      (run, name) => namedOperation(run, operation.name)?.[name] ?? null,
    );
    return compared.map((own, nr) => {
      const runs = byVariant[nr] ?? [];
      return runs.length === 0 ? [] : [summariseOperation(runs, operation, own)];
    });
  });
  return byVariant.map((_, nr) => byOperation.flatMap((summaries) => summaries[nr] ?? []));
}

/** Rows of one holder as one row. */
export function mergeBlame(rows: readonly BlameRow[]): BlameRow[] {
  const merged = new Map<string, BlameRow>();
  for (const row of rows) {
    const key = JSON.stringify([row.kind, row.guest, row.vcpu]);
    const before = merged.get(key);
    merged.set(key, {
      ...row,
      pages: row.pages + (before?.pages ?? 0),
      blockedNs: row.blockedNs + (before?.blockedNs ?? 0),
      longestNs: Math.max(row.longestNs, before?.longestNs ?? 0),
    });
  }
  return [...merged.values()].toSorted((a, b) => b.blockedNs - a.blockedNs || b.pages - a.pages);
}

/** One summary a policy, the policies in the order of their runs. */
export function summarise(
  variants: readonly PolicyVariant[],
  byVariant: readonly (readonly TimedRun[])[],
): VariantSummary[] {
  const compared = compareAll(byVariant, measureNames, measureOf);
  const operations = summariseOperations(byVariant);
  return variants.map(({ policy, repairs }, nr) => {
    const runs = byVariant[nr] ?? [];
    const counted = runs.filter(intact);
    const crashes = runs.flatMap(({ crash }) => crash ?? []);
    const violations = counted.flatMap(({ violation }) => violation ?? []);
    return {
      policy,
      repairs,
      runs: runs.length,
      crashed: crashes.length,
      violated: violations.length,
      crash: crashes[0] ?? null,
      violation: violations[0] ?? null,
      operations: operations[nr] ?? [],
      measures: compared[nr] ?? recordOf(measureNames, () => NOTHING),
      percentiles: recordOf(histogramNames, (name) =>
        percentiles(counted.map(({ histograms }) => histograms[name])),
      ),
      blame: mergeBlame(counted.flatMap(({ blame }) => blame)),
    };
  });
}
