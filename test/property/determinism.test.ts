/** The same operations give the same bytes: again, on both cores, in two halves, with rounds counted. */
import * as fc from "fast-check";
import { afterEach, expect, it } from "vitest";
import { Host } from "../../src/index.ts";
import { type Operation, operations } from "../differential/operations.ts";
import { runOn } from "../helpers/cores.ts";
import { drive, furnish, notDriven } from "../helpers/drive.ts";
import { type Variant, anyVariant, machine } from "../helpers/machines.ts";
import { fuzzTimeoutMs, runs } from "../helpers/runs.ts";

afterEach(() => runOn("release"));

const list = operations({ without: notDriven, maxLength: 25 });

async function begin(variant: Variant, seed: number, size: "small" | "blocks" = "blocks"): Promise<Host> {
  const host = await Host.create({ ...machine(variant, size), seed });
  furnish(host);
  return host;
}

async function hashAfter(variant: Variant, seed: number, ops: readonly Operation[]): Promise<string> {
  const host = await begin(variant, seed);
  drive(host, ops);
  return host.stateHash();
}

it(
  "the same seed gives the same hash, on the release core and on the debug core; another seed another one",
  async () => {
    const seeds = fc.nat({ max: 1000 });
    const property = fc.asyncProperty(anyVariant, seeds, list, async (variant, seed, ops) => {
      runOn("release");
      const hash = await hashAfter(variant, seed, ops);
      expect(await hashAfter(variant, seed, ops)).toBe(hash);
      expect(await hashAfter(variant, seed + 1, ops)).not.toBe(hash);
      runOn("debug");
      expect(await hashAfter(variant, seed, ops)).toBe(hash);
    });
    await expect(fc.assert(property, runs(0.25))).resolves.toBeUndefined();
  },
  fuzzTimeoutMs,
);

it(
  "a trace makes no difference: under it pages are migrated step by step, else most of them in one go",
  async () => {
    const migrations = operations({ without: notDriven, often: ["migrateRange", "fork"], maxLength: 25 });
    const sizes = fc.constantFrom("small" as const, "blocks" as const);
    const property = fc.asyncProperty(anyVariant, sizes, migrations, async (variant, size, ops) => {
      const hosts = [await begin(variant, 1, size), await begin(variant, 1, size)] as const;
      hosts[1].startTrace();
      for (const host of hosts) drive(host, ops);
      hosts[1].stopTrace();
      expect(hosts[1].stateHash()).toBe(hosts[0].stateHash());
      expect(hosts[1].counters()).toEqual(hosts[0].counters());
    });
    await expect(fc.assert(property, runs())).resolves.toBeUndefined();
  },
  fuzzTimeoutMs,
);

it(
  "a snapshot taken in the middle continues to the hash of an unbroken run",
  async () => {
    const property = fc.asyncProperty(anyVariant, list, fc.nat({ max: 24 }), async (variant, ops, cut) => {
      const unbroken = await begin(variant, 1);
      drive(unbroken, ops);
      const host = await begin(variant, 1);
      drive(host, ops.slice(0, cut));
      const restored = await Host.restore(host.snapshot());
      expect(restored.stateHash()).toBe(host.stateHash());
      drive(restored, ops.slice(cut));
      expect(restored.stateHash()).toBe(unbroken.stateHash());
      expect(restored.counters()).toEqual(unbroken.counters());
      expect(restored.crash).toEqual(unbroken.crash);
    });
    await expect(fc.assert(property, runs(0.25))).resolves.toBeUndefined();
  },
  fuzzTimeoutMs,
);

/** A block with pinned pages that is offlined, while pins are released and a signal may come. */
const situation = fc.record({
  pins: fc.array(fc.record({ index: fc.nat({ max: 7 }), how: fc.constantFrom("get", "pin") }), {
    maxLength: 4,
  }),
  releaseAfterNs: fc.array(fc.integer({ min: 1, max: 200_000_000_000 }), { maxLength: 3 }),
  releaseAfterRounds: fc.array(fc.integer({ min: 0, max: 60 }), { maxLength: 2 }),
  signalAfterRounds: fc.option(fc.integer({ min: 0, max: 60 })),
  maxRounds: fc.integer({ min: 1, max: 80 }),
  faults: fc.array(fc.nat({ max: 7 }), { maxLength: 4 }),
});

type Situation = typeof situation extends fc.Arbitrary<infer T> ? T : never;

function pinAndFault(host: Host, { pins, faults }: Situation): void {
  const guest = host.createGuest({ pages: 32, vcpus: 1 });
  const memory = guest.map({ pages: 8 });
  memory.touch("write");
  for (const { index, how } of pins) memory.pin([index], how);
  for (const gfn of faults) guest.vcpus[0]?.startAsyncPf(gfn);
  guest.vcpus[0]?.runWorkers();
}

function schedule(host: Host, one: Situation): void {
  const pins = host.pins();
  for (const [nr, ns] of one.releaseAfterNs.entries()) pins[nr]?.releaseAt(host.nowNs + ns);
  for (const [nr, rounds] of one.releaseAfterRounds.entries()) pins[nr]?.releaseAfterRounds(rounds);
  if (one.signalAfterRounds !== null) host.signalAfterRounds(one.signalAfterRounds);
}

/** All that an offline leaves, but for how many of its rounds were counted only. */
async function offlined(variant: Variant, one: Situation, executeAll: boolean): Promise<unknown> {
  const host = await begin(variant, 1);
  pinAndFault(host, one);
  if (host.crash !== null) return host.crash;
  schedule(host, one);
  const result = host.offline(1, { maxRounds: one.maxRounds, executeAll });
  const { offlineRoundsSkipped: skipped, ...counters } = host.counters();
  expect(skipped).toBeLessThanOrEqual(executeAll ? 0 : counters.offlineRounds);
  return { result, counters, hash: host.stateHash(), nowNs: host.nowNs };
}

it(
  "rounds of an offline that are counted instead of executed make no difference",
  async () => {
    const property = fc.asyncProperty(anyVariant, situation, async (variant, one) => {
      expect(await offlined(variant, one, false)).toEqual(await offlined(variant, one, true));
    });
    await expect(fc.assert(property, runs())).resolves.toBeUndefined();
  },
  fuzzTimeoutMs,
);
