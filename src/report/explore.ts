/** The report of `pinshift explore`: models and findings as a table, JSON, Markdown, CSV. */
import type { ExploreReport, Finding, ModelResult } from "../run/explore/result.ts";
import { renderCsv, renderJson } from "./csv.ts";
import type { Layout } from "./explain.ts";
import { brokenText, counted, findingTitle, replayCommand } from "./finding.ts";
import { formatCount } from "./format.ts";
import { markdownCode, markdownTable, markdownText } from "./markdown.ts";
import { variantLabel, variantName } from "./variant.ts";
import { renderScheduleMarkdown } from "./schedule.ts";
import { type Column, type Paint, renderTable, wrap } from "./table.ts";

type Model = ExploreReport["models"][number];

const MAX_WIDTH = 120;
const MAX_MODEL = 24;
const MIN_TITLE = 20;

/** "yes", "no: max-states". */
export function completeText({ complete, stoppedBy }: Pick<ModelResult, "complete" | "stoppedBy">): string {
  return complete ? "yes" : `no: ${stoppedBy ?? "unknown"}`;
}

/** In how many findings' models it is. */
export function findingsIn({ findings }: ExploreReport, { model }: Model): number {
  return findings.filter(({ models }) => models.includes(model)).length;
}

/** "max-states (two-faults), timeout (fork)": the bounds that ended searches. */
function boundsText({ models }: ExploreReport): string {
  const stopped = models.filter(({ complete }) => !complete);
  const bounds = [...new Set(stopped.map(({ stoppedBy }) => stoppedBy))];
  return bounds
    .map((bound) => {
      const names = stopped.filter(({ stoppedBy }) => stoppedBy === bound).map(({ model }) => model);
      return `${bound} (${names.join(", ")})`;
    })
    .join(", ");
}

/** The answer in a sentence: how many findings, in what part of the states. */
export function summaryText(report: ExploreReport): string {
  const models = counted(report.models.length, "model");
  const states = counted(report.states, "state");
  const nr = report.findings.length;
  if (report.complete) {
    if (nr === 0) return `No finding: all ${states} of ${models} are clean.`;
    return `${counted(nr, "finding")} in ${models}; all ${states} were visited.`;
  }
  const visited = `${states} of ${models} visited, there may be others.`;
  const bounds = `within the bounds, ${boundsText(report)}: ${visited}`;
  return nr === 0 ? `None found ${bounds}` : `${counted(nr, "finding")} ${bounds}`;
}

/** "Linux v3.12 · rfc as posted · model all". */
export function headingText(report: ExploreReport): string {
  return `Linux ${report.kernel} · ${variantLabel(report)} · model ${report.model}`;
}

function modelTable(report: ExploreReport, columns: number, paint: Paint): string {
  const longest = Math.max(...report.models.map(({ model }) => model.length), "model".length);
  const fixed: Column[] = [
    { head: "model", width: Math.min(longest, MAX_MODEL) },
    { head: "states", width: 11, align: "right" },
    { head: "transitions", width: 11, align: "right" },
    { head: "depth", width: 5, align: "right" },
    { head: "complete", width: 16 },
    { head: "findings", width: 8, align: "right" },
  ];
  const room = columns - fixed.reduce((sum, { width }) => sum + width + 2, 0);
  const rows = report.models.map((model) => {
    const nr = findingsIn(report, model);
    return [
      model.model,
      formatCount(model.states),
      formatCount(model.transitions),
      formatCount(model.depth),
      paint(model.complete ? "green" : "yellow", completeText(model)),
      nr === 0 ? "0" : paint("red", String(nr)),
    ];
  });
  if (room < MIN_TITLE) return renderTable(fixed, rows, paint);
  const titles = [...fixed, { head: "what happens in it", width: room }];
  return renderTable(
    titles,
    rows.map((row, nr) => [...row, report.models[nr]?.title ?? ""]),
    paint,
  );
}

function lengthText({ steps, inevitableFrom }: Finding): string {
  const from = inevitableFrom === null ? "the beginning" : `step ${inevitableFrom + 1}`;
  const inevitable = steps.length === 0 ? "" : `, inevitable from ${from} on`;
  return counted(steps.length, "step") + inevitable;
}

