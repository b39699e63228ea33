/**
 * page_mapping(), set_page_dirty() and its counterpart: where page->mapping is followed to a_ops, bdi and
 * host.
 */
import {
  CRASH_OOPS,
  FN_ACCOUNT_PAGE_DIRTIED,
  FN_CLEAR_PAGE_DIRTY_FOR_IO,
  FN_MIGRATE_PAGE_COPY,
  FN_PAGE_MAPPING,
  FN_SET_PAGE_DIRTY,
  FN_SET_PAGE_DIRTY_BUFFERS,
  INV_NULL,
  INV_PRIV,
  MAPPING_ANON,
  MAPPING_TAG_SHIFT,
  PG_DIRTY,
  PG_RECLAIM,
  PG_SWAPCACHE,
} from "../abi";
import { crash } from "../state/crash";
import { AS_BDI, AS_SET_PAGE_DIRTY, isSubstitute, mappingAt, objectOf } from "../state/mapping";
import { Page, pfnOf } from "../state/page";
import { areaOfSlot, swapAreaAt } from "../state/swap";
import { lockPrivate } from "./locks";

/** The part of the swap cache that page->private leads to (swap_address_space()). */
function swapAddressSpace(page: Page): i32 {
  const area = areaOfSlot(page.privateWord);
  // Of a pointer the type bits are 127: an element far behind the array of address spaces.
  if (area == 0) crash(CRASH_OOPS, FN_PAGE_MAPPING, 0, pfnOf(page), INV_PRIV);
  return swapAreaAt(area).mapping << MAPPING_TAG_SHIFT;
}

/**
 * page_mapping(): the address_space word, 0 for anonymous memory outside the swap cache. A substitute that
 * carries the tag is an address_space all the same.
 */
export function pageMapping(page: Page): i32 {
  if ((page.flags & PG_SWAPCACHE) != 0) return swapAddressSpace(page);
  const word = page.mapping;
  if ((word & MAPPING_ANON) != 0) return isSubstitute(word) ? word & ~MAPPING_ANON : 0;
  return word;
}

/** set_page_dirty(), with the generic buffer version for a mapping whose a_ops lack the operation. */
export function setPageDirty(page: Page): void {
  const word = pageMapping(page);
  if (word != 0 && (mappingAt(objectOf(word)).flags & AS_SET_PAGE_DIRTY) == 0) {
    const pfn = pfnOf(page);
    lockPrivate(word, pfn, FN_SET_PAGE_DIRTY_BUFFERS, FN_SET_PAGE_DIRTY);
    // Newly dirty: account_page_dirtied() follows backing_dev_info, __mark_inode_dirty() follows host.
    if ((page.flags & PG_DIRTY) == 0 && (mappingAt(objectOf(word)).flags & AS_BDI) == 0) {
      crash(CRASH_OOPS, FN_ACCOUNT_PAGE_DIRTIED, FN_SET_PAGE_DIRTY_BUFFERS, pfn, INV_NULL, FN_SET_PAGE_DIRTY);
    }
  }
  if (word != 0) page.flags &= ~PG_RECLAIM; // it is in use: its writeback need not rotate it
  page.flags |= PG_DIRTY;
}

/** clear_page_dirty_for_io(): asks the backing device of page_mapping() before it clears the flag. */
export function clearPageDirtyForIo(page: Page): void {
  const word = pageMapping(page);
  if (word != 0 && (mappingAt(objectOf(word)).flags & AS_BDI) == 0) {
    crash(CRASH_OOPS, FN_CLEAR_PAGE_DIRTY_FOR_IO, FN_MIGRATE_PAGE_COPY, pfnOf(page), INV_NULL);
  }
  page.flags &= ~PG_DIRTY;
}
