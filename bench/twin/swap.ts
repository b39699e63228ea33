/** The swap device of the twin: its slots, and the pages in the swap cache. */
// oxlint-disable typescript/no-non-null-assertion -- in range; a default would hide an index that is not
import {
  MEMCG_CHARGED,
  NR_FILE_PAGES,
  PFN_NONE,
  PG_DIRTY,
  PG_LOCKED,
  PG_MEMCG,
  PG_RECLAIM,
  PG_SWAPCACHE,
  PG_WRITEBACK,
  PSWPOUT,
  SWAP_SLOT_COUNT,
  SWAP_SLOT_NONE,
  SWAP_SLOT_PFN,
  SWAP_SLOT_SIZE,
} from "../../assembly/abi.ts";
import type { TwinLru } from "./lru.ts";
import { FLAGS, MAPCOUNT, PRIVATE, RECORD_SHIFT, REFCOUNT, type TwinMemory } from "./memory.ts";

// Words of a slot's record.
const COUNT = SWAP_SLOT_COUNT >> 2;
const PFN = SWAP_SLOT_PFN >> 2;
const WRITTEN = PFN + 1;
const SLOT_WORDS = SWAP_SLOT_SIZE >> 2;

const FIRST_SLOT = 1;

export class TwinSwap {
  /** Exclusive. */
  readonly end: number;
  readonly #memory: TwinMemory;
  readonly #pages: Int32Array;
  readonly #lru: TwinLru;
  readonly #slots: Int32Array;
  #next = FIRST_SLOT;
  #nrUsed = 0;

  constructor(memory: TwinMemory, lru: TwinLru, nrSlots: number) {
    this.#memory = memory;
    this.#pages = memory.pages;
    this.#lru = lru;
    this.end = FIRST_SLOT + nrSlots;
    this.#slots = new Int32Array(this.end * SLOT_WORDS);
  }

  get nrUsed(): number {
    return this.#nrUsed;
  }

  get hasFreeSlots(): boolean {
    return this.#nrUsed < this.end - FIRST_SLOT;
  }

