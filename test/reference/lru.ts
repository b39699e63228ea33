/** References, the LRU lists and the batches in which pages wait for them, and the end of a page's life. */
import * as abi from "../../assembly/abi.ts";
import { freePage } from "./buddy.ts";
import {
  type Machine,
  type Page,
  Crash,
  at,
  clearFlag,
  count,
  has,
  removeFrom,
  setFlag,
  zoneOf,
} from "./machine.ts";
import { forgetNode } from "./mapping.ts";
import { unchargeFreed } from "./memcg.ts";

const flagsThatLeakAFreedPage =
  abi.PG_LRU |
  abi.PG_LOCKED |
  abi.PG_PRIVATE |
  abi.PG_PRIVATE_2 |
  abi.PG_WRITEBACK |
  abi.PG_RESERVED |
  abi.PG_SWAPCACHE |
  abi.PG_ACTIVE |
  abi.PG_UNEVICTABLE |
  abi.PG_MLOCKED |
  abi.PG_HWPOISON;

export function getPage(page: Page): void {
  if (page.refcount <= 0) {
    throw new Crash({
      kind: abi.CRASH_BUG,
      trace: [abi.FN_GET_PAGE],
      pfn: page.pfn,
      invariant: abi.INV_REF,
    });
  }
  page.refcount += 1;
}

function listOf(page: Page): Page[] {
  const lists = zoneOf(page).lru;
  if (has(page, abi.PG_UNEVICTABLE)) return at(lists, abi.LRU_UNEVICTABLE);
  const active = has(page, abi.PG_ACTIVE);
  if (has(page, abi.PG_SWAPBACKED)) return at(lists, active ? abi.LRU_ACTIVE_ANON : abi.LRU_INACTIVE_ANON);
  return at(lists, active ? abi.LRU_ACTIVE_FILE : abi.LRU_INACTIVE_FILE);
}

export function addToLru(page: Page): void {
  listOf(page).unshift(page);
  setFlag(page, abi.PG_LRU);
}

export function removeFromLru(page: Page): void {
  removeFrom(listOf(page), page);
  clearFlag(page, abi.PG_LRU);
}

/** Where reclaim looks first. */
export function moveToEndOfInactive(page: Page): void {
  removeFrom(listOf(page), page);
  clearFlag(page, abi.PG_ACTIVE);
  listOf(page).push(page);
}

export function addToUnevictable(page: Page): void {
  clearFlag(page, abi.PG_ACTIVE);
  setFlag(page, abi.PG_UNEVICTABLE);
  addToLru(page);
}

export function releasePage(m: Machine, page: Page): void {
  if (has(page, abi.PG_LRU)) {
    removeFromLru(page);
    clearFlag(page, abi.PG_ACTIVE | abi.PG_UNEVICTABLE);
  }
  if (page.anon) {
    if (page.ksm && page.mapping !== null) forgetNode(m, page.mapping);
    page.anon = false;
    page.ksm = false;
    page.mapping = null;
  }
  unchargeFreed(m, page);
  if (page.mapcount !== 0 || page.mapping !== null || has(page, flagsThatLeakAFreedPage)) {
    m.badPages.push(page);
    return;
  }
  page.flags = 0;
  page.index = 0;
  page.private = null;
  freePage(m, page);
}

export function putPage(m: Machine, page: Page): void {
  if (page.refcount <= 0) {
    throw new Crash({
      kind: abi.CRASH_BUG,
      trace: [abi.FN_PUT_PAGE],
      pfn: page.pfn,
      invariant: abi.INV_REF,
    });
  }
  page.refcount -= 1;
  if (page.refcount === 0) releasePage(m, page);
}

/** The batch of the present CPU. */
function batchOf(m: Machine): Page[] {
  return at(m.batches, m.cpu);
}

function drain(m: Machine, batch: Page[]): void {
  for (const page of batch.splice(0)) {
    if (page.refcount > 1) {
      page.refcount -= 1;
      addToLru(page);
    } else {
      clearFlag(page, abi.PG_ACTIVE);
      putPage(m, page);
    }
  }
}

export function drainCpu(m: Machine, cpu: number): void {
  drain(m, at(m.batches, cpu));
}

export function drainAll(m: Machine): void {
  for (const batch of m.batches) drain(m, batch);
}

export function addToBatch(m: Machine, page: Page): void {
  getPage(page);
  batchOf(m).push(page);
  if (batchOf(m).length === m.profile.lruBatch || m.lruBatchesDisabled > 0) drain(m, batchOf(m));
}

/** lru_cache_disable() around a migration; older kernels only drain. */
export function beginMigrating(m: Machine): void {
  drainAll(m);
  if (m.profile.disablesLruBatches) m.lruBatchesDisabled += 1;
}

export function endMigrating(m: Machine): void {
  if (m.profile.disablesLruBatches) m.lruBatchesDisabled -= 1;
}

function isolatedCounter(page: Page): number {
  return has(page, abi.PG_SWAPBACKED) ? abi.NR_ISOLATED_ANON : abi.NR_ISOLATED_FILE;
}

/** isolate_lru_page(): 0 or -EBUSY. */
export function isolate(m: Machine, page: Page): number {
  if (!has(page, abi.PG_LRU)) return -abi.EBUSY;
  getPage(page);
  removeFromLru(page);
  setFlag(page, abi.PG_ISOLATED);
  count(m, isolatedCounter(page), 1);
  return 0;
}

export function endIsolation(m: Machine, page: Page): void {
  if (!has(page, abi.PG_ISOLATED)) return;
  clearFlag(page, abi.PG_ISOLATED);
  count(m, isolatedCounter(page), -1);
}

/** putback_lru_page() of a page that was isolated, or of a migration target. */
export function putback(m: Machine, page: Page): void {
  endIsolation(m, page);
  clearFlag(page, abi.PG_UNEVICTABLE);
  if (page.refcount === 1) clearFlag(page, abi.PG_ACTIVE);
  else if (has(page, abi.PG_MLOCKED)) addToUnevictable(page);
  else addToBatch(m, page);
  putPage(m, page);
}
