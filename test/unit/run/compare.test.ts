import * as fs from "node:fs";
import * as path from "node:path";
import { describe, expect, it } from "vitest";
import { type CaseResult, parseRecording, replay, validate } from "../../../src/run/validate.ts";
import { mapStep, moveStep, recordingOf } from "./recordings.ts";

const golden = path.join(import.meta.dirname, "../../golden");

interface RecordedStep {
  observed?: Record<string, unknown>;
}

interface Case {
  needs: string[];
  steps: RecordedStep[];
}

function read(file: string): Case {
  const parsed: Case = JSON.parse(fs.readFileSync(path.join(golden, file), "utf8"));
  return parsed;
}

async function replayCase(recorded: Case): Promise<CaseResult> {
  return replay(parseRecording(JSON.stringify(recorded), "changed.json"));
}

/** Another value of the same kind. */
function changed(value: unknown): unknown {
  if (typeof value === "number") return value + 1;
  if (typeof value === "boolean") return !value;
  if (typeof value === "string") return `${value}X`;
  return 77;
}

// Not values of the kernel's: they say what to compare, set the replay's clock, or name a page.
const LEFT_ALONE = ["relations", "timeDependent", "uncontrolled", "timing", "firstRet", "index", "sample"];
// LRU batches decide about these, and the recorder's list may end anywhere.
const NOT_COMPARED = [
  "migratePagesEventsListed",
  "toucherOps",
  "compact_daemon_wake",
  "REFERENCED",
  "UPTODATE",
  "DIRTY",
  "LRU",
  "MMAP",
  "ACTIVE",
  "RESERVED",
];

type Path = readonly (string | number)[];

/** Every single value of a record. */
function leaves(value: unknown, at: Path = []): Path[] {
  if (typeof value !== "object" || value === null) return [at];
  return Object.entries(value).flatMap(([name, inner]) => {
    if (LEFT_ALONE.includes(name) || NOT_COMPARED.includes(name) || NOT_COMPARED.includes(String(inner)))
      return [];
    return leaves(inner, [...at, name]);
  });
}

function excludes(observed: Record<string, unknown>, leaf: Path): boolean {
  const paths = [observed["timeDependent"], observed["uncontrolled"]].flat().map(String);
  return paths.some((one) => `${leaf.join(".")}.`.startsWith(`${one}.`));
}

/** Changes one value of a record in place. */
function change(observed: object, leaf: Path): void {
  const [name, ...rest] = leaf;
  const entries: Record<string, unknown> = Object.fromEntries(Object.entries(observed));
  const value = entries[String(name)];
  if (rest.length === 0) Object.assign(observed, { [String(name)]: changed(value) });
  else if (typeof value === "object" && value !== null) change(value, rest);
}

function comparedLeaves({ observed }: RecordedStep): Path[] {
  return observed === undefined ? [] : leaves(observed).filter((leaf) => !excludes(observed, leaf));
}

const kernels = ["3.11", "6.1", "6.12"];
const SUPPORTED = ["offline", "timed", "fork", "longterm", "file", "writeback"];
const modelled = kernels
  .flatMap((kernel) => fs.readdirSync(path.join(golden, kernel)).map((name) => `${kernel}/${name}`))
  .filter((file) => read(file).needs.every((need) => SUPPORTED.includes(need)));

describe("a recording in which everything is changed", () => {
  it.each(modelled)("%s: every field of it is missed", async (file) => {
    const recorded = read(file);
    const fields = new Set<string>();
    for (const [step, one] of recorded.steps.entries()) {
      for (const leaf of comparedLeaves(one)) {
        fields.add(`${step} ${leaf[0]}`);
        change(one.observed ?? {}, leaf);
      }
    }
    const { disagreements, deviations } = await replayCase(recorded);
    const found = new Set(
      [...disagreements, ...deviations].map(({ step, what }) => `${step} ${what.replace(/[.[].*/, "")}`),
    );
    expect([...fields].filter((field) => !found.has(field))).toEqual([]);
  });
});

describe("a recording in which one value is changed", () => {
  const file = "6.1/mbind-move-pinned.json";
  const all = read(file).steps.flatMap((step, at) =>
    comparedLeaves(step).map((leaf): [number, Path] => [at, leaf]),
  );

  it("has enough of them", () => {
    expect(all.length).toBeGreaterThan(40);
  });

  it.each(all)("disagrees: step %i, %s", async (at, leaf) => {
    const recorded = read(file);
    change(recorded.steps[at]?.observed ?? {}, leaf);
    const { result, disagreements } = await replayCase(recorded);
    expect(result).toBe("disagree");
    expect(disagreements.map(({ step }) => step)).toEqual([at]);
    expect(disagreements[0]?.what).toMatch(new RegExp(`^${leaf[0]}`));
  });
});

/** Of a recording that moves three pages. */
async function disagreementsOf(observed: Record<string, unknown>): Promise<unknown> {
  const text = recordingOf([mapStep(3), moveStep(1, observed)]);
  return (await replay(parseRecording(text, "case.json"))).disagreements;
}

