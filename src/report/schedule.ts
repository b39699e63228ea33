/** The story of a finding: a column an actor, a row a step, and right of it the page after the step. */
import type { Finding, PageView, ScheduleStep } from "../run/explore/result.ts";
import type { Layout } from "./explain.ts";
import {
  BROKEN_MARK,
  type MarkedStep,
  type Told,
  actorsOf,
  brokenText,
  findingTitle,
  marksOf,
  toldOf,
} from "./finding.ts";
import { type MarkdownColumn, markdownCode, markdownTable, markdownText } from "./markdown.ts";
import {
  type PageField,
  changeTexts,
  fieldText,
  flagChanges,
  isChanged,
  pageFields,
  privateText,
} from "./page-view.ts";
import { type Column, type Paint, renderTable, wrap } from "./table.ts";

const MAX_WIDTH = 120;
const GAP = 2;
/** An actor's column may not be narrower: `kvm_check_` of a function's name has to stand on a line. */
const MIN_ACTOR = 11;
/** Nor than this, unless the page's columns have been narrowed first. */
const WANTED_ACTOR = 18;

/** A column of the page: a value made of these fields. */
interface PageColumn {
  readonly head: string;
  readonly fields: readonly PageField[];
  readonly text: (after: PageView, before: PageView | undefined) => string;
  /** The narrowest width in which its values can be read, over several lines. */
  readonly narrow: number;
}

const PAGE_COLUMNS: readonly PageColumn[] = [
  { head: "count", fields: ["count"], text: (page) => fieldText(page, "count"), narrow: 5 },
  { head: "map\ncount", fields: ["mapcount"], text: (page) => fieldText(page, "mapcount"), narrow: 5 },
  { head: "mapping", fields: ["mapping"], text: (page) => fieldText(page, "mapping"), narrow: 9 },
  { head: "private", fields: ["private", "ctx"], text: privateText, narrow: 7 },
  { head: "PTE", fields: ["pte"], text: (page) => fieldText(page, "pte"), narrow: 9 },
];
/** Too many to be told at each step: those that it set and cleared. */
const FLAGS: PageColumn = {
  head: "flags",
  fields: ["flags"],
  text: (after, before) => (before === undefined ? fieldText(after, "flags") : flagChanges(before, after)),
  narrow: 11,
};
const CHANGED = "*";

/** Words, those that are too long for a line cut behind underscores, or anywhere. */
function pieces(text: string, width: number): string[] {
  const words = text.split(/(?<=\s)/);
  const parts = words.flatMap((word) => (word.trimEnd().length > width ? word.split(/(?<=_)/) : [word]));
  return parts.flatMap((part) =>
    part.trimEnd().length > width ? (part.match(new RegExp(`.{1,${width}}`, "gsu")) ?? []) : [part],
  );
}

/** Lines of at most so many characters; a kernel function's name goes on behind an underscore. */
export function wrapCell(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const piece of pieces(text, width)) {
    if (line !== "" && (line + piece).trimEnd().length > width) {
      lines.push(line.trimEnd());
      line = "";
    }
    line += piece;
  }
  return [...lines, line.trimEnd()];
}

function longestLine(texts: readonly string[]): number {
  return Math.max(0, ...texts.flatMap((text) => text.split("\n")).map((line) => line.length));
}

/** What a column says after a step, and whether the step changed it. */
function pageCell(column: PageColumn, steps: readonly ScheduleStep[], index: number): [string, boolean] {
  const after = steps[index]?.page;
  if (after === undefined) return ["", false];
  const before = steps[index - 1]?.page;
  const changed = column.fields.some((field) => isChanged(before, after, field));
  const text = column.text(after, before);
  return [changed && column !== FLAGS ? text + CHANGED : text, changed];
}

/** Flags are in lines of their own anyway; the first step lists them all. */
function naturalWidth(column: PageColumn, steps: readonly ScheduleStep[]): number {
  const texts = steps.map((_, index) => pageCell(column, steps, index)[0]);
  return longestLine([column.head, ...(column === FLAGS ? texts.slice(1) : texts)]);
}

