/** Reclaim of the twin: of a range, and of the LRU lists of its first node, for v3.12. */
// oxlint-disable typescript/no-non-null-assertion -- in range; a default would hide an index that is not
import {
  LRU_ACTIVE_ANON,
  LRU_INACTIVE_ANON,
  MAPPING_ANON,
  MAPPING_TAG_SHIFT,
  NR_ANON_PAGES,
  NR_ISOLATED_ANON,
  PAGE_SHIFT,
  PFN_NONE,
  PGACTIVATE,
  PGDEACTIVATE,
  PGSCAN,
  PGSTEAL,
  PG_ACTIVE,
  PG_DIRTY,
  PG_ISOLATED,
  PG_LOCKED,
  PG_LRU,
  PG_MLOCKED,
  PG_RECLAIM,
  PG_REFERENCED,
  PG_SWAPCACHE,
  PG_UNEVICTABLE,
  PG_WRITEBACK,
  PTE_ACCESSED,
  PTE_DIRTY,
  PTE_PRESENT,
  PTE_PROTNONE,
  PTE_SHIFT,
  RECLAIM_ACTIVATED,
  RECLAIM_FREED,
  RECLAIM_KEPT,
  SWAP_CLUSTER_MAX,
} from "../../assembly/abi.ts";
import type { TwinLru } from "./lru.ts";
import {
  FLAGS,
  INDEX,
  MAPCOUNT,
  MAPPING,
  NEXT,
  PREV,
  PRIVATE,
  RECORD_SHIFT,
  REFCOUNT,
  type TwinMemory,
} from "./memory.ts";
import type { TwinSpace } from "./space.ts";
import type { TwinSwap } from "./swap.ts";

const ZONE = 0;
const DEF_PRIORITY = 12;
const GIB_PAGES_SHIFT = 30 - PAGE_SHIFT;
const MAY_RECLAIM = -1; // beside RECLAIM_*: nothing has settled yet what becomes of the page

export class TwinReclaim {
  readonly #memory: TwinMemory;
  readonly #pages: Int32Array;
  readonly #ptes: Int32Array;
  readonly #lru: TwinLru;
  readonly #space: TwinSpace;
  readonly #swap: TwinSwap;
  readonly #active: number;
  readonly #inactive: number;
  readonly #inactiveRatio: number;
  // The list of isolated pages, linked by NEXT.
  #head = PFN_NONE;
  #tail = PFN_NONE;
  #nr = 0;

  /** `memory` must be free still. */
  constructor(memory: TwinMemory, lru: TwinLru, space: TwinSpace, swap: TwinSwap) {
    this.#memory = memory;
    this.#pages = memory.pages;
    this.#ptes = memory.ptes;
    this.#lru = lru;
    this.#space = space;
    this.#swap = swap;
    this.#active = memory.lruList(ZONE, LRU_ACTIVE_ANON);
    this.#inactive = memory.lruList(ZONE, LRU_INACTIVE_ANON);
    const gib = memory.freeCount[ZONE]! >> GIB_PAGES_SHIFT;
    this.#inactiveRatio = gib > 0 ? Math.floor(Math.sqrt(10 * gib)) : 1;
  }

  /** MADV_PAGEOUT of everything. Returns how many pages were freed. */
  pageout(): number {
    this.#lru.drain();
    const end = this.#space.pages;
    for (let vpn = 0; vpn < end; vpn++) this.#isolateForPageout(vpn);
    let freed = 0;
    while (this.#head !== PFN_NONE) {
      const pfn = this.#takeFirst();
      if (this.#shrinkPage(pfn, true) !== RECLAIM_FREED) throw new Error("twin: a page stayed");
      freed += 1;
    }
    return freed;
  }

  /** Reclaims about `wanted` pages of the LRU lists. Returns how many were freed. */
  reclaim(wanted: number): number {
    this.#lru.drain();
    let freed = 0;
    for (let priority = DEF_PRIORITY; priority >= 0 && freed < wanted; priority--) {
      freed += this.#shrinkLruvec(priority, wanted - freed);
    }
    return freed;
  }

  #isolateForPageout(vpn: number): void {
    const pages = this.#pages;
    const number = this.#space.pteNumber(vpn);
    const pte = this.#ptes[number]!;
    if ((pte & (PTE_PRESENT | PTE_PROTNONE)) === 0) return;
    const pfn = pte >>> PTE_SHIFT;
    const page = pfn << RECORD_SHIFT;
    if (pages[page + MAPCOUNT] !== 1) return;
    this.#ptes[number] = pte & ~PTE_ACCESSED;
    const flags = pages[page + FLAGS]! & ~PG_REFERENCED;
    pages[page + FLAGS] = flags;
    if ((flags & PG_UNEVICTABLE) !== 0 || (flags & PG_LRU) === 0) return;
    this.#isolate(pfn, page);
    pages[page + FLAGS]! &= ~PG_ACTIVE;
  }

