/** Markdown as GitHub reads it: text and code that cannot be taken for markup, tables. */

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ").trim();
}

/** Headings, paragraphs, tables and lists, an empty line between them. */
export function markdownBlocks(blocks: readonly string[]): string {
  return `${blocks.map((block) => block.trimEnd()).join("\n\n")}\n`;
}

/** Text in which no character is markup. */
export function markdownText(text: string): string {
  return oneLine(text)
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(/[\\`*_[\]|~#]/g, String.raw`\$&`);
}

/** A code span, between more backticks than the text has in a row. */
export function markdownCode(text: string): string {
  const line = oneLine(text);
  if (line === "") return "";
  const longest = Math.max(0, ...Array.from(line.matchAll(/`+/g), ([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  const blank = longest > 0 ? " " : "";
  return `${fence}${blank}${line.replaceAll("|", String.raw`\|`)}${blank}${fence}`;
}

export interface MarkdownColumn {
  readonly head: string;
  readonly align?: "left" | "right";
}

function tableLine(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |\n`;
}

/** A table of cells that are Markdown already. */
export function markdownTable(
  columns: readonly MarkdownColumn[],
  rows: readonly (readonly string[])[],
): string {
  const rule = columns.map(({ align = "left" }) => (align === "right" ? "---:" : "---"));
  return [columns.map(({ head }) => head), rule, ...rows].map(tableLine).join("");
}
