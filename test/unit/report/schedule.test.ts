import { describe, expect, it } from "vitest";
import { renderScheduleTable, wrapCell } from "../../../src/report/schedule.ts";
import { painter } from "../../../src/report/table.ts";
import type { Finding } from "../../../src/run/explore/result.ts";
import { crash, miscount } from "./explore-fixture.ts";

const plain = painter(false);

function widthOf(text: string): number {
  return Math.max(...text.split("\n").map((line) => line.length));
}

/** The story of the crash with so many actors, each of which takes one step in its longest function. */
function crowded(nrActors: number): Finding {
  const [first] = crash.steps;
  if (first === undefined) throw new Error("the crash has no steps");
  const steps = Array.from({ length: nrActors }, (_, nr) => ({
    ...first,
    actor: `vcpu ${nr}`,
    function: "kvm_check_async_pf_completion",
    page: { ...first.page, count: nr },
  }));
  return { ...crash, steps, brokenBy: nrActors - 1, inevitableFrom: 0 };
}

describe("the story of a finding", () => {
  it("has a column an actor, the page after each step, and what the marks mean", () => {
    expect(renderScheduleTable(miscount, { paint: plain, columns: 120 })).toBe(
      `INV-REF (invariant): count of page 9, broken by “put” in kvm_release_page_clean

   #  vcpu 0                  vcpu 1                  count  map    mapping     private  PTE       flags
                                                             count
────  ──────────────────────  ──────────────────────  ─────  ─────  ──────────  ───────  ────────  ───────────
   1  get_page                                        2      1      anon_vma 3  –        pfn 9 rw  uptodate,
      take reference                                                                               lru
◆✗ 2                          kvm_release_page_clean  1*     1      anon_vma 3  swap|2*  pfn 9 rw  −lru
                              put

◆ 2  avoidable up to here: before this step another order of those left avoids it
✗ 2  vcpu 1 breaks INV-REF: expected 2, found 1
* changed by the step
`,
    );
  });

  it.each([110, 120])("fits four actors in %i columns", (columns) => {
    const story = renderScheduleTable(crash, { paint: plain, columns });
    expect(widthOf(story)).toBeLessThanOrEqual(columns);
    expect(story).toMatch(/^ {3}# {2}vcpu 0 +async_pf 1 +migrator +reclaimer +count +map +mapping/m);
    expect(story).toMatch(/^ ◆ 6 /m);
    expect(story).toMatch(/^ ✗ 8 /m);
  });

  it("leaves out flags before it makes an actor's column too narrow", () => {
    expect(renderScheduleTable(crash, { paint: plain, columns: 120 })).toMatch(/PTE +flags$/m);
    expect(renderScheduleTable(crash, { paint: plain, columns: 110 })).toMatch(/PTE$/m);
  });

  it("does not cut a word of a function's name in a column", () => {
    const story = renderScheduleTable(crowded(4), { paint: plain, columns: 110 });
    expect(story).toMatch(/kvm_check_ .*\n +async_pf_ .*\n +completion/);
  });

  it.each([4, 8, 12])("lists %i actors in lines where their columns do not fit", (nrActors) => {
    const story = renderScheduleTable(crowded(nrActors), { paint: plain, columns: 80 });
    expect(widthOf(story)).toBeLessThanOrEqual(80);
    expect(story).toMatch(/^ +# {2}actor +step +what it changed in the page$/m);
    expect(story).toMatch(/2 {2}vcpu 1 .*count 1 \(was 0\)$/m);
  });

  it("tells flags that were set and cleared", () => {
    const story = renderScheduleTable(crash, { paint: plain, columns: 80 });
    expect(story).toMatch(/isolate_lru_page: isolate .* −lru$/m);
    expect(story).toMatch(/__unmap_and_move: trylock .* \+locked$/m);
  });

  it("shows in bold what a step changed, in red the one that broke it", () => {
    const story = renderScheduleTable(miscount, { paint: painter(true), columns: 120 });
    expect(story).toContain("\u001B[1m1*\u001B[22m");
    expect(story).not.toContain("\u001B[1mpfn 9 rw");
    expect(story).toContain("\u001B[31m◆✗ 2\u001B[39m");
  });

  it("marks nothing where there are no steps", () => {
    expect(renderScheduleTable({ ...miscount, steps: [] }, { paint: plain, columns: 120 })).toBe(
      "INV-REF (invariant): count of page 9, broken by “put”\n\n" +
        "No step was taken: it is so from the start.\n",
    );
  });
});

describe("cells are wrapped", () => {
  it.each([
    ["lock i_mmap_mutex", 13, ["lock", "i_mmap_mutex"]],
    ["migrate_page_move_mapping", 12, ["migrate_", "page_move_", "mapping"]],
    ["abcdefgh ij", 3, ["abc", "def", "gh", "ij"]],
    ["", 5, [""]],
  ] as const)("%j in %i columns", (text, width, lines) => {
    expect(wrapCell(text, width)).toEqual(lines);
  });
});
