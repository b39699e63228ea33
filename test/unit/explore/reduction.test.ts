/** Sleep sets lose nothing: no state and no violation; and the steps that they swap do commute. */
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { Variant } from "../../../src/run/explore/machine.ts";
import type { SearchResult } from "../../../src/run/explore/search.ts";
import { arenaAfter, beginAgain, dropGet, machineOf, pin, rfc, searchAll, waysOf } from "./machines.ts";

const models = ["one-fault", "two-vcpus", "migrate", "reclaim", "two-migrators", "reset-migrate"] as const;
const variants: readonly [string, Variant][] = [
  ["pin", pin],
  ["drop-get", dropGet],
  ["rfc", rfc(0)],
  ["rfc +L1 … +L4", rfc(4)],
  ["rfc +L1 … +L5", rfc(5)],
];
const cases = models.flatMap((model) => variants.map(([name, variant]) => [model, name, variant] as const));

/** What was found, whichever of two steps in either order is said to have broken it. */
function findings({ events }: SearchResult): string[] {
  return [...new Set(events.map(({ kind, what }) => `${kind} ${what}`))].toSorted();
}

function digest(bytes: Uint8Array | null): string {
  return bytes === null ? "crash" : createHash("sha256").update(bytes).digest("hex");
}

describe.each(cases)("%s under %s", (model, _, variant) => {
  it("has the same states and findings with and without sleep sets", async () => {
    const machine = await machineOf(model, variant);
    const reduced = await searchAll(machine);
    const whole = await searchAll(machine, { unreduced: true });
    expect(reduced.stoppedBy).toBeNull();
    expect(reduced.states).toBe(whole.states);
    expect(reduced.depth).toBe(whole.depth);
    expect(findings(reduced)).toEqual(findings(whole));
    expect(reduced.transitions).toBeLessThanOrEqual(whole.transitions);
  });

  it("has the same states in depth as in breadth", async () => {
    const machine = await machineOf(model, variant);
    const breadth = await searchAll(machine);
    const depth = await searchAll(machine, { strategy: { kind: "dfs" } });
    expect(depth.states).toBe(breadth.states);
    expect(findings(depth)).toEqual(findings(breadth));
  });
});

it("takes fewer steps with sleep sets where two vCPUs work on one page", async () => {
  const machine = await machineOf("two-vcpus", rfc(0));
  const reduced = await searchAll(machine);
  const whole = await searchAll(machine, { unreduced: true });
  expect(reduced.transitions).toBeLessThan(whole.transitions);
});

describe.each([
  ["two-vcpus", rfc(0), 10],
  ["two-vcpus", rfc(5), 10],
  ["migrate", rfc(4), 0],
] as const)("the states of %s under %o", (model, variant, fewest) => {
  it("have arenas of their own: the hash confuses none, and the way to each can be taken again", async () => {
    const machine = await machineOf(model, variant);
    const { states } = await searchAll(machine);
    const ways = waysOf(machine);
    beginAgain(machine);
    const arenas = new Set(ways.map((way) => digest(arenaAfter(machine, way))));
    expect(arenas.size).toBe(states);
    expect(arenas.has("crash")).toBe(false);
  });

  it("let steps commute that are said to be independent", async () => {
    const machine = await machineOf(model, variant);
    await searchAll(machine);
    const ways = waysOf(machine).filter((_, state) => state % 7 === 0);
    beginAgain(machine);
    const { core } = machine;
    const actors = machine.actors.map((_, actor) => actor);
    let pairs = 0;
    for (const way of ways) {
      arenaAfter(machine, way);
      const independent = actors.flatMap((a) =>
        actors
          .filter((b) => b > a && core.read((x) => x.independentOf(a, 1 << b)) !== 0)
          .map((b) => [a, b] as const),
      );
      for (const [a, b] of independent) {
        // Only steps that both can be taken.
        if (arenaAfter(machine, [...way, a]) === null || arenaAfter(machine, [...way, b]) === null) continue;
        pairs += 1;
        const ab = digest(arenaAfter(machine, [...way, a, b]));
        expect(ab).toBe(digest(arenaAfter(machine, [...way, b, a])));
        expect(ab).not.toBe("crash");
      }
    }
    expect(pairs).toBeGreaterThanOrEqual(fewest);
  });
});
