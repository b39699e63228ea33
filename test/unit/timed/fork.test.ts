/** forkScenario(): one prelude, and each policy from there on. */
import { describe, expect, it } from "vitest";
import * as abi from "../../../assembly/abi.ts";
import type { TimedRun } from "../../../src/run/timed/result.ts";
import { forkScenario } from "../../../src/run/timed/run-scenario.ts";
import type { Scenario } from "../../../src/scenario/scenario.ts";
import {
  MS,
  at,
  blocks,
  dropGet,
  guest,
  host,
  longterm,
  machineAt,
  offlineBlock,
  pin,
  play,
  repaired,
  scenario,
  tasks,
} from "../../helpers/scenarios.ts";

/** Guests under pressure, part of which is in the block that goes offline after 60 ms. */
const one: Scenario = scenario({
  durationNs: 150 * MS,
  untilDone: false,
  intervalNs: 20 * MS,
  verifyNs: 30 * MS,
  host: host({
    ...blocks,
    memoryLimit: 30_000,
    swap: host().swap.map((area) => ({ ...area, pages: 32_768 })),
  }),
  guests: [guest({ pages: 40_000, touched: 40_000, tasks: [tasks({ count: 8, pages: 40_000 })] })],
  operations: [at(60, offlineBlock(20))],
});

function beforeFork({ intervals }: TimedRun): unknown {
  return intervals.filter(({ endNs }) => endNs <= 60 * MS);
}

describe("from a prelude under pin", () => {
  it("goes on under it as the run that is not forked, and under others from the same intervals", async () => {
    const variants = [pin, dropGet, longterm, repaired];
    const runs = await forkScenario({ scenario: one, seed: 1, variants });
    const plain = await play(one);
    expect(runs[0]).toEqual(plain);
    expect(runs.map(({ policy }) => policy)).toEqual(["pin", "drop-get", "longterm", "rfc"]);
    expect(plain.intervals.map(({ endNs }) => endNs / MS)).toEqual([20, 40, 60, 80, 100, 120, 140]);
    for (const run of runs) {
      expect(beforeFork(run)).toEqual(beforeFork(plain));
      expect(run).toMatchObject({ violation: null, crash: null, endNs: 150 * MS });
      expect(run.intervals).toHaveLength(7);
    }
    expect(runs[1]?.stateHash).not.toBe(plain.stateHash);
  });

  it("takes pins of the prelude along", async () => {
    const variants = [pin, dropGet];
    const ends = await forkScenario({ scenario: { ...one, verifyNs: MS }, seed: 1, variants });
    const atTheFork = ends[0]?.operations[0]?.atNs ?? 0;
    const held = ends[1]?.intervals.filter(({ endNs, pinsNow }) => endNs <= atTheFork && pinsNow > 0);
    expect(held?.length).toBeGreaterThan(0);
    expect(ends[1]).toMatchObject({ violation: null, crash: null });
  });
});

it("refuses to begin with the RFC, whatever the state is then", async () => {
  const forked = forkScenario({ scenario: scenario(), seed: 1, variants: [repaired, pin] });
  await expect(forked).rejects.toMatchObject({
    code: "ERR_ARGUMENT",
    message: expect.stringContaining("first policy is rfc"),
  });
});

it("of no variants there are no runs", async () => {
  expect(await forkScenario({ scenario: one, seed: 1, variants: [] })).toEqual([]);
});

it("a work item that began under another policy has no context: the RFC does not make one up", async () => {
  const half: Scenario = { ...one, operations: [] };
  let inFlight = 0;
  for (let nr = 0; nr < 40; nr++) {
    const atNs = 20 * MS + nr * 37_123;
    // Each has to be taken there by itself.
    // oxlint-disable-next-line no-await-in-loop
    const { core } = await machineAt(half, atNs);
    const items = core.words(abi.TABLE_APFS);
    for (let item = 0; item < items.length; item += abi.APF_SIZE >> 2)
      if (items[item + (abi.APF_STATE >> 2)] === abi.APF_QUEUED) inFlight += 1;
    expect(core.read((x) => x.setPolicy(abi.POLICY_RFC, 0))).toBe(true);
    core.run((x) => x.runTimed(BigInt(atNs + MS), 1_000_000));
    const contexts = core.words(abi.TABLE_CTXS);
    expect([...contexts.subarray(0, abi.CTX_SIZE >> 2)]).toEqual(
      Array.from({ length: abi.CTX_SIZE >> 2 }, () => 0),
    );
  }
  expect(inFlight).toBeGreaterThan(0);
});
