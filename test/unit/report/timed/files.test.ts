import { describe, expect, it } from "vitest";
import { renderComparisonCsv, renderIntervalsCsv } from "../../../../src/report/timed/csv.ts";
import { renderComparisonJson } from "../../../../src/report/timed/json.ts";
import { metricNames } from "../../../../src/run/timed/result.ts";
import { SECOND } from "../../../helpers/timed-runs.ts";
import { comparison } from "./comparison.ts";

describe("JSON", () => {
  it("says what was run, and has each policy's numbers and each run's hash", async () => {
    const report: unknown = JSON.parse(renderComparisonJson(await comparison()));
    expect(report).toMatchObject({
      command: "run",
      version: "1.2.3",
      scenario: "small",
      kernel: "v3.12",
      costs: "server",
      seeds: [1, 2, 3],
      comparisons: 2,
      interrupted: false,
      policies: [
        { policy: "pin", operations: [{ name: "offline", success: { successes: 1, runs: 3 } }] },
        { policy: "rfc", repairs: [], crashed: 3, crash: { kind: "oops" } },
        {
          policy: "drop-get",
          verdict: "offline with every seed after 37.0 ms, every page at the first attempt",
          operations: [{ durationNs: { estimate: { runs: 3, mean: 37_000_000 } } }],
        },
      ],
    });
    expect(report).toHaveProperty("runs.length", 9);
    expect(report).toHaveProperty("runs.8", {
      policy: "drop-get",
      repairs: [],
      seed: 3,
      stateHash: "0123456789abcdef",
      endNs: 2 * SECOND,
      events: 1000,
      crash: null,
      violation: null,
      operations: [expect.objectContaining({ durationNs: 38_000_000 })],
      metrics: expect.objectContaining({ faults: 30 }),
    });
  });

  it("has intervals on request alone", async () => {
    const report = await comparison();
    expect(JSON.parse(renderComparisonJson(report))).not.toHaveProperty("runs.0.intervals");
    const asked: unknown = JSON.parse(renderComparisonJson(report, { intervals: true }));
    expect(asked).toHaveProperty("runs.0.intervals.1.pinsNow", 5);
  });

  it("is the same text for the same arguments", async () => {
    expect(renderComparisonJson(await comparison())).toBe(renderComparisonJson(await comparison()));
  });
});

/** Rows as objects; no value of these has a comma. */
function parse(csv: string): Record<string, string>[] {
  const [head = "", ...lines] = csv.trimEnd().split("\n");
  const names = head.split(",");
  return lines.map((line) => {
    const cells = line.split(",");
    expect(cells).toHaveLength(names.length);
    return Object.fromEntries(names.map((name, nr) => [name, cells[nr] ?? ""]));
  });
}

describe("CSV", () => {
  it("has a row a run", async () => {
    const rows = parse(renderComparisonCsv(await comparison()));
    expect(rows.map(({ policy, seed }) => `${policy} ${seed}`)).toEqual(
      ["pin", "rfc", "drop-get"].flatMap((policy) => [1, 2, 3].map((seed) => `${policy} ${seed}`)),
    );
    expect(rows[0]).toMatchObject({
      scenario: "small",
      kernel: "v3.12",
      stateHash: "0123456789abcdef",
      crash: "",
      "offline.ending": "gave-up",
      "offline.durationNs": "3000000000",
      "offline.pagesLeft": "5",
      faults: "10",
      "faultLatency.p50Ns": "100000",
      "stall.p50Ns": "",
    });
    expect(rows[3]).toMatchObject({ crash: "oops", brokenInvariant: "INV-LOCK" });
  });

  it("has a row a run and interval on request", async () => {
    const rows = parse(renderIntervalsCsv(await comparison()));
    expect(rows).toHaveLength(6);
    expect(rows[5]).toMatchObject({
      policy: "pin",
      seed: "3",
      startNs: "1000000000",
      endNs: "2000000000",
      pinsNow: "5",
      faults: "18",
    });
    expect(Object.keys(rows[0] ?? {})).toEqual(expect.arrayContaining([...metricNames]));
  });
});
