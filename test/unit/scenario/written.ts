/** Values as YAML text, with the place of each key and value: written without a YAML library. */
export type Value = string | number | boolean | null | readonly Value[] | Fields;
export interface Fields {
  readonly [key: string]: Value;
}
export type Path = readonly (string | number)[];

interface Cursor {
  text: string;
  line: number;
  /** Offset of the line in the text. */
  start: number;
  readonly places: Map<string, string>;
}

export function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

export function isFields(value: Value): value is Fields {
  return typeof value === "object" && value !== null && !isList(value);
}

function isNested(value: Value): boolean {
  return (isList(value) && value.length > 0) || (isFields(value) && Object.keys(value).length > 0);
}

/** Line and column of what is written next. */
function place({ text, line, start }: Cursor): string {
  return `${line}:${text.length - start + 1}`;
}

function startLine(cursor: Cursor, indent: string): void {
  cursor.text += "\n";
  cursor.line += 1;
  cursor.start = cursor.text.length;
  cursor.text += indent;
}

function writeItems(cursor: Cursor, value: readonly Value[], path: Path, indent: string): void {
  for (const [i, item] of value.entries()) {
    if (i > 0) startLine(cursor, indent);
    cursor.text += "- ";
    writeAt(cursor, item, [...path, i], `${indent}  `);
  }
}

function writeFields(cursor: Cursor, value: Fields, path: Path, indent: string): void {
  for (const [i, [key, field]] of Object.entries(value).entries()) {
    if (i > 0) startLine(cursor, indent);
    cursor.places.set(JSON.stringify(["key", ...path, key]), place(cursor));
    cursor.text += isNested(field) ? `${key}:` : `${key}: `;
    if (isNested(field)) startLine(cursor, `${indent}  `);
    writeAt(cursor, field, [...path, key], `${indent}  `);
  }
}

function writeAt(cursor: Cursor, value: Value, path: Path, indent: string): void {
  cursor.places.set(JSON.stringify(path), place(cursor));
  if (!isNested(value)) cursor.text += JSON.stringify(value);
  else if (isList(value)) writeItems(cursor, value, path, indent);
  else if (isFields(value)) writeFields(cursor, value, path, indent);
}

export interface Written {
  readonly text: string;
  /** `line:column` of a value. */
  valueAt(path: Path): string | undefined;
  keyAt(path: Path): string | undefined;
}

export function write(value: Value): Written {
  const cursor: Cursor = { text: "", line: 1, start: 0, places: new Map() };
  writeAt(cursor, value, [], "");
  return {
    text: `${cursor.text}\n`,
    valueAt: (path) => cursor.places.get(JSON.stringify(path)),
    keyAt: (path) => cursor.places.get(JSON.stringify(["key", ...path])),
  };
}
