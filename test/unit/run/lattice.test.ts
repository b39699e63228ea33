import { describe, expect, it } from "vitest";
import type { RepairName } from "../../../src/core/names.ts";
import {
  renderLatticeCsv,
  renderLatticeJson,
  renderLatticeMarkdown,
  renderLatticeTable,
} from "../../../src/report/lattice.ts";
import { painter } from "../../../src/report/table.ts";
import { explore } from "../../../src/run/explore/explore.ts";
import {
  type LatticeReport,
  type SubsetResult,
  exploreRepairs,
  minimalSubsets,
  repairSubsets,
} from "../../../src/run/explore/lattice.ts";
import { builtinModel } from "../../../src/scenario/model/builtin.ts";

const oneFault = builtinModel("one-fault");
const migrate = builtinModel("migrate");
const plain = { paint: painter(false), columns: 120 };

const isPart = (part: readonly RepairName[], whole: readonly RepairName[]): boolean =>
  part.every((repair) => whole.includes(repair));

function nameOf(repairs: readonly RepairName[]): string {
  return repairs.join("+");
}

/** The subsets that break neither an invariant nor, for "clean", any. */
function keeping({ subsets }: LatticeReport, what: string): SubsetResult[] {
  return subsets.filter(({ breaks }) =>
    what === "clean" ? breaks.length === 0 : breaks.every(({ invariant }) => invariant !== what),
  );
}

describe("every subset of the repairs", () => {
  it("is one of 32, the smaller ones first", () => {
    const subsets = repairSubsets();
    expect(new Set(subsets.map(nameOf)).size).toBe(32);
    expect(subsets[0]).toEqual([]);
    expect(subsets.at(-1)).toEqual(["L1", "L2", "L3", "L4", "L5"]);
    const sizes = subsets.map(({ length }) => length);
    expect(sizes).toEqual(sizes.toSorted((a, b) => a - b));
  });

  it("breaks what it breaks when it is explored alone", async () => {
    const { subsets } = await exploreRepairs({ kernel: "v3.12", models: [oneFault, migrate] }, "0.1.0");
    expect(subsets.map(({ repairs }) => repairs)).toEqual(repairSubsets());
    for (const nr of [0, 1, 5, 15, 16, 22, 31]) {
      const found = subsets[nr];
      const repairs = found?.repairs ?? [];
      const variant = { kernel: "v3.12", policy: "rfc", repairs } as const;
      // oxlint-disable-next-line no-await-in-loop -- one search after the other
      const alone = await explore({ variant, models: [oneFault, migrate] }, "0.1.0");
      const names = alone.findings.map(({ invariant, transition, field, kind }) =>
        [invariant, transition, field, kind].join("|"),
      );
      const broken = found?.breaks.map((name) => Object.values(name).join("|"));
      expect(new Set(broken)).toEqual(new Set(names));
      expect(found).toMatchObject({
        complete: true,
        incomplete: [],
        states: alone.states,
        transitions: alone.transitions,
      });
    }
  });

  it("has minimal ones: they keep it, no part of them does, and all that keep it are more", async () => {
    const report = await exploreRepairs({ kernel: "v3.12", models: [migrate] }, "0.1.0");
    expect(Object.keys(report.minimal)).toEqual([
      "clean",
      ...new Set(report.subsets.flatMap(({ breaks }) => breaks.map(({ invariant }) => invariant)).toSorted()),
    ]);
    for (const [what, minimal] of Object.entries(report.minimal)) {
      const kept = keeping(report, what).map(({ repairs }) => repairs);
      for (const one of minimal) {
        expect(kept).toContainEqual(one);
        expect(kept.filter((other) => isPart(other, one))).toEqual([one]);
      }
      for (const one of kept) expect(minimal.some((part) => isPart(part, one))).toBe(true);
    }
  });
});

function subset(
  repairs: RepairName[],
  invariants: SubsetResult["breaks"][number]["invariant"][],
): SubsetResult {
  const breaks = invariants.map((invariant) => ({
    invariant,
    transition: "store mapping",
    field: "page->mapping",
    kind: "invariant" as const,
  }));
  return { repairs, complete: true, incomplete: [], states: 10, transitions: 12, breaks };
}

const unknown: SubsetResult = {
  ...subset(["L1"], []),
  complete: false,
  incomplete: [{ model: "migrate", stoppedBy: "max-states" }],
};

