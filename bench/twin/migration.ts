/** migrate_pages() of the twin: isolate, unmap, move, remap, put back, for v3.12. */
// oxlint-disable typescript/no-non-null-assertion -- in range; a default would hide an index that is not
import {
  EAGAIN,
  EBUSY,
  MAPPING_ANON,
  MAPPING_TAG_MASK,
  MAPPING_TAG_SHIFT,
  NR_ANON_PAGES,
  NR_ISOLATED_ANON,
  PAGEBLOCK_ORDER,
  PFN_NONE,
  PGALLOC,
  PGMIGRATE_FAIL,
  PGMIGRATE_SUCCESS,
  PG_ACTIVE,
  PG_ANON_EXCLUSIVE,
  PG_CHECKED,
  PG_DIRTY,
  PG_ERROR,
  PG_ISOLATED,
  PG_LOCKED,
  PG_LRU,
  PG_MAPPEDTODISK,
  PG_MEMCG,
  PG_MLOCKED,
  PG_PRIVATE,
  PG_REFERENCED,
  PG_SWAPBACKED,
  PG_SWAPCACHE,
  PG_UNEVICTABLE,
  PG_UPTODATE,
  PG_WRITEBACK,
  PROBE_ATTEMPTS,
  PROBE_MIGRATE_PAGES,
  PROBE_PAGES_COPIED,
  PROBE_PTES_UNMAPPED,
  PROBE_REFCOUNT_CHECK,
  PROBE_REMOVE_MIGRATION_PTE,
  PROBE_TARGETS,
  PROBE_TRY_TO_UNMAP,
  PTE_ACCESSED,
  PTE_DIRTY,
  PTE_MIGRATION,
  PTE_PRESENT,
  PTE_PROTNONE,
  PTE_SHIFT,
  PTE_WRITE,
} from "../../assembly/abi.ts";
import { TwinFrameRuns } from "./frame-run.ts";
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

const CHUNK = 169; // entries of one migrate_pages() call of move_pages(2)
const PASSES = 10;
const REQUIRED = PG_ISOLATED | PG_SWAPBACKED;
const CARRIED = PG_ERROR | PG_REFERENCED | PG_UPTODATE | PG_CHECKED | PG_MAPPEDTODISK;
const ALLOWED = CARRIED | PG_DIRTY | PG_ACTIVE | PG_ANON_EXCLUSIVE | PG_MEMCG;

export class TwinMigration {
  readonly #memory: TwinMemory;
  readonly #pages: Int32Array;
  readonly #ptes: Int32Array;
  readonly #lru: TwinLru;
  readonly #space: TwinSpace;
  readonly #runs: TwinFrameRuns;
  // The list of isolated pages, linked by NEXT; PREV keeps the entry.
  #head = PFN_NONE;
  #tail = PFN_NONE;
  // What one call of migrate_pages() has counted so far.
  #targets = 0;
  #unmapCalls = 0;
  #ptesUnmapped = 0;
  #checks = 0;
  #copied = 0;
  #remapped = 0;
  #settled = 0;

  constructor(memory: TwinMemory, lru: TwinLru, space: TwinSpace) {
    this.#memory = memory;
    this.#pages = memory.pages;
    this.#ptes = memory.ptes;
    this.#lru = lru;
    this.#space = space;
    this.#runs = new TwinFrameRuns(memory);
  }

