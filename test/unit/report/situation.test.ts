import { describe, expect, it } from "vitest";
import { holdersText, renderSituationTable } from "../../../src/report/situation.ts";
import { painter } from "../../../src/report/table.ts";
import { variantLabel, variantName } from "../../../src/report/variant.ts";
import { isClean, verdict } from "../../../src/run/situation-verdict.ts";
import type { Aftermath, SituationResult } from "../../../src/run/situation.ts";

const nothingLeft: Aftermath = {
  leaks: { contexts: 0, lostFaults: 0, pins: 0, badPages: 0 },
  violation: null,
  badRss: null,
  retry: null,
  crash: null,
};

/** Ten pages, two of them held, and all moved. */
const moved: SituationResult = {
  policy: "pin",
  repairs: [],
  faults: 2,
  pins: 2,
  pagesBefore: 10,
  pagesMovedOut: 0,
  offlined: true,
  errno: null,
  endless: false,
  durationNs: 1_000,
  pagesMoved: 10,
  pagesLeft: 0,
  attempts: 10,
  unmapCycles: 10,
  rounds: 1,
  holders: [],
  crash: null,
  crashedOnPin: false,
  aftermath: nothingLeft,
  stateHash: "0",
};
const stayed: SituationResult = {
  ...moved,
  offlined: false,
  errno: "EAGAIN",
  pagesMoved: 8,
  pagesLeft: 2,
  attempts: 28,
  unmapCycles: 28,
};

describe("verdicts come from the facts of a run", () => {
  it.each([
    ["pages that moved while held", moved, "moved, 2 pinned pages too; nothing left behind"],
    ["nothing held", { ...moved, pins: 0 }, "nothing was pinned, all moved; nothing left behind"],
    [
      "a context that leaked",
      { ...moved, aftermath: { ...nothingLeft, leaks: { ...nothingLeft.leaks, contexts: 1 } } },
      "moved, 2 pinned pages too; 1 context never freed",
    ],
    [
      "rss counters that are off",
      { ...moved, aftermath: { ...nothingLeft, badRss: { file: -1, anon: 1, swap: 0 } } },
      "moved, 2 pinned pages too; rss counters wrong at exit",
    ],
    [
      "pages unmapped over and over",
      stayed,
      "retries until the kernel returns -EAGAIN; each attempt unmaps a pinned page, counts a reference too " +
        "many and maps it again",
    ],
    [
      "pages never unmapped",
      { ...stayed, unmapCycles: 8 },
      "retries until the kernel returns -EAGAIN; a pinned page is never unmapped: its PTEs are not found",
    ],
    [
      "a kernel without a limit, and completions that end it",
      {
        ...stayed,
        errno: null,
        endless: true,
        aftermath: { ...nothingLeft, retry: { offlined: true, errno: null, durationNs: 1 } },
      },
      "retries for ever; each attempt unmaps a pinned page, counts a reference too many and maps it again. " +
        "Goes offline once the completions have run",
    ],
    [
      "a crash",
      {
        ...stayed,
        errno: null,
        crash: {
          kind: "oops",
          function: "mutex_lock",
          trace: ["mutex_lock", "try_to_unmap_file", "try_to_unmap"],
          pfn: 5,
          invariant: "INV-LOCK",
        },
        crashedOnPin: true,
        aftermath: null,
      },
      "oops at a pinned page: mutex_lock ← try_to_unmap_file takes a lock that nobody initialised (INV-LOCK)",
    ],
  ] satisfies [string, SituationResult, string][])("%s", (_, result, sentence) => {
    expect(verdict(result)).toBe(sentence);
  });

  it("does not read the policy's name", () => {
    const others = (["pin", "rfc", "drop-get", "longterm"] as const).map((policy) =>
      verdict({ ...stayed, policy }),
    );
    expect(new Set(others).size).toBe(1);
  });

  it("is clean only if the block is offline and nothing is left", () => {
    const violation = {
      invariant: "INV-CTX",
      pfn: 0,
      object: 0,
      expected: 0,
      found: 1,
      holders: [],
    } as const;
    expect(isClean(moved)).toBe(true);
    expect(isClean(stayed)).toBe(false);
    expect(isClean({ ...moved, aftermath: { ...nothingLeft, violation } })).toBe(false);
  });
});

describe("names in a table", () => {
  it.each([
    [{ policy: "rfc", repairs: [] }, "rfc as posted", "rfc"],
    [{ policy: "rfc", repairs: ["L1", "L2"] }, "rfc +L1 +L2", "rfc+L1+L2"],
    [{ policy: "rfc", repairs: ["L1", "L2", "L3"] }, "rfc +L1 … +L3", "rfc+L1+L2+L3"],
    [{ policy: "rfc", repairs: ["L1", "L3", "L4"] }, "rfc +L1 +L3 +L4", "rfc+L1+L3+L4"],
    [{ policy: "pin", repairs: [] }, "pin", "pin"],
  ] as const)("%j is %s, for --policy %s", (variant, label, name) => {
    expect(variantLabel(variant)).toBe(label);
    expect(variantName(variant)).toBe(name);
  });

  it("names holders of one kind together, their vCPUs as ranges, their references added up", () => {
    const holders = [
      { kind: "async_pf", vcpu: 3, count: 1 },
      { kind: "async_pf", vcpu: 0, count: 2 },
      { kind: "async_pf", vcpu: 1, count: 3 },
      { kind: "get", vcpu: null, count: 4 },
    ] as const;
    expect(holdersText(holders)).toBe("async_pf vcpu 0–1, 3 (6), get (4)");
  });
});

function render(results: readonly SituationResult[]): string {
  const report = {
    command: "run",
    scenario: "situation",
    version: "0.0.0",
    kernel: "v3.12",
    seed: 7,
    results: results.map((result) => ({ ...result, verdict: verdict(result) })),
  } as const;
  return renderSituationTable(report, { paint: painter(false), columns: 120 });
}

describe("the table", () => {
  it("puts policies with the same outcome into one sentence", () => {
    const text = render([moved, { ...stayed, policy: "rfc" }, { ...stayed, policy: "rfc", repairs: ["L1"] }]);
    expect(text).toMatch(/^rfc as posted, \+L1 {2}retries until/m);
    expect(text).toContain("Yes, and nothing is left behind: pin.");
  });

  it("says what never returns, and what a crash leaves unknown", () => {
    const text = render([{ ...stayed, errno: null, endless: true, durationNs: null }]);
    expect(text).toMatch(/^pin +stuck +never +8 +2 +28 +28 +–/m);
    expect(text).toContain("No: it stays online while its pages are held.");
  });
});