/** A finding in four lines; the command stands alone on the last, to be copied. */
function findingLines(finding: Finding, nr: number, { paint, columns }: Layout): string {
  const head = `${nr}. `;
  const indent = " ".repeat(head.length);
  const title = wrap(`${findingTitle(finding)}, broken by ${brokenText(finding)}`, columns, indent);
  const [first = "", ...rest] = title.slice(head.length).split("\n");
  const length = `${lengthText(finding)} · ${finding.models.length === 1 ? "model" : "models"} `;
  return [
    head + [first, ...rest].map((line) => paint("bold", line)).join("\n"),
    wrap(finding.detail, columns, indent),
    paint("dim", wrap(length + finding.models.join(", "), columns, indent)),
    `${indent}${replayCommand(finding)}\n`,
  ].join("\n");
}

/** The report for a terminal of so many columns, at most 120 of which are used. */
export function renderExploreTable(report: ExploreReport, { paint, columns: wanted }: Layout): string {
  const columns = Math.min(wanted, MAX_WIDTH);
  const findings = report.findings.map((finding, index) =>
    findingLines(finding, index + 1, { paint, columns }),
  );
  return [
    paint("bold", headingText(report)),
    "",
    modelTable(report, columns, paint),
    ...findings,
    paint("bold", wrap(summaryText(report), columns)),
    "",
  ].join("\n");
}

export function renderExploreJson(report: ExploreReport): string {
  return renderJson(report);
}

function modelsMarkdown(report: ExploreReport): string {
  return markdownTable(
    [
      { head: "model" },
      { head: "what happens in it" },
      { head: "states", align: "right" },
      { head: "transitions", align: "right" },
      { head: "depth", align: "right" },
      { head: "complete" },
      { head: "findings", align: "right" },
    ],
    report.models.map((model) => [
      markdownText(model.model),
      markdownText(model.title),
      formatCount(model.states),
      formatCount(model.transitions),
      formatCount(model.depth),
      completeText(model),
      String(findingsIn(report, model)),
    ]),
  );
}

function findingsMarkdown({ findings }: ExploreReport): string {
  return markdownTable(
    [
      { head: "#", align: "right" },
      { head: "invariant" },
      { head: "kind" },
      { head: "field" },
      { head: "page", align: "right" },
      { head: "broken by" },
      { head: "steps", align: "right" },
      { head: "models" },
    ],
    findings.map((finding, index) => [
      String(index + 1),
      markdownText(finding.invariant),
      finding.kind,
      markdownText(finding.field),
      finding.pfn === 0 ? "" : String(finding.pfn),
      markdownText(brokenText(finding)),
      String(finding.steps.length),
      markdownText(finding.models.join(", ")),
    ]),
  );
}

function findingMarkdown(finding: Finding, nr: number): string {
  return [
    `### ${nr}. ${markdownText(findingTitle(finding))}`,
    markdownText(finding.detail),
    `Again: ${markdownCode(replayCommand(finding))}`,
    renderScheduleMarkdown(finding),
  ].join("\n\n");
}

/** Models, findings and the story of each, for an issue or a document. */
export function renderExploreMarkdown(report: ExploreReport): string {
  const head = [
    `# ${markdownText(headingText(report))}`,
    markdownText(summaryText(report)),
    "## Models",
    modelsMarkdown(report),
  ].join("\n\n");
  if (report.findings.length === 0) return head;
  const stories = report.findings.map((finding, index) => findingMarkdown(finding, index + 1));
  return [head, "## Findings\n", findingsMarkdown(report), ...stories].join("\n");
}

const CSV_COLUMNS = [
  "kernel",
  "policy",
  "invariant",
  "kind",
  "transition",
  "function",
  "field",
  "pfn",
  "models",
  "steps",
  "brokenBy",
  "inevitableFrom",
  "detail",
  "schedule",
] as const;

/** A row a finding. */
export function renderExploreCsv(report: ExploreReport): string {
  const rows = report.findings.map((finding) => [
    report.kernel,
    variantName(report),
    finding.invariant,
    finding.kind,
    finding.transition,
    finding.steps[finding.brokenBy]?.function ?? null,
    finding.field,
    finding.pfn,
    finding.models.join(" "),
    finding.steps.length,
    finding.brokenBy,
    finding.inevitableFrom,
    finding.detail,
    finding.schedule,
  ]);
  return renderCsv(CSV_COLUMNS, rows);
}
