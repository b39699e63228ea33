/**
 * The buddy allocator: free blocks of order 0 … 10 by zone and migrate type. Order-0 pages go straight to and
 * from the free lists (the kernel's per-CPU page lists are not modelled, see docs/model.md).
 */
import {
  MAX_ORDER,
  MIGRATE_ISOLATE,
  MIGRATE_MOVABLE,
  MIGRATE_RECLAIMABLE,
  MIGRATE_UNMOVABLE,
  PAGEBLOCK_ORDER,
  PAGEBLOCK_PAGES,
  PFN_NONE,
  PGALLOC,
  PGFREE,
  PG_BUDDY,
  ZONE_MOVABLE,
} from "../abi";
import { listAddHead, listAddTail, listDel } from "./list";
import { Page, pageAt } from "./page";
import { count } from "./vmstat";
import { Zone, freeList, pageblockOf, zoneOf, zonelistEntry, zonelistLength } from "./zone";

export function markFree(page: Page, order: i32): void {
  page.flags = PG_BUDDY;
  page.privateWord = order;
}

function markTaken(page: Page): void {
  page.flags = 0;
  page.privateWord = 0;
}

/** Gives back the upper halves of a block of order `high` until it has order `low` (expand()). */
function expand(zone: Zone, pfn: i32, low: i32, high: i32, migratetype: i32): void {
  while (high > low) {
    high -= 1;
    const half = pfn + (1 << high);
    const page = pageAt(half);
    markFree(page, high);
    listAddHead(freeList(zone, high, migratetype), half, page);
  }
}

export function takeBlock(zone: Zone, pfn: i32, order: i32, migratetype: i32): Page {
  const page = pageAt(pfn);
  listDel(freeList(zone, order, migratetype), page);
  markTaken(page);
  return page;
}

/** The other migrate types in the order in which `migratetype` borrows from them; -1 ends. */
function fallbackType(migratetype: i32, position: i32): i32 {
  if (position == 0) return migratetype == MIGRATE_RECLAIMABLE ? MIGRATE_UNMOVABLE : MIGRATE_RECLAIMABLE;
  if (position == 1) return migratetype == MIGRATE_MOVABLE ? MIGRATE_UNMOVABLE : MIGRATE_MOVABLE;
  return -1;
}

/**
 * __rmqueue_fallback(): takes the largest foreign block; a whole pageblock or more changes its type for good.
 */
function borrow(zone: Zone, order: i32, migratetype: i32): i32 {
  for (let high = MAX_ORDER; high >= order; high--) {
    for (let position = 0; position < 2; position++) {
      const foreign = fallbackType(migratetype, position);
      const pfn = freeList(zone, high, foreign).head;
      if (pfn == PFN_NONE) continue;
      takeBlock(zone, pfn, high, foreign);
      let rest = foreign;
      if (high >= PAGEBLOCK_ORDER) {
        rest = migratetype;
        for (let p = pfn; p < pfn + (1 << high); p += PAGEBLOCK_PAGES)
          pageblockOf(p).migratetype = <u8>migratetype;
      }
      expand(zone, pfn, order, high, rest);
      return pfn;
    }
  }
  return PFN_NONE;
}

/** __rmqueue(): the smallest block that is large enough. Returns its first pfn, PFN_NONE if there is none. */
function takeFromZone(zone: Zone, order: i32, migratetype: i32): i32 {
  for (let high = order; high <= MAX_ORDER; high++) {
    const pfn = freeList(zone, high, migratetype).head;
    if (pfn == PFN_NONE) continue;
    takeBlock(zone, pfn, high, migratetype);
    expand(zone, pfn, order, high, migratetype);
    return pfn;
  }
  return borrow(zone, order, migratetype);
}

/** Tries the zones at `first` … `end`-1 of the zone list of `node`. */
function allocFromZonelist(node: i32, first: i32, end: i32, order: i32, migratetype: i32): i32 {
  for (let i = first; i < end; i++) {
    const zone = zonelistEntry(node, i);
    if (zone.freePages < 1 << order) continue;
    if (zone.kind == ZONE_MOVABLE && migratetype != MIGRATE_MOVABLE) continue;
    const pfn = takeFromZone(zone, order, migratetype);
    if (pfn == PFN_NONE) continue;
    zone.freePages -= 1 << order;
    pageAt(pfn).refcount = 1;
    count(PGALLOC, 1 << order);
    return pfn;
  }
  return PFN_NONE;
}

/**
 * alloc_pages(): 2^order frames on `node` or, unless `thisNodeOnly`, on its fallbacks. Unmovable memory never
 * comes from ZONE_MOVABLE. The first page has refcount 1. Returns PFN_NONE when nothing is free; watermarks
 * are not modelled.
 */
