import { describe, expect, it } from "vitest";
import { painter } from "../../../../src/report/table.ts";
import { formatNumber } from "../../../../src/report/timed/cells.ts";
import { type TimedDetails, renderComparisonTable } from "../../../../src/report/timed/table.ts";
import type { CompareOptions } from "../../../../src/run/timed/compare.ts";
import { SECOND, fakeRunner, metrics, offlined, variants } from "../../../helpers/timed-runs.ts";
import { comparison } from "./comparison.ts";

const layout = { paint: painter(false), columns: 120 };

async function render(options: Partial<CompareOptions> = {}, details: TimedDetails = {}): Promise<string> {
  return renderComparisonTable(await comparison(options), layout, details);
}

/** The cells of the first row that begins so. */
function rowOf(text: string, start: string): string[] {
  const line = text.split("\n").find((one) => one.startsWith(`${start}  `));
  return (line ?? "").split(/ {2,}/);
}

describe("the table of policies", () => {
  it("says in a row what happened, after how long, how it differs, and what was in the way", async () => {
    const text = await render();
    expect(rowOf(text, "pin").slice(0, 2)).toEqual(["pin", "offline 1/3,"]);
    expect(text).toContain("gave up 2/3");
    // 36, 37, 38 ms: standard error 1/sqrt(3), t of two degrees 4.303. To pin -2.964, -0.003, -2.962 s.
    expect(rowOf(text, "drop-get (v3.13)")).toEqual([
      "drop-get (v3.13)",
      "offline 3/3",
      "37.0 ms ± 2.5 ms",
      "−2.0 s",
      "0",
      "3",
      "100 µs",
      "100 µs",
      "25.0 %",
      "–",
    ]);
    expect(text).toContain("async_pf vcpu");
    expect(text).toContain("0–1, 3");
  });

  it("has no numbers of runs that have crashed", async () => {
    const cells = rowOf(await render(), "rfc as posted");
    expect(cells).toEqual(["rfc as posted", "oops 3/3", ...Array.from({ length: 8 }, () => "–")]);
  });

  it("tells each policy's story in a line, and answers the question", async () => {
    const text = (await render()).replaceAll(/\n +/g, " ");
    expect(text).toContain(
      "pin               offline with 1 of 3 seeds, every page at the first attempt; the caller gives up " +
        "with 2 of 3 seeds; 3.3 pages left on average; held by async_pf vcpu 0–1, 3",
    );
    expect(text).toContain("oops with every seed: mutex_lock ← try_to_unmap_file (INV-LOCK)");
    expect(text).toContain("offline with every seed after 37.0 ms, every page at the first attempt");
    expect(text).toContain(
      "Offline with every seed: drop-get (v3.13). With some: pin. With none: rfc as posted.",
    );
  });

  it("says how many comparisons p values are corrected for, and marks what remains", async () => {
    const report = {
      seeds: [1, 2, 3, 4, 5],
      runner: fakeRunner((name, seed) => ({
        operations: [
          { ...offlined, durationNs: name === "pin" ? SECOND + seed : 40_000_000 + (seed % 2) * 1_000_000 },
        ],
      })),
    };
    const text = await render(report);
    expect(rowOf(text, "drop-get (v3.13)")[3]).toBe("−959.4 ms **");
    expect(text).toMatch(/corrected\s+for 2 comparisons \(Holm\)/);
  });

  it("shows one seed as such: no intervals, no marks, no counts", async () => {
    const text = await render({ seeds: [1] });
    expect(rowOf(text, "drop-get (v3.13)").slice(1, 4)).toEqual(["offline", "36.0 ms", "−3.0 s"]);
    expect(text).toContain("One seed: no intervals, and no tests.");
    expect(text).not.toContain("±");
  });

  it("compares work where there is no operation", async () => {
    const runner = fakeRunner((name, seed) => ({
      operations: [],
      metrics: metrics({ accesses: (name === "pin" ? 1000 : 1500) + seed }),
    }));
    const text = await render({ runner, variants: variants("pin", "drop-get") });
    expect(text).toMatch(/^policy +accesses +difference/m);
    // 1502 ± t of two degrees, 4.303, times 1/sqrt(3); 500 more than 1002 with every seed.
    expect(rowOf(text, "drop-get (v3.13)").slice(1, 3)).toEqual(["1,502 ± 2.5", "+49.9 % ="]);
    expect(text).not.toContain("With none");
  });

  it("says that it was interrupted, and after how many runs", async () => {
    const text = await render({ onProgress: ({ done }) => done < 4 });
    expect(text).toContain("Interrupted: 4 of 9 runs.");
  });

  it("keeps to 120 columns", async () => {
    const text = await render({}, { percentiles: true, metrics: true, intervals: true });
    expect(text.split("\n").filter((line) => line.length > 120)).toEqual([]);
  });
});

describe("what is shown on request", () => {
  it("shows who kept pages from moving: per run, each vCPU", async () => {
    // 2 pages and 1 s with 2 of 3 seeds.
    const text = await render();
    const blame = text.slice(text.indexOf("Who kept pages from moving"));
    expect(rowOf(blame, "pin")).toEqual(["pin", "async_pf", "vm", "0", "1.3", "666.7 ms", "500.0 ms"]);
  });

  it("shows percentiles over all seeds", async () => {
    const text = await render({}, { percentiles: true });
    expect(rowOf(text, "fault, of a task")).toEqual([
      "fault, of a task",
      "pin",
      "3,000",
      ...Array.from({ length: 5 }, () => "100 µs"),
    ]);
    expect(await render()).not.toContain("Percentiles");
  });

  it("shows means of all metrics, and leaves out what is always 0", async () => {
    const text = await render({}, { metrics: true });
    expect(rowOf(text, "faults").slice(0, 2)).toEqual(["faults", "20 ± 24.8"]);
    expect(text).not.toMatch(/^swapOuts/m);
  });

  it("shows means of intervals", async () => {
    const text = await render({}, { intervals: true });
    const intervals = text.slice(text.indexOf("Intervals"));
    // Faults of the first interval 4, 8, 12.
    expect(rowOf(intervals, "pin")).toEqual(["pin", "1.0 s", "3", "0", "8", "0", "0", "0", "7", "100"]);
  });
});

describe("formatNumber", () => {
  it.each([
    [0, "0"],
    [12_345.6, "12,346"],
    [2.345_67, "2.3"],
    [0.0314, "0.031"],
    [-2.5, "-2.5"],
  ])("%d: %s", (value, text) => expect(formatNumber(value)).toBe(text));
});
