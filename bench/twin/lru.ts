/** LRU lists, the batch of the one CPU, and the end of a page's life. */
// oxlint-disable typescript/no-non-null-assertion -- in range; a default would hide an index that is not
import {
  LRU_ACTIVE_ANON,
  LRU_INACTIVE_ANON,
  MAPPING_ANON,
  PAGEBLOCK_ORDER,
  PG_ACTIVE,
  PG_HWPOISON,
  PG_LOCKED,
  PG_LRU,
  PG_MLOCKED,
  PG_PRIVATE,
  PG_PRIVATE_2,
  PG_RESERVED,
  PG_SWAPCACHE,
  PG_UNEVICTABLE,
  PG_WRITEBACK,
} from "../../assembly/abi.ts";
import {
  FLAGS,
  INDEX,
  MAPCOUNT,
  MAPPING,
  PRIVATE,
  RECORD_SHIFT,
  REFCOUNT,
  type TwinMemory,
} from "./memory.ts";

const BATCH_PAGES = 14; // PAGEVEC_SIZE of v3.12
const FLAGS_CHECKED_AT_FREE =
  PG_LRU |
  PG_LOCKED |
  PG_PRIVATE |
  PG_PRIVATE_2 |
  PG_WRITEBACK |
  PG_RESERVED |
  PG_SWAPCACHE |
  PG_ACTIVE |
  PG_UNEVICTABLE |
  PG_MLOCKED |
  PG_HWPOISON;

export class TwinLru {
  readonly #memory: TwinMemory;
  readonly #pages: Int32Array;
  readonly #batch = new Int32Array(BATCH_PAGES);
  #waiting = 0;

  constructor(memory: TwinMemory) {
    this.#memory = memory;
    this.#pages = memory.pages;
  }

  /** lru_cache_add(): the batch takes a reference. */
  cacheAdd(pfn: number): void {
    this.#pages[(pfn << RECORD_SHIFT) + REFCOUNT]! += 1;
    this.#batch[this.#waiting] = pfn;
    this.#waiting += 1;
    if (this.#waiting === BATCH_PAGES) this.drain();
  }

  /** lru_add_drain(). */
  drain(): void {
    const pages = this.#pages;
    const nr = this.#waiting;
    this.#waiting = 0;
    for (let i = 0; i < nr; i++) {
      const pfn = this.#batch[i]!;
      const page = pfn << RECORD_SHIFT;
      const refcount = pages[page + REFCOUNT]! - 1;
      pages[page + REFCOUNT] = refcount;
      if (refcount > 0) {
        this.add(pfn);
      } else {
        pages[page + FLAGS]! &= ~PG_ACTIVE;
        this.release(pfn);
      }
    }
  }

  /** Puts a page in front of its list. */
  add(pfn: number): void {
    const page = pfn << RECORD_SHIFT;
    this.#pages[page + FLAGS]! |= PG_LRU;
    this.#memory.listAddHead(this.#listOf(pfn, this.#pages[page + FLAGS]!), pfn);
  }

  /** Takes a page off its list. */
  del(pfn: number): void {
    const page = pfn << RECORD_SHIFT;
    this.#memory.listDel(this.#listOf(pfn, this.#pages[page + FLAGS]!), page);
    this.#pages[page + FLAGS]! &= ~PG_LRU;
  }

  /** put_page(). */
  putPage(pfn: number): void {
    const page = pfn << RECORD_SHIFT;
    const refcount = this.#pages[page + REFCOUNT]! - 1;
    if (refcount < 0) throw new Error(`twin: refcount of pfn ${pfn} below 0`);
    this.#pages[page + REFCOUNT] = refcount;
    if (refcount === 0) this.release(pfn);
  }

  /** Frees a page without references. */
  release(pfn: number): void {
    const pages = this.#pages;
    const page = pfn << RECORD_SHIFT;
    if ((pages[page + FLAGS]! & PG_LRU) !== 0) {
      this.del(pfn);
      pages[page + FLAGS]! &= ~(PG_ACTIVE | PG_UNEVICTABLE);
    }
    if ((pages[page + MAPPING]! & MAPPING_ANON) !== 0) pages[page + MAPPING] = 0;
    const bad = pages[page + MAPCOUNT]! | pages[page + MAPPING]! | pages[page + REFCOUNT]!;
    if (bad !== 0 || (pages[page + FLAGS]! & FLAGS_CHECKED_AT_FREE) !== 0) {
      throw new Error(`twin: pfn ${pfn} is freed in a bad state`);
    }
    pages[page + FLAGS] = 0;
    pages[page + INDEX] = 0;
    pages[page + PRIVATE] = 0;
    this.#memory.freePages(pfn, 0);
  }

  #listOf(pfn: number, flags: number): number {
    const zone = this.#memory.zoneOfBlock[pfn >> PAGEBLOCK_ORDER]!;
    return this.#memory.lruList(zone, (flags & PG_ACTIVE) !== 0 ? LRU_ACTIVE_ANON : LRU_INACTIVE_ANON);
  }
}
