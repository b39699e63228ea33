/**
 * The twin: the core's path of private anonymous memory under profile v3.12 as plain TypeScript on typed
 * arrays. It takes every decision that the core takes for such a page, and leaves the same records, PTEs and
 * counters behind in the same order. What no benchmark reaches (crashes, the trace, other kinds of pages,
 * several processes) is left out, to its advantage.
 */
// oxlint-disable typescript/no-non-null-assertion -- in range; a default would hide an index that is not
import {
  MAPPING_ANON,
  MAPPING_TAG_SHIFT,
  MEMCG_CHARGED,
  NR_ANON_PAGES,
  PFN_NONE,
  PGALLOC,
  PGFAULT,
  PG_ACTIVE,
  PG_MEMCG,
  PG_SWAPBACKED,
  PG_SWAPCACHE,
  PG_UPTODATE,
  PTE_ACCESSED,
  PTE_DIRTY,
  PTE_PRESENT,
  PTE_PROTNONE,
  PTE_SHIFT,
  PTE_WRITE,
} from "../../assembly/abi.ts";
import { hashCounters, hashPages, hashPtes } from "./hash.ts";
import { TwinLru } from "./lru.ts";
import { FLAGS, INDEX, MAPCOUNT, MAPPING, RECORD_SHIFT, REFCOUNT, TwinMemory } from "./memory.ts";
import { TwinMigration } from "./migration.ts";
import { TwinReclaim } from "./reclaim.ts";
import { TwinSpace } from "./space.ts";
import { TwinSwap } from "./swap.ts";
import { TwinSwapin } from "./swapin.ts";

export interface TwinOptions {
  readonly pagesPerNode: number;
  readonly nodes: number;
  readonly ptes: number;
  /** Of the one swap device, which is synchronous. */
  readonly swapSlots?: number;
}

const PTE_OF_FAULT = PTE_PRESENT | PTE_ACCESSED | PTE_WRITE | PTE_DIRTY;

export class Twin {
  readonly #memory: TwinMemory;
  readonly #lru: TwinLru;
  readonly #space: TwinSpace;
  readonly #migration: TwinMigration;
  readonly #swap: TwinSwap;
  readonly #reclaim: TwinReclaim;
  readonly #swapin: TwinSwapin;

  constructor(options: TwinOptions) {
    this.#memory = new TwinMemory(options.pagesPerNode, options.nodes, options.ptes);
    this.#lru = new TwinLru(this.#memory);
    // swapon() has taken the first object for the swap cache.
    this.#space = new TwinSpace(options.swapSlots === undefined ? 1 : 2);
    this.#migration = new TwinMigration(this.#memory, this.#lru, this.#space);
    this.#swap = new TwinSwap(this.#memory, this.#lru, options.swapSlots ?? 0);
    this.#reclaim = new TwinReclaim(this.#memory, this.#lru, this.#space, this.#swap);
    this.#swapin = new TwinSwapin(this.#memory, this.#lru, this.#space, this.#swap);
  }

  /** Slots in use. */
  get usedSlots(): number {
    return this.#swap.nrUsed;
  }

  /** mmap() of virtual pages 0 … `pages`-1, preferring `node`. */
  map(pages: number, node: number): void {
    this.#space.map(pages, node);
  }

  /** Writes to the virtual pages in order. */
  touch(start: number, end: number): void {
    const { ptes } = this.#memory;
    let faults = 0;
    for (let vpn = start; vpn < end; vpn++) {
      const number = this.#space.pteNumber(vpn);
      const pte = ptes[number]!;
      if ((pte & PTE_PRESENT) === 0 || (pte & PTE_WRITE) === 0) {
        faults += 1;
        if (pte === 0) this.#anonymousWrite(vpn, number);
        else ptes[number] = pte | PTE_WRITE;
      }
      ptes[number]! |= PTE_DIRTY | PTE_ACCESSED;
    }
    this.#memory.count(PGFAULT, faults);
  }

  /** Reads virtual pages that have been written to, in order. Returns how many faulted. */
  read(start: number, end: number): number {
    const { ptes } = this.#memory;
    let faults = 0;
    for (let vpn = start; vpn < end; vpn++) {
      const number = this.#space.pteNumber(vpn);
      if ((ptes[number]! & PTE_PRESENT) === 0) {
        faults += 1;
        this.#swapin.doSwapPage(vpn, number);
      }
      ptes[number]! |= PTE_ACCESSED;
    }
    this.#memory.count(PGFAULT, faults);
    return faults;
  }

  /** vm.page-cluster. */
  setPageCluster(cluster: number): void {
    this.#swapin.pageCluster = cluster;
  }

