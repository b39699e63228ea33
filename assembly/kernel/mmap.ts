/** mmap(), munmap() and exit_mmap() (mm/mmap.c), with shmem's set-up and truncation. */
import {
  CFG_NR_ZONES,
  HOLDER_KERNEL,
  MIGRATE_UNMOVABLE,
  PFN_NONE,
  PG_UPTODATE,
  PTE_PRESENT,
  FILE_TMPFS,
  VMA_FILE,
  VMA_SHMEM,
  VMA_VDSO,
  ZONE_MOVABLE,
} from "../abi";
import { config } from "../arena";
import { writeContent } from "../state/content";
import { mappingAt, putMapping } from "../state/mapping";
import { mmAt } from "../state/mm";
import { getPage, pageAt } from "../state/page";
import { allocPages } from "../state/page_alloc";
import { makePte, setPte } from "../state/pgtable";
import { addPin, freePins } from "../state/pins";
import { insertVma, linkToObject, pteNumber, removeVma, splitAt, vmaAt } from "../state/vma";
import { zoneAt } from "../state/zone";
import { pageAddRmap } from "./rmap";
import { createAddressSpace, truncateFile } from "./filemap";
import { zapVma } from "./zap";

/** True if there are `nr` frames for the kernel's own use, and pins to note them with. */
function hasKernelPages(nr: i32): bool {
  let frames = 0;
  for (let number = 0; number < config(CFG_NR_ZONES); number++) {
    const zone = zoneAt(number);
    if (zone.kind != ZONE_MOVABLE) frames += zone.freePages;
  }
  return freePins() >= nr && frames >= nr;
}

/**
 * Maps a page of the kernel's own at every virtual page of the VMA, as install_special_mapping() does for the
 * vDSO.
 */
function mapKernelPages(vmaId: i32): void {
  const vma = vmaAt(vmaId);
  for (let vpn = vma.start; vpn < vma.end; vpn++) {
    const pfn = allocPages(0, 0, MIGRATE_UNMOVABLE, false);
    assert(pfn != PFN_NONE, "mapKernelPages: counted before");
    const page = pageAt(pfn);
    page.flags = PG_UPTODATE;
    writeContent(pfn, 0);
    addPin(HOLDER_KERNEL, pfn, 0, vma.mm, 0);
    getPage(page);
    pageAddRmap(page);
    mmAt(vma.mm).rssFile += 1;
    setPte(pteNumber(vma, vpn), makePte(pfn, PTE_PRESENT));
  }
}

/**
 * mmap() of virtual pages start … end-1, which must be free. Returns the VMA, or 0 when an object, a
 * cache slot or a frame is missing.
 */
export function mmapRegion(mm: i32, start: i32, end: i32, kind: i32, prot: i32): i32 {
  let object = 0;
  if (kind == VMA_VDSO && !hasKernelPages(end - start)) return 0;
  if (kind == VMA_SHMEM) {
    object = createAddressSpace(FILE_TMPFS, end - start); // shmem_zero_setup()
    if (object == 0) return 0;
  }
  const id = insertVma(mm, start, end, kind, kind == VMA_SHMEM ? 0 : start);
  const vma = vmaAt(id);
  vma.prot = prot;
  if (object != 0) {
    linkToObject(id, object);
    putMapping(object); // the VMA's reference is the one that counts
  }
  if (kind == VMA_VDSO) mapKernelPages(id);
  return id;
}

/**
 * mmap() of a file from page `pgoff` on, shared, at virtual pages start … end-1, which must be free. Returns
 * the VMA.
 */
export function mmapFile(mm: i32, start: i32, end: i32, object: i32, pgoff: i32, prot: i32): i32 {
  const id = insertVma(mm, start, end, VMA_FILE, pgoff);
  vmaAt(id).prot = prot;
  linkToObject(id, object);
  return id;
}

/** set_mempolicy() of one VMA: the node that its pages come from, with `bound` from no other (MPOL_BIND). */
export function setVmaPolicy(vmaId: i32, node: i32, bound: bool): void {
  const vma = vmaAt(vmaId);
  vma.node = node;
  vma.bound = bound ? 1 : 0;
}

/** remove_vma() of a VMA whose PTEs are gone. */
function removeZappedVma(id: i32): void {
  const vma = vmaAt(id);
  const object = vma.object;
  if (vma.kind == VMA_SHMEM && mappingAt(object).refcount == 1) truncateFile(object, 0);
  removeVma(id);
}

/** The same of the VMAs within start … end-1. */
export function removeZappedVmas(mm: i32, start: i32, end: i32): void {
  let id = mmAt(mm).firstVma;
  while (id != 0) {
    const vma = vmaAt(id);
    const next = vma.nextVma;
    if (vma.start >= start && vma.end <= end) removeZappedVma(id);
    id = next;
  }
}

export function munmap(mm: i32, start: i32, end: i32): void {
  splitAt(mm, start, end);
  let id = mmAt(mm).firstVma;
  while (id != 0) {
    const vma = vmaAt(id);
    const next = vma.nextVma;
    if (vma.start >= start && vma.end <= end) {
      zapVma(vma, vma.start, vma.end);
      removeZappedVma(id);
    }
    id = next;
  }
}

/**
 * exit_mmap(): unmaps everything. The rss counters should be 0 then; what is left is the kernel's "Bad
 * rss-counter state".
 */
export function exitMmap(mm: i32): void {
  munmap(mm, 0, mmAt(mm).nrPages);
}
