import { describe, expect, it } from "vitest";
import {
  type CurveOptions,
  meanOfDistribution,
  pinLoadCurve,
  probabilityOfNoPin,
  withLoad,
} from "../../../../src/run/timed/curve.ts";
import type { Runner } from "../../../../src/run/timed/compare.ts";
import type { Distribution, Scenario, ScenarioPinner } from "../../../../src/scenario/scenario.ts";
import {
  SECOND,
  crash,
  fakeRunner,
  gaveUp,
  metrics,
  offlined,
  scenario,
  timedRun,
  variants,
} from "../../../helpers/timed-runs.ts";

const MS = 1_000_000;
const constant = (ns: number): Distribution => ({
  points: [
    { share: 0, ns },
    { share: 1, ns },
  ],
});

/** Ten pins a second of 100 ms each: one pin on average. */
const pinner: ScenarioPinner = {
  kind: "get",
  guest: "vm",
  firstPage: 0,
  pages: 32_768,
  perSecond: 10,
  atOnce: 0,
  hold: constant(100 * MS),
  startNs: 0,
};
const pinned: Scenario = { ...scenario, pinners: [pinner] };

function curve(options: Partial<CurveOptions> = {}) {
  return pinLoadCurve({
    scenario: pinned,
    variants: variants("pin"),
    seeds: [1, 2, 3, 4],
    loads: [1],
    version: "0.0.0",
    runner: fakeRunner(() => ({})),
    ...options,
  });
}

/** A runner that notes the scenarios it is given; with odd seeds a page has to be tried twice. */
function watched(): { runner: Runner; seen: Scenario[] } {
  const seen: Scenario[] = [];
  const runner: Runner = {
    ...fakeRunner(() => ({})),
    runScenario: async (options) => {
      seen.push(options.scenario);
      const { variant, seed } = options;
      return timedRun({
        ...variant,
        seed,
        operations: [{ ...offlined, durationNs: seed * MS, cleanAtOnce: seed % 2 === 0 }],
      });
    },
  };
  return { runner, seen };
}

describe("the closed form", () => {
  it.each([
    // Two pages of which each is pinned half of the time: a quarter.
    [1, 2, 0.25],
    [0, 32_768, 1],
    [3, 2, 0],
    // One pin in many pages: 1/e, less a part of 1/2N.
    [1, 32_768, Math.exp(-1) * (1 - 1 / 65_536)],
  ])("of %d pins in %d pages", (pins, pages, probability) => {
    expect(probabilityOfNoPin(pins, pages)).toBeCloseTo(probability, 9);
  });

  it("stands beside what was counted, for the pins that were in the block", async () => {
    const runner = fakeRunner((_, seed) => ({ operations: [{ ...offlined, pinsAtStart: seed % 2 }] }));
    const [point] = (await curve({ runner })).points;
    expect(point?.pinsAtStart?.mean).toBe(0.5);
    expect(point?.expected).toBeCloseTo(Math.exp(-0.5), 4);
  });
});

