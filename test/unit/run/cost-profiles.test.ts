import { describe, expect, it } from "vitest";
import * as abi from "../../../src/core/abi.ts";
import { experiments } from "../../../src/run/published.ts";
import { costProfiles, costsOf } from "../../../src/run/timed/cost-profiles.ts";
import { costProfileNames } from "../../../src/scenario/cost-profiles.ts";

const migrationParts = [
  abi.TRANSITION_MIGRATE_ALLOCATE,
  abi.TRANSITION_MIGRATE_UNMAP,
  abi.TRANSITION_MIGRATE_COPY,
  abi.TRANSITION_MIGRATE_REMAP,
  abi.TRANSITION_MIGRATE_PUTBACK,
];

/** A page that moves, with its isolation: ns. */
function pageNs(name: (typeof costProfileNames)[number]): number {
  const costs = costsOf(name);
  return [...migrationParts, abi.COST_ISOLATE].reduce(
    (sum, what) => sum + (costs.get(what) ?? Number.NaN),
    0,
  );
}

describe.each(costProfileNames)("cost profile %s", (name) => {
  const profile = costProfiles[name];

  it("names each cost once, with a source, and gives all COST_* that the core asks for", () => {
    const codes = profile.costs.map(({ what }) => what);
    expect(new Set(codes).size).toBe(codes.length);
    for (const { what, ns, source } of profile.costs) {
      expect(what).toBeGreaterThan(0);
      expect(what).toBeLessThan(abi.NR_COSTS);
      expect(Number.isInteger(ns)).toBe(true);
      expect(ns).toBeGreaterThan(0);
      expect(source).not.toBe("");
    }
    for (let what: number = abi.COST_EXIT; what <= abi.COST_PIN; what++) expect(codes).toContain(what);
  });
});

describe("a page that moves takes what was published", () => {
  it.each([
    ["server", 4096 / 3.73],
    ["zen3-6.16", 4096 / 3.73],
    // 3478 cycles a page of 512 at 2 GHz, less its share of the call for which a lone page stands.
    ["zen3-6.8", (3478 - (17_799 - 3478) / 511) / 2],
  ] as const)("%s", (name, ns) => {
    expect(Math.abs(pageNs(name) - ns)).toBeLessThan(4); // each part is rounded
  });
});

describe("calibration points", () => {
  const calibrating = experiments.filter(({ figures }) => figures.some(({ calibrates }) => calibrates));

  it.each(calibrating.map((one) => ({ first: one.figures[0]?.id, one })))(
    "$first is met within 2 %",
    async ({ one }) => {
      const measured = await one.measure();
      const missed = measured.filter(
        ({ calibrates, errorPercent }) => calibrates && !(Math.abs(errorPercent) <= 2),
      );
      expect(missed).toEqual([]);
    },
    60_000,
  );

  it("are figures of all profiles that have some of their own", () => {
    const profiles = calibrating.flatMap(({ figures }) =>
      figures.filter(({ calibrates }) => calibrates).map(({ profile }) => profile),
    );
    expect(profiles.toSorted()).toEqual(["tcg-3.11", "tcg-3.11", "zen3-6.16", "zen3-6.8", "zen3-6.8"]);
  });
});