  /** vm_swap_full(). */
  get isFull(): boolean {
    const total = this.end - FIRST_SLOT;
    return (total - this.#nrUsed) * 2 < total;
  }

  /** The page of a slot in the swap cache, PFN_NONE if it is not there. */
  pfnOf(slot: number): number {
    return this.#slots[slot * SLOT_WORDS + PFN]!;
  }

  /** True for a slot that PTEs name and whose page is not in memory. */
  isSwappedOut(slot: number): boolean {
    return this.#slots[slot * SLOT_WORDS + COUNT]! > 0 && this.pfnOf(slot) === PFN_NONE;
  }

  /** True if the device has the content of a slot. */
  isWritten(slot: number): boolean {
    return this.#slots[slot * SLOT_WORDS + WRITTEN] !== 0;
  }

  /** add_to_swap(). */
  addToSwap(pfn: number, page: number): boolean {
    const slot = this.#allocSlot();
    if (slot === SWAP_SLOT_NONE) return false;
    this.addToSwapCache(pfn, page, slot);
    this.#pages[page + FLAGS]! |= PG_DIRTY;
    return true;
  }

  /** add_to_swap_cache(). */
  addToSwapCache(pfn: number, page: number, slot: number): void {
    const pages = this.#pages;
    pages[page + REFCOUNT]! += 1;
    pages[page + FLAGS]! |= PG_SWAPCACHE;
    pages[page + PRIVATE] = slot;
    this.#slots[slot * SLOT_WORDS + PFN] = pfn;
    this.#memory.count(NR_FILE_PAGES, 1);
  }

  /** Takes a page out of the swap cache without dropping the reference of that. */
  forgetSwapCache(page: number): void {
    const pages = this.#pages;
    const slot = pages[page + PRIVATE]!;
    pages[page + FLAGS]! &= ~PG_SWAPCACHE;
    pages[page + PRIVATE] = 0;
    this.#slots[slot * SLOT_WORDS + PFN] = PFN_NONE;
    this.#memory.count(NR_FILE_PAGES, -1);
    if (pages[page + MAPCOUNT] === 0 && (pages[page + FLAGS]! & PG_MEMCG) !== 0) {
      pages[page + FLAGS]! &= ~PG_MEMCG;
      this.#memory.count(MEMCG_CHARGED, -1);
    }
    this.#freeUnused(slot);
  }

  /** try_to_free_swap(). */
  tryToFreeSwap(pfn: number): boolean {
    const pages = this.#pages;
    const page = pfn << RECORD_SHIFT;
    if ((pages[page + FLAGS]! & (PG_SWAPCACHE | PG_WRITEBACK)) !== PG_SWAPCACHE) return false;
    if (this.#slots[pages[page + PRIVATE]! * SLOT_WORDS + COUNT]! > 0) return false;
    this.#deleteFromSwapCache(pfn, page);
    return true;
  }

  /** free_swap_cache(), for a page that has just been unmapped. */
  freeSwapCache(pfn: number): void {
    const page = pfn << RECORD_SHIFT;
    if ((this.#pages[page + FLAGS]! & (PG_SWAPCACHE | PG_LOCKED)) !== PG_SWAPCACHE) return;
    if (this.#pages[page + MAPCOUNT] === 0) this.tryToFreeSwap(pfn);
  }

  /** swap_duplicate(). */
  duplicate(slot: number): void {
    this.#slots[slot * SLOT_WORDS + COUNT]! += 1;
  }

  /** swap_free(). */
  free(slot: number): void {
    this.#slots[slot * SLOT_WORDS + COUNT]! -= 1;
    this.#freeUnused(slot);
  }

  /** free_swap_and_cache(). */
  freeSwapAndCache(slot: number): void {
    this.free(slot);
    const pfn = this.pfnOf(slot);
    if (this.#slots[slot * SLOT_WORDS + COUNT]! > 0 || pfn === PFN_NONE) return;
    const page = pfn << RECORD_SHIFT;
    if ((this.#pages[page + FLAGS]! & (PG_LOCKED | PG_WRITEBACK)) !== 0) return;
    if (this.#pages[page + MAPCOUNT] === 0 || this.isFull) this.#deleteFromSwapCache(pfn, page);
  }

  /** swap_writepage() to a synchronous device. */
  write(pfn: number, page: number): void {
    if (this.tryToFreeSwap(pfn)) return;
    this.#slots[this.#pages[page + PRIVATE]! * SLOT_WORDS + WRITTEN] = 1;
    this.#memory.count(PSWPOUT, 1);
    this.#pages[page + FLAGS]! &= ~PG_RECLAIM;
  }

  #deleteFromSwapCache(pfn: number, page: number): void {
    this.forgetSwapCache(page);
    this.#pages[page + FLAGS]! |= PG_DIRTY;
    this.#lru.putPage(pfn);
  }

  /** get_swap_page(). */
  #allocSlot(): number {
    if (!this.hasFreeSlots) return SWAP_SLOT_NONE;
    let slot = this.#findFree(this.#next, this.end);
    if (slot === SWAP_SLOT_NONE) slot = this.#findFree(FIRST_SLOT, this.#next);
    this.#next = slot + 1;
    this.#nrUsed += 1;
    return slot;
  }

  #findFree(start: number, end: number): number {
    for (let slot = start; slot < end; slot++) if (!this.#isUsed(slot)) return slot;
    return SWAP_SLOT_NONE;
  }

  #isUsed(slot: number): boolean {
    return this.#slots[slot * SLOT_WORDS + COUNT]! > 0 || this.pfnOf(slot) !== PFN_NONE;
  }

  #freeUnused(slot: number): void {
    if (this.#isUsed(slot)) return;
    this.#slots[slot * SLOT_WORDS + WRITTEN] = 0;
    this.#nrUsed -= 1;
  }
}
