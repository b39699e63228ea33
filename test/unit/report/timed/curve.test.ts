import { describe, expect, it } from "vitest";
import { painter } from "../../../../src/report/table.ts";
import { renderChart } from "../../../../src/report/timed/chart.ts";
import {
  renderCurveCsv,
  renderCurveHtml,
  renderCurveJson,
  renderCurveSvg,
  renderCurveTable,
} from "../../../../src/report/timed/curve.ts";
import type { CurvePoint, CurveReport } from "../../../../src/run/timed/curve.ts";

const point: CurvePoint = {
  policy: "pin",
  repairs: [],
  load: 0.1,
  measuredLoad: { runs: 8, mean: 0.12, low: 0.1, high: 0.14 },
  pinsAtStart: { runs: 8, mean: 0.125, low: 0, high: 0.4 },
  atOnce: { runs: 8, successes: 7, low: 0.529, high: 0.978 },
  crashed: 0,
  expected: 0.8825,
  timeToOfflineNs: { runs: 8, mean: 40_000_000, low: 30_000_000, high: 50_000_000 },
  offlined: { runs: 8, successes: 8, low: 0.676, high: 1 },
};

const report: CurveReport = {
  command: "curve",
  version: "1.2.3",
  scenario: "small",
  title: "Can a <block> be offlined?",
  kernel: "v3.12",
  costs: "server",
  seeds: [1, 2],
  loads: [0.1, 1],
  blockPages: 32_768,
  interrupted: false,
  points: [
    point,
    { ...point, policy: "drop-get" },
    {
      ...point,
      load: 1,
      atOnce: { runs: 8, successes: 0, low: 0, high: 0.324 },
      timeToOfflineNs: null,
    },
    { ...point, policy: "drop-get", load: 1, measuredLoad: null, pinsAtStart: null, expected: null },
  ],
  runs: [],
};

describe("the curve as a table and as rows", () => {
  const text = renderCurveTable(report, { paint: painter(false), columns: 120 });

  it("has a row a load and policy", () => {
    const rows = text.split("\n").filter((line) => /^ +(0\.1|1) {2}/.test(line));
    expect(rows.map((row) => row.trim().split(/ {2,}/))).toEqual([
      ["0.1", "pin", "0.12 ± 0.02", "0.13 ± 0.2", "7/8", "0.53 … 0.98", "0.88", "8/8", "40.0 ms ± 10.0 ms"],
      [
        "0.1",
        "drop-get (v3.13)",
        "0.12 ± 0.02",
        "0.13 ± 0.2",
        "7/8",
        "0.53 … 0.98",
        "0.88",
        "8/8",
        "40.0 ms ± 10.0 ms",
      ],
      ["1", "pin", "0.12 ± 0.02", "0.13 ± 0.2", "0/8", "0.00 … 0.32", "0.88", "8/8", "–"],
      ["1", "drop-get (v3.13)", "–", "–", "7/8", "0.53 … 0.98", "–", "8/8", "40.0 ms ± 10.0 ms"],
    ]);
  });

  it("keeps to 120 columns", () => {
    expect(text.split("\n").filter((line) => line.length > 120)).toEqual([]);
  });

  it("is rows, too", () => {
    const [head = "", first = ""] = renderCurveCsv(report).split("\n");
    const cells = first.split(",");
    const row = Object.fromEntries(head.split(",").map((name, nr) => [name, cells[nr]]));
    expect(row).toMatchObject({
      scenario: "small",
      policy: "pin",
      load: "0.1",
      atOnce: "7",
      offlined: "8",
      runs: "8",
      expected: "0.8825",
      timeToOfflineHighNs: "50000000",
    });
    expect(JSON.parse(renderCurveJson(report))).toEqual(report);
  });
});

describe("the chart", () => {
  const svg = renderCurveSvg(report);

  it("has a marker with its numbers for each measured point, and a dashed line for the closed form", () => {
    expect([...svg.matchAll(/<title>([^<]*)<\/title>/g)].map(([, note]) => note)).toEqual([
      "pin, load 0.1: 7 of 8",
      "pin, load 1: 0 of 8",
      "drop-get (v3.13), load 0.1: 7 of 8",
      "drop-get (v3.13), load 1: 7 of 8",
    ]);
    expect(svg.match(/class="line c2 dashed" d="M92 /g)).toHaveLength(1);
  });

  it("puts the closed form where it is: 0.905 at 0.1, 0.368 at 1", () => {
    // The plot is 300 high below 54, from 92 to 716.
    const [, path = ""] = /dashed" d="M([^"]*)"/.exec(svg) ?? [];
    const ends = [path.split("L").at(0), path.split("L").at(-1)];
    expect(ends).toEqual([
      `92 ${(354 - 300 * Math.exp(-0.1)).toFixed(1)}`,
      `716 ${(354 - 300 * Math.exp(-1)).toFixed(1)}`,
    ]);
  });

  it("has no number that is none", () => {
    const one = { ...report, loads: [1], points: report.points.slice(2, 3) };
    for (const text of [svg, renderCurveSvg(one), renderCurveHtml(one), renderCurveHtml(report)]) {
      expect(text).not.toMatch(/NaN|Infinity|undefined/);
    }
  });

  it("says that there is nothing to show", () => {
    expect(renderCurveSvg({ ...report, points: [] })).toContain("no data");
  });

  it("escapes what it is given", () => {
    const chart = renderChart({
      title: "<b>",
      xLabel: "x",
      yLabel: "y",
      yScale: "log",
      yDomain: null,
      formatX: String,
      formatY: String,
      series: [
        { label: "a&b", kind: "measured", points: [{ x: 1, y: 2, low: null, high: null, note: "<i>" }] },
      ],
    });
    expect(chart).not.toMatch(/<b>|<i>|a&b/);
  });

  it("is in the page with its numbers", () => {
    const html = renderCurveHtml(report);
    expect(html.match(/<svg /g)).toHaveLength(2);
    expect(html).toContain("<h1>Can a &lt;block&gt; be offlined?</h1>");
    expect(html).toContain("40.0 ms ± 10.0 ms");
  });
});
