/** Reclaim (mm/vmscan.c): of one page, of the LRU lists of a zone. */
import {
  LRU_ACTIVE_ANON,
  LRU_ACTIVE_FILE,
  LRU_INACTIVE_ANON,
  LRU_INACTIVE_FILE,
  PAGE_SHIFT,
  PFN_NONE,
  PGDEACTIVATE,
  PGSCAN,
  PGSTEAL,
  PG_ACTIVE,
  PG_MLOCKED,
  PG_UNEVICTABLE,
  RECLAIM_FREED,
  RECLAIM_KEPT,
  SWAP_CLUSTER_MAX,
} from "../abi";
import { addToUnevictableList, lruAdd } from "../state/lru";
import { lruAddDrainCpu } from "../state/lru_batch";
import { machine } from "../state/machine";
import { Page, pageAt } from "../state/page";
import { putPage } from "../state/page_free";
import { hasFreeSlots, hasSwap } from "../state/swap";
import { count } from "../state/vmstat";
import { Zone, lruList, zoneAt } from "../state/zone";
import { endIsolation, takeFromLru } from "./isolate";
import { append, reclaimedPages, takeFirst } from "./migrate_list";
import { pageReferenced } from "./referenced";
import { shrinkPage } from "./shrink_page";

export const DEF_PRIORITY: i32 = 12; // the first look is at 1/4096 of a list
const GIB_PAGES_SHIFT: i32 = 30 - PAGE_SHIFT;

/** isolate_lru_pages() of one page, as if its turn had come. Returns false if it is not to be had. */
export function isolateForReclaim(pfn: i32, page: Page): bool {
  if ((page.flags & PG_UNEVICTABLE) != 0 || !takeFromLru(pfn, page)) return false;
  count(PGSCAN, 1);
  page.flags &= ~PG_ACTIVE;
  return true;
}

/**
 * Puts a page that reclaim looked at on the list of its flags: putback_inactive_pages(), without a batch. One
 * that has turned out to be mlocked is not evictable.
 */
export function putback(pfn: i32, page: Page): void {
  endIsolation(page);
  if (page.refcount == 1) page.flags &= ~PG_ACTIVE;
  else if ((page.flags & PG_MLOCKED) != 0) addToUnevictableList(pfn, page);
  else lruAdd(pfn, page);
  putPage(page);
}

/** Reclaim's look at one page. Returns RECLAIM_*. */
export function reclaimPage(pfn: i32): i32 {
  const page = pageAt(pfn);
  if (!isolateForReclaim(pfn, page)) return RECLAIM_KEPT;
  const outcome = shrinkPage(pfn, page, false);
  if (outcome == RECLAIM_FREED) count(PGSTEAL, 1);
  else putback(pfn, page);
  return outcome;
}

/** Takes up to `nr` pages from the end of a list onto reclaimedPages() (isolate_lru_pages()). */
export function isolateFrom(zone: Zone, lru: i32, nr: i32): void {
  const source = lruList(zone, lru);
  const list = reclaimedPages();
  lruAddDrainCpu(machine().cpu);
  while (list.nr < nr && source.tail != PFN_NONE) {
    const pfn = source.tail;
    const page = pageAt(pfn);
    takeFromLru(pfn, page);
    append(list, pfn, page, 0);
  }
}

/** shrink_inactive_list(). Returns how many pages were freed. */
function shrinkInactiveList(zone: Zone, lru: i32, nr: i32): i32 {
  isolateFrom(zone, lru, nr);
  const list = reclaimedPages();
  count(PGSCAN, list.nr);
  let freed = 0;
  while (list.head != PFN_NONE) {
    const pfn = takeFirst(list);
    const page = pageAt(pfn);
    if (shrinkPage(pfn, page, false) == RECLAIM_FREED) freed += 1;
    else putback(pfn, page);
  }
  count(PGSTEAL, freed);
  return freed;
}

