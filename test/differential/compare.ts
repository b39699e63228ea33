/** The whole state of a host against that of the reference model. */
import { isDeepStrictEqual } from "node:util";
import * as abi from "../../assembly/abi.ts";
import type { Machine } from "../reference/machine.ts";
import { writePageRecords, writePtes } from "../reference/state.ts";
import type { CoreTables } from "./core-words.ts";
import { putObjects } from "./reference-words.ts";
import { NamedWords, PlainWords, sameWords } from "./words.ts";

const FIELDS = ["flags", "refcount", "mapcount", "mapping", "index", "private", "next", "prev"] as const;
/** A message shows so many differences of one kind. */
const SHOWN = 8;

function record(words: Int32Array, pfn: number): Record<string, number> {
  return Object.fromEntries(FIELDS.map((name, i) => [name, words[pfn * FIELDS.length + i] ?? 0]));
}

/** Differing page records by pfn. */
function pageDifferences(core: Int32Array, reference: Int32Array): Map<number, unknown> {
  const found = new Map<number, unknown>();
  for (let pfn = 0; pfn * FIELDS.length < core.length && found.size < SHOWN; pfn++) {
    const [a, b] = [record(core, pfn), record(reference, pfn)];
    if (FIELDS.some((name) => a[name] !== b[name])) found.set(pfn, { core: a, reference: b });
  }
  return found;
}

function wordDifferences(core: Int32Array, reference: Int32Array): Map<number, unknown> {
  const found = new Map<number, unknown>();
  for (let at = 0; at < core.length && found.size < SHOWN; at++) {
    if (core[at] !== reference[at]) found.set(at, { core: core[at], reference: reference[at] });
  }
  return found;
}

/**
 * A machine that has stopped in the middle of a migration has lists under way in the links of isolated pages,
 * and in 6.12 a note in the private word of a target.
 */
function maskUnderWay(words: Int32Array): Int32Array {
  for (let at = 0; at < words.length; at += FIELDS.length) {
    const onList = ((words[at] ?? 0) & (abi.PG_LRU | abi.PG_BUDDY)) !== 0;
    if (onList) continue;
    words.fill(0, at + abi.PAGE_NEXT / 4, at + abi.PAGE_PREV / 4 + 1);
    if (((words[at] ?? 0) & abi.PG_UPTODATE) === 0) words[at + abi.PAGE_PRIVATE / 4] = 0;
  }
  return words;
}

/** Compares bytes; what differs is looked for only where they do. */
export class Comparison {
  readonly #core: CoreTables;
  readonly #machine: Machine;
  readonly #pages: Int32Array;
  readonly #ptes: Int32Array;
  readonly #expected: Int32Array;
  readonly #ofCore = new PlainWords();
  readonly #ofReference = new PlainWords();

  constructor(core: CoreTables, machine: Machine) {
    this.#core = core;
    this.#machine = machine;
    this.#pages = new Int32Array(core.pages.length);
    this.#ptes = new Int32Array(core.ptes.length);
    this.#expected = new Int32Array(core.expected.length);
  }

  /** What differs, by name. Null if nothing does. */
  differences(): Record<string, unknown> | null {
    const found = {
      ...this.#pageDifferences(),
      ...this.#pteDifferences(),
      ...this.#objectDifferences(),
    };
    return Object.keys(found).length > 0 ? found : null;
  }

  #pageDifferences(): Record<string, unknown> | null {
    let core = this.#core.pages;
    writePageRecords(this.#machine, this.#pages);
    if (this.#machine.crash !== null) {
      core = maskUnderWay(core.slice());
      maskUnderWay(this.#pages);
    }
    if (sameWords(core, this.#pages)) return null;
    return { pages: Object.fromEntries(pageDifferences(core, this.#pages)) };
  }

  #pteDifferences(): Record<string, unknown> | null {
    const { ptes, expected } = this.#core;
    writePtes(this.#machine, this.#ptes, this.#expected);
    if (sameWords(ptes, this.#ptes) && sameWords(expected, this.#expected)) return null;
    return {
      ptes: Object.fromEntries(wordDifferences(ptes, this.#ptes)),
      expected: Object.fromEntries(wordDifferences(expected, this.#expected)),
    };
  }

  #objectDifferences(): Record<string, unknown> | null {
    this.#ofCore.clear();
    this.#ofReference.clear();
    this.#core.putObjects(this.#ofCore);
    putObjects(this.#ofReference, this.#machine);
    if (this.#ofCore.equals(this.#ofReference)) return null;
    const [core, reference] = [new NamedWords(), new NamedWords()];
    this.#core.putObjects(core);
    putObjects(reference, this.#machine);
    const first = core.named.findIndex((word, i) => !isDeepStrictEqual(word, reference.named[i]));
    const shown = (words: NamedWords): unknown => words.named.slice(Math.max(first, 0)).slice(0, SHOWN);
    return { core: shown(core), reference: shown(reference) };
  }
}