describe("minimal subsets", () => {
  it("are several if none is a part of another", () => {
    const subsets = [
      subset([], ["INV-TAG"]),
      subset(["L1"], []),
      subset(["L2"], []),
      subset(["L1", "L2"], []),
    ];
    expect(minimalSubsets(subsets)).toEqual({ clean: [["L1"], ["L2"]], "INV-TAG": [["L1"], ["L2"]] });
  });

  it("are none if all of them break it", () => {
    expect(minimalSubsets([subset([], ["INV-TAG"])])).toEqual({ clean: [], "INV-TAG": [] });
  });

  it("are not those that were not searched to the end", () => {
    const subsets = [subset([], ["INV-TAG"]), unknown, subset(["L1", "L2"], [])];
    expect(minimalSubsets(subsets)).toEqual({ clean: [["L1", "L2"]], "INV-TAG": [["L1", "L2"]] });
  });

  it("of an invariant that no subset breaks are not listed", () => {
    expect(minimalSubsets([subset([], [])])).toEqual({ clean: [[]] });
  });
});

describe("a search that does not end by itself", () => {
  it.each([
    ["max-states", { bounds: { maxStates: 5 } }],
    ["max-depth", { bounds: { maxDepth: 3 } }],
    ["timeout", { timeoutMs: 0 }],
    ["interrupt", { signal: AbortSignal.abort() }],
    ["strategy", { strategy: { kind: "random", walks: 1, seed: 1 } as const }],
  ])("says why in every subset: %s", async (stoppedBy, options) => {
    const report = await exploreRepairs({ kernel: "v3.12", models: [oneFault], ...options }, "0.1.0");
    expect(report.subsets).toHaveLength(32);
    for (const { complete, incomplete } of report.subsets) {
      expect({ complete, incomplete }).toEqual({
        complete: false,
        incomplete: [{ model: "one-fault", stoppedBy }],
      });
    }
    expect(report.minimal["clean"]).toEqual([]);
  });

  it("without a model is refused", async () => {
    await expect(exploreRepairs({ kernel: "v3.12", models: [] }, "0.1.0")).rejects.toThrow(
      expect.objectContaining({ code: "ERR_ARGUMENT" }),
    );
  });
});

describe("the report", () => {
  const subsets = [subset([], ["INV-TAG", "INV-CTX"]), unknown, subset(["L2"], [])];
  const report: LatticeReport = {
    command: "explore",
    version: "0.1.0",
    kernel: "v3.12",
    policy: "rfc",
    repairs: "all",
    models: ["migrate"],
    subsets,
    minimal: minimalSubsets(subsets),
  };

  it("as a table has a row a subset and a mark an invariant", () => {
    expect(renderLatticeTable(report, plain)).toBe(`\
Linux v3.12 · rfc with every subset of its repairs · model migrate

repairs         findings  CTX  TAG  complete
──────────────  ────────  ───  ───  ────────────────
none                   2  ✗    ✗    yes
L1                     0  ?    ?    no: max-states
L2                     0  ·    ·    yes

Minimal subsets
clean    L2
INV-CTX  L2
INV-TAG  L2

A subset that has more repairs than a minimal one may break again what that one keeps.
1 subset of 3 not searched to the end: max-states (migrate in 1 subset). \
What they do not show may still be there (?).
`);
  });

  it("as JSON is what it is", () => {
    expect(JSON.parse(renderLatticeJson(report))).toEqual(report);
  });

  it("as CSV has a row for each thing that breaks", () => {
    expect(renderLatticeCsv(report)).toBe(`\
kernel,policy,repairs,complete,states,transitions,invariant,transition,field,kind
v3.12,rfc,,true,10,12,INV-TAG,store mapping,page->mapping,invariant
v3.12,rfc,,true,10,12,INV-CTX,store mapping,page->mapping,invariant
v3.12,rfc,L1,false,10,12,,,,
v3.12,rfc,L2,true,10,12,,,,
`);
  });

  it("as Markdown has two tables", () => {
    const text = renderLatticeMarkdown(report);
    expect(text).toContain("| none | 10 | 2 | ✗ | ✗ | yes |\n| L1 | 10 | 0 | ? | ? | no: max-states |\n");
    expect(text).toContain("| keeps | minimal subsets |\n| --- | --- |\n| clean | L2 |\n");
    expect(text.endsWith("\n")).toBe(true);
    expect(text).not.toContain("\n\n\n");
  });
});
