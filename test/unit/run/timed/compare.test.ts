import { describe, expect, it } from "vitest";
import {
  type CompareOptions,
  type CompareProgress,
  compareScenario,
} from "../../../../src/run/timed/compare.ts";
import type { TimedRun } from "../../../../src/run/timed/result.ts";
import {
  SECOND,
  crash,
  fakeRunner,
  gaveUp,
  metrics,
  offlined,
  scenario,
  variants,
} from "../../../helpers/timed-runs.ts";

type ResultOf = (name: string, seed: number) => Partial<TimedRun>;

function compare(resultOf: ResultOf, options: Partial<CompareOptions> = {}) {
  return compareScenario({
    scenario,
    variants: variants("pin", "drop-get"),
    seeds: [1, 2, 3],
    version: "0.0.0",
    runner: fakeRunner(resultOf),
    ...options,
  });
}

/** By pin 10, 20, 30 faults; by drop-get 1, 2 and 3 fewer. */
const faults: ResultOf = (name, seed) => ({
  metrics: metrics({ faults: 10 * seed - (name === "pin" ? 0 : seed) }),
});

describe("compareScenario: the numbers", () => {
  it("gives the mean of the seeds, and the difference seed by seed", async () => {
    const [pin, dropGet] = (await compare(faults)).policies;
    expect(pin?.measures.faults).toMatchObject({ estimate: { runs: 3, mean: 20 }, difference: null });
    expect(dropGet?.measures.faults.estimate?.mean).toBeCloseTo(18, 12);
    const difference = dropGet?.measures.faults.difference;
    // -1, -2, -3: mean -2, standard error 1/sqrt(3), t of two degrees 4.303; t = -3.4641, p = 0.0742 (R).
    expect(difference?.mean).toBe(-2);
    expect(difference?.low).toBeCloseTo(-2 - 4.3027 / Math.sqrt(3), 3);
    expect(difference?.high).toBeCloseTo(-2 + 4.3027 / Math.sqrt(3), 3);
    expect(difference?.pValue).toBeCloseTo(0.0742, 4);
  });

  it("corrects for the number of policies, which it tells", async () => {
    const report = await compare(faults, { variants: variants("pin", "drop-get", "longterm") });
    expect(report.comparisons).toBe(2);
    const pValues = report.policies.map(({ measures }) => measures.faults.difference?.pAdjusted);
    expect(pValues[1]).toBeCloseTo(2 * 0.0742, 3);
    expect(pValues[2]).toBe(pValues[1]);
  });

  it("gives the mean number of pins from the sum of their hold times", async () => {
    const report = await compare(() => ({ endNs: 2 * SECOND, metrics: metrics({ pinNs: 3 * SECOND }) }));
    expect(report.policies[0]?.measures.meanPins.estimate?.mean).toBe(1.5);
  });

  it("has neither intervals nor p values with one seed", async () => {
    const [pin, dropGet] = (await compare(faults, { seeds: [2] })).policies;
    expect(pin?.measures.faults.estimate).toEqual({ runs: 1, mean: 20, low: null, high: null });
    expect(dropGet?.measures.faults.difference).toMatchObject({
      runs: 1,
      mean: -2,
      low: null,
      pValue: null,
    });
  });

  it("has no NaN anywhere where all runs are equal", async () => {
    const report = await compare(() => ({}));
    expect(JSON.stringify(report)).not.toMatch(/NaN/);
    const numbers = JSON.stringify(report, (_, value: unknown) =>
      typeof value === "number" && !Number.isFinite(value) ? "not finite" : value,
    );
    expect(numbers).not.toContain("not finite");
    expect(report.policies[1]?.measures.faults.difference).toMatchObject({ constant: true, mean: 0 });
  });

  it("merges histograms over the seeds", async () => {
    const report = await compare((_, seed) => ({
      histograms: {
        faultLatency: [{ from: 100 * seed, to: 100 * seed + 1, count: seed }],
        pinHold: [],
        migration: [],
        stall: [],
      },
    }));
    // 100, 200, 200, 300, 300, 300
    const { faultLatency, stall } = report.policies[0]?.percentiles ?? {};
    expect(faultLatency).toMatchObject({ count: 6, p50Ns: 200, p90Ns: 300, maxNs: 300 });
    expect(stall).toBeNull();
  });

  it("adds up blame over the seeds, and puts whoever blocked longest first", async () => {
    const report = await compare((_, seed) => ({
      blame: [
        { kind: "get", guest: "vm", vcpu: null, pages: 1, blockedNs: 1, longestNs: 1 },
        { kind: "async_pf", guest: "vm", vcpu: 1, pages: 2, blockedNs: 10 * seed, longestNs: 7 * seed },
      ],
    }));
    expect(report.policies[0]?.blame).toEqual([
      { kind: "async_pf", guest: "vm", vcpu: 1, pages: 6, blockedNs: 60, longestNs: 21 },
      { kind: "get", guest: "vm", vcpu: null, pages: 3, blockedNs: 3, longestNs: 1 },
    ]);
  });
});