describe("a disagreement", () => {
  it.each<[string, Record<string, unknown>, unknown[]]>([
    ["a return value", { ret: 3 }, [{ what: "ret", recorded: 3, simulated: 0 }]],
    ["an errno", { errno: "EIO" }, [{ what: "errno", recorded: "EIO", simulated: null }]],
    ["one entry's status", { status: [1, -14, 1] }, [{ what: "status[1]", recorded: -14, simulated: 1 }]],
    [
      "a status that was never written",
      { status: [1, 1, null] },
      [{ what: "status[2]", recorded: null, simulated: 1 }],
    ],
    ["the number of statuses", { status: [1, 1] }, [{ what: "status.length", recorded: 2, simulated: 3 }]],
    [
      "counts, also those that only one side has",
      { statusCounts: { untouched: 3 } },
      [
        { what: "statusCounts.untouched", recorded: 3, simulated: 0 },
        { what: "statusCounts.node1", recorded: 0, simulated: 3 },
      ],
    ],
    [
      "a counter that is absent and so did not change",
      { vmstat: { pgmigrate_success: 3, thp_split: 1 } },
      [{ what: "vmstat.thp_split", recorded: 1, simulated: 0 }],
    ],
    [
      "a histogram as a whole",
      { refsAtTryToMigrate: [{ refcount: 3, mapcount: 1, times: 3 }] },
      [
        {
          what: "refsAtTryToMigrate",
          recorded: [{ refcount: 3, mapcount: 1, times: 3 }],
          simulated: [{ refcount: 2, mapcount: 1, times: 3 }],
        },
      ],
    ],
  ])("names step, %s, and both values", async (_, observed, expected) => {
    const located = expected.map((one) => Object.assign({ step: 1 }, one));
    expect(await disagreementsOf(observed)).toEqual(located);
  });

  it("names a relation that does not hold, with the values on both sides", async () => {
    const what = "vmstat.pgmigrate_success == ret";
    expect(await disagreementsOf({ ret: 0, vmstat: { pgmigrate_success: 3 }, relations: [what] })).toEqual([
      {
        step: 1,
        what,
        recorded: { "vmstat.pgmigrate_success": 3, ret: 0 },
        simulated: { "vmstat.pgmigrate_success": 3, ret: 0 },
      },
    ]);
  });

  it("is none where the recording says that a value depends on time or on other memory", async () => {
    const observed = {
      ret: 9,
      vmstat: { pgmigrate_success: 4, pgmigrate_fail: 4 },
      batches: { "7": 1 },
      timeDependent: ["ret", "vmstat.pgmigrate_fail"],
      uncontrolled: ["batches"],
    };
    expect(await disagreementsOf(observed)).toEqual([
      { step: 1, what: "vmstat.pgmigrate_success", recorded: 4, simulated: 3 },
    ]);
  });

  it("is none for histograms in another order, or events that the recorder cut", async () => {
    const event = { succeeded: 1, failed: 0, mode: "MIGRATE_SYNC", reason: "syscall_or_cpuset" };
    const steps = [
      mapStep(3),
      { op: "pin", region: "a", pages: [1], how: "vmsplice", id: "p" },
      moveStep(1, {
        refsAtTryToMigrate: [
          { refcount: 3, mapcount: 1, times: 10 },
          { refcount: 2, mapcount: 1, times: 2 },
        ],
      }),
      { op: "unpin", id: "p" },
      // An entry that is on the target already ends a run: one call of migrate_pages() for each page.
      moveStep(
        0,
        {
          migratePagesEvents: [event],
          migratePagesEventsTraced: 2,
        },
        { entries: [0, 1, 2] },
      ),
    ];
    const { result, disagreements } = await replay(parseRecording(recordingOf(steps), "case.json"));
    expect({ result, disagreements }).toEqual({ result: "agree", disagreements: [] });
  });
});

describe("what is not compared", () => {
  it("is listed with its reason", async () => {
    const observed = {
      ret: 0,
      vmstat: { pgmigrate_success: 3, compact_daemon_wake: 1 },
      mystery: 1,
      readRet: 4096,
    };
    const text = recordingOf([mapStep(3), moveStep(1, observed, { speed: "fast" })]);
    const { result, notCompared } = await replay(parseRecording(text, "case.json"));
    expect(result).toBe("agree");
    expect(notCompared).toEqual([
      { step: 1, what: "speed", reason: "is a parameter that is not known" },
      {
        step: 1,
        what: "vmstat.compact_daemon_wake",
        reason: "kcompactd, which any allocation may wake, is not modelled",
      },
      { step: 1, what: "mystery", reason: "is not modelled" },
      { step: 1, what: "readRet", reason: "is what read(2) returned, and I/O is not modelled" },
    ]);
  });
});

describe("a report", () => {
  it("counts the cases by result", async () => {
    const steps = [mapStep(3), moveStep(1, { ret: 0 })];
    const wrong = [mapStep(3), moveStep(1, { ret: 1 })];
    const texts = [
      recordingOf(steps),
      recordingOf(wrong),
      recordingOf(steps, { needs: ["thp"] }),
      recordingOf(steps, { kernel: "3.11.0" }),
    ];
    const report = await validate(texts.map((text, i) => parseRecording(text, `${i}.json`)));
    const { agree, disagree, notModelled } = report;
    expect({ agree, disagree, notModelled }).toEqual({ agree: 2, disagree: 1, notModelled: 1 });
    expect(report.cases.map(({ file, result }) => `${file} ${result}`)).toEqual([
      "0.json agree",
      "1.json disagree",
      "2.json not-modelled",
      "3.json agree",
    ]);
  });
});
