/** Aligned columns for a terminal: a rule under the heads, no frame, long cells wrapped at words. */
import Table from "cli-table3";

export interface Column {
  readonly head: string;
  /** Columns of text; longer cells are wrapped. */
  readonly width: number;
  readonly align?: "left" | "right";
}

export type Colour = "red" | "green" | "yellow" | "bold" | "dim";

const SGR: Readonly<Record<Colour, readonly [on: number, off: number]>> = {
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  bold: [1, 22],
  dim: [2, 22],
};

/** Colours a text for a terminal, or leaves it. */
export type Paint = (colour: Colour, text: string) => string;

export function painter(colours: boolean): Paint {
  return (colour, text) => {
    const [on, off] = SGR[colour];
    return colours ? `\u001B[${on}m${text}\u001B[${off}m` : text;
  };
}

const NO_FRAME = {
  top: "",
  "top-mid": "",
  "top-left": "",
  "top-right": "",
  bottom: "",
  "bottom-mid": "",
  "bottom-left": "",
  "bottom-right": "",
  left: "",
  "left-mid": "",
  mid: "",
  "mid-mid": "",
  right: "",
  "right-mid": "",
  middle: "  ",
} as const;

/** Lines of the table, each ended by a newline, without trailing blanks. */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  paint: Paint,
): string {
  const table = new Table({
    chars: NO_FRAME,
    style: { head: [], border: [], "padding-left": 0, "padding-right": 0 },
    colWidths: columns.map(({ width }) => width),
    colAligns: columns.map(({ align = "left" }) => align),
    wordWrap: true,
  });
  table.push(
    columns.map(({ head }) => paint("bold", head)),
    columns.map(({ width }) => paint("dim", "─".repeat(width))),
    ...rows.map((row) => [...row]),
  );
  return `${table.toString().replaceAll(/ +$/gm, "")}\n`;
}

/** Wraps a paragraph at words. */
export function wrap(text: string, columns: number, indent = ""): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/)) {
    if (line !== "" && indent.length + line.length + 1 + word.length > columns) {
      lines.push(indent + line);
      line = "";
    }
    line += line === "" ? word : ` ${word}`;
  }
  return [...lines, indent + line].join("\n");
}
