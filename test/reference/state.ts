/** The whole state in the encoding of assembly/abi.ts, and its hash. */
import * as abi from "../../assembly/abi.ts";
import { type Machine, type MappingWord, type Page, type Pte, type SwapPte, Crash } from "./machine.ts";
import { contextOf, slotOf } from "./swap-area.ts";

function mappingWord({ mapping, anon, ksm }: MappingWord): number {
  const tag = ksm ? abi.MAPPING_KSM : anon ? abi.MAPPING_ANON : 0;
  return ((mapping?.id ?? 0) << abi.MAPPING_TAG_SHIFT) | tag;
}

const FIELDS = abi.PAGE_RECORD_SIZE / 4;

function privateWord(page: Page): number {
  if ((page.flags & abi.PG_BUDDY) !== 0) return page.order;
  const context = contextOf(page);
  return context === null ? (slotOf(page)?.number ?? 0) : context.id | abi.PRIVATE_POINTER;
}

/** Links the pages of a list in their records. */
function writeLinks(list: readonly Page[], records: Int32Array): void {
  let before: Page | undefined;
  for (const page of list) {
    if (before !== undefined) records[before.pfn * FIELDS + abi.PAGE_NEXT / 4] = page.pfn;
    records[page.pfn * FIELDS + abi.PAGE_PREV / 4] = before?.pfn ?? 0;
    before = page;
  }
  if (before !== undefined) records[before.pfn * FIELDS + abi.PAGE_NEXT / 4] = 0;
}

/**
 * Writes the records of `pages`, all those that may have changed, over those of an earlier time: eight
 * numbers a page, next and prev from the lists.
 */
export function writePageRecords(m: Machine, pages: readonly Page[], records: Int32Array): void {
  for (const page of pages) {
    const field = page.pfn * FIELDS;
    records[field] = page.flags;
    records[field + 1] = page.refcount;
    records[field + 2] = page.mapcount;
    records[field + 3] = mappingWord(page);
    records[field + 4] = page.index;
    records[field + 5] = privateWord(page);
    // On no list.
    records[field + 6] = 0;
    records[field + 7] = 0;
  }
  for (const { lru, free } of m.zones) {
    for (const list of lru) writeLinks(list, records);
    for (const { movable, unmovable, isolated } of free) {
      writeLinks(movable, records);
      writeLinks(unmovable, records);
      writeLinks(isolated, records);
    }
  }
}

export function pageRecords(m: Machine): Int32Array {
  const records = new Int32Array(m.pages.length * FIELDS);
  writePageRecords(m, m.pages, records);
  return records;
}

function pteWord(pte: Pte | SwapPte): number {
  if ("slot" in pte) return (pte.slot.number << abi.PTE_SHIFT) | (pte.exclusive ? abi.PTE_EXCLUSIVE : 0);
  const flags = pte.entry
    ? abi.PTE_MIGRATION | (pte.exclusive ? abi.PTE_EXCLUSIVE : 0)
    : (pte.protNone ? abi.PTE_PROTNONE : abi.PTE_PRESENT) |
      (pte.dirty ? abi.PTE_DIRTY : 0) |
      (pte.accessed ? abi.PTE_ACCESSED : 0);
  return (pte.page.pfn << abi.PTE_SHIFT) | flags | (pte.write ? abi.PTE_WRITE : 0);
}

/** Writes the PTEs of all processes, and what their owners expect of the pages behind them, by number. */
export function writePtes(m: Machine, words: Int32Array, expected: Int32Array): void {
  words.fill(0);
  expected.fill(0);
  for (const { firstPte, ptes } of m.processes) {
    ptes.forEach((pte, vpn) => {
      words[firstPte + vpn] = pteWord(pte);
      expected[firstPte + vpn] = pte.expected;
    });
  }
}

function allPtes(m: Machine): [number, Pte | SwapPte][] {
  const found: [number, Pte | SwapPte][] = [];
  for (const { firstPte, ptes } of m.processes) {
    ptes.forEach((pte, vpn) => found.push([firstPte + vpn, pte]));
  }
  return found;
}

