/**
 * What the twin holds: the same page records, PTEs, lists and counters as the core, in typed arrays of plain
 * JavaScript. It covers what the benchmarks run: private anonymous memory, one movable zone a node, profile
 * v3.12.
 */
// oxlint-disable typescript/no-non-null-assertion -- in range; a default would hide an index that is not
import {
  FIRST_PFN,
  MAX_ORDER,
  NR_COUNTERS,
  NR_LRU_LISTS,
  NR_ORDERS,
  PAGEBLOCK_ORDER,
  PAGE_FLAGS,
  PAGE_INDEX,
  PAGE_MAPCOUNT,
  PAGE_MAPPING,
  PAGE_NEXT,
  PAGE_PREV,
  PAGE_PRIVATE,
  PAGE_RECORD_SHIFT,
  PAGE_REFCOUNT,
  PFN_NONE,
  PGFREE,
  PG_BUDDY,
  PG_RESERVED,
} from "../../assembly/abi.ts";

// Words within a page record.
export const FLAGS = PAGE_FLAGS >> 2;
export const REFCOUNT = PAGE_REFCOUNT >> 2;
export const MAPCOUNT = PAGE_MAPCOUNT >> 2;
export const MAPPING = PAGE_MAPPING >> 2;
export const INDEX = PAGE_INDEX >> 2;
export const PRIVATE = PAGE_PRIVATE >> 2;
export const NEXT = PAGE_NEXT >> 2;
export const PREV = PAGE_PREV >> 2;

/** `pfn << RECORD_SHIFT` is the number of a record's first word. */
export const RECORD_SHIFT = PAGE_RECORD_SHIFT - 2;

// A list: three words of `lists`.
const HEAD = 0;
const TAIL = 1;
const NR = 2;
const LIST_WORDS = 3;

/** LRU lists of a zone, then its free lists by order; all memory here is MIGRATE_MOVABLE. */
const LISTS_PER_ZONE = NR_LRU_LISTS + NR_ORDERS;

export class TwinMemory {
  readonly pages: Int32Array;
  readonly ptes: Int32Array;
  readonly lists: Int32Array;
  /** Number of the node's zone, which is the node's, by pageblock. */
  readonly zoneOfBlock: Uint8Array;
  readonly zoneStart: Int32Array;
  readonly zoneEnd: Int32Array;
  readonly freeCount: Int32Array;
  /** Sums far below 2 ** 53. */
  readonly counters = new Float64Array(NR_COUNTERS);

  constructor(pagesPerNode: number, nrNodes: number, nrPtes: number) {
    const maxPfn = pagesPerNode * nrNodes;
    this.pages = new Int32Array(maxPfn << RECORD_SHIFT);
    this.ptes = new Int32Array(nrPtes);
    this.lists = new Int32Array(nrNodes * LISTS_PER_ZONE * LIST_WORDS);
    this.zoneOfBlock = new Uint8Array((maxPfn >> PAGEBLOCK_ORDER) + 1);
    this.zoneStart = new Int32Array(nrNodes);
    this.zoneEnd = new Int32Array(nrNodes);
    this.freeCount = new Int32Array(nrNodes);
    for (let zone = 0; zone < nrNodes; zone++) {
      const start = zone * pagesPerNode;
      this.zoneStart[zone] = start;
      this.zoneEnd[zone] = start + pagesPerNode;
      this.zoneOfBlock.fill(zone, start >> PAGEBLOCK_ORDER, (start + pagesPerNode) >> PAGEBLOCK_ORDER);
      this.addFreeRange(zone, Math.max(start, FIRST_PFN), start + pagesPerNode);
    }
    for (let pfn = 0; pfn < FIRST_PFN; pfn++) {
      this.pages[(pfn << RECORD_SHIFT) + FLAGS] = PG_RESERVED;
      this.pages[(pfn << RECORD_SHIFT) + REFCOUNT] = 1;
    }
  }

  lruList(zone: number, lru: number): number {
    return (zone * LISTS_PER_ZONE + lru) * LIST_WORDS;
  }

  freeList(zone: number, order: number): number {
    return (zone * LISTS_PER_ZONE + NR_LRU_LISTS + order) * LIST_WORDS;
  }

  listTail(list: number): number {
    return this.lists[list + TAIL]!;
  }

  listLength(list: number): number {
    return this.lists[list + NR]!;
  }

  listAddHead(list: number, pfn: number): void {
    const { pages, lists } = this;
    const page = pfn << RECORD_SHIFT;
    const head = lists[list + HEAD]!;
    pages[page + NEXT] = head;
    pages[page + PREV] = PFN_NONE;
    if (head === PFN_NONE) lists[list + TAIL] = pfn;
    else pages[(head << RECORD_SHIFT) + PREV] = pfn;
    lists[list + HEAD] = pfn;
    lists[list + NR]! += 1;
  }

