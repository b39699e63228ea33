/** The page cache: pages of files and of shared anonymous memory, and what takes them out of it. */
import * as abi from "../../assembly/abi.ts";
import { type Where, allocPage } from "./buddy.ts";
import { putPage } from "./lru.ts";
import { charge, unchargeUncached } from "./memcg.ts";
import { type Machine, type Mapping, type Page, clearFlag, count, has, setFlag } from "./machine.ts";
import { dropEntryAndCache } from "./swap-cache.ts";
import { endPageWriteback } from "./writeback.ts";

/** A new page of zeros, which its finder has to put on the LRU. Null: no memory. */
export function addToPageCache(m: Machine, mapping: Mapping, index: number, where: Where): Page | null {
  const page = allocPage(m, where);
  if (page === null) return null;
  const stored = mapping.stored.get(index) ?? 0;
  mapping.stored.delete(index);
  page.content = stored;
  page.mapping = mapping;
  page.index = index;
  setFlag(page, abi.PG_UPTODATE);
  charge(m, page);
  count(m, abi.NR_FILE_PAGES, 1);
  if (mapping.fs?.inMemory === true) {
    setFlag(page, abi.PG_SWAPBACKED);
    count(m, abi.NR_SHMEM, 1);
  }
  if (mapping.fs?.buffers === true) {
    setFlag(page, abi.PG_PRIVATE);
    page.refcount += 1;
  }
  mapping.cache.set(index, { page, expected: stored });
  return page;
}

export function freeBuffers(m: Machine, page: Page): void {
  if (!has(page, abi.PG_PRIVATE)) return;
  clearFlag(page, abi.PG_PRIVATE);
  page.private = null;
  putPage(m, page);
}

/** truncate_inode_pages(): drops what is cached from page `first` on, and waits for its I/O. */
export function truncatePages(m: Machine, mapping: Mapping, first: number): void {
  for (const index of mapping.stored.keys()) if (index >= first) mapping.stored.delete(index);
  const known = new Set([...mapping.swapped.keys(), ...mapping.cache.keys()]);
  for (const index of [...known].filter((one) => one >= first).toSorted((a, b) => a - b)) {
    const swapped = mapping.swapped.get(index);
    const page = mapping.cache.get(index)?.page;
    mapping.swapped.delete(index);
    mapping.cache.delete(index);
    if (swapped !== undefined) dropEntryAndCache(m, swapped.slot);
    if (page === undefined) continue;
    freeBuffers(m, page);
    if (has(page, abi.PG_WRITEBACK)) endPageWriteback(m, page);
    clearFlag(page, abi.PG_DIRTY);
    page.mapping = null;
    count(m, abi.NR_FILE_PAGES, -1);
    if (mapping.fs?.inMemory === true) count(m, abi.NR_SHMEM, -1);
    unchargeUncached(m, page);
    putPage(m, page);
  }
}

/** Pages start … end-1 that are cached, by index. */
export function cachedPages(
  { cache }: Mapping,
  start: number,
  end: number,
): { page: Page; expected: number }[] {
  const found = [...cache].filter(([index]) => index >= start && index < end);
  return found.toSorted(([a], [b]) => a - b).map(([, cached]) => cached);
}

/** Somebody holds the lock that truncation, write(2) and writeback need. */
export function hasLockedPage(mapping: Mapping, start: number, end: number): boolean {
  return cachedPages(mapping, start, end).some(({ page }) => has(page, abi.PG_LOCKED));
}

/** read(2) would wait for the lock of a page that is swapped out, and still in the swap cache. */
export function isLockedInSwapCache({ swapped }: Mapping, start: number, end: number): boolean {
  return [...swapped].some(([index, { slot }]) => {
    return index >= start && index < end && slot.page !== null && has(slot.page, abi.PG_LOCKED);
  });
}
