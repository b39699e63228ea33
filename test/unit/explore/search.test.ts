/** Searches: their bounds, how they end, and what random ones find. */
import { describe, expect, it } from "vitest";
import * as abi from "../../../assembly/abi.ts";
import type { FoundEvent, Strategy } from "../../../src/run/explore/search.ts";
import { leadsTo } from "../../../src/run/explore/event.ts";
import { arenaAfter, beginAgain, machineOf, pin, rfc, searchAll, unbounded } from "./machines.ts";

function key({ kind, what, transition }: FoundEvent): string {
  return `${kind} ${what} ${transition}`;
}

describe("bounds", () => {
  it("ends at the number of states", async () => {
    const machine = await machineOf("two-vcpus", rfc(0));
    const result = await searchAll(machine, { bounds: { ...unbounded, maxStates: 1000 } });
    expect(result).toMatchObject({ stoppedBy: "max-states", states: 1000 });
  });

  it("ends at the length of a schedule", async () => {
    const machine = await machineOf("two-vcpus", rfc(0));
    const result = await searchAll(machine, { bounds: { ...unbounded, maxDepth: 9 } });
    expect(result).toMatchObject({ stoppedBy: "max-depth", depth: 9 });
    expect(result.events.every(({ schedule }) => schedule.length <= 9)).toBe(true);
  });

  it("ends at the number of context switches", async () => {
    const machine = await machineOf("two-vcpus", rfc(0));
    const result = await searchAll(machine, { bounds: { ...unbounded, maxSwitches: 4 } });
    expect(result.stoppedBy).toBe("max-switches");
    const switches = result.events.map(
      ({ schedule }) => schedule.filter((actor, i) => i > 0 && actor !== schedule[i - 1]).length,
    );
    expect(Math.max(...switches)).toBeLessThanOrEqual(4);
    expect(result.events.length).toBeGreaterThan(0);
  });

  it("is complete when no bound is met", async () => {
    const machine = await machineOf("two-vcpus", pin);
    const generous = { maxStates: 100_000, maxDepth: 100, maxSwitches: 100 };
    expect(await searchAll(machine, { bounds: generous })).toMatchObject({ stoppedBy: null, events: [] });
  });
});

describe("a search that is ended from outside", () => {
  it("returns what was found when the time is up", async () => {
    const machine = await machineOf("two-vcpus-migrate", rfc(0));
    const result = await searchAll(machine, { deadlineMs: performance.now() + 150 });
    expect(result.stoppedBy).toBe("timeout");
    expect(result.states).toBeGreaterThan(100);
  });

  it("returns what was found when it is aborted, and tells how far it is", async () => {
    const machine = await machineOf("two-vcpus-migrate", rfc(0));
    const controller = new AbortController();
    const seen: number[] = [];
    const result = await searchAll(machine, {
      signal: controller.signal,
      onProgress: ({ states }) => {
        seen.push(states);
        if (seen.length === 2) controller.abort();
      },
    });
    expect(result.stoppedBy).toBe("interrupt");
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
    expect(result.events.length).toBeGreaterThan(0);
  });

  it("leaves the machine as it was", async () => {
    const machine = await machineOf("migrate", rfc(0));
    const before = machine.core.arena().slice();
    await searchAll(machine);
    expect(machine.core.read((x) => x.verify())).toBe(0);
    beginAgain(machine);
    machine.core.arena().set(machine.initial);
    expect(machine.core.arena()).toEqual(before);
  });
});

const random: readonly [string, Strategy][] = [
  ["random", { kind: "random", walks: 3000, seed: 1 }],
  ["pct:2", { kind: "pct", depth: 2, walks: 3000, seed: 1 }],
  ["pct:3", { kind: "pct", depth: 3, walks: 3000, seed: 2 }],
];