export function allocPages(node: i32, order: i32, migratetype: i32, thisNodeOnly: bool): i32 {
  return allocFromZonelist(node, 0, zonelistLength(node, thisNodeOnly), order, migratetype);
}

/** As allocPages(), but `node` itself comes last. */
export function allocPagesElsewhere(node: i32, order: i32, migratetype: i32): i32 {
  const own = zonelistLength(node, true);
  const pfn = allocFromZonelist(node, own, zonelistLength(node, false), order, migratetype);
  return pfn != PFN_NONE ? pfn : allocFromZonelist(node, 0, own, order, migratetype);
}

/** __free_one_page(): merges the block with its free buddies and puts the result in front of its list. */
export function freePages(pfn: i32, order: i32): void {
  const zone = zoneOf(pfn);
  const migratetype = <i32>pageblockOf(pfn).migratetype;
  zone.freePages += 1 << order;
  count(PGFREE, 1 << order);
  while (order < MAX_ORDER) {
    const buddy = pfn ^ (1 << order);
    if (buddy < zone.startPfn || buddy >= zone.endPfn) break;
    const page = pageAt(buddy);
    if ((page.flags & PG_BUDDY) == 0 || page.privateWord != order) break;
    takeBlock(zone, buddy, order, <i32>pageblockOf(buddy).migratetype);
    pfn &= buddy;
    order += 1;
  }
  const page = pageAt(pfn);
  markFree(page, order);
  listAddHead(freeList(zone, order, migratetype), pfn, page);
}

/** Hands frames to the allocator for the first time, lowest first, in the largest aligned blocks. */
export function addFreeRange(zone: Zone, start: i32, end: i32): void {
  for (let pfn = start; pfn < end; pfn += PAGEBLOCK_PAGES - (pfn & (PAGEBLOCK_PAGES - 1))) {
    pageblockOf(pfn).migratetype = <u8>MIGRATE_MOVABLE;
  }
  for (let pfn = start; pfn < end;) {
    let order = min<i32>(MAX_ORDER, ctz(pfn));
    while (pfn + (1 << order) > end) order -= 1;
    const page = pageAt(pfn);
    markFree(page, order);
    listAddTail(freeList(zone, order, MIGRATE_MOVABLE), pfn, page);
    pfn += 1 << order;
  }
  zone.freePages += end - start;
  zone.managedPages += end - start;
}

/**
 * Takes one free frame out of the allocator for good. Returns false if it is not free.
 */
export function takeFrame(pfn: i32): bool {
  const zone = zoneOf(pfn);
  for (let order = 0; order <= MAX_ORDER; order++) {
    const head = pfn & ~((1 << order) - 1);
    if (head < zone.startPfn) return false;
    const page = pageAt(head);
    if ((page.flags & PG_BUDDY) == 0 || page.privateWord != order) continue;
    const migratetype = <i32>pageblockOf(head).migratetype;
    takeBlock(zone, head, order, migratetype);
    for (let half = order - 1; half >= 0; half--) {
      // The half without the frame stays free.
      const free = (pfn & ~((1 << half) - 1)) ^ (1 << half);
      markFree(pageAt(free), half);
      listAddHead(freeList(zone, half, migratetype), free, pageAt(free));
    }
    zone.freePages -= 1;
    zone.managedPages -= 1;
    return true;
  }
  return false;
}

/**
 * Takes free frames away from the allocator (__offline_isolated_pages()). All of the range must be free and
 * isolated.
 */
export function removeFreeRange(zone: Zone, start: i32, end: i32): void {
  for (let pfn = start; pfn < end;) {
    const order = pageAt(pfn).privateWord;
    takeBlock(zone, pfn, order, MIGRATE_ISOLATE);
    pfn += 1 << order;
  }
  zone.freePages -= end - start;
  zone.managedPages -= end - start;
}

/**
 * Changes a pageblock's type and moves its free blocks to the lists of that type (move_freepages_block()).
 */
export function setPageblockMigratetype(pfn: i32, migratetype: i32): void {
  const zone = zoneOf(pfn);
  const block = pageblockOf(pfn);
  const old = <i32>block.migratetype;
  block.migratetype = <u8>migratetype;
  const end = min<i32>(pfn + PAGEBLOCK_PAGES, zone.endPfn);
  for (let p = pfn; p < end;) {
    const page = pageAt(p);
    if ((page.flags & PG_BUDDY) == 0) {
      p += 1;
      continue;
    }
    const order = page.privateWord;
    listDel(freeList(zone, order, old), page);
    listAddHead(freeList(zone, order, migratetype), p, page);
    p += 1 << order;
  }
}
