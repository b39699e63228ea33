/** Tables for the terminal and for RESULTS.md. */
import type { Environment } from "./environment.ts";
import type { Answer, GoalResult, Row } from "./measure.ts";
import type { Unit } from "./question.ts";

export interface SuiteAnswers {
  readonly suite: string;
  readonly answers: readonly Answer[];
}

function columnsFor({ name, time, rate }: Unit): string[] {
  return [
    "contestant",
    `${time.name}/${name} (median)`,
    "±",
    "min … max",
    "samples",
    "relative",
    `${rate.name}/s`,
  ];
}

function cells(row: Row, { time, rate }: Unit): string[] {
  const told = (ns: number): string => (ns / time.ns).toFixed(1);
  return [
    row.name,
    told(row.nsPerUnit),
    `${row.rmePercent.toFixed(1)} %`,
    `${told(row.minNsPerUnit)} … ${told(row.maxNsPerUnit)}`,
    String(row.samples),
    row.relative.toFixed(2),
    (row.unitsPerSecond / rate.count).toFixed(2),
  ];
}

/** The table of an answer, its heading first. */
function tableOf({ rows, unit }: Answer): string[][] {
  return [columnsFor(unit), ...rows.map((row) => cells(row, unit))];
}

function goalLine(goal: GoalResult): string {
  return `${goal.reached ? "reached" : "NOT reached"}: ${goal.text}: ${goal.value.toPrecision(3)}`;
}

function alignedTable(rows: readonly string[][]): string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? "").length)),
  );
  return rows.map((row) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join("  "),
  );
}

function markdownRow(row: readonly string[]): string {
  return `| ${row.join(" | ")} |`;
}

function markdownTable(rows: readonly string[][]): string[] {
  const rule = (rows[0] ?? []).map((_, column) => (column === 0 ? "---" : "---:"));
  return [markdownRow(rows[0] ?? []), markdownRow(rule), ...rows.slice(1).map(markdownRow)];
}

/** One question for the terminal. */
export function text(answer: Answer): string {
  const table = alignedTable(tableOf(answer));
  const rest = [...answer.goals.map(goalLine), ...answer.notes];
  return ["", answer.title, ...table, ...rest].map((line) => `${line}\n`).join("");
}

function markdownAnswer(answer: Answer): string[] {
  const rest = [...answer.goals.map(goalLine), ...answer.notes];
  return [
    `### ${answer.title}`,
    "",
    ...markdownTable(tableOf(answer)),
    "",
    ...rest.map((line) => `- ${line}`),
    ...(rest.length > 0 ? [""] : []),
  ];
}

/** An answer for --json: its keys say what work is counted in. */
export function jsonOf({ title, unit, units, rows, goals, notes }: Answer): object {
  const per = unit.name[0]?.toUpperCase() + unit.name.slice(1);
  const rowOf = (row: Row): object => ({
    name: row.name,
    ...(row.units === units ? {} : { [unit.plural]: row.units }),
    [`nsPer${per}`]: row.nsPerUnit,
    rmePercent: row.rmePercent,
    [`minNsPer${per}`]: row.minNsPerUnit,
    [`maxNsPer${per}`]: row.maxNsPerUnit,
    samples: row.samples,
    relative: row.relative,
    [`${unit.plural}PerSecond`]: row.unitsPerSecond,
  });
  return { title, [unit.plural]: units, rows: rows.map(rowOf), goals, notes };
}

function measuredOn({ cpu, cores, memoryGib, os, node, date, commit }: Environment): string[] {
  return [
    `- ${date}, commit ${commit}`,
    `- ${cpu}, ${cores} cores, ${memoryGib} GiB; ${os}; Node ${node}`,
    "",
  ];
}

function section({ suite, answers }: SuiteAnswers, heading: readonly string[]): string[] {
  return [`## ${suite}`, "", ...heading, ...answers.flatMap(markdownAnswer)];
}

function textOf(lines: readonly string[]): string {
  return `${lines.join("\n").trimEnd()}\n`;
}

/** RESULTS.md. */
export function markdown(environment: Environment, suites: readonly SuiteAnswers[]): string {
  return textOf([
    "# Benchmark results",
    "",
    "Written by `npm run bench -- --markdown`. Contestants take turns within one run, after each has left",
    "the same state hash; `relative` is the median over the rounds of a contestant's time divided by the",
    "fastest's in the same round, and ± the relative margin of error of the mean (95 %).",
    "",
    ...measuredOn(environment),
    ...suites.flatMap((answers) => section(answers, [])),
  ]);
}

const SECTION = /^## (.*)$/m;

/**
 * RESULTS.md with these suites measured anew, which say when and on what themselves; the others stay as they
 * are.
 *
 * @param order names of all suites
 */
export function merged(
  results: string,
  environment: Environment,
  suites: readonly SuiteAnswers[],
  order: readonly string[],
): string {
  const [head = "", ...rest] = results.split(/^(?=## )/m);
  const sections = new Map(rest.map((old) => [SECTION.exec(old)?.[1] ?? "", old.trimEnd()]));
  for (const answers of suites) {
    sections.set(answers.suite, textOf(section(answers, measuredOn(environment))).trimEnd());
  }
  const present = order.flatMap((name) => sections.get(name) ?? []);
  return `${[head.trimEnd(), ...present].join("\n\n")}\n`;
}
