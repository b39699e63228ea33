/** Where nothing interleaves, the timed clock leaves what the straight clock does. */
import { describe, expect, it } from "vitest";
import * as abi from "../../../assembly/abi.ts";
import { hex } from "../../../src/core/hex.ts";
import { counters, mapTable } from "../../../src/core/names.ts";
import { Host, type Region } from "../../../src/index.ts";
import { buildTimedMachine } from "../../../src/run/timed/machine.ts";
import type { TimedMachine } from "../../../src/run/timed/machine.ts";
import { operationsOf } from "../../../src/run/timed/collect.ts";
import type { Operation, Scenario, ScenarioHost } from "../../../src/scenario/scenario.ts";
import { MS, SECOND, at, blocks, guest, host, pin, play, scenario } from "../../helpers/scenarios.ts";

const PAGES = 4096;
const sections = [abi.SECTION_PAGES, abi.SECTION_PTES, abi.SECTION_CONTENT];
const twoNodes: ScenarioHost["nodes"] = [
  { zones: [{ kind: "normal", pages: 32_768 }] },
  { zones: [{ kind: "normal", pages: 32_768 }] },
];
const kernels = ["v3.12", "v6.1"] as const;

/** A guest without tasks, all of it in block 2, or on the first of two nodes. */
function still(
  kernel: (typeof kernels)[number],
  operations: readonly Operation[],
  nodes: ScenarioHost["nodes"] = blocks.nodes,
): Scenario {
  return scenario({
    kernel,
    durationNs: 200 * SECOND,
    untilDone: true,
    host: host({ nodes, swap: [] }),
    guests: [guest({ pages: PAGES, touched: PAGES })],
    operations: operations.map((operation, nr) => at(1000 * (nr + 1), operation)),
  });
}

/** The same in the straight clock's hands. */
async function straight(
  kernel: (typeof kernels)[number],
  nodes: ScenarioHost["nodes"] = blocks.nodes,
): Promise<{ host: Host; memory: Region }> {
  const one = await Host.create({ kernel, nodes, contentBytes: 8, cpus: 2, seed: 1, policy: "pin" });
  const memory = one.createGuest({ pages: PAGES, vcpus: 2 }).map({ pages: PAGES });
  memory.touch("write");
  one.drainLru();
  return { host: one, memory };
}

async function timed(one: Scenario, slowly: boolean): Promise<TimedMachine> {
  const machine = await buildTimedMachine(one, pin, 1);
  if (slowly) machine.core.read((x) => x.moveSlowly());
  while (machine.core.run((x) => x.runTimed(BigInt(one.durationNs), 1_000_000)) === abi.TIMED_MORE);
  return machine;
}

/** Pages, PTEs, content, and what is counted: but for migrate_pages_batch(), which this clock has not. */
function hashes(of: (section: number) => string, counted: Record<string, number>): unknown {
  const { migratePagesBatchCalls, ...others } = counted;
  expect(migratePagesBatchCalls).toBeDefined();
  return { hashes: sections.map((section) => of(section)), counters: others };
}

function timedState({ core }: TimedMachine): unknown {
  return hashes(
    (section) => hex(core.read((x) => x.sectionHash(section))),
    mapTable(counters, (id) => Number(core.counters()[id] ?? 0n)),
  );
}

function straightState(other: Host): unknown {
  return hashes((section) => other.sectionHash(section), other.counters());
}

const offline: Operation = { do: "offline", block: 2, giveUpNs: null, giveUpRounds: 30 };
const pinned: Operation = { do: "pin", guest: "guest", kind: "get", firstPage: 100, pages: 5 };
const move: Operation = {
  do: "move-pages",
  guest: "guest",
  firstPage: 0,
  pages: PAGES,
  toNode: 1,
  batch: PAGES,
  threads: 1,
};

describe.each(kernels)("on %s", (kernel) => {
  it("begins alike", async () => {
    const machine = await buildTimedMachine(still(kernel, []), pin, 1);
    const { host: other } = await straight(kernel);
    expect(timedState(machine)).toEqual(straightState(other));
  });

  describe.each([
    ["in runs", false],
    ["transition by transition", true],
  ])("%s", (_, slowly) => {
    it("takes a block offline", async () => {
      const machine = await timed(still(kernel, [offline]), slowly);
      const { host: other } = await straight(kernel);
      const result = other.offline(2);
      expect(result).toMatchObject({ ret: 0, moved: PAGES });
      expect(operationsOf(machine)).toMatchObject([
        { ret: 0, errno: null, rounds: result.rounds, cleanAtOnce: true, pagesLeft: 0, ending: "returned" },
      ]);
      expect(timedState(machine)).toEqual(straightState(other));
    });

    it("leaves what is pinned", async () => {
      const machine = await timed(still(kernel, [pinned, offline]), slowly);
      const { host: other, memory } = await straight(kernel);
      memory.pin([100, 101, 102, 103, 104]);
      const result = other.offline(2, { maxRounds: 30, executeAll: true });
      expect(result).toMatchObject({ ending: "budget", rounds: 30 });
      expect(operationsOf(machine)[1]).toMatchObject({
        ending: "gave-up",
        errno: "EINTR",
        rounds: 30,
        pagesMoved: result.moved,
        pagesLeft: PAGES - result.moved,
        pinsAtStart: 5,
        cleanAtOnce: false,
      });
      expect(timedState(machine)).toEqual(straightState(other));
    });

    it("moves pages to another node, around pins", async () => {
      const machine = await timed(still(kernel, [pinned, move], twoNodes), slowly);
      const { host: other, memory } = await straight(kernel, twoNodes);
      memory.pin([100, 101, 102, 103, 104]);
      memory.movePages({ node: 1 });
      expect(operationsOf(machine)[1]).toMatchObject({ pagesMoved: PAGES - 5, pagesLeft: 5, rounds: 1 });
      expect(memory.where().filter((node) => node === 1)).toHaveLength(PAGES - 5);
      expect(timedState(machine)).toEqual(straightState(other));
    });
  });

  it("takes the same time in runs as transition by transition", async () => {
    const times = await Promise.all(
      [false, true].map(async (slowly) => {
        const machine = await timed(still(kernel, [pinned, offline]), slowly);
        return operationsOf(machine).map(({ durationNs }) => durationNs);
      }),
    );
    expect(times[0]).toEqual(times[1]);
  });
});

it("the caller's patience is measured from the start, and the holder is blamed for all of it", async () => {
  const patient: Operation = { do: "offline", block: 2, giveUpNs: 50 * MS, giveUpRounds: null };
  const { operations, blame, violation } = await play(still("v3.12", [{ ...pinned, pages: 1 }, patient]));
  expect(violation).toBeNull();
  const [, result] = operations;
  expect(result).toMatchObject({ ending: "gave-up", errno: "EINTR", pagesLeft: 1, pagesMoved: PAGES - 1 });
  expect(result?.durationNs).toBeGreaterThanOrEqual(50 * MS);
  expect(result?.durationNs).toBeLessThan(51 * MS);
  expect(blame).toMatchObject([{ kind: "get", guest: "guest", vcpu: null, pages: 1 }]);
  // All but the rounds in which the other pages moved, at a few µs each.
  expect(blame[0]?.longestNs).toBeGreaterThan(35 * MS);
});