describe("compareScenario: operations", () => {
  it("counts successes, endings and errors", async () => {
    const results = [
      offlined,
      gaveUp,
      { ...gaveUp, ret: -11, errno: "EAGAIN", ending: "returned" } as const,
      { ...gaveUp, durationNs: null, ending: "unfinished" } as const,
    ];
    const report = await compare((_, seed) => ({ operations: [results[seed - 1] ?? offlined] }), {
      seeds: [1, 2, 3, 4],
    });
    const [operation] = report.policies[0]?.operations ?? [];
    expect(operation).toMatchObject({
      name: "offline",
      success: { successes: 1, runs: 4 },
      endings: { returned: 2, gaveUp: 1, unfinished: 1, crashed: 0 },
      errnos: ["EAGAIN"],
      cleanAtOnce: 1,
    });
    // What has not ended has no duration.
    expect(operation?.durationNs.estimate).toMatchObject({ runs: 3, mean: (6 * SECOND + 40_000_000) / 3 });
  });

  it("takes a move_pages() that leaves pages for a failure although it returns 0", async () => {
    const moved = { ...offlined, do: "move-pages" };
    const report = await compare((_, seed) => ({
      operations: [seed === 1 ? moved : { ...moved, pagesLeft: 1 }],
    }));
    expect(report.policies[0]?.operations[0]?.success).toMatchObject({ successes: 1, runs: 3 });
  });

  it("compares only seeds with which both policies have a value", async () => {
    const report = await compare((name, seed) => {
      if (name === "pin") return seed === 3 ? { operations: [{ ...gaveUp, durationNs: null }] } : {};
      return { operations: [{ ...offlined, durationNs: 40_000_000 + seed }] };
    });
    expect(report.policies[1]?.operations[0]?.durationNs).toMatchObject({
      estimate: { runs: 3 },
      difference: { runs: 2, mean: 1.5 },
    });
  });
});

const crashing: ResultOf = (name, seed) =>
  name === "pin" && seed === 2
    ? { crash, metrics: metrics({ faults: 1_000_000 }), operations: [gaveUp], endNs: 1 }
    : { metrics: metrics({ faults: 10 }) };