describe("the load", () => {
  it("scales the rate of the pinners to the number of pages that they are to hold", () => {
    expect(withLoad(pinned, 0.3).pinners[0]?.perSecond).toBeCloseTo(3, 12);
    // 10/s · 100 ms and 5/s · 200 ms are two; eight are wanted.
    const slow = { ...pinner, perSecond: 5, hold: constant(200 * MS) };
    const rates = withLoad({ ...scenario, pinners: [pinner, slow] }, 8).pinners.map((one) => one.perSecond);
    expect(rates).toEqual([40, 20]);
  });

  it("takes the mean of how long pins are held", () => {
    // Half of them between 0 and 100, half between 100 and 500: 25 + 150.
    const points = [
      { share: 0, ns: 0 },
      { share: 0.5, ns: 100 },
      { share: 1, ns: 500 },
    ];
    expect(meanOfDistribution({ points })).toBe(175);
  });

  it("leaves pins that are held for ever as they are", () => {
    const held = { ...pinner, hold: null, perSecond: 0, atOnce: 7 };
    expect(withLoad({ ...scenario, pinners: [held, pinner] }, 2).pinners).toEqual([
      held,
      { ...pinner, perSecond: 20 },
    ]);
  });

  it.each([
    ["no pinner", scenario, "pinners: the load needs one"],
    ["only pins without an end", { ...scenario, pinners: [{ ...pinner, hold: null }] }, "an end of its pins"],
    ["no offline", { ...pinned, operations: [] }, "operations: none takes memory offline"],
  ])("refuses a scenario with %s", async (_, refused, message) => {
    await expect(curve({ scenario: refused })).rejects.toMatchObject({
      code: "ERR_ARGUMENT",
      message: expect.stringContaining(message),
    });
  });

  it("is measured, too", async () => {
    const runner = fakeRunner(() => ({ endNs: 2 * SECOND, metrics: metrics({ pinNs: 3 * SECOND }) }));
    expect((await curve({ runner })).points[0]?.measuredLoad).toMatchObject({ mean: 1.5 });
  });
});

describe("pinLoadCurve", () => {
  it("counts what moved at the first attempt, and times what moved at all", async () => {
    const { runner, seen } = watched();
    const report = await curve({ runner, loads: [3, 0.1] });
    expect(report.loads).toEqual([0.1, 3]);
    expect(report.points.map(({ load }) => load)).toEqual([0.1, 3]);
    expect(report.points[0]).toMatchObject({
      policy: "pin",
      atOnce: { successes: 2, runs: 4 },
      offlined: { successes: 4, runs: 4 },
      timeToOfflineNs: { runs: 4, mean: 2.5 * MS },
    });
    expect(seen.map(({ pinners }) => pinners[0]?.perSecond)).toEqual([1, 1, 1, 1, 30, 30, 30, 30]);
  });

  it("does not call it moved at the first attempt if pages are left", async () => {
    const runner = fakeRunner(() => ({ operations: [{ ...gaveUp, cleanAtOnce: true }] }));
    expect((await curve({ runner })).points[0]).toMatchObject({ atOnce: { successes: 0, runs: 4 } });
  });

  it("has a point a policy and load, and the hash of every run", async () => {
    const report = await curve({ variants: variants("pin", "drop-get"), loads: [1, 2], seeds: [1] });
    expect(report.points.map(({ load, policy }) => [load, policy])).toEqual([
      [1, "pin"],
      [1, "drop-get"],
      [2, "pin"],
      [2, "drop-get"],
    ]);
    expect(report.runs).toHaveLength(4);
    expect(report.runs[0]).toEqual({
      policy: "pin",
      repairs: [],
      load: 1,
      seed: 1,
      offlined: true,
      atOnce: true,
      durationNs: 40_000_000,
      stateHash: "0123456789abcdef",
    });
  });

  it("has no time where nothing went offline, and none of a run that crashed", async () => {
    const [failed] = (await curve({ runner: fakeRunner(() => ({ operations: [gaveUp] })) })).points;
    expect(failed).toMatchObject({ timeToOfflineNs: null, offlined: { successes: 0, runs: 4 } });
    const [crashed] = (await curve({ runner: fakeRunner(() => ({ crash })) })).points;
    expect(crashed).toMatchObject({ crashed: 4, timeToOfflineNs: null, measuredLoad: null, expected: null });
  });

  it("counts runs over all loads while it runs, and keeps whole loads when it is stopped", async () => {
    const seen: number[] = [];
    const report = await curve({
      loads: [1, 2],
      seeds: [1, 2],
      onProgress: ({ done, total }) => {
        expect(total).toBe(4);
        seen.push(done);
        return done < 3;
      },
    });
    expect(seen).toEqual([0, 0, 1, 1, 2, 2, 3]);
    expect(report).toMatchObject({ interrupted: true });
    expect(report.points.map(({ load }) => load)).toEqual([1]);
  });
});