interface Plan {
  readonly actorWidth: number;
  readonly columns: readonly { readonly column: PageColumn; readonly width: number }[];
}

/** Widths that fit: all as wide as they want, the page narrowed, without its flags; or none. */
function plan(told: Told, nrWidth: number, columns: number): Plan | null {
  const { steps } = told;
  const nrActors = actorsOf(told).length;
  const natural = [...PAGE_COLUMNS, FLAGS].map((column) => ({
    column,
    width: Math.max(naturalWidth(column, steps), column === FLAGS ? FLAGS.narrow : 0),
  }));
  const narrow = natural.map(({ column, width }) => ({ column, width: Math.min(width, column.narrow) }));
  const wanted = longestLine(steps.flatMap((step) => [step.actor, step.function, step.transition]));
  const candidates = [
    { page: natural, min: WANTED_ACTOR },
    { page: narrow, min: MIN_ACTOR },
    { page: narrow.slice(0, PAGE_COLUMNS.length), min: MIN_ACTOR },
  ];
  for (const { page, min } of candidates) {
    const taken = page.reduce((sum, { width }) => sum + GAP + width, nrWidth);
    const actorWidth = Math.min(wanted, Math.floor((columns - taken) / nrActors) - GAP);
    if (actorWidth >= Math.min(min, wanted)) return { actorWidth, columns: page };
  }
  return null;
}

function nrWidthOf({ steps }: Told): number {
  return "◆✗ ".length + String(steps.length).length;
}

/** "◆✗ 12": the marks of a step and its number, aligned with those of the others. */
function nrText(told: Told, index: number, paint: Paint): string {
  const marks = marksOf(told, index);
  const text = `${marks.padStart(2)} ${String(index + 1).padStart(nrWidthOf(told) - 3)}`;
  if (marks === "") return text;
  return paint(marks.includes(BROKEN_MARK) ? "red" : "yellow", text);
}

function paintLines(lines: readonly string[], paint: (line: string) => string): string {
  return lines.map(paint).join("\n");
}

/** The values of the page; those that the step changed bold and with an asterisk. */
function pageCells(steps: readonly ScheduleStep[], index: number, { columns }: Plan, paint: Paint): string[] {
  return columns.map(({ column, width }) => {
    const [text, changed] = pageCell(column, steps, index);
    return paintLines(wrapCell(text, width), (line) => (changed ? paint("bold", line) : line));
  });
}

function storyTable(told: Told, layout: Plan, paint: Paint): string {
  const { actorWidth, columns } = layout;
  const actors = actorsOf(told);
  const heads: Column[] = [
    { head: "#".padStart(nrWidthOf(told)), width: nrWidthOf(told) },
    ...actors.map((actor) => ({ head: wrapCell(actor, actorWidth).join("\n"), width: actorWidth })),
    ...columns.map(({ column, width }) => ({ head: column.head, width })),
  ];
  const rows = told.steps.map((step, index) => [
    nrText(told, index, paint),
    ...actors.map((actor) => {
      if (actor !== step.actor) return "";
      const lines = [...wrapCell(step.function, actorWidth), ...wrapCell(step.transition, actorWidth)];
      return lines.join("\n");
    }),
    ...pageCells(told.steps, index, layout, paint),
  ]);
  return renderTable(heads, rows, paint);
}

