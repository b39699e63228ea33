/** LRU lists of the zones. The batches in which pages wait for them are in lru_batch.ts. */
import {
  LRU_ACTIVE_ANON,
  LRU_ACTIVE_FILE,
  LRU_INACTIVE_ANON,
  LRU_INACTIVE_FILE,
  LRU_UNEVICTABLE,
  PG_ACTIVE,
  PG_LRU,
  PG_SWAPBACKED,
  PG_UNEVICTABLE,
} from "../abi";
import { listAddHead, listAddTail, listDel } from "./list";
import { Page } from "./page";
import { lruList, zoneOf } from "./zone";

/** The list that a page with `flags` belongs on (page_lru()). */
export function lruOf(flags: i32): i32 {
  if ((flags & PG_UNEVICTABLE) != 0) return LRU_UNEVICTABLE;
  if ((flags & PG_SWAPBACKED) != 0) return (flags & PG_ACTIVE) != 0 ? LRU_ACTIVE_ANON : LRU_INACTIVE_ANON;
  return (flags & PG_ACTIVE) != 0 ? LRU_ACTIVE_FILE : LRU_INACTIVE_FILE;
}

/** Puts a page in front of its list and sets PG_lru. */
export function lruAdd(pfn: i32, page: Page): void {
  page.flags |= PG_LRU;
  listAddHead(lruList(zoneOf(pfn), lruOf(page.flags)), pfn, page);
}

/** Takes a page off its LRU list and clears PG_lru. */
export function lruDel(pfn: i32, page: Page): void {
  listDel(lruList(zoneOf(pfn), lruOf(page.flags)), page);
  page.flags &= ~PG_LRU;
}

/** Puts a page at the end of its list, where reclaim looks first, and sets PG_lru. */
export function lruAddTail(pfn: i32, page: Page): void {
  page.flags |= PG_LRU;
  listAddTail(lruList(zoneOf(pfn), lruOf(page.flags)), pfn, page);
}

/** Puts a page straight on the unevictable list, without a batch (add_page_to_unevictable_list()). */
export function addToUnevictableList(pfn: i32, page: Page): void {
  page.flags = (page.flags & ~PG_ACTIVE) | PG_UNEVICTABLE;
  lruAdd(pfn, page);
}
