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

export class YamlText {
  readonly file: string;
  /** What it says; of use only if there are no problems. */
  readonly value: unknown;
  /** Why it cannot be read. */
  readonly problems: readonly Problem[];
  readonly #lines = new LineCounter();
  readonly #places = new Map<string, Place>();

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
    this.value = problems.length === 0 ? document.toJS() : undefined;
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
    const { line, col } = this.#lines.linePos(at);
    const place = `${this.file}:${line}:${col}`;
    return path.length === 0 ? `${place}: ${message}` : `${place}: ${pathText(path)}: ${message}`;
  }
}
