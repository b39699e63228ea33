/** The report of `pinshift curve`: a table, JSON, CSV, and a chart alone or in a page. */
import { type CurvePoint, type CurveReport, probabilityOfNoPin } from "../../run/timed/curve.ts";
import { variantKey } from "../../run/timed/compare.ts";
import { renderCsv, renderJson } from "../csv.ts";
import type { Layout } from "../explain.ts";
import { formatDuration } from "../format.ts";
import { escapeHtml, headRow, htmlPage, scrolling } from "../html.ts";
import { type Column, renderTable, wrap } from "../table.ts";
import { variantLabel, variantName } from "../variant.ts";
import { NONE, estimateText, formatNumber, formatPercent } from "./cells.ts";
import { type Chart, type Series, renderChart } from "./chart.ts";

const MAX_WIDTH = 120;
const CLOSED_FORM_POINTS = 60;

const right = (head: string, width: number): Column => ({ head, width, align: "right" });
const COLUMNS: readonly Column[] = [
  right("load", 6),
  { head: "policy", width: 16 },
  right("measured", 13),
  right("in block", 12),
  right("at once", 9),
  right("95 %", 14),
  right("expected", 8),
  right("offline", 7),
  right("after", 19),
];

const HEADS = COLUMNS.map(({ head, align }) => [head, align === "right" ? "number" : ""] as const);

function share(value: number): string {
  return value.toFixed(2);
}

function cells(point: CurvePoint): string[] {
  const { atOnce, offlined } = point;
  return [
    formatNumber(point.load),
    variantLabel(point) + (point.crashed > 0 ? ` (${point.crashed} crash)` : ""),
    estimateText(point.measuredLoad, formatNumber),
    estimateText(point.pinsAtStart, formatNumber),
    `${atOnce.successes}/${atOnce.runs}`,
    `${share(atOnce.low)} … ${share(atOnce.high)}`,
    point.expected === null ? NONE : share(point.expected),
    `${offlined.successes}/${offlined.runs}`,
    estimateText(point.timeToOfflineNs, formatDuration),
  ];
}

function factsText({ scenario, kernel, costs, seeds }: CurveReport): string {
  return `scenario ${scenario} · Linux ${kernel} · costs ${costs} · seeds ${seeds.join(", ")}`;
}

function legendText({ blockPages }: CurveReport): string {
  return (
    "load: pages that the pinners hold on average. measured: pins over time, those of async_pf and of " +
    "other memory too. in block: pins in the block when the offline began. at once: went offline with " +
    "every page moved at the first attempt, with Wilson's interval. expected: (1 − ρ/N)^N for the ρ pins " +
    `in the block of N = ${blockPages} pages. offline, after: went offline before the caller's patience ` +
    "was at its end, and after how long. Times are simulated."
  );
}

export function renderCurveTable(report: CurveReport, layout: Layout): string {
  const columns = Math.min(layout.columns, MAX_WIDTH);
  const blocks = [
    `${layout.paint("bold", report.title)}\n${wrap(factsText(report), columns)}`,
    renderTable(COLUMNS, report.points.map(cells), layout.paint).trimEnd(),
    ...(report.interrupted ? [layout.paint("yellow", "Interrupted: loads are missing.")] : []),
    layout.paint("dim", wrap(legendText(report), columns)),
  ];
  return `${blocks.join("\n\n")}\n`;
}

export function renderCurveJson(report: CurveReport): string {
  return renderJson(report);
}

const CSV_COLUMNS = [
  "scenario",
  "kernel",
  "policy",
  "load",
  "measuredLoad",
  "pinsInBlock",
  "runs",
  "atOnce",
  "atOnceLow",
  "atOnceHigh",
  "expected",
  "crashed",
  "offlined",
  "timeToOfflineNs",
  "timeToOfflineLowNs",
  "timeToOfflineHighNs",
] as const;

export function renderCurveCsv(report: CurveReport): string {
  const rows = report.points.map((point) => [
    report.scenario,
    report.kernel,
    variantName(point),
    point.load,
    point.measuredLoad?.mean ?? null,
    point.pinsAtStart?.mean ?? null,
    point.atOnce.runs,
    point.atOnce.successes,
    point.atOnce.low,
    point.atOnce.high,
    point.expected,
    point.crashed,
    point.offlined.successes,
    point.timeToOfflineNs?.mean ?? null,
    point.timeToOfflineNs?.low ?? null,
    point.timeToOfflineNs?.high ?? null,
  ]);
  return renderCsv(CSV_COLUMNS, rows);
}

