/**
 * The report of `pinshift validate`: a line a case and a total, then a line a published figure; JSON; CSV
 * with a row per disagreement and per figure.
 */
import type { MeasuredFigure, PublishedReport } from "../run/published.ts";
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

interface Layout {
  readonly paint: Paint;
  readonly columns: number;
}

/** What was asked for: recordings, published figures, or both. */
export interface ValidateReports {
  readonly recordings: ValidationReport | null;
  readonly published: PublishedReport | null;
}

function renderRecordings(report: ValidationReport, { paint, columns }: Layout): string {
  const nameWidth = Math.max(...report.cases.map(({ name }) => name.length));
  const body = report.cases.flatMap((one) => lines(one, nameWidth, paint));
  return `${[...body, "", paint("bold", wrap(total(report), columns))].join("\n")}\n`;
}

const VERDICT_COLOURS: Readonly<Record<MeasuredFigure["verdict"], Colour>> = {
  calibrated: "dim",
  inside: "green",
  outside: "yellow",
};
const SIGNIFICANT_DIGITS = 4;

/** Four digits, or all of a large number. */
function number(value: number): string {
  if (Math.abs(value) >= 10 ** SIGNIFICANT_DIGITS) return formatCount(Math.round(value));
  return String(Number(value.toPrecision(SIGNIFICANT_DIGITS)));
}

function figureCells(figure: MeasuredFigure): string[] {
  const { id, model, published, plusMinus, unit, errorPercent, bandPercent } = figure;
  const deviation = plusMinus === null ? "" : ` ± ${number(plusMinus)}`;
  const sign = errorPercent >= 0 ? "+" : "";
  return [
    id,
    number(model),
    `${number(published)}${deviation}`,
    unit,
    `${sign}${errorPercent.toFixed(1)} %`,
    `${bandPercent} %`,
    figure.verdict,
  ];
}

const FIGURE_HEADS = ["published figure", "model", "published", "unit", "error", "band", "verdict"] as const;

function renderPublished(report: PublishedReport, { paint, columns }: Layout): string {
  const rows = [[...FIGURE_HEADS], ...report.figures.map(figureCells)];
  const widths = FIGURE_HEADS.map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  const isRight = new Set([1, 4, 5]); // numbers
  const padded = rows.map((row) =>
    row.map((cell, at) => (isRight.has(at) ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0))),
  );
  const [heads = [], ...body] = padded;
  const coloured = body.map((cells, index) => {
    const verdict = report.figures[index]?.verdict ?? "outside";
    return [...cells.slice(0, -1), paint(VERDICT_COLOURS[verdict], cells.at(-1)?.trimEnd() ?? "")].join("  ");
  });
  const count = (verdict: MeasuredFigure["verdict"]): number =>
    report.figures.filter((one) => one.verdict === verdict).length;
  const sum =
    `${count("calibrated")} calibrated, ${count("inside")} inside, ${count("outside")} outside their band; ` +
    `${report.notModelled.length} not modelled (what they are, and sources: --format json)`;
  const missing = report.notModelled.map(
    ({ id, reason }) => `${id}: ${paint("dim", "not modelled")}: ${reason}`,
  );
  const head = paint("bold", heads.join("  ").trimEnd());
  return `${[head, ...coloured, ...missing, "", paint("bold", wrap(sum, columns))].join("\n")}\n`;
}

export function renderValidateTable({ recordings, published }: ValidateReports, layout: Layout): string {
  const parts = [
    recordings === null ? null : renderRecordings(recordings, layout),
    published === null ? null : renderPublished(published, layout),
  ];
  return parts.filter((part) => part !== null).join("\n");
}

export function renderValidateJson({ recordings, published }: ValidateReports, version: string): string {
  const figures = published === null ? {} : { published };
  return renderJson({ command: "validate", version, ...recordings, ...figures });
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
  "unit",
  "errorPercent",
  "bandPercent",
  "source",
] as const;

function csvRows(one: CaseResult): Value[][] {
  const head = [one.name, one.kernel, one.result, one.checked, one.reason];
  const ofFigures = [null, null, null, null];
  if (one.disagreements.length === 0) return [[...head, null, null, null, null, ...ofFigures]];
  return one.disagreements.map(({ step, what, recorded, simulated }) => [
    ...head,
    step,
    what,
    JSON.stringify(recorded) ?? null,
    JSON.stringify(simulated) ?? null,
    ...ofFigures,
  ]);
}

/** In the place of the kernel there is the cost profile. */
function figureRows({ figures, notModelled }: PublishedReport): Value[][] {
  const measured = figures.map((one): Value[] => {
    const head = [one.id, one.profile, one.verdict, 1, null, null, one.what, one.published, one.model];
    return [...head, one.unit, one.errorPercent, one.bandPercent, one.source];
  });
  const missing = notModelled.map(({ id, what, source, reason }): Value[] => {
    const head = [id, null, "not-modelled", 0, reason, null, what, null, null];
    return [...head, null, null, null, source];
  });
  return [...measured, ...missing];
}

export function renderValidateCsv({ recordings, published }: ValidateReports): string {
  const ofRecordings = recordings?.cases.flatMap(csvRows) ?? [];
  return renderCsv(CSV_COLUMNS, [...ofRecordings, ...(published === null ? [] : figureRows(published))]);
}
