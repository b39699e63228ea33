/** The whole state of a host against that of the reference model. */
import { isDeepStrictEqual } from "node:util";
import * as abi from "../../assembly/abi.ts";
import { type Machine, type Page, has } from "../reference/machine.ts";
import { writePageRecords, writePtes } from "../reference/state.ts";
import type { CoreTables } from "./core-words.ts";
import { putObjects } from "./reference-words.ts";
import { NamedWords, PlainWords, bytesOf } from "./words.ts";

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

function wordDifferences({ core, reference }: Table): Map<number, unknown> {
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

function isOutOfPlay(page: Page): boolean {
  return has(page, abi.PG_RESERVED) && page.pfn >= abi.FIRST_PFN;
}

/** The numbers of a table of the core, and what the reference writes for them. */
class Table {
  readonly core: Int32Array;
  readonly reference: Int32Array;
  readonly #coreBytes: Buffer;
  readonly #referenceBytes: Buffer;

  constructor(core: Int32Array) {
    this.core = core;
    this.reference = new Int32Array(core.length);
    this.#coreBytes = bytesOf(core);
    this.#referenceBytes = bytesOf(this.reference);
  }

  isSame(): boolean {
    return this.#coreBytes.equals(this.#referenceBytes);
  }
}

/** Compares bytes; what differs is looked for only where they do. */
export class Comparison {
  readonly #core: CoreTables;
  readonly #machine: Machine;
  /** Pages of which the reference may have changed the record. */
  #inPlay: readonly Page[];
  readonly #pages: Table;
  readonly #ptes: Table;
  readonly #expected: Table;
  readonly #ofCore = new PlainWords();
  readonly #ofReference = new PlainWords();

  constructor(core: CoreTables, machine: Machine) {
    this.#core = core;
    this.#machine = machine;
    this.#inPlay = machine.pages;
    this.#pages = new Table(core.pages);
    this.#ptes = new Table(core.ptes);
    this.#expected = new Table(core.expected);
  }

  /** With `few`, frames that are reserved by now are not in play any more; the zero page is. */
  setInPlay({ few }: { readonly few: boolean }): void {
    const { pages } = this.#machine;
    this.#inPlay = few ? pages.filter((page) => !isOutOfPlay(page)) : pages;
  }

  /** What differs, by name. Null if nothing does. */
  differences(): Record<string, unknown> | null {
    const [pages, ptes, objects] = [this.#samePages(), this.#samePtes(), this.#sameObjects()];
    if (pages && ptes && objects) return null;
    return {
      pages: Object.fromEntries(pageDifferences(this.#recordsOfCore(), this.#pages.reference)),
      ptes: Object.fromEntries(wordDifferences(this.#ptes)),
      expected: Object.fromEntries(wordDifferences(this.#expected)),
      ...(objects ? {} : this.#objectDifferences()),
    };
  }

  #recordsOfCore(): Int32Array {
    return this.#machine.crash === null ? this.#pages.core : maskUnderWay(this.#pages.core.slice());
  }

  #samePages(): boolean {
    writePageRecords(this.#machine, this.#inPlay, this.#pages.reference);
    if (this.#machine.crash === null) return this.#pages.isSame();
    return bytesOf(this.#recordsOfCore()).equals(bytesOf(maskUnderWay(this.#pages.reference)));
  }

  #samePtes(): boolean {
    writePtes(this.#machine, this.#ptes.reference, this.#expected.reference);
    return this.#ptes.isSame() && this.#expected.isSame();
  }

  #sameObjects(): boolean {
    this.#ofCore.clear();
    this.#ofReference.clear();
    this.#core.putObjects(this.#ofCore);
    putObjects(this.#ofReference, this.#machine);
    return this.#ofCore.equals(this.#ofReference);
  }

  /** From the first number on that differs. */
  #objectDifferences(): Record<string, unknown> {
    const [core, reference] = [new NamedWords(), new NamedWords()];
    this.#core.putObjects(core);
    putObjects(reference, this.#machine);
    const first = core.named.findIndex((word, i) => !isDeepStrictEqual(word, reference.named[i]));
    const shown = (words: NamedWords): unknown => words.named.slice(Math.max(first, 0)).slice(0, SHOWN);
    return { core: shown(core), reference: shown(reference) };
  }
}
