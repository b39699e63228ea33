/** A YAML text, and where in it each value stands. */
import { LineCounter, isAlias, isMap, isScalar, isSeq, parseDocument, type Node, type Pair } from "yaml";

export type Path = readonly (string | number)[];

export interface Problem {
  readonly path: Path;
  readonly message: string;
  /** Offset in the text. */
  readonly at: number;
}

/** What the parser says in its own terms. */
const ownWords: Readonly<Record<string, string>> = {
  MULTIPLE_DOCS: "a second document begins: a file has one",
  NON_STRING_KEY: "a key is not a string",
};

interface Place {
  readonly key: number;
  readonly value: number;
}

/** `actors[0].vcpu`. */
function pathText(path: Path): string {
  return path
    .map((step) => (typeof step === "number" ? `[${step}]` : `.${step}`))
    .join("")
    .replace(/^\./, "");
}

type Replaced =
  | { readonly value: unknown; readonly wrong?: undefined }
  | { readonly wrong: Omit<Problem, "at"> };

function isMapValue(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** `value` with something else at `path`. Missing maps on the way are added, missing entries of lists not. */
function replacedAt(value: unknown, path: Path, wanted: unknown, depth = 0): Replaced {
  const step = path[depth];
  if (step === undefined) return { value: wanted };
  const wrong = (message: string): Replaced => ({ wrong: { path: path.slice(0, depth), message } });
  if (typeof step === "number") {
    if (!Array.isArray(value)) return wrong("is not a list");
    const items: unknown[] = value;
    // The entry behind the last one is a new one.
    if (step > items.length) return wrong(`has no entry [${step}]: there are ${items.length}`);
    const below = replacedAt(items[step], path, wanted, depth + 1);
    return below.wrong === undefined
      ? { value: [...items.slice(0, step), below.value, ...items.slice(step + 1)] }
      : below;
  }
  const map = value ?? {};
  if (!isMapValue(map))
    return wrong(Array.isArray(map) ? "is a list: [0] is its first entry" : "is not a map");
  const below = replacedAt(Object.hasOwn(map, step) ? map[step] : undefined, path, wanted, depth + 1);
  return below.wrong === undefined ? { value: { ...map, [step]: below.value } } : below;
}

export class YamlText {
  readonly file: string;
  /** Why it cannot be read. */
  readonly problems: readonly Problem[];
  readonly #lines = new LineCounter();
  readonly #places = new Map<string, Place>();
  #value: unknown;
  /** Where values come from that do not stand in the text; their offsets are behind its end. */
  readonly #sources: string[] = [];
  readonly #end: number;

  constructor(text: string, file: string) {
    this.file = file;
    const document = parseDocument(text, {
      lineCounter: this.#lines,
      prettyErrors: false,
      stringKeys: true,
      // Found below, where the key is known.
      uniqueKeys: false,
    });
    const errors = [...document.errors, ...document.warnings];
    const problems = errors.map(({ code, message, pos }): Problem => {
      return { path: [], message: ownWords[code] ?? message, at: pos[0] };
    });
    this.#visit(document.contents, [], { key: 0, value: 0 }, problems);
    this.problems = problems;
    this.#value = problems.length === 0 ? document.toJS() : undefined;
    this.#end = text.length;
  }

  /** What it says; of use only if there are no problems. */
  get value(): unknown {
    return this.#value;
  }

  /**
   * Puts `value` at `path`, with the maps that it takes, and has problems with it placed at `source`.
   * Returns what is wrong if there can be nothing at `path`.
   */
  set(path: Path, value: unknown, source: string): Problem | null {
    const at = this.#end + this.#sources.length + 1;
    this.#sources.push(source);
    const replaced = replacedAt(this.#value, path, value);
    if (replaced.wrong !== undefined) return { ...replaced.wrong, at };
    this.#value = replaced.value;
    const old = JSON.stringify(path).slice(0, -1);
    for (const key of this.#places.keys()) if (key.startsWith(`${old},`)) this.#places.delete(key);
    for (let length = 1; length <= path.length; length += 1) {
      const key = JSON.stringify(path.slice(0, length));
      if (length === path.length || !this.#places.has(key)) this.#places.set(key, { key: at, value: at });
    }
    return null;
  }

  #visit(node: Node | null, path: Path, place: Place, problems: Problem[]): void {
    const value = node?.range?.[0] ?? place.value;
    this.#places.set(JSON.stringify(path), { key: place.key, value });
    if (isAlias(node)) problems.push({ path, message: "is an alias: write the value here", at: value });
    if (isMap<Node, Node | null>(node)) this.#visitMap(node.items, path, problems);
    if (!isSeq<Node>(node)) return;
    for (const [i, item] of node.items.entries()) {
      const at = item.range?.[0] ?? value;
      this.#visit(item, [...path, i], { key: at, value: at }, problems);
    }
  }

  #visitMap(pairs: readonly Pair<Node, Node | null>[], path: Path, problems: Problem[]): void {
    const known = new Set<string>();
    for (const { key, value } of pairs) {
      // stringKeys has complained of all others.
      if (!isScalar<string>(key)) continue;
      const at = key.range?.[0] ?? 0;
      const below = [...path, key.value];
      if (known.has(key.value)) problems.push({ path: below, message: "is there twice", at });
      known.add(key.value);
      this.#visit(value, below, { key: at, value: at }, problems);
    }
  }

  /** The value at `path`; if there is none, what it is missing from. */
  valueAt(path: Path): number {
    const place = this.#places.get(JSON.stringify(path));
    if (place !== undefined) return place.value;
    return path.length === 0 ? 0 : this.valueAt(path.slice(0, -1));
  }

  /** The key of the value at `path`. */
  keyAt(path: Path): number {
    return this.#places.get(JSON.stringify(path))?.key ?? this.valueAt(path);
  }

  /** One line for each, in the order of the text: `FILE:LINE:COL: path: message`. */
  report(problems: readonly Problem[]): string {
    const inOrder = problems.toSorted((a, b) => a.at - b.at);
    // What the parser finds missing at the end of a text it finds missing once for each level.
    return [...new Set(inOrder.map((problem) => this.#line(problem)))].join("\n");
  }

  #line({ path, message, at }: Problem): string {
    const source = this.#sources[at - this.#end - 1];
    const { line, col } = this.#lines.linePos(at);
    const place = source ?? `${this.file}:${line}:${col}`;
    return path.length === 0 ? `${place}: ${message}` : `${place}: ${pathText(path)}: ${message}`;
  }
}
