/** A chart of lines over a logarithmic axis as SVG, which stands alone and in a page. */
import { scaleLinear, scaleLog } from "d3-scale";
import { escapeHtml } from "../html.ts";

export interface ChartPoint {
  readonly x: number;
  readonly y: number;
  /** Ends of its interval, if it has one. */
  readonly low: number | null;
  readonly high: number | null;
  /** What is shown where one points at it. */
  readonly note: string;
}

export interface Series {
  readonly label: string;
  /** A closed form is a dashed line without points. */
  readonly kind: "measured" | "closed-form";
  readonly points: readonly ChartPoint[];
}

export interface Chart {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly yScale: "linear" | "log";
  /** Null: from the lowest to the highest point. */
  readonly yDomain: readonly [number, number] | null;
  readonly formatX: (value: number) => string;
  readonly formatY: (value: number) => string;
  readonly series: readonly Series[];
}

const WIDTH = 760;
const PLOT_HEIGHT = 300;
const MARGIN = { top: 54, right: 24, bottom: 48, left: 72 };
const LEGEND_LINE = 22;
const LEGEND_COLUMNS = 3;
const TICKS = 6;
/** Room at both ends of the x axis. */
const PADDING = 20;
/** Lines lie a little beside each other, so that their intervals do not hide each other. */
const DODGE = 5;
/** Colours of lines, for light and dark grounds: chart-0 … chart-7. */
const COLOURS: readonly (readonly [light: string, dark: string])[] = [
  ["#1f5bb5", "#8db6f5"],
  ["#b3261e", "#ff9187"],
  ["#1d6b3a", "#7fd09a"],
  ["#855600", "#efbb55"],
  ["#6d3fa8", "#c9a7f2"],
  ["#00707a", "#66cdd6"],
  ["#9a2f6b", "#f094c4"],
  ["#4d5560", "#b4bbc5"],
];

const rules = (colours: readonly string[]): string =>
  colours
    .map((colour, nr) => `.chart .c${nr} { stroke: ${colour}; } .chart .f${nr} { fill: ${colour}; }`)
    .join("\n");

const STYLE = `
.chart { font: 13px system-ui, sans-serif; fill: #1c1f24; }
.chart .quiet { fill: #5a616c; }
.chart .rule { stroke: #dcdfe4; stroke-width: 1; }
.chart .title { font-size: 15px; font-weight: 600; }
.chart .line { fill: none; stroke-width: 2; }
.chart .dashed { stroke-dasharray: 5 4; }
${rules(COLOURS.map(([light]) => light))}
@media (prefers-color-scheme: dark) {
.chart { fill: #e6e8ec; }
.chart .quiet { fill: #a2a9b4; }
.chart .rule { stroke: #343942; }
${rules(COLOURS.map(([, dark]) => dark))}
}`;

/** Shapes tell lines apart where colours do not: circle, square, triangle, diamond. */
function marker(nr: number, x: number, y: number): string {
  const shapes = [
    "m-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0",
    "m-4-4h8v8h-8z",
    "m0-5l5 9h-10z",
    "m0-5l5 5l-5 5l-5-5z",
  ];
  return `<path class="f${nr % COLOURS.length}" d="M${x} ${y}${shapes[nr % shapes.length] ?? ""}"/>`;
}

/** To a tenth of a pixel: more is noise. */
const at = (value: number): number => Math.round(value * 10) / 10;

/** The ends of values; of a single one what is around it. */
function extent(values: readonly number[]): [number, number] {
  const low = Math.min(...values);
  const high = Math.max(...values);
  return low < high ? [low, high] : [low / 2, high * 2];
}

function scales(chart: Chart) {
  const all = chart.series.flatMap(({ points }) => points);
  const left = MARGIN.left;
  const bottom = MARGIN.top + PLOT_HEIGHT;
  const x = scaleLog(extent(all.map((point) => point.x)), [left + PADDING, WIDTH - MARGIN.right - PADDING]);
  const ends = all.flatMap(({ y: value, low, high }) => [value, low ?? value, high ?? value]);
  const positive = ends.filter((value) => value > 0);
  const domain = chart.yDomain ?? extent(chart.yScale === "log" ? positive : ends);
  const y =
    chart.yScale === "log"
      ? scaleLog(domain, [bottom, MARGIN.top])
      : scaleLinear(domain, [bottom, MARGIN.top]);
  return { x, y, floor: Math.min(...domain), bottom };
}

type Scales = ReturnType<typeof scales>;

/** Of ticks of a logarithmic axis those that begin with 1, 2 or 5. */
function roundOnes(ticks: readonly number[]): number[] {
  return ticks.filter((value) => /^[125]e/.test(value.toExponential()));
}