/** Where the actors' columns do not fit: one column that says who, one that says what changed. */
function storyList(told: Told, columns: number, paint: Paint): string {
  const { steps } = told;
  const nrWidth = nrWidthOf(told);
  const room = Math.max(columns - nrWidth - 3 * GAP, 40);
  const actorWidth = Math.min(longestLine(steps.map(({ actor }) => actor)), Math.floor(room / 4));
  const stepWidth = Math.floor((room - actorWidth) / 2);
  const pageWidth = room - actorWidth - stepWidth;
  const rows = steps.map((step, index) => [
    nrText(told, index, paint),
    wrapCell(step.actor, actorWidth).join("\n"),
    wrapCell(`${step.function}: ${step.transition}`, stepWidth).join("\n"),
    wrapCell(changeTexts(steps[index - 1]?.page, step.page).join(", "), pageWidth).join("\n"),
  ]);
  return renderTable(
    [
      { head: "#".padStart(nrWidth), width: nrWidth },
      { head: "actor", width: actorWidth },
      { head: "step", width: stepWidth },
      { head: "what it changed in the page", width: pageWidth },
    ],
    rows,
    paint,
  );
}

/** What the marks mean, a paragraph each. */
function legend(marked: readonly MarkedStep[], columns: number, paint: Paint): string[] {
  return marked.map(({ mark, index, text }) => {
    const head = `${mark} ${index + 1}`;
    const indent = " ".repeat(head.length + 2);
    return (
      paint(mark === BROKEN_MARK ? "red" : "yellow", head) + wrap(text, columns, indent).slice(head.length)
    );
  });
}

/** Steps for a terminal of so many columns, at most 120 of which are used, and what the marks mean. */
export function renderStepsTable(told: Told, { paint, columns: wanted }: Layout): string {
  const columns = Math.min(wanted, MAX_WIDTH);
  const fitting = plan(told, nrWidthOf(told), columns);
  const story = fitting === null ? storyList(told, columns, paint) : storyTable(told, fitting, paint);
  const asterisk = fitting === null ? [] : [paint("dim", `${CHANGED} changed by the step`)];
  return `${[story, ...legend(told.marked, columns, paint), ...asterisk].join("\n")}\n`;
}

/** The story for a terminal of so many columns, at most 120 of which are used. */
export function renderScheduleTable(finding: Finding, { paint, columns: wanted }: Layout): string {
  const columns = Math.min(wanted, MAX_WIDTH);
  const title = `${findingTitle(finding)}, broken by ${brokenText(finding)}`;
  const head = paintLines(wrap(title, columns).split("\n"), (line) => paint("bold", line));
  if (finding.steps.length === 0) return `${head}\n\nNo step was taken: it is so from the start.\n`;
  return `${head}\n\n${renderStepsTable(toldOf(finding), { paint, columns })}`;
}

const MARKDOWN_FIELDS: readonly PageField[] = [
  "count",
  "mapcount",
  "mapping",
  "private",
  "ctx",
  "pte",
  "flags",
];

function markdownPage(before: PageView | undefined, after: PageView): string[] {
  return MARKDOWN_FIELDS.map((field) => {
    const text = markdownText(fieldText(after, field));
    return isChanged(before, after, field) && text !== "" ? `**${text}**` : text;
  });
}

/** The same as a Markdown table, changes in bold, and a list that explains the marks. */
export function renderStepsMarkdown(told: Told): string {
  const { steps, marked } = told;
  const actors = actorsOf(told);
  const columns: MarkdownColumn[] = [
    { head: "#", align: "right" },
    ...actors.map((actor) => ({ head: markdownText(actor) })),
    ...MARKDOWN_FIELDS.map((field) => ({ head: pageFields[field] })),
  ];
  const rows = steps.map((step, index) => [
    `${marksOf(told, index)} ${index + 1}`.trim(),
    ...actors.map((actor) =>
      actor === step.actor ? `${markdownCode(step.function)} ${markdownText(step.transition)}` : "",
    ),
    ...markdownPage(steps[index - 1]?.page, step.page),
  ]);
  const marks = marked.map(({ mark, index, text }) => `- ${mark} ${index + 1}: ${markdownText(text)}\n`);
  return `${markdownTable(columns, rows)}\n${marks.join("")}`;
}

export function renderScheduleMarkdown(finding: Finding): string {
  if (finding.steps.length === 0) return "No step was taken: it is so from the start.\n";
  return renderStepsMarkdown(toldOf(finding));
}
