/** Tables for the terminal and for RESULTS.md. */
import type { Environment } from "./environment.ts";
import type { Answer, GoalResult, Row } from "./measure.ts";

export interface SuiteAnswers {
  readonly suite: string;
  readonly answers: readonly Answer[];
}

const columns = [
  "contestant",
  "ns/page (median)",
  "±",
  "min … max",
  "samples",
  "relative",
  "million pages/s",
];

function cells(row: Row): string[] {
  return [
    row.name,
    row.nsPerPage.toFixed(1),
    `${row.rmePercent.toFixed(1)} %`,
    `${row.minNsPerPage.toFixed(1)} … ${row.maxNsPerPage.toFixed(1)}`,
    String(row.samples),
    row.relative.toFixed(2),
    (row.pagesPerSecond / 1e6).toFixed(2),
  ];
}

function goalLine(goal: GoalResult): string {
  return `${goal.reached ? "reached" : "NOT reached"}: ${goal.text}: ${goal.value.toPrecision(3)}`;
}

function alignedTable(rows: readonly string[][]): string[] {
  const widths = columns.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
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
  const rule = columns.map((_, column) => (column === 0 ? "---" : "---:"));
  return [markdownRow(rows[0] ?? []), markdownRow(rule), ...rows.slice(1).map(markdownRow)];
}

/** One question for the terminal. */
export function text(answer: Answer): string {
  const table = alignedTable([columns, ...answer.rows.map(cells)]);
  const rest = [...answer.goals.map(goalLine), ...answer.notes];
  return ["", answer.title, ...table, ...rest].map((line) => `${line}\n`).join("");
}

function markdownAnswer(answer: Answer): string[] {
  const rest = [...answer.goals.map(goalLine), ...answer.notes];
  return [
    `### ${answer.title}`,
    "",
    ...markdownTable([columns, ...answer.rows.map(cells)]),
    "",
    ...rest.map((line) => `- ${line}`),
    ...(rest.length > 0 ? [""] : []),
  ];
}

/** RESULTS.md. */
export function markdown(environment: Environment, suites: readonly SuiteAnswers[]): string {
  const { cpu, cores, memoryGib, os, node, date, commit } = environment;
  const lines = [
    "# Benchmark results",
    "",
    "Written by `npm run bench -- --markdown`. Contestants take turns within one run, after each has left",
    "the same state hash; `relative` is the median over the rounds of a contestant's time divided by the",
    "fastest's in the same round, and ± the relative margin of error of the mean (95 %).",
    "",
    `- ${date}, commit ${commit}`,
    `- ${cpu}, ${cores} cores, ${memoryGib} GiB; ${os}; Node ${node}`,
    "",
    ...suites.flatMap(({ suite, answers }) => [`## ${suite}`, "", ...answers.flatMap(markdownAnswer)]),
  ];
  return `${lines.join("\n").trimEnd()}\n`;
}