function axes(chart: Chart, { x, y, bottom }: Scales): string {
  const right = WIDTH - MARGIN.right;
  const measured = chart.series.filter(({ kind }) => kind === "measured");
  const xs = [...new Set(measured.flatMap(({ points }) => points.map((point) => point.x)))];
  // Where something was measured, if that leaves room; else at round numbers.
  const xTicks = xs.length <= 2 * TICKS ? xs : roundOnes(x.ticks(TICKS));
  const rows = (chart.yScale === "log" ? roundOnes(y.ticks(TICKS)) : y.ticks(TICKS))
    .map((value) => {
      const height = at(y(value));
      return (
        `<path class="rule" d="M${MARGIN.left} ${height}H${right}"/>` +
        `<text class="quiet" x="${MARGIN.left - 8}" y="${height + 4}" text-anchor="end">` +
        `${escapeHtml(chart.formatY(value))}</text>`
      );
    })
    .join("");
  const columns = xTicks
    .map(
      (value) =>
        `<text class="quiet" x="${at(x(value))}" y="${bottom + 18}" text-anchor="middle">` +
        `${escapeHtml(chart.formatX(value))}</text>`,
    )
    .join("");
  const middle = (MARGIN.left + right) / 2;
  return (
    `${rows}${columns}<text x="${middle}" y="${bottom + 38}" text-anchor="middle">` +
    `${escapeHtml(chart.xLabel)}</text>`
  );
}

function lineOf(chart: Chart, nr: number, { x, y, floor }: Scales): string {
  const { kind = "measured", points = [] } = chart.series[nr] ?? {};
  const nrMeasured = chart.series.filter((series) => series.kind === "measured").length;
  const shift = (nr - (nrMeasured - 1) / 2) * DODGE;
  const colour = nr % COLOURS.length;
  const height = (value: number): number => at(y(Math.max(value, floor)));
  const column = (value: number): number => at(x(value) + (kind === "measured" ? shift : 0));
  const path = points.map((point) => `${column(point.x)} ${height(point.y)}`).join("L");
  const line = `<path class="line c${colour}${kind === "closed-form" ? " dashed" : ""}" d="M${path}"/>`;
  if (kind === "closed-form") return line;
  const marks = points.map(({ low, high, note, ...point }) => {
    const middle = column(point.x);
    const bar =
      low === null || high === null
        ? ""
        : `<path class="line c${colour}" d="M${middle} ${height(low)}V${height(high)}"/>`;
    return `<g><title>${escapeHtml(note)}</title>${bar}${marker(nr, middle, height(point.y))}</g>`;
  });
  return line + marks.join("");
}

function legend(chart: Chart, top: number): string {
  const width = (WIDTH - MARGIN.left - MARGIN.right) / LEGEND_COLUMNS;
  return chart.series
    .map(({ label, kind }, nr) => {
      const left = MARGIN.left + (nr % LEGEND_COLUMNS) * width;
      const middle = top + Math.floor(nr / LEGEND_COLUMNS) * LEGEND_LINE;
      const dashed = kind === "closed-form" ? " dashed" : "";
      const mark = kind === "closed-form" ? "" : marker(nr, left + 12, middle);
      return (
        `<path class="line c${nr % COLOURS.length}${dashed}" d="M${left} ${middle}h24"/>${mark}` +
        `<text x="${left + 32}" y="${middle + 4}">${escapeHtml(label)}</text>`
      );
    })
    .join("");
}

/** One svg element with its style in it. Series without points are left out. */
export function renderChart(whole: Chart): string {
  const chart = { ...whole, series: whole.series.filter(({ points }) => points.length > 0) };
  const legendTop = MARGIN.top + PLOT_HEIGHT + MARGIN.bottom + 16;
  const height = legendTop + Math.ceil(chart.series.length / LEGEND_COLUMNS) * LEGEND_LINE;
  const title = escapeHtml(chart.title);
  const found = chart.series.length === 0 ? null : scales(chart);
  const plot =
    found === null
      ? `<text class="quiet" x="${MARGIN.left}" y="${MARGIN.top + PLOT_HEIGHT / 2}">no data</text>`
      : axes(chart, found) + chart.series.map((_, nr) => lineOf(chart, nr, found)).join("");
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" class="chart" viewBox="0 0 ${WIDTH} ${height}" role="img" ` +
    `aria-label="${title}">\n<style>${STYLE}\n</style>\n` +
    `<text class="title" x="${MARGIN.left}" y="20">${title}</text>` +
    `<text class="quiet" x="${MARGIN.left}" y="37">${escapeHtml(chart.yLabel)}</text>\n` +
    `${plot}\n${legend(chart, legendTop)}\n</svg>\n`
  );
}
