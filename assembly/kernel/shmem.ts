/** The swap side of memory that is backed by swap: shared anonymous memory and tmpfs (mm/shmem.c). */
import {
  ENOMEM,
  FAULT_WAIT,
  MAPPING_TAG_SHIFT,
  PFN_NONE,
  PG_DIRTY,
  PG_LOCKED,
  PG_RECLAIM,
  PG_WRITEBACK,
  SWAP_SLOT_NONE,
} from "../abi";
import {
  AS_SHMEM,
  CacheSlot,
  cacheSlotAt,
  cachedSwapSlot,
  countCached,
  mappingAt,
  objectOf,
} from "../state/mapping";
import { chargePage } from "../state/memcg";
import { Page, getPage, pageAt } from "../state/page";
import { putPage } from "../state/page_free";
import { allocSwapSlot, swapSlotAt } from "../state/swap";
import { swapWritepage, swapinReadahead } from "./swap_io";
import { addToSwapCache, deleteFromSwapCache, swapDuplicate, swapFree } from "./swap_state";
import { endPageWriteback } from "./writeback";

/**
 * shmem_writepage(): an unmapped page leaves the page cache, where its swap entry takes its place, for the
 * swap cache, and is written. Returns false without a slot; the page is dirty as before then.
 */
export function shmemWritepage(pfn: i32, page: Page): bool {
  const slot = allocSwapSlot();
  if (slot == SWAP_SLOT_NONE) return false;
  const mapping = mappingAt(objectOf(page.mapping));
  page.flags = (page.flags & ~PG_DIRTY) | PG_RECLAIM;
  addToSwapCache(pfn, page, slot);
  swapDuplicate(slot); // swap_shmem_alloc()
  cacheSlotAt(mapping, page.index).pfn = -slot;
  page.mapping = 0;
  countCached(mapping, page, -1);
  putPage(page);
  swapWritepage(pfn, page);
  return true;
}

/** The page that was swapped out comes back into the page cache. `page` is held, for that. */
function moveToPageCache(object: i32, index: i32, pfn: i32, page: Page): void {
  const mapping = mappingAt(object);
  const cache = cacheSlotAt(mapping, index);
  const slot = cachedSwapSlot(cache);
  if ((page.flags & PG_WRITEBACK) != 0) endPageWriteback(pfn, page);
  page.mapping = object << MAPPING_TAG_SHIFT;
  page.index = index;
  chargePage(page);
  cache.pfn = pfn;
  countCached(mapping, page, 1);
  deleteFromSwapCache(page);
  swapFree(slot);
}

/**
 * shmem_swapin(): brings page `index`, which is swapped out, back. Returns 0, -ENOMEM, or FAULT_WAIT: it
 * sleeps on the page lock, also where a fault may not sleep.
 */
export function shmemSwapin(object: i32, index: i32, node: i32, bound: bool): i32 {
  const slot = cachedSwapSlot(cacheSlotAt(mappingAt(object), index));
  let pfn = swapSlotAt(slot).pfn;
  if (pfn == PFN_NONE) {
    pfn = swapinReadahead(slot, node, bound);
    if (pfn == PFN_NONE) return -ENOMEM;
  } else {
    if ((pageAt(pfn).flags & PG_LOCKED) != 0) return FAULT_WAIT;
    getPage(pageAt(pfn));
  }
  moveToPageCache(object, index, pfn, pageAt(pfn));
  return 0;
}

function isSwappedTo(cache: CacheSlot, first: i32, end: i32): bool {
  const slot = cachedSwapSlot(cache);
  return slot >= first && slot < end;
}

/** shmem_unuse(): brings back what lies in the slots first … end-1. Returns false without memory. */
export function shmemUnuse(object: i32, first: i32, end: i32): bool {
  const mapping = mappingAt(object);
  if ((mapping.flags & AS_SHMEM) == 0) return true;
  for (let index = 0; index < mapping.nrSlots; index++) {
    if (!isSwappedTo(cacheSlotAt(mapping, index), first, end)) continue;
    if (shmemSwapin(object, index, 0, false) != 0) return false;
  }
  return true;
}