/** The points of each policy. */
function byPolicy({ points }: CurveReport): CurvePoint[][] {
  const keys = [...new Set(points.map(variantKey))];
  return keys.map((key) => points.filter((point) => variantKey(point) === key));
}

/** The closed form from the lowest load to the highest, evenly on a logarithmic axis. */
function closedForm({ points, blockPages }: CurveReport): Series {
  const loads = points.map(({ load }) => load);
  const low = Math.min(...loads);
  const factor = Math.max(...loads) / low;
  const xs =
    loads.length === 0
      ? []
      : Array.from({ length: CLOSED_FORM_POINTS + 1 }, (_, nr) => low * factor ** (nr / CLOSED_FORM_POINTS));
  return {
    label: "closed form: no page pinned",
    kind: "closed-form",
    points: xs.map((x) => ({
      x,
      y: probabilityOfNoPin(x, blockPages),
      low: null,
      high: null,
      note: "",
    })),
  };
}

function pointLabel(point: CurvePoint): string {
  return `${variantLabel(point)}, load ${formatNumber(point.load)}`;
}

function successChart(report: CurveReport): Chart {
  const measured = byPolicy(report).map((points): Series => ({
    label: points[0] === undefined ? "" : variantLabel(points[0]),
    kind: "measured",
    points: points.map((point) => ({
      x: point.load,
      y: point.atOnce.successes / point.atOnce.runs,
      low: point.atOnce.low,
      high: point.atOnce.high,
      note: `${pointLabel(point)}: ${point.atOnce.successes} of ${point.atOnce.runs}`,
    })),
  }));
  return {
    title: "Offline at the first attempt",
    xLabel: "pages that the pinners hold on average",
    yLabel: "share of runs, with Wilson's interval of 95 %",
    yScale: "linear",
    yDomain: [0, 1],
    formatX: formatNumber,
    formatY: (value) => formatPercent(value).replace(".0", ""),
    series: [...measured, closedForm(report)],
  };
}

function timeChart(report: CurveReport): Chart {
  return {
    title: "Time to offline",
    xLabel: "pages that the pinners hold on average",
    yLabel: "of runs that went offline",
    yScale: "log",
    yDomain: null,
    formatX: formatNumber,
    formatY: formatDuration,
    series: byPolicy(report).map((points) => ({
      label: points[0] === undefined ? "" : variantLabel(points[0]),
      kind: "measured",
      points: points.flatMap((point) => {
        const { timeToOfflineNs: time } = point;
        if (time === null) return [];
        const note = `${pointLabel(point)}: ${estimateText(time, formatDuration)}`;
        return [{ x: point.load, y: time.mean, low: time.low, high: time.high, note }];
      }),
    })),
  };
}

/** The chart of how often the block goes offline. */
export function renderCurveSvg(report: CurveReport): string {
  return renderChart(successChart(report));
}

function tableHtml(report: CurveReport): string {
  const rows = report.points.map((point) => {
    const [first = "", ...rest] = cells(point);
    const others = rest.map((cell, nr) => `<td class="${HEADS[nr + 1]?.[1] ?? ""}">${escapeHtml(cell)}</td>`);
    return `<tr><th scope="row" class="number">${escapeHtml(first)}</th>${others.join("")}</tr>`;
  });
  return scrolling("Numbers", `<table>${headRow(HEADS)}<tbody>${rows.join("")}</tbody></table>`);
}

export function renderCurveHtml(report: CurveReport): string {
  return htmlPage({
    command: "curve",
    about: `scenario ${report.scenario}`,
    title: report.title,
    summary: `${factsText(report)}${report.interrupted ? " · interrupted" : ""}`,
    main:
      `<section>${renderCurveSvg(report)}</section>\n<section>${renderChart(timeChart(report))}</section>\n` +
      `<section aria-labelledby="numbers"><h2 id="numbers">Numbers</h2>${tableHtml(report)}` +
      `<p class="quiet">${escapeHtml(legendText(report))}</p></section>\n`,
    report,
  });
}
