/** Taking a page off the LRU with a reference, and putting it back (mm/vmscan.c). */
import {
  EBUSY,
  NR_ISOLATED_ANON,
  NR_ISOLATED_FILE,
  PG_ACTIVE,
  PG_ISOLATED,
  PG_LRU,
  PG_MLOCKED,
  PG_SWAPBACKED,
  PG_UNEVICTABLE,
  TRACE_ISOLATE,
} from "../abi";
import { addToUnevictableList, lruDel } from "../state/lru";
import { lruCacheAdd } from "../state/lru_batch";
import { Page, getPage } from "../state/page";
import { putPage } from "../state/page_free";
import { trace, tracing } from "../state/trace";
import { count } from "../state/vmstat";
import { profile } from "../state/profile";

function isolatedCounter(page: Page): i32 {
  return (page.flags & PG_SWAPBACKED) != 0 ? NR_ISOLATED_ANON : NR_ISOLATED_FILE;
}

/** isolate_lru_page(): 0, or -EBUSY when the page is not on an LRU list. */
export function isolateLruPage(pfn: i32, page: Page): i32 {
  const err = (page.flags & PG_LRU) != 0 ? 0 : -EBUSY;
  if (tracing()) trace(TRACE_ISOLATE, pfn, err, 0, 0);
  if (err == 0) takeFromLru(pfn, page);
  return err;
}

/** Takes a page off its LRU list with a reference. Returns false if it is not on one. */
export function takeFromLru(pfn: i32, page: Page): bool {
  if ((page.flags & PG_LRU) == 0) return false;
  getPage(page);
  lruDel(pfn, page);
  page.flags |= PG_ISOLATED;
  count(isolatedCounter(page), 1);
  return true;
}

/** Ends the isolation in the counters, before the page is put back or its reference is dropped. */
export function endIsolation(page: Page): void {
  page.flags &= ~PG_ISOLATED;
  count(isolatedCounter(page), -1);
}

function putOnLru(pfn: i32, page: Page): void {
  if ((page.flags & PG_MLOCKED) != 0) addToUnevictableList(pfn, page);
  else lruCacheAdd(pfn, page, profile().lruBatch);
}

/**
 * putback_lru_page(): puts a page on the LRU by way of the batch and drops the caller's reference. A page
 * that has no other reference left is freed here.
 */
export function putbackLruPage(pfn: i32, page: Page): void {
  page.flags &= ~PG_UNEVICTABLE;
  if (page.refcount == 1) page.flags &= ~PG_ACTIVE;
  else putOnLru(pfn, page);
  putPage(page);
}
