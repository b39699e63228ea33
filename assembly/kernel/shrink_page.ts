/** shrink_page_list() for one isolated page (mm/vmscan.c): freed, kept, or made active. */
import {
  CRASH_OOPS,
  FN_SHRINK_PAGE_LIST,
  INV_NULL,
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
import { unlockPage } from "./page_lock";
import { REFERENCED_LOCKED, pageReferenced, testClearReferenced } from "./referenced";
import { shmemWritepage } from "./shmem";
import { swapWritepage } from "./swap_io";
import { addToSwap, forgetSwapCache, tryToFreeSwap } from "./swap_state";
import { UNMAP_AGAIN, UNMAP_MLOCK, UNMAP_SUCCESS, tryToUnmapForReclaim } from "./unmap_reclaim";

// What a look at a page has found, beside RECLAIM_*: it is mlocked.
const CULL: i32 = RECLAIM_FREED + 1;
// Beside RECLAIM_*, too: nothing has settled yet what becomes of the page.
const MAY_RECLAIM: i32 = -1;

/**
 * page_check_references(). What PAGEREF_RECLAIM_CLEAN would keep, a dirty page of a file, is left to the
 * flusher threads anyway.
 */
function checkReferences(pfn: i32, page: Page): i32 {
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

/** What becomes of a page for which reclaim would have to wait. */
function later(): i32 {
  return profile().reclaimActivates ? RECLAIM_ACTIVATED : RECLAIM_KEPT;
}

/** try_to_unmap(), as RECLAIM_* if the page stays mapped, else MAY_RECLAIM. */
function unmap(pfn: i32, page: Page): i32 {
  const result = tryToUnmapForReclaim(pfn, page);
  if (result == UNMAP_SUCCESS) return MAY_RECLAIM;
  if (result == UNMAP_MLOCK) {
    mlockPage(pfn);
    return CULL;
  }
  return result == UNMAP_AGAIN ? later() : RECLAIM_ACTIVATED;
}

/** pageout() of an unmapped dirty page. MAY_RECLAIM if its content is on the device when this returns. */
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
  return (page.flags & (PG_WRITEBACK | PG_DIRTY)) != 0 ? RECLAIM_KEPT : MAY_RECLAIM;
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

/** __remove_mapping() and the end of the page, if its count is exactly isolation and cache. */
function freePage(pfn: i32, page: Page, word: i32): i32 {
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
  const p = profile();
  if ((page.flags & (PG_MLOCKED | PG_UNEVICTABLE)) != 0) return CULL;
  let word = pageMapping(page);
  if (p.reclaimTestsCongestion && word != 0 && (mappingAt(objectOf(word)).flags & AS_BDI) == 0) {
    crash(CRASH_OOPS, FN_SHRINK_PAGE_LIST, 0, pfn, INV_NULL);
  }
  if ((page.flags & PG_WRITEBACK) != 0) {
    page.flags |= PG_RECLAIM;
    return later();
  }
  const references = ignoreReferences ? MAY_RECLAIM : checkReferences(pfn, page);
  if (references != MAY_RECLAIM) return references;
  if (pageAnon(page) && (page.flags & PG_SWAPCACHE) == 0) {
    if (p.reclaimMindsPins && maybePinned(page)) return RECLAIM_KEPT;
    if (!addToSwap(pfn, page)) return RECLAIM_ACTIVATED;
    word = pageMapping(page);
  }
  if (page.mapcount > 0 && word != 0) {
    const mapped = unmap(pfn, page);
    if (mapped != MAY_RECLAIM) return mapped;
  }
  if (p.reclaimMindsPins && maybePinned(page)) return RECLAIM_ACTIVATED;
  if ((page.flags & PG_DIRTY) != 0) {
    if ((page.flags & PG_SWAPBACKED) == 0) {
      page.flags |= PG_RECLAIM; // flusher threads write files
      return later();
    }
    const dirty = pageout(pfn, page, word);
    if (dirty != MAY_RECLAIM) return dirty;
  }
  freeBuffers(page);
  return freePage(pfn, page, pageMapping(page)); // shmem_writepage() has moved the page to the swap cache
}

/**
 * Frees an isolated page if that can be done now, without looking at who has accessed it if
 * `ignoreReferences`. Returns RECLAIM_*; unless it is freed the page is to be put back.
 */
export function shrinkPage(pfn: i32, page: Page, ignoreReferences: bool): i32 {
  if ((page.flags & PG_LOCKED) != 0) return RECLAIM_KEPT;
  page.flags |= PG_LOCKED;
  const outcome = shrinkLocked(pfn, page, ignoreReferences);
  if (outcome == RECLAIM_FREED) return outcome;
  if (outcome == RECLAIM_ACTIVATED) {
    if (isSwapFull()) tryToFreeSwap(page); // it is needed: its slot can be had by another
    page.flags |= PG_ACTIVE;
    count(PGACTIVATE, 1);
  }
  if (outcome == CULL) tryToFreeSwap(page);
  unlockPage(page);
  return outcome == CULL ? RECLAIM_KEPT : outcome; // it finds its list when it is put back
}