type Hash = readonly [number, number];

function fold([a, b]: Hash, word: number): Hash {
  const x = Math.imul(a ^ word, 0x9e3779b1);
  const y = Math.imul(b ^ word, 0x85ebca77);
  return [(x ^ (x >>> 15)) >>> 0, (y ^ (y >>> 13)) >>> 0];
}

function hex(hash: Hash): string {
  return hash.map((lane) => lane.toString(16).padStart(8, "0")).join("");
}

function hashOf(words: Iterable<number>): string {
  let hash: Hash = [0, 0];
  for (const word of words) hash = fold(hash, word);
  return hex(hash);
}

function* pageWords(m: Machine): Generator<number> {
  const records = pageRecords(m);
  for (let pfn = 0; pfn < m.pages.length; pfn++) {
    const record = records.subarray(pfn * FIELDS, (pfn + 1) * FIELDS);
    if (record.every((field) => field === 0)) continue;
    yield pfn;
    yield* record;
  }
}

function* pteWords(m: Machine): Generator<number> {
  for (const [number, pte] of allPtes(m)) {
    yield number;
    yield pteWord(pte);
  }
}

function* counterWords(m: Machine): Generator<number> {
  for (const [counter, value] of m.counters.entries()) {
    if (counter === abi.PROBE_OFFLINE_SKIPPED) continue;
    yield Number(BigInt.asIntN(32, BigInt(value)));
    yield Number(BigInt.asIntN(32, BigInt(value) >> 32n));
  }
}

/** Words of a page after a write of `stamp`. */
function* stampWords(m: Machine, stamp: number): Generator<number> {
  const bytes = m.config.contentBytes ?? 0;
  for (let offset = 0; offset < bytes; offset += 8) {
    const word = stamp === 0 ? 0n : BigInt(stamp) * 0x9e3779b97f4a7c15n + BigInt(offset);
    yield Number(BigInt.asIntN(32, word));
    yield Number(BigInt.asIntN(32, word >> 32n));
  }
}

function* contentWords(m: Machine): Generator<number> {
  yield abi.TABLE_EXPECTED;
  for (const [number, pte] of allPtes(m)) {
    if (pte.expected === 0) continue;
    yield number;
    yield pte.expected;
  }
  for (const page of m.pages.filter(({ flags }) => (flags & abi.PG_UPTODATE) !== 0)) {
    yield page.pfn;
    yield* stampWords(m, page.content);
  }
  const slots = m.swapAreas.flatMap((area) => area.slots).toSorted((a, b) => a.number - b.number);
  for (const { number, content } of slots) {
    if (content === null) continue;
    yield number;
    yield* stampWords(m, content);
  }
}

/** Hash of a section (SECTION_*), as Host.sectionHash() has it; that of the objects is not to be had. */
export function sectionHash(m: Machine, section: number): string {
  if (section === abi.SECTION_PAGES) return hashOf(pageWords(m));
  if (section === abi.SECTION_PTES) return hashOf(pteWords(m));
  if (section === abi.SECTION_COUNTERS) return hashOf(counterWords(m));
  if (section !== abi.SECTION_CONTENT) throw new Error(`no hash of section ${section}`);
  return (m.config.contentBytes ?? 0) > 0 ? hashOf(contentWords(m)) : hex([0, 0]);
}

/** The hashes of all these sections, by SECTION_*. */
export function stateSections(m: Machine): ReadonlyMap<number, string> {
  const sections = [abi.SECTION_PAGES, abi.SECTION_PTES, abi.SECTION_COUNTERS, abi.SECTION_CONTENT];
  return new Map(sections.map((section) => [section, sectionHash(m, section)]));
}

/** Runs an operation. Null if the simulated kernel crashed in it. */
export function run<T>(m: Machine, operation: () => T): T | null {
  if (m.crash !== null) throw new Error("the simulated kernel has stopped");
  try {
    return operation();
  } catch (thrown) {
    if (!(thrown instanceof Crash)) throw thrown;
    m.crash = thrown.record;
    return null;
  }
}
