/** The report of `pinshift explore --repairs all`: what every subset of the repairs breaks. */
import type { RepairName } from "../core/names.ts";
import { type LatticeReport, type SubsetResult, brokenInvariants } from "../run/explore/lattice.ts";
import { renderCsv, renderJson } from "./csv.ts";
import type { Layout } from "./explain.ts";
import { counted } from "./finding.ts";
import { formatCount } from "./format.ts";
import { markdownBlocks, markdownTable, markdownText } from "./markdown.ts";
import { type Column, type Paint, renderTable, wrap } from "./table.ts";

const MAX_WIDTH = 120;
const BROKEN = "✗";
const KEPT = "·";
/** Not found, but not all states were visited. */
const UNKNOWN = "?";

function headingText({ kernel, models }: LatticeReport): string {
  const what = models.length === 1 ? `model ${models[0] ?? ""}` : counted(models.length, "model");
  return `Linux ${kernel} · rfc with every subset of its repairs · ${what}`;
}

/** "L1 L2", "none". */
function subsetText(repairs: readonly RepairName[]): string {
  return repairs.length === 0 ? "none" : repairs.join(" ");
}

function markOf({ breaks, complete }: SubsetResult, invariant: string): string {
  if (breaks.some((broken) => broken.invariant === invariant)) return BROKEN;
  return complete ? KEPT : UNKNOWN;
}

function completeText({ incomplete }: SubsetResult): string {
  if (incomplete.length === 0) return "yes";
  const reasons = [...new Set(incomplete.map(({ stoppedBy }) => stoppedBy))];
  return `no: ${reasons.join(", ")}`;
}

/** "max-states (two-pages in 3 subsets)": what ended searches, and how often. */
function incompleteText({ subsets }: LatticeReport): string {
  const stopped = subsets.flatMap(({ incomplete }) => incomplete);
  const reasons = [...new Set(stopped.map(({ stoppedBy }) => stoppedBy))];
  return reasons
    .map((reason) => {
      const models = stopped.filter(({ stoppedBy }) => stoppedBy === reason).map(({ model }) => model);
      const texts = [...new Set(models)].map(
        (model) => `${model} in ${counted(models.filter((other) => other === model).length, "subset")}`,
      );
      return `${reason} (${texts.join(", ")})`;
    })
    .join(", ");
}

/** A line for each invariant, and one for all: the minimal subsets that keep it. */
function minimalLines({ minimal }: LatticeReport): (readonly [what: string, subsets: string])[] {
  return Object.entries(minimal).map(([what, subsets]) => {
    const text = subsets.map((repairs) => (repairs.length === 0 ? "none" : repairs.join("+"))).join(" or ");
    return [what, text === "" ? "no subset is known to be" : text];
  });
}

/** What the answer does not say. */
function notes(report: LatticeReport): string[] {
  const incomplete = report.subsets.filter(({ complete }) => !complete).length;
  const unknown =
    incomplete === 0
      ? []
      : [
          `${counted(incomplete, "subset")} of ${report.subsets.length} not searched to the end: ` +
            `${incompleteText(report)}. What they do not show may still be there (${UNKNOWN}).`,
        ];
  return [
    "A subset that has more repairs than a minimal one may break again what that one keeps.",
    ...unknown,
  ];
}

function subsetTable(report: LatticeReport, paint: Paint): string {
  const invariants = brokenInvariants(report.subsets);
  const isIncomplete = report.subsets.some(({ complete }) => !complete);
  const marks: Record<string, string> = { [BROKEN]: paint("red", BROKEN), [KEPT]: paint("dim", KEPT) };
  const columns: Column[] = [
    { head: "repairs", width: 14 },
    { head: "findings", width: 8, align: "right" },
    ...invariants.map((invariant) => ({
      head: invariant.replace("INV-", ""),
      width: columnWidth(invariant),
    })),
    ...(isIncomplete ? [{ head: "complete", width: 16 }] : []),
  ];
  const rows = report.subsets.map((subset) => [
    subsetText(subset.repairs),
    subset.breaks.length === 0 && subset.complete ? paint("green", "0") : String(subset.breaks.length),
    ...invariants.map((invariant) => {
      const mark = markOf(subset, invariant);
      return marks[mark] ?? paint("yellow", mark);
    }),
    ...(isIncomplete ? [paint(subset.complete ? "green" : "yellow", completeText(subset))] : []),
  ]);
  return renderTable(columns, rows, paint);
}

function columnWidth(invariant: string): number {
  return invariant.length - "INV-".length;
}

/** The report for a terminal of so many columns, at most 120 of which are used. */
export function renderLatticeTable(report: LatticeReport, { paint, columns: wanted }: Layout): string {
  const columns = Math.min(wanted, MAX_WIDTH);
  const minimal = minimalLines(report);
  const width = Math.max(...minimal.map(([what]) => what.length)) + 2;
  const lines = minimal.map(([what, text]) => {
    const wrapped = wrap(text, columns, " ".repeat(width));
    return what === "clean"
      ? paint("bold", what.padEnd(width) + wrapped.slice(width))
      : what.padEnd(width) + wrapped.slice(width);
  });
  return [
    paint("bold", headingText(report)),
    "",
    subsetTable(report, paint),
    paint("bold", "Minimal subsets"),
    ...lines,
    "",
    ...notes(report).map((note) => wrap(note, columns)),
    "",
  ].join("\n");
}

export function renderLatticeJson(report: LatticeReport): string {
  return renderJson(report);
}

const CSV_COLUMNS = [
  "kernel",
  "policy",
  "repairs",
  "complete",
  "states",
  "transitions",
  "invariant",
  "transition",
  "field",
  "kind",
] as const;

/** A row for each thing that a subset breaks, one for a subset that breaks nothing. */
export function renderLatticeCsv(report: LatticeReport): string {
  const rows = report.subsets.flatMap(({ repairs, complete, states, transitions, breaks }) => {
    const head = [report.kernel, report.policy, repairs.join("+"), complete, states, transitions];
    if (breaks.length === 0) return [[...head, null, null, null, null]];
    return breaks.map(({ invariant, transition, field, kind }) => [
      ...head,
      invariant,
      transition,
      field,
      kind,
    ]);
  });
  return renderCsv(CSV_COLUMNS, rows);
}

export function renderLatticeMarkdown(report: LatticeReport): string {
  const invariants = brokenInvariants(report.subsets);
  const table = markdownTable(
    [
      { head: "repairs" },
      { head: "states", align: "right" },
      { head: "findings", align: "right" },
      ...invariants.map((invariant) => ({ head: invariant })),
      { head: "complete" },
    ],
    report.subsets.map((subset) => [
      subsetText(subset.repairs),
      formatCount(subset.states),
      String(subset.breaks.length),
      ...invariants.map((invariant) => markOf(subset, invariant)),
      completeText(subset),
    ]),
  );
  const minimal = markdownTable([{ head: "keeps" }, { head: "minimal subsets" }], minimalLines(report));
  return markdownBlocks([
    `# ${markdownText(headingText(report))}`,
    `Models: ${markdownText(report.models.join(", "))}`,
    table,
    "## Minimal subsets",
    minimal,
    ...notes(report).map((note) => markdownText(note)),
  ]);
}
