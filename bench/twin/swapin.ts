/** do_swap_page() of the twin: reads by way of the swap cache, for v3.12. */
// oxlint-disable typescript/no-non-null-assertion -- in range; a default would hide an index that is not
import {
  MAPPING_ANON,
  MAPPING_TAG_SHIFT,
  MEMCG_CHARGED,
  NR_ANON_PAGES,
  PFN_NONE,
  PGALLOC,
  PGMAJFAULT,
  PG_LOCKED,
  PG_MEMCG,
  PG_MLOCKED,
  PG_SWAPBACKED,
  PG_UPTODATE,
  PSWPIN,
  PTE_ACCESSED,
  PTE_PRESENT,
  PTE_SHIFT,
} from "../../assembly/abi.ts";
import type { TwinLru } from "./lru.ts";
import { FLAGS, INDEX, MAPCOUNT, MAPPING, RECORD_SHIFT, REFCOUNT, type TwinMemory } from "./memory.ts";
import type { TwinSpace } from "./space.ts";
import type { TwinSwap } from "./swap.ts";

const DEFAULT_PAGE_CLUSTER = 3;

export class TwinSwapin {
  /** vm.page-cluster. */
  pageCluster = DEFAULT_PAGE_CLUSTER;
  readonly #memory: TwinMemory;
  readonly #pages: Int32Array;
  readonly #ptes: Int32Array;
  readonly #lru: TwinLru;
  readonly #space: TwinSpace;
  readonly #swap: TwinSwap;

  constructor(memory: TwinMemory, lru: TwinLru, space: TwinSpace, swap: TwinSwap) {
    this.#memory = memory;
    this.#pages = memory.pages;
    this.#ptes = memory.ptes;
    this.#lru = lru;
    this.#space = space;
    this.#swap = swap;
  }

  /** A read of virtual page `vpn`, whose PTE is a swap entry. */
  doSwapPage(vpn: number, number: number): void {
    const pages = this.#pages;
    const slot = this.#ptes[number]! >>> PTE_SHIFT;
    let pfn = this.#swap.pfnOf(slot);
    if (pfn === PFN_NONE) {
      this.#memory.count(PGMAJFAULT, 1);
      this.#readCluster(slot);
      this.#lru.drain();
      pfn = this.#swap.pfnOf(slot);
    }
    const page = pfn << RECORD_SHIFT;
    if ((pages[page + FLAGS]! & PG_LOCKED) !== 0) throw new Error("twin: the fault would sleep");
    pages[page + REFCOUNT]! += 1;
    this.#space.rssAnon += 1;
    this.#space.rssSwap -= 1;
    this.#swap.free(slot);
    if (this.#swap.isFull || (pages[page + FLAGS]! & PG_MLOCKED) !== 0) this.#swap.tryToFreeSwap(pfn);
    this.#ptes[number] = (pfn << PTE_SHIFT) | PTE_PRESENT | PTE_ACCESSED;
    this.#addRmap(page, vpn);
  }

  /** page_add_anon_rmap(). */
  #addRmap(page: number, vpn: number): void {
    const pages = this.#pages;
    const mapcount = pages[page + MAPCOUNT]!;
    if (mapcount === 0 && (pages[page + MAPPING]! & MAPPING_ANON) === 0) {
      pages[page + MAPPING] = (this.#space.anonVmaPrepare() << MAPPING_TAG_SHIFT) | MAPPING_ANON;
      pages[page + INDEX] = vpn;
    }
    pages[page + MAPCOUNT] = mapcount + 1;
    if (mapcount === 0) this.#memory.count(NR_ANON_PAGES, 1);
    if ((pages[page + FLAGS]! & PG_MEMCG) !== 0) return;
    pages[page + FLAGS]! |= PG_MEMCG;
    this.#memory.count(MEMCG_CHARGED, 1);
  }

  /** swapin_readahead(): what is swapped out of the aligned cluster around `slot`. */
  #readCluster(slot: number): void {
    const mask = (1 << this.pageCluster) - 1;
    const end = Math.min(this.#swap.end, (slot | mask) + 1);
    // Slot 0 is the header of the device.
    for (let number = Math.max(1, slot & ~mask); number < end; number++) {
      if (this.#swap.isSwappedOut(number)) this.#read(number);
    }
  }

  /** read_swap_cache_async(), up to the end of the I/O. */
  #read(slot: number): void {
    const pages = this.#pages;
    const pfn = this.#memory.allocPage(this.#space.node);
    if (pfn === PFN_NONE) throw new Error("twin: the node is full");
    this.#memory.count(PGALLOC, 1);
    const page = pfn << RECORD_SHIFT;
    pages[page + FLAGS] = PG_SWAPBACKED | PG_UPTODATE;
    if (!this.#swap.isWritten(slot)) throw new Error("twin: the device has nothing in this slot");
    this.#memory.count(PSWPIN, 1);
    this.#swap.addToSwapCache(pfn, page, slot);
    this.#lru.cacheAdd(pfn);
    this.#lru.putPage(pfn);
  }
}