  listAddTail(list: number, pfn: number): void {
    const { pages, lists } = this;
    const page = pfn << RECORD_SHIFT;
    const tail = lists[list + TAIL]!;
    pages[page + PREV] = tail;
    pages[page + NEXT] = PFN_NONE;
    if (tail === PFN_NONE) lists[list + HEAD] = pfn;
    else pages[(tail << RECORD_SHIFT) + NEXT] = pfn;
    lists[list + TAIL] = pfn;
    lists[list + NR]! += 1;
  }

  listDel(list: number, page: number): void {
    const { pages, lists } = this;
    const next = pages[page + NEXT]!;
    const prev = pages[page + PREV]!;
    if (prev === PFN_NONE) lists[list + HEAD] = next;
    else pages[(prev << RECORD_SHIFT) + NEXT] = next;
    if (next === PFN_NONE) lists[list + TAIL] = prev;
    else pages[(next << RECORD_SHIFT) + PREV] = prev;
    pages[page + NEXT] = PFN_NONE;
    pages[page + PREV] = PFN_NONE;
    lists[list + NR]! -= 1;
  }

  /** The smallest free block of a zone, off its list. */
  takeBlock(zone: number): { readonly pfn: number; readonly order: number } {
    const { pages, lists } = this;
    for (let order = 0; order <= MAX_ORDER; order++) {
      const pfn = lists[this.freeList(zone, order) + HEAD]!;
      if (pfn === PFN_NONE) continue;
      const page = pfn << RECORD_SHIFT;
      this.listDel(this.freeList(zone, order), page);
      pages[page + FLAGS] = 0;
      pages[page + PRIVATE] = 0;
      this.freeCount[zone]! -= 1 << order;
      return { pfn, order };
    }
    return { pfn: PFN_NONE, order: 0 };
  }

  /**
   * Gives back the end of a block whose beginning has been taken, in the largest aligned parts (expand()).
   */
  returnBlocks(zone: number, start: number, end: number): void {
    for (let pfn = start; pfn < end;) {
      let order = 31 - Math.clz32(pfn & -pfn);
      while (pfn + (1 << order) > end) order -= 1;
      this.markFree(pfn, order);
      this.listAddHead(this.freeList(zone, order), pfn);
      pfn += 1 << order;
    }
    this.freeCount[zone]! += end - start;
  }

  /** __rmqueue() of one page of a zone. */
  allocPage(zone: number): number {
    const { pfn, order } = this.takeBlock(zone);
    if (pfn === PFN_NONE) return PFN_NONE;
    this.returnBlocks(zone, pfn + 1, pfn + (1 << order));
    this.pages[(pfn << RECORD_SHIFT) + REFCOUNT] = 1;
    return pfn;
  }

  /** __free_one_page(): merges the block with its free buddies. */
  freePages(pfn: number, size: number): void {
    const { pages } = this;
    const zone = this.zoneOfBlock[pfn >> PAGEBLOCK_ORDER]!;
    const start = this.zoneStart[zone]!;
    const end = this.zoneEnd[zone]!;
    this.freeCount[zone]! += 1 << size;
    this.count(PGFREE, 1 << size);
    let order = size;
    let block = pfn;
    while (order < MAX_ORDER) {
      const buddy = block ^ (1 << order);
      if (buddy < start || buddy >= end) break;
      const page = buddy << RECORD_SHIFT;
      if ((pages[page + FLAGS]! & PG_BUDDY) === 0 || pages[page + PRIVATE] !== order) break;
      this.listDel(this.freeList(zone, order), page);
      pages[page + FLAGS] = 0;
      pages[page + PRIVATE] = 0;
      block &= buddy;
      order += 1;
    }
    this.markFree(block, order);
    this.listAddHead(this.freeList(zone, order), block);
  }

  count(counter: number, n: number): void {
    this.counters[counter]! += n;
  }

  private markFree(pfn: number, order: number): void {
    const page = pfn << RECORD_SHIFT;
    this.pages[page + FLAGS] = PG_BUDDY;
    this.pages[page + PRIVATE] = order;
  }

  private addFreeRange(zone: number, start: number, end: number): void {
    for (let pfn = start; pfn < end;) {
      let order = Math.min(MAX_ORDER, 31 - Math.clz32(pfn & -pfn));
      while (pfn + (1 << order) > end) order -= 1;
      this.markFree(pfn, order);
      this.listAddTail(this.freeList(zone, order), pfn);
      pfn += 1 << order;
    }
    this.freeCount[zone] = end - start;
  }
}
