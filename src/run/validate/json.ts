/** JSON with syntax errors that say where they are. */
import { SimError } from "../../errors.ts";

const space = /[ \t\n\r]*/y;
const token = new RegExp(
  [
    /[{}[\],:]/,
    /"(?:[^"\\\n\r\t]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/,
    /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/,
    /true|false|null/,
  ]
    .map((one) => one.source)
    .join("|"),
  "y",
);

/** What may come next. A key or a value may also end the object or array that has just begun. */
type Expected = "value" | "key" | "colon" | "separator" | "nothing";

function closes(text: string, open: string | undefined): boolean {
  return (text === "}" && open === "{") || (text === "]" && open === "[");
}

/** What may follow a token, null if it may not stand here. `open` are the brackets around it. */
function follow(text: string, expected: Expected, open: string[], begun: boolean): Expected | null {
  const inside = open.at(-1);
  if (closes(text, inside) && (expected === "separator" || begun)) {
    open.pop();
    return open.length > 0 ? "separator" : "nothing";
  }
  if (expected === "colon") return text === ":" ? "value" : null;
  if (expected === "separator") return text !== "," ? null : inside === "{" ? "key" : "value";
  if (expected === "key") return text.startsWith('"') ? "colon" : null;
  if (expected === "nothing" || "}],:".includes(text)) return null;
  if (text === "{" || text === "[") {
    open.push(text);
    return text === "{" ? "key" : "value";
  }
  return inside === undefined ? "nothing" : "separator";
}

/** Offset of the first token of a text that keeps it from being JSON; its length if something is missing. */
function offsetOfError(text: string): number {
  const open: string[] = [];
  let expected: Expected = "value";
  let begun = false;
  let at = 0;
  while (true) {
    space.lastIndex = at;
    at += space.exec(text)?.[0].length ?? 0;
    token.lastIndex = at;
    const found = token.exec(text)?.[0];
    if (found === undefined) return at;
    const next = follow(found, expected, open, begun);
    if (next === null) return at;
    begun = found === "{" || found === "[";
    expected = next;
    at += found.length;
  }
}

/**
 * JSON.parse().
 *
 * @throws {SimError} ERR_RECORDING naming file, line and column.
 */
export function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const offset = offsetOfError(text);
    const before = text.slice(0, offset).split("\n");
    const found =
      offset === text.length ? "the end of the file" : JSON.stringify(text.slice(offset, offset + 12));
    const place = `${file}:${before.length}:${(before.at(-1)?.length ?? 0) + 1}`;
    throw new SimError("ERR_RECORDING", `${place}: ${found} is not what JSON allows here`, { cause });
  }
}
