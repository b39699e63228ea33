import { describe, expect, it } from "vitest";
import { renderCsv } from "../../../src/report/csv.ts";
import { painter, renderTable, wrap } from "../../../src/report/table.ts";

const COLUMNS = [
  { head: "name", width: 6 },
  { head: "pages", width: 5, align: "right" },
  { head: "why", width: 9 },
] as const;

describe("tables", () => {
  it("align columns, wrap long cells at words and leave no blanks at line ends", () => {
    const table = renderTable(COLUMNS, [["pin", "12", "held by a vCPU"]], painter(false));
    expect(table).toBe(
      [
        "name    pages  why",
        "──────  ─────  ─────────",
        "pin        12  held by a",
        "               vCPU",
        "",
      ].join("\n"),
    );
  });

  it("have the same layout with colours", () => {
    const plain = renderTable(COLUMNS, [["pin", "12", "x"]], painter(false));
    const coloured = renderTable(COLUMNS, [[painter(true)("red", "pin"), "12", "x"]], painter(true));
    expect(coloured).toContain("\u001B[31mpin\u001B[39m");
    const codes = ["\u001B[1m", "\u001B[22m", "\u001B[2m", "\u001B[31m", "\u001B[39m"];
    expect(codes.reduce((text, code) => text.replaceAll(code, ""), coloured)).toBe(plain);
  });

  it("wrap a paragraph with an indent", () => {
    expect(wrap("one two three", 9, "  ")).toBe("  one two\n  three");
  });
});

describe("CSV", () => {
  it("quotes commas, quotes and line breaks, and leaves null empty", () => {
    const rows = [["a,b", 'say "x"', "two\nlines", null, 1, true]];
    expect(renderCsv(["c1", "c2", "c3", "c4", "c5", "c6"], rows)).toBe(
      'c1,c2,c3,c4,c5,c6\n"a,b","say ""x""","two\nlines",,1,true\n',
    );
  });
});