  /** Takes a page off its LRU list, with a reference, onto the list of isolated pages. */
  #isolate(pfn: number, page: number): void {
    const pages = this.#pages;
    pages[page + REFCOUNT]! += 1;
    this.#lru.del(pfn);
    pages[page + FLAGS]! |= PG_ISOLATED;
    this.#memory.count(NR_ISOLATED_ANON, 1);
    pages[page + NEXT] = PFN_NONE;
    pages[page + PREV] = PFN_NONE;
    if (this.#tail === PFN_NONE) this.#head = pfn;
    else pages[(this.#tail << RECORD_SHIFT) + NEXT] = pfn;
    this.#tail = pfn;
    this.#nr += 1;
  }

  #takeFirst(): number {
    const pages = this.#pages;
    const pfn = this.#head;
    const page = pfn << RECORD_SHIFT;
    this.#head = pages[page + NEXT]!;
    if (this.#head === PFN_NONE) this.#tail = PFN_NONE;
    pages[page + NEXT] = PFN_NONE;
    this.#nr -= 1;
    return pfn;
  }

  #endIsolation(page: number): void {
    this.#pages[page + FLAGS]! &= ~PG_ISOLATED;
    this.#memory.count(NR_ISOLATED_ANON, -1);
  }

  /** isolate_lru_pages(). */
  #isolateFrom(list: number, nr: number): void {
    this.#lru.drain();
    while (this.#nr < nr) {
      const pfn = this.#memory.listTail(list);
      if (pfn === PFN_NONE) break;
      this.#isolate(pfn, pfn << RECORD_SHIFT);
    }
  }

