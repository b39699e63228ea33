/** shrink_page_list() for one isolated page (mm/vmscan.c): freed, kept, or made active. */
import {
  CRASH_BUG,
  CRASH_OOPS,
  FN_REMOVE_MAPPING,
  FN_SHRINK_PAGE_LIST,
  INV_NULL,
  INV_TAG,
  PFN_NONE,
  PGACTIVATE,
  PG_ACTIVE,
  PG_DIRTY,
  PG_LOCKED,
  PG_MLOCKED,
  PG_RECLAIM,
  PG_REFERENCED,
  PG_SWAPBACKED,
  PG_SWAPCACHE,
  PG_UNEVICTABLE,
  PG_WRITEBACK,
  RECLAIM_ACTIVATED,
  RECLAIM_FREED,
  RECLAIM_KEPT,
} from "../abi";
import { crash } from "../state/crash";
import {
  AS_BDI,
  AS_SHMEM,
  AS_WRITEPAGE,
  cacheSlotAt,
  countCached,
  mappingAt,
  objectOf,
} from "../state/mapping";
import { unchargeUncached } from "../state/memcg";
import { Page, maybePinned, pageAnon, pageHasPrivate } from "../state/page";
import { releasePage } from "../state/page_free";
import { profile } from "../state/profile";
import { isSwapFull } from "../state/swap";
import { count } from "../state/vmstat";
import { clearPageDirtyForIo, pageMapping } from "./dirty";
import { freeBuffers } from "./filemap";
import { endIsolation } from "./isolate";
import { mlockPage } from "./mlock";
import { trylockPage, unlockPage } from "./page_lock";
import { REFERENCED_LOCKED, pageReferenced, testClearReferenced } from "./referenced";
import { shmemWritepage } from "./shmem";
import { swapWritepage } from "./swap_io";
import { addToSwap, forgetSwapCache, tryToFreeSwap } from "./swap_state";
import { UNMAP_AGAIN, UNMAP_MLOCK, UNMAP_SUCCESS, tryToUnmapForReclaim } from "./unmap_reclaim";

// What a part of the look at a page has found, beside RECLAIM_*.
export const MAY_RECLAIM: i32 = -1; // nothing has settled yet what becomes of it
export const CULL: i32 = RECLAIM_FREED + 1; // it is mlocked
export const WRITTEN: i32 = RECLAIM_FREED + 2; // PAGE_SUCCESS: it is being written, or has been

/** page_evictable() fails. */
export function isUnevictable(page: Page): bool {
  return (page.flags & (PG_MLOCKED | PG_UNEVICTABLE)) != 0;
}

/** `mapping = page_mapping(page)`, and the backing device of that, which v3.12 asks if it is congested. */
export function readMapping(pfn: i32, page: Page): i32 {
  const word = pageMapping(page);
  if (word != 0 && profile().reclaimTestsCongestion && (mappingAt(objectOf(word)).flags & AS_BDI) == 0) {
    crash(CRASH_OOPS, FN_SHRINK_PAGE_LIST, 0, pfn, INV_NULL);
  }
  return word;
}

/** What becomes of a page for which reclaim would have to wait. */
function later(): i32 {
  return profile().reclaimActivates ? RECLAIM_ACTIVATED : RECLAIM_KEPT;
}

/** Reclaim does not wait for a page under writeback. */
export function keepWriteback(page: Page): i32 {
  page.flags |= PG_RECLAIM;
  return later();
}

/**
 * page_check_references(). What PAGEREF_RECLAIM_CLEAN would keep, a dirty page of a file, is left to the
 * flusher threads anyway.
 */
export function checkReferences(pfn: i32, page: Page): i32 {
  const young = pageReferenced(pfn, page, true);
  const flagged = testClearReferenced(page);
  // "mlock lost the isolation race with us": try_to_unmap() finds that out, too.
  if (young == REFERENCED_LOCKED) return profile().reclaimActivates ? RECLAIM_ACTIVATED : MAY_RECLAIM;
  const swapBacked = (page.flags & PG_SWAPBACKED) != 0;
  if (young == 0) return MAY_RECLAIM;
  if (swapBacked && profile().referencedAnonActivates) return RECLAIM_ACTIVATED;
  page.flags |= PG_REFERENCED;
  return flagged || young > 1 ? RECLAIM_ACTIVATED : RECLAIM_KEPT;
}

/** 6.x leaves alone what may be pinned: before it gets a slot, and when nobody can pin it any more. */
export function mayBePinned(page: Page): bool {
  return profile().reclaimMindsPins && maybePinned(page);
}

/** An anonymous page that is not in the swap cache has to be, before it can go. */
export function needsSlot(page: Page): bool {
  return pageAnon(page) && (page.flags & PG_SWAPCACHE) == 0;
}

/** add_to_swap() of a page that needs a slot. */
export function giveSlot(pfn: i32, page: Page): i32 {
  if (mayBePinned(page)) return RECLAIM_KEPT;
  return addToSwap(pfn, page) ? MAY_RECLAIM : RECLAIM_ACTIVATED;
}

/** True if a page whose mapping was read as `word` is to be unmapped. */
export function needsUnmapping(page: Page, word: i32): bool {
  return page.mapcount > 0 && word != 0;
}