describe("compareScenario: crashes", () => {
  it("counts a crashed run, and averages nothing of it", async () => {
    const [pin, dropGet] = (await compare(crashing)).policies;
    expect(pin).toMatchObject({ runs: 3, crashed: 1, crash });
    expect(pin?.measures.faults.estimate).toMatchObject({ runs: 2, mean: 10 });
    expect(pin?.measures.endNs.estimate?.runs).toBe(2);
    expect(dropGet?.measures.faults.difference?.runs).toBe(2);
  });

  it("does not call a crashed run's operation anything but crashed", async () => {
    const [pin] = (await compare(crashing)).policies;
    expect(pin?.operations[0]).toMatchObject({
      success: { successes: 2, runs: 3 },
      endings: { returned: 2, gaveUp: 0, unfinished: 0, crashed: 1 },
      durationNs: { estimate: { runs: 2 } },
    });
  });

  it("has no numbers of a policy whose every run has crashed", async () => {
    const report = await compare((name) => (name === "pin" ? { crash } : {}));
    expect(report.policies[0]?.measures.faults).toEqual({ estimate: null, difference: null });
    expect(report.policies[1]?.measures.faults.difference).toBeNull();
    expect(report.policies[0]?.operations[0]?.success).toMatchObject({ successes: 0, runs: 3 });
  });

  it("counts the runs of which a recount has found something broken", async () => {
    const violation = {
      invariant: "INV-CTX",
      pfn: 0,
      object: 1,
      expected: 0,
      found: 1,
      holders: [],
    } as const;
    const report = await compare((_, seed) => (seed === 1 ? {} : { violation }));
    expect(report.policies[0]).toMatchObject({ runs: 3, violated: 2, violation });
  });
});

describe("compareScenario: the runs", () => {
  it("lists every run, policy after policy", async () => {
    const { runs } = await compare(() => ({}), { seeds: [7, 5] });
    expect(runs.map(({ policy, seed }) => [policy, seed])).toEqual([
      ["pin", 7],
      ["pin", 5],
      ["drop-get", 7],
      ["drop-get", 5],
    ]);
  });

  it("runs on from one state under every policy with --fork", async () => {
    const forked: number[] = [];
    const runner = fakeRunner(() => ({}));
    const report = await compare(() => ({}), {
      fork: true,
      runner: {
        runScenario: () => Promise.reject(new Error("not forked")),
        forkScenario: (options) => {
          forked.push(options.seed);
          return runner.forkScenario(options);
        },
      },
    });
    expect(forked).toEqual([1, 2, 3]);
    expect(report).toMatchObject({ forked: true, policies: [{ runs: 3 }, { runs: 3 }] });
  });

  it("tells how far it is", async () => {
    const seen: CompareProgress[] = [];
    await compare(() => ({}), {
      seeds: [4],
      onProgress: (progress) => {
        seen.push(progress);
        return true;
      },
    });
    const [pin, dropGet] = variants("pin", "drop-get");
    expect(seen).toEqual([
      { done: 0, total: 2, seed: 4, variant: pin, nowNs: 0 },
      { done: 0, total: 2, seed: 4, variant: pin, nowNs: SECOND },
      { done: 1, total: 2, seed: 4, variant: dropGet, nowNs: 0 },
      { done: 1, total: 2, seed: 4, variant: dropGet, nowNs: SECOND },
    ]);
  });

  it.each([
    ["before a run", 0],
    ["while one is under way", SECOND],
  ])("keeps what is complete when it is stopped %s", async (_, atNs) => {
    const onProgress = ({ done, nowNs }: CompareProgress) => done < 3 || nowNs !== atNs;
    const report = await compare(() => ({}), { onProgress });
    expect(report.interrupted).toBe(true);
    expect(report.runs.map(({ policy, seed }) => [policy, seed])).toEqual([
      ["pin", 1],
      ["pin", 2],
      ["drop-get", 1],
    ]);
  });

  it.each([
    ["no policy", { variants: [] }, "policies: there has to be one"],
    ["a policy twice", { variants: variants("pin", "rfc+L1", "rfc+L1") }, "policies: rfc+L1 is there twice"],
    ["no seed", { seeds: [] }, "seeds: there has to be one"],
    ["a seed twice", { seeds: [1, 2, 1] }, "seeds: 1 is there twice"],
  ])("refuses %s", async (_, options, message) => {
    await expect(compare(() => ({}), options)).rejects.toMatchObject({ code: "ERR_ARGUMENT", message });
  });
});