  /** do_pages_move(): chunk after chunk. */
  movePages(node: number): void {
    const nr = this.#space.pages;
    for (let start = 0; start < nr; start += CHUNK) {
      const end = Math.min(start + CHUNK, nr);
      let queued = 0;
      for (let vpn = start; vpn < end; vpn++) if (this.#addPage(vpn, node)) queued += 1;
      if (queued === 0) continue;
      this.#memory.count(NR_ISOLATED_ANON, queued);
      this.#migratePages(node);
      if (this.#head !== PFN_NONE) throw new Error("twin: a page stayed");
    }
  }

  /** Looks a page up and isolates it onto the list. */
  #addPage(vpn: number, node: number): boolean {
    const pages = this.#pages;
    const pte = this.#ptes[this.#space.pteNumber(vpn)]!;
    if ((pte & (PTE_PRESENT | PTE_PROTNONE)) === 0) return false;
    const pfn = pte >>> PTE_SHIFT;
    const page = pfn << RECORD_SHIFT;
    if (this.#memory.zoneOfBlock[pfn >> PAGEBLOCK_ORDER] === node) return false;
    if (pages[page + MAPCOUNT]! > 1 || (pages[page + FLAGS]! & PG_LRU) === 0) return false;
    pages[page + REFCOUNT]! += 1;
    this.#lru.del(pfn);
    pages[page + FLAGS]! |= PG_ISOLATED;
    pages[page + NEXT] = PFN_NONE;
    pages[page + PREV] = vpn;
    if (this.#tail === PFN_NONE) this.#head = pfn;
    else pages[(this.#tail << RECORD_SHIFT) + NEXT] = pfn;
    this.#tail = pfn;
    return true;
  }

  #migratePages(node: number): void {
    const pages = this.#pages;
    let succeeded = 0;
    let failed = 0;
    let attempts = 0;
    let retry = 1;
    for (let pass = 0; pass < PASSES && retry > 0; pass++) {
      retry = 0;
      let before = PFN_NONE;
      let pfn = this.#head;
      while (pfn !== PFN_NONE) {
        const next = pages[(pfn << RECORD_SHIFT) + NEXT]!;
        const rc = this.#unmapAndMove(before, pfn, node);
        attempts += 1;
        if (rc === 0) {
          succeeded += 1;
        } else if (rc === -EAGAIN) {
          retry += 1;
          before = pfn;
        } else {
          failed += 1;
        }
        pfn = next;
      }
      this.#runs.close();
    }
    const memory = this.#memory;
    memory.count(PROBE_MIGRATE_PAGES, 1);
    memory.count(PROBE_ATTEMPTS, attempts);
    memory.count(PGMIGRATE_SUCCESS, succeeded);
    memory.count(PGMIGRATE_FAIL, failed);
    this.#flushCounts();
  }

  /** unmap_and_move(): one target, one attempt, and what is settled goes back. */
  #unmapAndMove(before: number, pfn: number, node: number): number {
    const pages = this.#pages;
    const page = pfn << RECORD_SHIFT;
    const ordinary = this.#isOrdinary(pfn, page);
    const to = this.#targetFor(pfn, node, ordinary);
    this.#targets += 1;
    const target = to << RECORD_SHIFT;
    if (ordinary) {
      this.#unlink(before, page);
      this.#moveOrdinary(pfn, page, to, target);
      return 0;
    }
    const rc = pages[page + REFCOUNT]! > 1 ? this.#attempt(pfn, to) : 0;
    if (rc !== -EAGAIN) {
      this.#unlink(before, page);
      pages[page + FLAGS]! &= ~PG_ISOLATED;
      this.#settled += 1;
      this.#putback(pfn, page);
    }
    this.#putback(to, target);
    return rc;
  }

  #targetFor(pfn: number, node: number, ordinary: boolean): number {
    let to = ordinary ? this.#runs.take(pfn, node) : PFN_NONE;
    if (to === PFN_NONE) {
      this.#runs.close();
      to = this.#memory.allocPage(node);
    }
    if (to === PFN_NONE) throw new Error("twin: the node is full");
    return to;
  }

  #unlink(before: number, page: number): void {
    const pages = this.#pages;
    const next = pages[page + NEXT]!;
    if (before === PFN_NONE) this.#head = next;
    else pages[(before << RECORD_SHIFT) + NEXT] = next;
    if (next === PFN_NONE) this.#tail = before;
    pages[page + NEXT] = PFN_NONE;
    pages[page + PREV] = 0;
  }

  /** One PTE maps the page, nobody else refers to it, and no flag asks for anything. */
  #isOrdinary(pfn: number, page: number): boolean {
    const pages = this.#pages;
    if (pages[page + REFCOUNT] !== 2 || pages[page + MAPCOUNT] !== 1) return false;
    if ((pages[page + FLAGS]! & ~ALLOWED) !== REQUIRED) return false;
    const mapping = pages[page + MAPPING]!;
    if ((mapping & MAPPING_TAG_MASK) !== MAPPING_ANON) return false;
    const number = this.#space.pteOfIndex(mapping >>> MAPPING_TAG_SHIFT, pages[page + INDEX]!);
    if (number < 0) return false;
    const pte = this.#ptes[number]! & ~(PTE_WRITE | PTE_DIRTY | PTE_ACCESSED);
    return pte === ((pfn << PTE_SHIFT) | PTE_PRESENT);
  }

