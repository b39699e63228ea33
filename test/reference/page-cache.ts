/** The page cache: pages of files and of shared anonymous memory, and what takes them out of it. */
import * as abi from "../../assembly/abi.ts";
import { type Where, allocPage } from "./buddy.ts";
import { putPage } from "./lru.ts";
import { charge, unchargeUncached } from "./memcg.ts";
import { type Machine, type Mapping, type Page, clearFlag, count, has, setFlag } from "./machine.ts";

/** A new page of zeros, which its finder has to put on the LRU. Null: no memory. */
export function addToPageCache(m: Machine, mapping: Mapping, index: number, where: Where): Page | null {
  const page = allocPage(m, where);
  if (page === null) return null;
  page.content = 0;
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
  mapping.cache.set(index, { page, expected: 0 });
  return page;
}

function freeBuffers(m: Machine, page: Page): void {
  if (!has(page, abi.PG_PRIVATE)) return;
  clearFlag(page, abi.PG_PRIVATE);
  putPage(m, page);
}

/** truncate_inode_pages(): drops what is cached from page `first` on, and waits for its I/O. */
export function truncatePages(m: Machine, mapping: Mapping, first: number): void {
  const behind = [...mapping.cache].filter(([index]) => index >= first).toSorted(([a], [b]) => a - b);
  for (const [index, { page }] of behind) {
    mapping.cache.delete(index);
    freeBuffers(m, page);
    clearFlag(page, abi.PG_WRITEBACK | abi.PG_DIRTY);
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
