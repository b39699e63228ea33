/**
 * Lists: every page is on the list its flags name, lengths and free counts agree, free blocks are aligned and
 * merged.
 */
import {
  CFG_CPUS,
  CFG_MAX_PFN,
  CFG_NR_ZONES,
  INV_LIST,
  MAX_ORDER,
  NR_LRU_LISTS,
  NR_MIGRATE_TYPES,
  NR_ORDERS,
  PFN_NONE,
  PG_BUDDY,
  PG_LRU,
} from "../abi";
import { config } from "../arena";
import { List } from "../state/list";
import { lruOf } from "../state/lru";
import { batchLength } from "../state/lru_batch";
import { pageAt } from "../state/page";
import { Zone, freeList, lruList, pageblockOf, zoneAt } from "../state/zone";
import { profile } from "../state/profile";
import { bad, expectEqual, violation } from "./violation";

function inZone(zone: Zone, pfn: i32): bool {
  return pfn >= zone.startPfn && pfn < zone.endPfn;
}

/** Walks a list both ways; returns its length, -1 after a violation. */
function walkLinks(zone: Zone, list: List): i32 {
  if ((list.head | list.tail | list.nr) == 0) return 0;
  let nr = 0;
  let before = PFN_NONE;
  for (let pfn = list.head; pfn != PFN_NONE; pfn = pageAt(pfn).next) {
    if (!inZone(zone, pfn) || pageAt(pfn).prev != before || nr > list.nr) {
      bad(INV_LIST, pfn, 0, before, inZone(zone, pfn) ? pageAt(pfn).prev : -1);
      return -1;
    }
    before = pfn;
    nr += 1;
  }
  expectEqual(INV_LIST, before, 0, before, list.tail);
  expectEqual(INV_LIST, list.head, 0, nr, list.nr);
  return violation() != 0 ? -1 : nr;
}

function verifyLru(zone: Zone): void {
  for (let lru = 0; lru < NR_LRU_LISTS; lru++) {
    const list = lruList(zone, lru);
    if (walkLinks(zone, list) < 0) return;
    for (let pfn = list.head; pfn != PFN_NONE; pfn = pageAt(pfn).next) {
      const flags = pageAt(pfn).flags;
      if ((flags & PG_LRU) == 0 || lruOf(flags) != lru) bad(INV_LIST, pfn, lru, lru, lruOf(flags));
    }
  }
}

/** True if the block could be merged with its buddy. */
function mergeable(zone: Zone, pfn: i32, order: i32, migratetype: i32): bool {
  const buddy = pfn ^ (1 << order);
  if (order == MAX_ORDER || !inZone(zone, buddy)) return false;
  const page = pageAt(buddy);
  return (
    (page.flags & PG_BUDDY) != 0 &&
    page.privateWord == order &&
    <i32>pageblockOf(buddy).migratetype == migratetype
  );
}

/** Orders of blocks that can be free in a zone; pages on lists of others are missed by the count of flags. */
function ordersOf(zone: Zone): i32 {
  return min<i32>(NR_ORDERS, 32 - clz(zone.endPfn - zone.startPfn));
}

function verifyFreeLists(zone: Zone): i32 {
  let free = 0;
  for (let order = 0; order < ordersOf(zone); order++) {
    for (let migratetype = 0; migratetype < NR_MIGRATE_TYPES; migratetype++) {
      const list = freeList(zone, order, migratetype);
      const nr = walkLinks(zone, list);
      if (nr < 0) return -1;
      free += nr << order;
      for (let pfn = list.head; pfn != PFN_NONE; pfn = pageAt(pfn).next) {
        const page = pageAt(pfn);
        const sound = page.flags == PG_BUDDY && page.refcount == 0 && page.mapping == 0;
        if (!sound || page.privateWord != order || (pfn & ((1 << order) - 1)) != 0) {
          bad(INV_LIST, pfn, order, order, page.privateWord);
        }
        if (order < MAX_ORDER && mergeable(zone, pfn, order, migratetype))
          bad(INV_LIST, pfn, order, order + 1, order);
      }
    }
  }
  return free;
}

/** Pages with PG_lru or PageBuddy in the table, for comparison with what is on the lists. */
function verifyFlagsAgainstLists(): void {
  let lru = 0;
  let heads = 0;
  for (let pfn = 0; pfn < config(CFG_MAX_PFN); pfn++) {
    const flags = pageAt(pfn).flags;
    if ((flags & PG_LRU) != 0) lru += 1;
    if ((flags & PG_BUDDY) != 0) heads += 1;
  }
  for (let number = 0; number < config(CFG_NR_ZONES); number++) {
    const zone = zoneAt(number);
    for (let list = 0; list < NR_LRU_LISTS; list++) lru -= lruList(zone, list).nr;
    for (let order = 0; order < ordersOf(zone); order++) {
      for (let migratetype = 0; migratetype < NR_MIGRATE_TYPES; migratetype++) {
        heads -= freeList(zone, order, migratetype).nr;
      }
    }
  }
  expectEqual(INV_LIST, 0, 0, 0, lru);
  expectEqual(INV_LIST, 0, 1, 0, heads);
}

export function verifyLists(): void {
  for (let number = 0; number < config(CFG_NR_ZONES); number++) {
    const zone = zoneAt(number);
    verifyLru(zone);
    if (violation() != 0) return;
    const free = verifyFreeLists(zone);
    if (free >= 0) expectEqual(INV_LIST, zone.startPfn, number, free, zone.freePages);
    if (violation() != 0) return;
  }
  for (let cpu = 0; cpu < config(CFG_CPUS); cpu++) {
    if (batchLength(cpu) >= profile().lruBatch)
      bad(INV_LIST, 0, cpu, profile().lruBatch - 1, batchLength(cpu));
  }
  verifyFlagsAgainstLists();
}