/** shrink_active_list(): pages become inactive, and old. */
export function shrinkActiveList(zone: Zone, lru: i32, nr: i32): void {
  isolateFrom(zone, lru, nr);
  const list = reclaimedPages();
  let deactivated = 0;
  while (list.head != PFN_NONE) {
    const pfn = takeFirst(list);
    const page = pageAt(pfn);
    if ((page.flags & PG_MLOCKED) != 0) {
      putback(pfn, page);
      continue;
    }
    deactivated += 1;
    pageReferenced(pfn, page, false);
    page.flags &= ~PG_ACTIVE;
    putback(pfn, page);
  }
  count(PGDEACTIVATE, deactivated);
}

/** int_sqrt() of a small number. */
function intSqrt(n: i32): i32 {
  let root = 0;
  while ((root + 1) * (root + 1) <= n) root += 1;
  return root;
}

/** inactive_list_is_low(): of anonymous memory the larger a zone the fewer pages need be inactive. */
export function inactiveIsLow(zone: Zone, active: i32): bool {
  const inactive = active == LRU_ACTIVE_ANON ? LRU_INACTIVE_ANON : LRU_INACTIVE_FILE;
  const gib = zone.managedPages >> GIB_PAGES_SHIFT;
  const ratio = active == LRU_ACTIVE_ANON && gib > 0 ? intSqrt(10 * gib) : 1;
  return lruList(zone, inactive).nr * ratio < lruList(zone, active).nr;
}

/**
 * shrink_list() of both lists of a class, up to SWAP_CLUSTER_MAX pages of `nr` each. Returns how many were
 * freed.
 */
function shrinkClass(zone: Zone, active: i32, nrActive: i32, nrInactive: i32): i32 {
  const inactive = active == LRU_ACTIVE_ANON ? LRU_INACTIVE_ANON : LRU_INACTIVE_FILE;
  let freed = 0;
  if (nrInactive > 0) freed = shrinkInactiveList(zone, inactive, min<i32>(nrInactive, SWAP_CLUSTER_MAX));
  if (nrActive > 0 && inactiveIsLow(zone, active)) {
    shrinkActiveList(zone, active, min<i32>(nrActive, SWAP_CLUSTER_MAX));
  }
  return freed;
}

/** shrink_lruvec() at one priority: 2^-priority of each list. Both classes alike; returns what was freed. */
function shrinkLruvec(zone: Zone, priority: i32, wanted: i32): i32 {
  const swap = hasFreeSlots();
  let activeAnon = swap ? lruList(zone, LRU_ACTIVE_ANON).nr >> priority : 0;
  let inactiveAnon = swap ? lruList(zone, LRU_INACTIVE_ANON).nr >> priority : 0;
  let activeFile = lruList(zone, LRU_ACTIVE_FILE).nr >> priority;
  let inactiveFile = lruList(zone, LRU_INACTIVE_FILE).nr >> priority;
  let freed = 0;
  while ((inactiveAnon > 0 || activeFile > 0 || inactiveFile > 0) && freed < wanted) {
    freed += shrinkClass(zone, LRU_ACTIVE_ANON, activeAnon, inactiveAnon);
    freed += shrinkClass(zone, LRU_ACTIVE_FILE, activeFile, inactiveFile);
    activeAnon -= SWAP_CLUSTER_MAX;
    inactiveAnon -= SWAP_CLUSTER_MAX;
    activeFile -= SWAP_CLUSTER_MAX;
    inactiveFile -= SWAP_CLUSTER_MAX;
  }
  // Where there is swap at all, though it may be full.
  if (hasSwap() && inactiveIsLow(zone, LRU_ACTIVE_ANON))
    shrinkActiveList(zone, LRU_ACTIVE_ANON, SWAP_CLUSTER_MAX);
  return freed;
}

/**
 * Reclaims about `wanted` pages of a zone, looking at more and more of its lists until that many are freed.
 * Returns how many were.
 */
export function reclaimZone(number: i32, wanted: i32): i32 {
  machine().cpu = 0;
  lruAddDrainCpu(0);
  const zone = zoneAt(number);
  let freed = 0;
  for (let priority = DEF_PRIORITY; priority >= 0 && freed < wanted; priority--) {
    freed += shrinkLruvec(zone, priority, wanted - freed);
  }
  return freed;
}