/** try_to_unmap(), as RECLAIM_* if the page stays mapped, else MAY_RECLAIM. */
export function unmap(pfn: i32, page: Page): i32 {
  const result = tryToUnmapForReclaim(pfn, page);
  if (result == UNMAP_SUCCESS) return MAY_RECLAIM;
  if (result == UNMAP_MLOCK) {
    mlockPage(pfn);
    return CULL;
  }
  return result == UNMAP_AGAIN ? later() : RECLAIM_ACTIVATED;
}

/** pageout() of an unmapped dirty page. WRITTEN if its writepage has done what it does. */
function pageout(pfn: i32, page: Page, word: i32): i32 {
  // is_page_cache_freeable(): isolation and cache, nobody else.
  if (page.refcount - (pageHasPrivate(page) ? 1 : 0) != 2 || word == 0) return RECLAIM_KEPT;
  const flags = mappingAt(objectOf(word)).flags;
  if ((flags & AS_WRITEPAGE) == 0) return RECLAIM_ACTIVATED;
  if ((flags & AS_SHMEM) != 0) {
    if (!shmemWritepage(pfn, page)) return RECLAIM_ACTIVATED;
  } else {
    clearPageDirtyForIo(page);
    page.flags |= PG_RECLAIM;
    swapWritepage(pfn, page);
  }
  return WRITTEN;
}

/** What is done about an unmapped page that is dirty. WRITTEN, or RECLAIM_*. */
export function writeDirty(pfn: i32, page: Page, word: i32): i32 {
  if ((page.flags & PG_SWAPBACKED) != 0) return pageout(pfn, page, word);
  page.flags |= PG_RECLAIM; // flusher threads write files
  return later();
}

/** After WRITTEN: the write has not ended, or has come to nothing. */
export function isStillDirty(page: Page): bool {
  return (page.flags & (PG_WRITEBACK | PG_DIRTY)) != 0;
}

/** __delete_from_page_cache(): also of a page that the object does not have, as of the RFC's substitute. */
function deleteFromPageCache(pfn: i32, page: Page, word: i32): void {
  const mapping = mappingAt(objectOf(word));
  if (page.index < mapping.nrSlots) {
    const slot = cacheSlotAt(mapping, page.index);
    if (slot.pfn == pfn) slot.pfn = PFN_NONE;
  }
  countCached(mapping, page, -1);
  page.mapping = 0;
  unchargeUncached(page);
}

/** BUG_ON(mapping != page_mapping(page)) of __remove_mapping(): another has written to the page since. */
export function checkMapping(pfn: i32, page: Page, word: i32): void {
  if (word == 0 || word == pageMapping(page)) return;
  crash(CRASH_BUG, FN_REMOVE_MAPPING, FN_SHRINK_PAGE_LIST, pfn, INV_TAG);
}

/**
 * __remove_mapping() and the end of the page, if its count is exactly isolation and cache. Returns RECLAIM_*.
 */
export function freePage(pfn: i32, page: Page, word: i32): i32 {
  freeBuffers(page);
  if (word == 0 || page.refcount != 2 || (page.flags & PG_DIRTY) != 0) return RECLAIM_KEPT;
  page.refcount = 0;
  if ((page.flags & PG_SWAPCACHE) != 0) forgetSwapCache(page);
  else deleteFromPageCache(pfn, page, word);
  page.flags &= ~PG_LOCKED;
  endIsolation(page);
  releasePage(pfn, page);
  return RECLAIM_FREED;
}

function shrinkLocked(pfn: i32, page: Page, ignoreReferences: bool): i32 {
  if (isUnevictable(page)) return CULL;
  let word = readMapping(pfn, page);
  if ((page.flags & PG_WRITEBACK) != 0) return keepWriteback(page);
  if (!ignoreReferences) {
    const references = checkReferences(pfn, page);
    if (references != MAY_RECLAIM) return references;
  }
  if (needsSlot(page)) {
    const slot = giveSlot(pfn, page);
    if (slot != MAY_RECLAIM) return slot;
    word = pageMapping(page);
  }
  if (needsUnmapping(page, word)) {
    const mapped = unmap(pfn, page);
    if (mapped != MAY_RECLAIM) return mapped;
  }
  if (mayBePinned(page)) return RECLAIM_ACTIVATED;
  if ((page.flags & PG_DIRTY) != 0) {
    const dirty = writeDirty(pfn, page, word);
    if (dirty != WRITTEN) return dirty;
    if (isStillDirty(page)) return RECLAIM_KEPT;
    if (!pageAnon(page)) word = pageMapping(page); // shmem_writepage() has moved it to the swap cache
  }
  return freePage(pfn, page, word);
}

/** The end of the look at a locked page that is not freed. Returns RECLAIM_*. */
export function unlockShrunk(page: Page, found: i32): i32 {
  if (found == RECLAIM_ACTIVATED) {
    if (isSwapFull()) tryToFreeSwap(page); // it is needed: its slot can be had by another
    page.flags |= PG_ACTIVE;
    count(PGACTIVATE, 1);
  }
  if (found == CULL) tryToFreeSwap(page);
  unlockPage(page);
  return found == CULL ? RECLAIM_KEPT : found; // it finds its list when it is put back
}

/**
 * Frees an isolated page if that can be done now, without looking at who has accessed it if
 * `ignoreReferences`. Returns RECLAIM_*; unless it is freed the page is to be put back.
 */
export function shrinkPage(pfn: i32, page: Page, ignoreReferences: bool): i32 {
  if (!trylockPage(page)) return RECLAIM_KEPT;
  const found = shrinkLocked(pfn, page, ignoreReferences);
  return found == RECLAIM_FREED ? found : unlockShrunk(page, found);
}
