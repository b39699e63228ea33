/** Files: read(2), write(2), fsync(2), truncate(2), and their end. */
import * as abi from "../../assembly/abi.ts";
import type { FileSystem } from "./file-system.ts";
import { addToBatch } from "./lru.ts";
import { type Machine, type Mapping, type Page, clearFlag, has, setFlag } from "./machine.ts";
import { newFile, putMapping } from "./mapping.ts";
import { addToPageCache, cachedPages, truncatePages } from "./page-cache.ts";
import { type Range, zapRange } from "./process.ts";
import { placesIn } from "./rmap.ts";
import { bringBack } from "./shmem-swap.ts";
import { endPageWriteback } from "./writeback.ts";

export function createFile(m: Machine, fs: FileSystem, size: number): Mapping {
  return newFile(m, fs, size);
}

function find(m: Machine, file: Mapping, index: number, node: number): Page | null {
  if (file.swapped.has(index) && bringBack(m, file, index, { preferred: node }) !== "back") return null;
  const cached = file.cache.get(index);
  if (cached !== undefined) return cached.page;
  const page = addToPageCache(m, file, index, { preferred: node });
  if (page !== null) addToBatch(m, page);
  return page;
}

/** read(2) or write(2) of whole pages: 0 or -ENOMEM. */
export function accessFile(
  m: Machine,
  file: Mapping,
  { start, end }: Range,
  how: { readonly node: number; readonly write: boolean },
): number {
  for (let index = start; index < end; index++) {
    const page = find(m, file, index, how.node);
    if (page === null) return -abi.ENOMEM;
    if (!how.write) continue;
    m.lastStamp += 1;
    page.content = m.lastStamp;
    file.cache.set(index, { page, expected: m.lastStamp });
    setFlag(page, abi.PG_DIRTY);
  }
  return 0;
}

/** page_mkclean(): the next write through a mapping faults. */
function writeProtect(file: Mapping, page: Page): void {
  for (const { pte } of placesIn(file, page.index)) {
    if (pte.entry || pte.page !== page) continue;
    pte.write = false;
    pte.dirty = false;
  }
}

/**
 * write_cache_pages() of dirty pages, which with `wait` (fsync(2)) are written at the end. Without it a page
 * that is being written is left to the next call.
 */
export function writeBack(m: Machine, file: Mapping, { start, end }: Range, wait: boolean): void {
  if (file.fs?.inMemory === true) return;
  for (const { page } of cachedPages(file, start, end)) {
    if (has(page, abi.PG_DIRTY) && (wait || !has(page, abi.PG_WRITEBACK))) {
      writeProtect(file, page);
      clearFlag(page, abi.PG_DIRTY);
      setFlag(page, abi.PG_WRITEBACK);
    }
    if (wait && has(page, abi.PG_WRITEBACK)) endPageWriteback(m, page);
  }
}

/** truncate(2) to a smaller size: mappings go first, then the page cache. */
export function truncateFile(m: Machine, file: Mapping, size: number): void {
  for (const vma of file.vmas) {
    const start = Math.max(vma.start, vma.start + size - vma.pgoff);
    if (start < vma.end) zapRange(m, vma, { start, end: vma.end });
  }
  truncatePages(m, file, size);
  file.size = size;
}

/** Nothing maps the file. */
export function removeFile(m: Machine, file: Mapping): void {
  truncateFile(m, file, 0);
  putMapping(m, file);
}