  /** MADV_PAGEOUT of everything. Returns how many pages were freed. */
  pageout(): number {
    return this.#reclaim.pageout();
  }

  /** Reclaims about `pages` pages of the first node from its LRU lists. Returns how many were freed. */
  reclaim(pages: number): number {
    return this.#reclaim.reclaim(pages);
  }

  /** munmap() of everything. */
  unmap(): void {
    const { ptes, pages } = this.#memory;
    const end = this.#space.pages;
    let unmapped = 0;
    let uncharged = 0;
    for (let vpn = 0; vpn < end; vpn++) {
      const number = this.#space.pteNumber(vpn);
      const pte = ptes[number]!;
      if (pte === 0) continue;
      ptes[number] = 0;
      const pfn = pte >>> PTE_SHIFT;
      if ((pte & (PTE_PRESENT | PTE_PROTNONE)) === 0) {
        this.#space.rssSwap -= 1;
        this.#swap.freeSwapAndCache(pfn);
        continue;
      }
      const page = pfn << RECORD_SHIFT;
      this.#space.rssAnon -= 1;
      const mapcount = pages[page + MAPCOUNT]! - 1;
      pages[page + MAPCOUNT] = mapcount;
      if (mapcount === 0 && (pages[page + MAPPING]! & MAPPING_ANON) !== 0) {
        unmapped += 1;
        if ((pages[page + FLAGS]! & PG_SWAPCACHE) === 0) {
          pages[page + FLAGS]! &= ~PG_MEMCG;
          uncharged += 1;
        }
      }
      this.#swap.freeSwapCache(pfn);
      this.#lru.putPage(pfn);
    }
    this.#memory.count(NR_ANON_PAGES, -unmapped);
    this.#memory.count(MEMCG_CHARGED, -uncharged);
    this.#space.unmap();
  }

  /**
   * fork(): a child with the same pages at the PTEs behind those of the parent, none of them writable any
   * more.
   */
  fork(): void {
    const { ptes, pages } = this.#memory;
    const end = this.#space.pages;
    for (let vpn = 0; vpn < end; vpn++) {
      const number = this.#space.pteNumber(vpn);
      const pte = ptes[number]!;
      if (pte === 0) continue;
      const page = (pte >>> PTE_SHIFT) << RECORD_SHIFT;
      pages[page + REFCOUNT]! += 1;
      pages[page + MAPCOUNT]! += 1;
      ptes[number] = pte & ~PTE_WRITE;
      ptes[end + number] = pte & ~(PTE_WRITE | PTE_ACCESSED);
    }
  }

  /** exit() of that child. */
  exitChild(): void {
    const { ptes, pages } = this.#memory;
    const end = this.#space.pages;
    for (let number = end; number < 2 * end; number++) {
      const pte = ptes[number]!;
      if (pte === 0) continue;
      ptes[number] = 0;
      const pfn = pte >>> PTE_SHIFT;
      pages[(pfn << RECORD_SHIFT) + MAPCOUNT]! -= 1;
      this.#lru.putPage(pfn);
    }
  }

  /** move_pages(2) of everything to `node`, without statuses. */
  movePages(node: number): void {
    this.#lru.drain();
    this.#migration.movePages(node);
  }

  /** lru_add_drain_all(). */
  drain(): void {
    this.#lru.drain();
  }

  /** Hashes of the pages, the PTEs and the counters, as the core computes them. */
  hash(): string {
    return [hashPages(this.#memory), hashPtes(this.#memory), hashCounters(this.#memory)].join(" ");
  }

  /** do_anonymous_page(): a fresh page, by way of the batch. */
  #anonymousWrite(vpn: number, number: number): void {
    const { pages, ptes } = this.#memory;
    const pfn = this.#allocFor();
    const page = pfn << RECORD_SHIFT;
    pages[page + FLAGS] = PG_UPTODATE | PG_SWAPBACKED | PG_ACTIVE | PG_MEMCG;
    pages[page + MAPCOUNT] = 1;
    pages[page + MAPPING] = (this.#space.anonVmaPrepare() << MAPPING_TAG_SHIFT) | MAPPING_ANON;
    pages[page + INDEX] = vpn;
    this.#memory.count(NR_ANON_PAGES, 1);
    this.#memory.count(MEMCG_CHARGED, 1);
    this.#space.rssAnon += 1;
    this.#lru.cacheAdd(pfn);
    ptes[number] = (pfn << PTE_SHIFT) | PTE_OF_FAULT;
  }

  #allocFor(): number {
    const pfn = this.#memory.allocPage(this.#space.node);
    if (pfn === PFN_NONE) throw new Error("twin: the node is full");
    this.#memory.count(PGALLOC, 1);
    return pfn;
  }
}
