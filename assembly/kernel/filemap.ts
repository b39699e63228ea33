/**
 * The page cache (mm/filemap.c, mm/truncate.c, mm/shmem.c): pages of files and of shared anonymous memory.
 */
import {
  ENOMEM,
  FILE_BUFFERED,
  FILE_IO_ERROR,
  FILE_NO_WRITEPAGE,
  FILE_PLAIN,
  FILE_TMPFS,
  MAPPING_TAG_SHIFT,
  MIGRATE_MOVABLE,
  PFN_NONE,
  PG_DIRTY,
  PG_LOCKED,
  PG_PRIVATE,
  PG_SWAPBACKED,
  PG_UPTODATE,
  PG_WRITEBACK,
  SWAP_SLOT_NONE,
} from "../abi";
import { nextStamp, writeContent } from "../state/content";
import { machine } from "../state/machine";
import { lruCacheAdd } from "../state/lru_batch";
import {
  AS_BDI,
  AS_BUFFERS,
  AS_EIO,
  AS_FILE,
  AS_LOCKS_INITIALISED,
  AS_SET_PAGE_DIRTY,
  AS_SHMEM,
  AS_WRITABLE,
  AS_WRITEPAGE,
  CacheSlot,
  MIGRATEPAGE_BUFFER,
  MIGRATEPAGE_GENERIC,
  MIGRATEPAGE_NONE,
  Mapping,
  OBJECT_ADDRESS_SPACE,
  allocCacheSlots,
  allocMapping,
  cacheSlotAt,
  cachedPfn,
  cachedSwapSlot,
  countCached,
  mappingAt,
  putMapping,
} from "../state/mapping";
import { chargePage, unchargeUncached } from "../state/memcg";
import { Page, pageAt, pfnOf } from "../state/page";
import { allocPages } from "../state/page_alloc";
import { putPage } from "../state/page_free";
import { profile } from "../state/profile";
import { swapSlotAt } from "../state/swap";
import { vmaAt } from "../state/vma";
import { shmemSwapin } from "./shmem";
import { freeSwapAndCache } from "./swap_state";
import { endPageWriteback } from "./writeback";
import { zapVma } from "./zap";

/** a_ops of a file system (FILE_*), as flags of its address_spaces. */
function flagsOf(kind: i32): i32 {
  if (kind == FILE_TMPFS) return AS_SHMEM | AS_WRITEPAGE;
  if (kind == FILE_BUFFERED) return AS_BUFFERS | AS_WRITEPAGE;
  if (kind == FILE_IO_ERROR) return AS_WRITEPAGE | AS_EIO;
  return kind == FILE_NO_WRITEPAGE ? 0 : AS_WRITEPAGE;
}

function migratepageOf(kind: i32): i32 {
  if (kind == FILE_BUFFERED) return MIGRATEPAGE_BUFFER;
  return kind == FILE_TMPFS || kind == FILE_PLAIN ? MIGRATEPAGE_GENERIC : MIGRATEPAGE_NONE;
}

/**
 * An empty address_space of `nrPages` with one reference, for the caller. Returns 0 when a record or cache
 * slots are missing.
 */
export function createAddressSpace(kind: i32, nrPages: i32): i32 {
  const firstSlot = allocCacheSlots(nrPages);
  if (firstSlot < 0) return 0;
  const object = allocMapping(OBJECT_ADDRESS_SPACE);
  if (object == 0) return 0;
  const mapping = mappingAt(object);
  mapping.flags = <i16>(AS_LOCKS_INITIALISED | AS_WRITABLE | AS_BDI | AS_SET_PAGE_DIRTY | flagsOf(kind));
  mapping.migratepage = <i16>migratepageOf(kind);
  mapping.firstSlot = firstSlot;
  mapping.nrSlots = nrPages;
  return object;
}

/** A file that is empty yet: the reference is its own. Returns its address_space, or 0. */
export function createFile(kind: i32, nrPages: i32): i32 {
  const object = createAddressSpace(kind, nrPages);
  if (object == 0) return 0;
  const m = machine();
  const mapping = mappingAt(object);
  m.mmSerial += 1;
  mapping.link = m.mmSerial;
  mapping.flags |= <i16>AS_FILE;
  return object;
}

/** True if nothing maps the file: its own reference is the last. */
export function isUnmapped(object: i32): bool {
  return mappingAt(object).refcount == 1;
}

/**
 * add_to_page_cache(): the frame `pfn` becomes page `index`; the allocator's reference becomes the
 * page cache's, and buffer heads have another. The caller puts it on the LRU.
 */
