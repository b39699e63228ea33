/**
 * What page->mapping points to: address_space, anon_vma and KSM node objects, in one table, because the word
 * does not say which it is; only the tag does. An object of the wrong kind is found by its own record.
 */
import {
  CFG_CACHE_SLOTS,
  CFG_MAPPINGS,
  MAPPING_ANON,
  MAPPING_FIRST_SLOT,
  MAPPING_FLAGS,
  MAPPING_FLAG_FILE,
  MAPPING_NR_SLOTS,
  MAPPING_SERIAL,
  MAPPING_TAG_SHIFT,
  NR_FILE_PAGES,
  NR_SHMEM,
  PG_SWAPBACKED,
  PFN_NONE,
  SWAP_SLOT_NONE,
  TABLE_CACHE_SLOTS,
} from "../abi";
import { MAPPING_RECORD_SIZE, config, mappingsPtr, tablePtr } from "../arena";
import { machine } from "./machine";
import { Page } from "./page";
import { poolFree, poolInit, poolNext } from "./pool";
import { freeSwapAreas } from "./swap";
import { count } from "./vmstat";

export const OBJECT_ADDRESS_SPACE: i32 = 1;
export const OBJECT_ANON_VMA: i32 = 2;
export const OBJECT_KSM_NODE: i32 = 3;

// Flags of an address_space.
export const AS_LOCKS_INITIALISED: i32 = 1 << 0; // i_mmap_mutex, tree_lock, private_lock and the lists
export const AS_WRITABLE: i32 = 1 << 1; // the object itself lies in writable memory
export const AS_BDI: i32 = 1 << 2; // backing_dev_info and host may be followed
export const AS_SET_PAGE_DIRTY: i32 = 1 << 3; // a_ops->set_page_dirty that only sets the flag
export const AS_SHMEM: i32 = 1 << 4; // pages are backed by swap
export const AS_BUFFERS: i32 = 1 << 5; // pages have buffer heads
export const AS_WRITEPAGE: i32 = 1 << 6; // a_ops->writepage
export const AS_EIO: i32 = 1 << 7; // which always fails
export const AS_FILE: i32 = 1 << 8; // a file, which has a reference of its own beside those of its mappings
export const AS_SWAP: i32 = 1 << 9; // the swap cache of an area; its pages are found by their slots

// a_ops->migratepage of an address_space.
export const MIGRATEPAGE_GENERIC: i32 = 1; // migrate_page()
export const MIGRATEPAGE_ASYNC_PF: i32 = 2; // the RFC's callback
export const MIGRATEPAGE_BUFFER: i32 = 3; // buffer_migrate_page()
export const MIGRATEPAGE_NONE: i32 = 4; // fallback_migrate_page()

@unmanaged
export class Mapping {
  kind: i32; // OBJECT_*, 0 = free
  link: i32; // free list; of a file its serial number, of a KSM node the pfn of its page
  firstVma: i32; // i_mmap, or the VMAs of an anon_vma
  flags: i16; // AS_*
  migratepage: i16; // MIGRATEPAGE_*
  nrpages: i32;
  firstSlot: i32; // page-cache slots; of a KSM node its first rmap item
  nrSlots: i32;
  refcount: i32; // VMAs, migrations and rmap items that keep it
}

if (offsetof<Mapping>() != MAPPING_RECORD_SIZE) ERROR("size of a mapping record");
if (offsetof<Mapping>("link") != MAPPING_SERIAL) ERROR("Mapping record");
if (offsetof<Mapping>("flags") != MAPPING_FLAGS || AS_FILE != MAPPING_FLAG_FILE) ERROR("Mapping record");
if (offsetof<Mapping>("firstSlot") != MAPPING_FIRST_SLOT) ERROR("Mapping record");
if (offsetof<Mapping>("nrSlots") != MAPPING_NR_SLOTS) ERROR("Mapping record");

export function mappingAt(id: i32): Mapping {
  return changetype<Mapping>(mappingsPtr + <usize>id * MAPPING_RECORD_SIZE);
}

/** Object id of a page->mapping word, its tag removed. */
export function objectOf(word: i32): i32 {
  return word >>> MAPPING_TAG_SHIFT;
}

/** True if `word` is the RFC's apf_mapping, with or without a tag. Never under a policy that has none. */
export function isSubstitute(word: i32): bool {
  return (word & ~MAPPING_ANON) == machine().substituteWord;
}

export function initMappings(): void {
  machine().freeMapping = poolInit(mappingsPtr, MAPPING_RECORD_SIZE, config(CFG_MAPPINGS) + 1);
}

/** How many more objects fit, those kept aside for swap areas not counted. */
export function freeMappings(): i32 {
  return config(CFG_MAPPINGS) - machine().nrMappings - freeSwapAreas();
}

/** A new object of `kind` with one reference, or 0 when the table is full. */
export function allocMapping(kind: i32): i32 {
  return freeMappings() > 0 ? allocSwapMapping(kind) : 0;
}

/** The same, from those that are kept aside for swap areas. */
export function allocSwapMapping(kind: i32): i32 {
  const m = machine();
  const id = m.freeMapping;
  if (id == 0) return 0;
  m.freeMapping = poolNext(mappingsPtr, MAPPING_RECORD_SIZE, id);
  m.nrMappings += 1;
  const mapping = mappingAt(id);
  mapping.kind = kind;
  mapping.refcount = 1;
  return id;
}

/** Drops a reference of an object that is not freed before its last one. */
export function putMapping(id: i32): void {
  const mapping = mappingAt(id);
  mapping.refcount -= 1;
  if (mapping.refcount > 0) return;
  const m = machine();
  m.freeMapping = poolFree(mappingsPtr, MAPPING_RECORD_SIZE, id, m.freeMapping);
  m.nrMappings -= 1;
}

/** A page-cache slot: what the radix tree holds at one index. */
@unmanaged
export class CacheSlot {
  pfn: i32; // PFN_NONE, or below 0 the swap slot that has the page (an exceptional entry)
  expected: i32; // stamp of the last write through any mapping
}

export function cacheSlotAt(mapping: Mapping, index: i32): CacheSlot {
  return changetype<CacheSlot>(tablePtr(TABLE_CACHE_SLOTS) + ((<usize>(mapping.firstSlot + index)) << 3));
}

/** With `nr` 1 the page has come into the page cache, with -1 it has left it. Its flag tells its class. */
export function countCached(mapping: Mapping, page: Page, nr: i32): void {
  mapping.nrpages += nr;
  count(NR_FILE_PAGES, nr);
  if ((page.flags & PG_SWAPBACKED) != 0) count(NR_SHMEM, nr);
}

/** The page at a slot, PFN_NONE if it is not in the page cache. */
export function cachedPfn(cache: CacheSlot): i32 {
  return max<i32>(cache.pfn, PFN_NONE);
}

/** The swap slot that has the page, SWAP_SLOT_NONE if it is not swapped out. */
export function cachedSwapSlot(cache: CacheSlot): i32 {
  return max<i32>(-cache.pfn, SWAP_SLOT_NONE);
}

/**
 * Reserves `nr` consecutive slots behind the highest one in use; returns the first, or -1 when there are too
 * few.
 */
export function allocCacheSlots(nr: i32): i32 {
  let end = 0;
  for (let id = 1; id <= config(CFG_MAPPINGS); id++) {
    const mapping = mappingAt(id);
    if (mapping.kind != OBJECT_ADDRESS_SPACE) continue;
    end = max<i32>(end, mapping.firstSlot + mapping.nrSlots);
  }
  return end + nr > config(CFG_CACHE_SLOTS) ? -1 : end;
}