  /** Everything that the steps would leave of an ordinary page, in one go. */
  #moveOrdinary(pfn: number, page: number, to: number, target: number): void {
    const pages = this.#pages;
    const mapping = pages[page + MAPPING]!;
    const number = this.#space.pteOfIndex(mapping >>> MAPPING_TAG_SHIFT, pages[page + INDEX]!);
    const pte = this.#ptes[number]!;
    this.#ptes[number] = (to << PTE_SHIFT) | PTE_PRESENT | (pte & PTE_WRITE);
    pages[target + FLAGS] = (pages[page + FLAGS]! & ~PG_ISOLATED) | ((pte & PTE_DIRTY) === 0 ? 0 : PG_DIRTY);
    pages[target + REFCOUNT] = 1;
    pages[target + MAPCOUNT] = 1;
    pages[target + MAPPING] = mapping;
    pages[target + INDEX] = pages[page + INDEX]!;
    pages[page + FLAGS] = 0;
    pages[page + REFCOUNT] = 0;
    pages[page + MAPCOUNT] = 0;
    pages[page + MAPPING] = 0;
    pages[page + INDEX] = 0;
    pages[page + PRIVATE] = 0;
    this.#runs.giveBack(pfn);
    this.#lru.cacheAdd(to);
    this.#unmapCalls += 1;
    this.#ptesUnmapped += 1;
    this.#checks += 1;
    this.#copied += 1;
    this.#remapped += 1;
    this.#settled += 1;
  }

  /** __unmap_and_move(): lock, unmap, move, remap, unlock. */
  #attempt(pfn: number, to: number): number {
    const pages = this.#pages;
    const page = pfn << RECORD_SHIFT;
    const target = to << RECORD_SHIFT;
    const flags = pages[page + FLAGS]!;
    if ((flags & PG_LOCKED) !== 0) return -EAGAIN;
    pages[page + FLAGS] = flags | PG_LOCKED;
    let rc = 0;
    let object = 0;
    if ((flags & PG_WRITEBACK) !== 0) {
      rc = -EBUSY;
    } else {
      const mapping = pages[page + MAPPING]!;
      if ((mapping & MAPPING_TAG_MASK) === MAPPING_ANON && pages[page + MAPCOUNT]! > 0) {
        object = mapping >>> MAPPING_TAG_SHIFT;
      }
      if (object === 0 || !this.#space.getAnonVma(object)) rc = -EAGAIN;
      else if (!this.#tryToUnmap(pfn, page, object)) rc = -EAGAIN;
      if (rc === 0) rc = this.#moveToNewPage(pfn, to, object);
    }
    if (rc !== 0 && object !== 0) this.#removeMigrationPtes(object, pfn, pfn);
    if (object !== 0) this.#space.putAnonVma();
    pages[page + FLAGS]! &= ~PG_LOCKED;
    pages[target + FLAGS]! &= ~PG_LOCKED;
    return rc;
  }

  /** try_to_unmap(): false if the page is mapped still. */
  #tryToUnmap(pfn: number, page: number, object: number): boolean {
    const pages = this.#pages;
    const ptes = this.#ptes;
    this.#unmapCalls += 1;
    const number = this.#space.pteOfIndex(object, pages[page + INDEX]!);
    if (number >= 0) {
      const pte = ptes[number]!;
      if ((pte & (PTE_PRESENT | PTE_PROTNONE)) !== 0 && pte >>> PTE_SHIFT === pfn) {
        ptes[number] = (pfn << PTE_SHIFT) | PTE_MIGRATION | (pte & PTE_WRITE);
        if ((pte & PTE_DIRTY) !== 0) pages[page + FLAGS]! |= PG_DIRTY;
        pages[page + MAPCOUNT]! -= 1;
        this.#lru.putPage(pfn);
        this.#ptesUnmapped += 1;
      }
    }
    return pages[page + MAPCOUNT] === 0;
  }

  /** move_to_new_page(): the count check, the flags, the PTEs of the target. */
  #moveToNewPage(pfn: number, to: number, object: number): number {
    const pages = this.#pages;
    const page = pfn << RECORD_SHIFT;
    const target = to << RECORD_SHIFT;
    const flags = pages[page + FLAGS]!;
    let targetFlags = pages[target + FLAGS]! | PG_LOCKED | (flags & PG_SWAPBACKED);
    pages[target + INDEX] = pages[page + INDEX]!;
    pages[target + MAPPING] = pages[page + MAPPING]!;
    this.#checks += 1;
    if (pages[page + REFCOUNT] !== 1) {
      pages[target + FLAGS] = targetFlags;
      pages[target + MAPPING] = 0;
      return -EAGAIN;
    }
    this.#copied += 1;
    targetFlags |= flags & (CARRIED | PG_ACTIVE | PG_UNEVICTABLE | PG_DIRTY | PG_MLOCKED | PG_MEMCG);
    pages[target + FLAGS] = targetFlags;
    pages[page + FLAGS] =
      flags &
      ~(
        PG_ACTIVE |
        PG_UNEVICTABLE |
        PG_DIRTY |
        PG_MLOCKED |
        PG_SWAPCACHE |
        PG_PRIVATE |
        PG_ANON_EXCLUSIVE |
        PG_MEMCG
      );
    pages[page + PRIVATE] = 0;
    this.#removeMigrationPtes(object, pfn, to);
    pages[page + MAPPING] = 0;
    return 0;
  }

  /** remove_migration_ptes(): the entries that name `pfn` become PTEs of `to`. */
  #removeMigrationPtes(object: number, pfn: number, to: number): void {
    const pages = this.#pages;
    const target = to << RECORD_SHIFT;
    const number = this.#space.pteOfIndex(object, pages[target + INDEX]!);
    if (number < 0) return;
    const entry = this.#ptes[number]!;
    const isEntry = (entry & (PTE_PRESENT | PTE_PROTNONE)) === 0 && (entry & PTE_MIGRATION) !== 0;
    if (!isEntry || entry >>> PTE_SHIFT !== pfn) return;
    pages[target + REFCOUNT]! += 1;
    this.#ptes[number] = (to << PTE_SHIFT) | PTE_PRESENT | (entry & PTE_WRITE);
    pages[target + MAPCOUNT]! += 1;
    this.#remapped += 1;
  }

  /** putback_lru_page(). */
  #putback(pfn: number, page: number): void {
    const pages = this.#pages;
    const flags = pages[page + FLAGS]! & ~PG_UNEVICTABLE;
    if (pages[page + REFCOUNT] === 1) {
      pages[page + FLAGS] = flags & ~PG_ACTIVE;
    } else {
      pages[page + FLAGS] = flags;
      this.#lru.cacheAdd(pfn);
    }
    this.#lru.putPage(pfn);
  }

  #flushCounts(): void {
    const memory = this.#memory;
    memory.count(PROBE_TARGETS, this.#targets);
    memory.count(PGALLOC, this.#targets);
    memory.count(PROBE_TRY_TO_UNMAP, this.#unmapCalls);
    memory.count(PROBE_PTES_UNMAPPED, this.#ptesUnmapped);
    memory.count(PROBE_REFCOUNT_CHECK, this.#checks);
    memory.count(PROBE_PAGES_COPIED, this.#copied);
    memory.count(PROBE_REMOVE_MIGRATION_PTE, this.#remapped);
    memory.count(NR_ISOLATED_ANON, -this.#settled);
    memory.count(NR_ANON_PAGES, this.#remapped - this.#ptesUnmapped);
    this.#targets = 0;
    this.#unmapCalls = 0;
    this.#ptesUnmapped = 0;
    this.#checks = 0;
    this.#copied = 0;
    this.#remapped = 0;
    this.#settled = 0;
  }
}