  /** putback_inactive_pages(). */
  #putback(pfn: number): void {
    const pages = this.#pages;
    const page = pfn << RECORD_SHIFT;
    this.#endIsolation(page);
    if ((pages[page + FLAGS]! & PG_UNEVICTABLE) === 0 && pages[page + REFCOUNT]! > 1) this.#lru.add(pfn);
    this.#lru.putPage(pfn);
  }

  #shrinkInactiveList(nr: number): number {
    this.#isolateFrom(this.#inactive, nr);
    this.#memory.count(PGSCAN, this.#nr);
    let freed = 0;
    while (this.#head !== PFN_NONE) {
      const pfn = this.#takeFirst();
      if (this.#shrinkPage(pfn, false) === RECLAIM_FREED) freed += 1;
      else this.#putback(pfn);
    }
    this.#memory.count(PGSTEAL, freed);
    return freed;
  }

  #shrinkActiveList(nr: number): void {
    this.#isolateFrom(this.#active, nr);
    this.#memory.count(PGDEACTIVATE, this.#nr);
    while (this.#head !== PFN_NONE) {
      const pfn = this.#takeFirst();
      const page = pfn << RECORD_SHIFT;
      this.#isReferenced(pfn, page);
      this.#pages[page + FLAGS]! &= ~PG_ACTIVE;
      this.#putback(pfn);
    }
  }

  /** inactive_anon_is_low(). */
  #inactiveIsLow(): boolean {
    const memory = this.#memory;
    return memory.listLength(this.#inactive) * this.#inactiveRatio < memory.listLength(this.#active);
  }

  /** shrink_lruvec(), of the anonymous lists. */
  #shrinkLruvec(priority: number, wanted: number): number {
    if (!this.#swap.hasFreeSlots) return 0;
    let active = this.#memory.listLength(this.#active) >> priority;
    let inactive = this.#memory.listLength(this.#inactive) >> priority;
    let freed = 0;
    while (inactive > 0 && freed < wanted) {
      freed += this.#shrinkInactiveList(Math.min(inactive, SWAP_CLUSTER_MAX));
      if (active > 0 && this.#inactiveIsLow()) this.#shrinkActiveList(Math.min(active, SWAP_CLUSTER_MAX));
      active -= SWAP_CLUSTER_MAX;
      inactive -= SWAP_CLUSTER_MAX;
    }
    if (this.#inactiveIsLow()) this.#shrinkActiveList(SWAP_CLUSTER_MAX);
    return freed;
  }

  /** The PTE that maps an anonymous page; negative if none does. */
  #pteOf(pfn: number, page: number): number {
    const word = this.#pages[page + MAPPING]!;
    if ((word & MAPPING_ANON) === 0) return -1;
    const number = this.#space.pteOfIndex(word >>> MAPPING_TAG_SHIFT, this.#pages[page + INDEX]!);
    if (number < 0) return -1;
    const pte = this.#ptes[number]!;
    return (pte & (PTE_PRESENT | PTE_PROTNONE)) !== 0 && pte >>> PTE_SHIFT === pfn ? number : -1;
  }

  /** page_referenced(): makes the PTE old. */
  #isReferenced(pfn: number, page: number): boolean {
    if (this.#pages[page + MAPCOUNT] === 0) return false;
    const number = this.#pteOf(pfn, page);
    if (number < 0 || (this.#ptes[number]! & PTE_ACCESSED) === 0) return false;
    this.#ptes[number]! &= ~PTE_ACCESSED;
    return true;
  }

  /** shrink_page_list() of one isolated page. Returns RECLAIM_*. */
  #shrinkPage(pfn: number, ignoreReferences: boolean): number {
    const pages = this.#pages;
    const page = pfn << RECORD_SHIFT;
    if ((pages[page + FLAGS]! & PG_LOCKED) !== 0) return RECLAIM_KEPT;
    pages[page + FLAGS]! |= PG_LOCKED;
    const outcome = this.#shrinkLocked(pfn, page, ignoreReferences);
    if (outcome === RECLAIM_FREED) return outcome;
    if (outcome === RECLAIM_ACTIVATED) {
      if (this.#swap.isFull) this.#swap.tryToFreeSwap(pfn);
      pages[page + FLAGS]! |= PG_ACTIVE;
      this.#memory.count(PGACTIVATE, 1);
    }
    pages[page + FLAGS]! &= ~PG_LOCKED;
    return outcome;
  }

  #shrinkLocked(pfn: number, page: number, ignoreReferences: boolean): number {
    const pages = this.#pages;
    const flags = pages[page + FLAGS]!;
    if ((flags & (PG_MLOCKED | PG_UNEVICTABLE)) !== 0) {
      this.#swap.tryToFreeSwap(pfn);
      return RECLAIM_KEPT;
    }
    if ((flags & PG_WRITEBACK) !== 0) {
      pages[page + FLAGS] = flags | PG_RECLAIM;
      return RECLAIM_KEPT;
    }
    if (!ignoreReferences) {
      const young = this.#isReferenced(pfn, page);
      pages[page + FLAGS]! &= ~PG_REFERENCED;
      if (young) return RECLAIM_ACTIVATED;
    }
    if ((pages[page + MAPPING]! & MAPPING_ANON) !== 0 && (flags & PG_SWAPCACHE) === 0) {
      if (!this.#swap.addToSwap(pfn, page)) return RECLAIM_ACTIVATED;
    }
    if (pages[page + MAPCOUNT]! > 0) {
      const mapped = this.#tryToUnmap(pfn, page);
      if (mapped !== MAY_RECLAIM) return mapped;
    }
    if ((pages[page + FLAGS]! & PG_DIRTY) !== 0) {
      if (pages[page + REFCOUNT] !== 2) return RECLAIM_KEPT;
      pages[page + FLAGS] = (pages[page + FLAGS]! & ~PG_DIRTY) | PG_RECLAIM;
      this.#swap.write(pfn, page);
      if ((pages[page + FLAGS]! & (PG_WRITEBACK | PG_DIRTY)) !== 0) return RECLAIM_KEPT;
    }
    return this.#freePage(pfn, page);
  }

  /** try_to_unmap(): the PTE becomes a swap entry. */
  #tryToUnmap(pfn: number, page: number): number {
    const pages = this.#pages;
    const number = this.#pteOf(pfn, page);
    if (number < 0) return RECLAIM_KEPT;
    const pte = this.#ptes[number]!;
    if ((pte & PTE_ACCESSED) !== 0) {
      this.#ptes[number] = pte & ~PTE_ACCESSED;
      return RECLAIM_ACTIVATED;
    }
    const slot = pages[page + PRIVATE]!;
    this.#swap.duplicate(slot);
    this.#ptes[number] = slot << PTE_SHIFT;
    if ((pte & PTE_DIRTY) !== 0) pages[page + FLAGS]! |= PG_DIRTY;
    this.#space.rssAnon -= 1;
    this.#space.rssSwap += 1;
    const mapcount = pages[page + MAPCOUNT]! - 1;
    pages[page + MAPCOUNT] = mapcount;
    if (mapcount === 0) this.#memory.count(NR_ANON_PAGES, -1);
    this.#lru.putPage(pfn);
    return mapcount === 0 ? MAY_RECLAIM : RECLAIM_KEPT;
  }

  /** __remove_mapping() and the end of the page. */
  #freePage(pfn: number, page: number): number {
    const pages = this.#pages;
    if (pages[page + REFCOUNT] !== 2 || (pages[page + FLAGS]! & PG_DIRTY) !== 0) return RECLAIM_KEPT;
    pages[page + REFCOUNT] = 0;
    this.#swap.forgetSwapCache(page);
    pages[page + FLAGS]! &= ~PG_LOCKED;
    this.#endIsolation(page);
    this.#lru.release(pfn);
    return RECLAIM_FREED;
  }
}