describe.each(random)("%s", (_, strategy) => {
  it("finds nothing that a full search does not find, and some of it", async () => {
    const machine = await machineOf("migrate", rfc(4));
    const all = new Set((await searchAll(machine, { unreduced: true })).events.map(key));
    const walked = await searchAll(machine, { strategy });
    expect(walked.stoppedBy).toBe("strategy");
    expect(walked.events.length).toBeGreaterThan(5);
    expect(walked.events.map(key).filter((name) => !all.has(name))).toEqual([]);
  });

  it("leads to each of its findings again", async () => {
    const machine = await machineOf("migrate", rfc(4));
    const { events } = await searchAll(machine, { strategy });
    beginAgain(machine);
    for (const event of events) expect(leadsTo(machine, event, event.schedule)).toBe(true);
  });

  it("is the same for the same seed", async () => {
    const machine = await machineOf("migrate", rfc(4));
    const first = await searchAll(machine, { strategy });
    const again = await searchAll(machine, { strategy });
    const { durationNs: _one, ...one } = first;
    const { durationNs: _two, ...two } = again;
    expect(two).toEqual(one);
  });
});

it("takes the shortest way to everything in breadth", async () => {
  const machine = await machineOf("migrate", rfc(0));
  const breadth = await searchAll(machine);
  const depth = await searchAll(machine, { strategy: { kind: "dfs" } });
  for (const { kind, what, schedule } of depth.events) {
    const same = breadth.events.filter((event) => event.kind === kind && event.what === what);
    expect(same.length).toBeGreaterThan(0);
    const shortest = Math.min(...same.map((event) => event.schedule.length));
    expect(schedule.length).toBeGreaterThanOrEqual(shortest);
  }
});

describe("options that make no sense are refused", () => {
  it.each([
    [{ bounds: { ...unbounded, maxStates: 0 } }, "maxStates: 0 is not an integer from 1 to"],
    [{ bounds: { ...unbounded, maxStates: 2 ** 27 + 1 } }, "maxStates"],
    [{ bounds: { ...unbounded, maxDepth: 1.5 } }, "maxDepth: 1.5"],
    [{ bounds: { ...unbounded, maxSwitches: -1 } }, "maxSwitches: -1"],
    [{ strategy: { kind: "random", walks: 0, seed: 1 } }, "walks: 0"],
    [{ strategy: { kind: "pct", depth: 17, walks: 1, seed: 1 } }, "depth of pct: 17"],
    [{ strategy: { kind: "pct", depth: 2, walks: 1, seed: -1 } }, "seed: -1"],
  ] as const)("%o", async (options, message) => {
    const machine = await machineOf("one-fault", pin);
    await expect(searchAll(machine, options)).rejects.toThrow(message);
  });
});

it("stops at a corrupt state, as at a crash", async () => {
  const machine = await machineOf("migrate", rfc(4));
  const { events } = await searchAll(machine);
  beginAgain(machine);
  const corrupt = events.filter(({ kind, what }) => kind === abi.FOUND_BROKEN && what === abi.INV_REF);
  expect(corrupt.length).toBeGreaterThan(0);
  for (const { schedule } of events) {
    for (const { schedule: before } of corrupt) {
      const goesOn = schedule.length > before.length && before.every((actor, i) => actor === schedule[i]);
      expect(goesOn).toBe(false);
    }
  }
  expect(corrupt.every(({ schedule }) => arenaAfter(machine, schedule) !== null)).toBe(true);
});

it("refuses a model with more actors than a search can have", async () => {
  const access = "[read 0, read 1, read 2, read 3]";
  const vcpus = `  - vcpu: { access: ${access} }\n`.repeat(3);
  const text = `name: many\ntitle: Many?\npages: [swapped, swapped, swapped, swapped]\nactors:\n${vcpus}`;
  await expect(machineOf(text, pin)).rejects.toThrow(
    "model many: actors: with entries of vCPUs, workers and swap I/O they are 20, at most 16 may be",
  );
});