export function addToPageCache(object: i32, index: i32, pfn: i32): Page {
  const mapping = mappingAt(object);
  const page = pageAt(pfn);
  page.flags = PG_UPTODATE;
  chargePage(page);
  page.mapping = object << MAPPING_TAG_SHIFT;
  page.index = index;
  if ((mapping.flags & AS_SHMEM) != 0) page.flags |= PG_SWAPBACKED;
  if ((mapping.flags & AS_BUFFERS) != 0) {
    page.flags |= PG_PRIVATE;
    page.refcount += 1;
  }
  const slot = cacheSlotAt(mapping, index);
  writeContent(pfn, slot.expected); // zeros, or what was written back before the page was reclaimed
  slot.pfn = pfn;
  countCached(mapping, page, 1);
  return page;
}

/** try_to_free_buffers(): nothing here keeps them busy. */
export function freeBuffers(page: Page): void {
  if ((page.flags & PG_PRIVATE) == 0) return;
  page.flags &= ~PG_PRIVATE;
  page.privateWord = 0;
  putPage(page);
}

/**
 * truncate_complete_page(): takes a page that nobody maps any more out of the page cache, or what is known of
 * one that reclaim has dropped.
 */
function truncatePage(mapping: Mapping, slot: CacheSlot): void {
  const swapSlot = cachedSwapSlot(slot);
  const pfn = slot.pfn;
  slot.pfn = PFN_NONE;
  slot.expected = 0;
  if (pfn == PFN_NONE) return;
  if (swapSlot != SWAP_SLOT_NONE) {
    freeSwapAndCache(swapSlot);
    return;
  }
  const page = pageAt(pfn);
  freeBuffers(page);
  if ((page.flags & PG_WRITEBACK) != 0) endPageWriteback(pfnOf(page), page); // it is waited for
  page.flags &= ~PG_DIRTY;
  page.mapping = 0;
  countCached(mapping, page, -1);
  unchargeUncached(page);
  putPage(page);
}

/** True if a page of start … end-1 is locked: truncation, write(2) and writeback would sleep. */
export function fileMustWait(object: i32, start: i32, end: i32): bool {
  const mapping = mappingAt(object);
  for (let index = start; index < end; index++) {
    const pfn = cachedPfn(cacheSlotAt(mapping, index));
    if (pfn != PFN_NONE && (pageAt(pfn).flags & PG_LOCKED) != 0) return true;
  }
  return false;
}

/** True if a page of start … end-1 that is swapped out is locked in the swap cache: read(2) would sleep. */
export function fileMustWaitForSwap(object: i32, start: i32, end: i32): bool {
  const mapping = mappingAt(object);
  for (let index = start; index < end; index++) {
    const swapSlot = cachedSwapSlot(cacheSlotAt(mapping, index));
    if (swapSlot == SWAP_SLOT_NONE) continue;
    const pfn = swapSlotAt(swapSlot).pfn;
    if (pfn != PFN_NONE && (pageAt(pfn).flags & PG_LOCKED) != 0) return true;
  }
  return false;
}

/** truncate_pagecache(): unmaps and drops the pages from index `first` on. */
export function truncateFile(object: i32, first: i32): void {
  const mapping = mappingAt(object);
  for (let id = mapping.firstVma; id != 0; id = vmaAt(id).nextInObject) {
    const vma = vmaAt(id);
    const from = max<i32>(vma.start, vma.start + first - vma.pgoff);
    if (from < vma.end) zapVma(vma, from, vma.end);
  }
  for (let index = first; index < mapping.nrSlots; index++) {
    truncatePage(mapping, cacheSlotAt(mapping, index));
  }
  mapping.nrSlots = first;
}

/** Removes a file that nothing maps. */
export function removeFile(object: i32): void {
  truncateFile(object, 0);
  putMapping(object);
}

/**
 * write(2) or read(2) of pages start … end-1, which lie in the file. Pages that are missing are allocated on
 * `node`, then on its fallbacks. Returns 0 or -ENOMEM.
 */
export function accessFile(object: i32, start: i32, end: i32, node: i32, write: bool): i32 {
  const mapping = mappingAt(object);
  for (let index = start; index < end; index++) {
    const slot = cacheSlotAt(mapping, index);
    if (cachedSwapSlot(slot) != SWAP_SLOT_NONE) {
      const rc = shmemSwapin(object, index, node, false);
      if (rc != 0) return rc;
    }
    if (slot.pfn == PFN_NONE) {
      const fresh = allocPages(node, 0, MIGRATE_MOVABLE, false);
      if (fresh == PFN_NONE) return -ENOMEM;
      lruCacheAdd(fresh, addToPageCache(object, index, fresh), profile().lruBatch);
    }
    if (!write) continue;
    const stamp = nextStamp();
    writeContent(slot.pfn, stamp);
    slot.expected = stamp;
    pageAt(slot.pfn).flags |= PG_DIRTY;
  }
  return 0;
}
