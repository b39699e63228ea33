import { describe, expect, it } from "vitest";
import {
  renderExploreCsv,
  renderExploreJson,
  renderExploreMarkdown,
  renderExploreTable,
} from "../../../src/report/explore.ts";
import { painter } from "../../../src/report/table.ts";
import { bounded, clean, crash, found, miscount, named } from "./explore-fixture.ts";

const plain = painter(false);

describe("the table of an exploration", () => {
  it("lists models, then findings with the command that plays each again", () => {
    expect(renderExploreTable(found, { paint: plain, columns: 100 })).toBe(
      `Linux v3.12 · rfc as posted · model all

model            states  transitions  depth  complete          findings  what happens in it
──────────  ───────────  ───────────  ─────  ────────────────  ────────  ───────────────────────────
one-fault         1,234        4,321     21  yes                      1  one fault in flight while
                                                                         its page is migrated
two-faults    1,000,000    3,500,000     33  no: max-states           2  two vCPUs fault on the same
                                                                         page

1. INV-LOCK (oops): mapping of page 9, broken by “lock i_mmap_mutex” in try_to_unmap_file
   mutex_lock ← try_to_unmap_file takes a lock that nobody initialised
   8 steps, inevitable from step 6 on · models one-fault, two-faults
   pinshift replay 'v1:rfc:one-fault:0,1,1,2,3,2,2,2'

2. INV-REF (invariant): count of page 9, broken by “put” in kvm_release_page_clean
   expected 2, found 1
   2 steps, inevitable from step 2 on · model two-faults
   pinshift replay 'v1:rfc:two-faults:0,1'

2 findings within the bounds, max-states (two-faults): 1,001,234 states of 2 models visited, there
may be others.
`,
    );
  });

  it("leaves out what happens in a model where there is no room for it", () => {
    const table = renderExploreTable(clean, { paint: plain, columns: 80 });
    expect(table).not.toContain("what happens");
    expect(Math.max(...table.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
  });

  it.each([
    ["complete and clean", clean, "No finding: all 1,001,234 states of 2 models are clean."],
    [
      "clean as far as it went",
      bounded,
      "None found within the bounds, max-states (two-faults): 1,001,234 states of 2 models visited, " +
        "there may be others.",
    ],
    [
      "complete, with a finding",
      { ...clean, findings: [crash] },
      "1 finding in 2 models; all 1,001,234 states were visited.",
    ],
  ] as const)("says in a sentence how it went: %s", (_, report, sentence) => {
    const lines = renderExploreTable(report, { paint: plain, columns: 120 }).trimEnd().split("\n");
    expect(lines.at(-1)).toBe(sentence);
  });

  it("quotes a schedule for a shell", () => {
    const report = { ...found, findings: [{ ...crash, schedule: "a'b" }] };
    const table = renderExploreTable(report, { paint: plain, columns: 120 });
    expect(table).toContain(String.raw`pinshift replay 'a'\''b'`);
  });
});

describe("the JSON of an exploration", () => {
  it("is the report, with these keys and no others", () => {
    const parsed: unknown = JSON.parse(renderExploreJson(found));
    expect(parsed).toEqual(found);
    expect(Object.keys(found)).toEqual([
      "command",
      "version",
      "kernel",
      "policy",
      "repairs",
      "model",
      "complete",
      "states",
      "transitions",
      "findings",
      "models",
    ]);
  });
});

/** Cells in each row of each table, as many as there are unescaped pipes between the outer two. */
function markdownTables(text: string): number[][] {
  const blocks = text.split("\n\n").filter((block) => block.startsWith("| "));
  return blocks.map((block) =>
    block
      .trimEnd()
      .split("\n")
      .map((line) => (line.match(/(?<!\\)\|/g)?.length ?? 0) - 1),
  );
}

describe("the Markdown of an exploration", () => {
  it.each([
    ["names as they are", found],
    ["pipes", named("a|b")],
    ["backticks and pipes", named("`a``|`b")],
    ["line feeds", named("a\n| b |\n\nc")],
  ])("has tables with the same number of cells in every row: %s", (_, report) => {
    const tables = markdownTables(renderExploreMarkdown(report));
    expect(tables).toHaveLength(2 + report.findings.length);
    for (const rows of tables) {
      expect(rows.length).toBeGreaterThan(2);
      expect(new Set(rows).size).toBe(1);
    }
  });

  it("takes no name for markup", () => {
    const text = renderExploreMarkdown(named("<b>*x*_y_[z](w)#"));
    expect(text.replaceAll(/`[^`]*`/g, "")).not.toMatch(/<b>|(?<!\\)\*x|(?<!\\)_y|(?<!\\)\[z/);
  });

  it("tells the story of each finding, changes in bold, with the marks explained", () => {
    const text = renderExploreMarkdown({ ...found, findings: [miscount] });
    const head = "| # | vcpu 0 | vcpu 1 | count | mapcount | mapping | private | context | PTE | flags |";
    const first =
      "| 1 | `get_page` take reference |  | 2 | 1 | anon\\_vma 3 | – | – | pfn 9 rw | uptodate, lru |";
    const second =
      "| ◆✗ 2 |  | `kvm_release_page_clean` put | **1** | 1 | anon\\_vma 3 | **swap\\|2** | – | pfn 9 rw | " +
      "**uptodate** |";
    expect(text).toContain(`${head}\n| ---: |${" --- |".repeat(9)}\n${first}\n${second}\n`);
    expect(text).toContain(
      "- ◆ 2: avoidable up to here: before this step another order of those left avoids it\n" +
        "- ✗ 2: vcpu 1 breaks INV-REF: expected 2, found 1\n",
    );
  });

  it("ends with the models where nothing was found", () => {
    expect(renderExploreMarkdown(clean)).not.toContain("## Findings");
  });
});

describe("the CSV of an exploration", () => {
  it("has a row a finding", () => {
    expect(renderExploreCsv(found)).toBe(
      "kernel,policy,invariant,kind,transition,function,field,pfn,models,steps,brokenBy,inevitableFrom," +
        "detail,schedule\n" +
        "v3.12,rfc,INV-LOCK,oops,lock i_mmap_mutex,try_to_unmap_file,mapping,9,one-fault two-faults,8,7,5," +
        "mutex_lock ← try_to_unmap_file takes a lock that nobody initialised," +
        '"v1:rfc:one-fault:0,1,1,2,3,2,2,2"\n' +
        "v3.12,rfc,INV-REF,invariant,put,kvm_release_page_clean,count,9,two-faults,2,1,1," +
        '"expected 2, found 1","v1:rfc:two-faults:0,1"\n',
    );
  });
});
