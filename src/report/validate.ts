/** The report of `pinshift validate`: a line a case and a total; JSON; CSV with a row per disagreement. */
import type { CaseResult, ValidationReport } from "../run/validate.ts";
import { type Value, renderCsv, renderJson } from "./csv.ts";
import { formatCount } from "./format.ts";
import { type Colour, type Paint, wrap } from "./table.ts";

const MARKS: Readonly<Record<CaseResult["result"], readonly [mark: string, colour: Colour]>> = {
  agree: ["agrees", "green"],
  disagree: ["DISAGREES", "red"],
  "not-modelled": ["not modelled", "dim"],
};
const MARK_WIDTH = 12;
const SHOWN_CHARACTERS = 60;

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text;
}

function detail(one: CaseResult): string {
  if (one.reason !== null) return one.reason;
  const nr = one.deviations.length;
  const known = nr === 0 ? "" : `, ${nr} named deviation${nr === 1 ? "" : "s"}`;
  return `${formatCount(one.checked)} values${known}`;
}

function lines(one: CaseResult, nameWidth: number, paint: Paint): string[] {
  const [mark, colour] = MARKS[one.result];
  const head =
    `${one.name.padEnd(nameWidth)}  ${one.kernel.padEnd(9)}  ` +
    `${paint(colour, mark.padEnd(MARK_WIDTH))}  ${detail(one)}`;
  const disagreements = one.disagreements.map(
    ({ step, what, recorded, simulated }) =>
      `  step ${step}: ${what}: recorded ${shown(recorded)}, simulated ${shown(simulated)}`,
  );
  const known = new Set(one.deviations.map(({ id, what }) => `  ${what}: named deviation ${id}`));
  return [head.trimEnd(), ...disagreements, ...known];
}

function total(report: ValidationReport): string {
  const { agree, disagree, notModelled } = report;
  const checked = report.cases.reduce((sum, one) => sum + one.checked, 0);
  return (
    `${agree} agree, ${disagree} disagree, ${notModelled} not modelled; ` +
    `${formatCount(checked)} recorded values compared (what is not: --format json)`
  );
}

export function renderValidateTable(
  report: ValidationReport,
  { paint, columns }: { paint: Paint; columns: number },
): string {
  const nameWidth = Math.max(...report.cases.map(({ name }) => name.length));
  const body = report.cases.flatMap((one) => lines(one, nameWidth, paint));
  return `${[...body, "", paint("bold", wrap(total(report), columns))].join("\n")}\n`;
}

export function renderValidateJson(report: ValidationReport, version: string): string {
  return renderJson({ command: "validate", version, ...report });
}

const CSV_COLUMNS = [
  "name",
  "kernel",
  "result",
  "checked",
  "reason",
  "step",
  "what",
  "recorded",
  "simulated",
] as const;

function csvRows(one: CaseResult): Value[][] {
  const head = [one.name, one.kernel, one.result, one.checked, one.reason];
  if (one.disagreements.length === 0) return [[...head, null, null, null, null]];
  return one.disagreements.map(({ step, what, recorded, simulated }) => [
    ...head,
    step,
    what,
    JSON.stringify(recorded) ?? null,
    JSON.stringify(simulated) ?? null,
  ]);
}

export function renderValidateCsv(report: ValidationReport): string {
  return renderCsv(CSV_COLUMNS, report.cases.flatMap(csvRows));
}
