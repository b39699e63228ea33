/** mmap(), munmap(), mprotect(), MADV_DONTNEED, mlock() and exit (mm/mmap.c, mm/memory.c, mm/mlock.c). */
import {
  FN_ZAP_PTE_RANGE,
  MIGRATE_UNMOVABLE,
  NR_FILE_PAGES,
  NR_MLOCK,
  NR_SHMEM,
  PFN_NONE,
  PG_LRU,
  PG_MLOCKED,
  PG_UPTODATE,
  PROT_NONE,
  PROT_WRITE,
  PTE_DIRTY,
  PTE_KVM,
  PTE_PRESENT,
  PTE_PROTNONE,
  PTE_WRITE,
  PROBE_KVM_UNMAP,
  VMA_SHMEM,
  VMA_VDSO,
  ZERO_PFN,
  HOLDER_KERNEL,
} from "../abi";
import { expectStamp, writeContent } from "../state/content";
import { addToUnevictableList, lruDel } from "../state/lru";
import { lruAddDrainAll } from "../state/lru_batch";
import {
  MIGRATEPAGE_GENERIC,
  OBJECT_ADDRESS_SPACE,
  AS_BDI,
  AS_LOCKS_INITIALISED,
  AS_SET_PAGE_DIRTY,
  AS_WRITABLE,
  allocCacheSlots,
  allocMapping,
  cacheSlotAt,
  mappingAt,
  putMapping,
} from "../state/mapping";
import { Mm, mmAt } from "../state/mm";
import { getPage, pageAnon, pageAt } from "../state/page";
import { allocPages } from "../state/page_alloc";
import { putPage } from "../state/page_free";
import { makePte, pteAt, pteIsMigrationEntry, ptePfn, setPte } from "../state/pgtable";
import { addPin } from "../state/pins";
import { VM_LOCKED, Vma, insertVma, linkToObject, pteNumber, removeVma, splitAt, vmaAt } from "../state/vma";
import { count } from "../state/vmstat";
import { setPageDirty } from "./dirty";
import { pageAddRmap, pageRemoveRmap } from "./rmap";

/**
 * Maps a page of the kernel's own at every virtual page of the VMA, as install_special_mapping() does for the
 * vDSO.
 */
function mapKernelPages(vmaId: i32): bool {
  const vma = vmaAt(vmaId);
  for (let vpn = vma.start; vpn < vma.end; vpn++) {
    const pfn = allocPages(vma.node >= 0 ? vma.node : 0, 0, MIGRATE_UNMOVABLE, false);
    if (pfn == PFN_NONE) return false;
    const page = pageAt(pfn);
    page.flags = PG_UPTODATE;
    writeContent(pfn, 0);
    addPin(HOLDER_KERNEL, pfn, 0, vma.mm, 0);
    getPage(page);
    pageAddRmap(page);
    mmAt(vma.mm).rssFile += 1;
    setPte(pteNumber(vma, vpn), makePte(pfn, PTE_PRESENT));
  }
  return true;
}

/** shmem_zero_setup(): the address_space behind a shared anonymous mapping. Returns 0 when none is left. */
function createShmem(nrPages: i32): i32 {
  const firstSlot = allocCacheSlots(nrPages);
  if (firstSlot < 0) return 0;
  const object = allocMapping(OBJECT_ADDRESS_SPACE);
  if (object == 0) return 0;
  const mapping = mappingAt(object);
  mapping.flags = <i16>(AS_LOCKS_INITIALISED | AS_WRITABLE | AS_BDI | AS_SET_PAGE_DIRTY);
  mapping.migratepage = <i16>MIGRATEPAGE_GENERIC;
  mapping.firstSlot = firstSlot;
  mapping.nrSlots = nrPages;
  return object;
}

/** set_mempolicy() of one VMA: the node that its pages come from, with `bound` from no other (MPOL_BIND). */
export function setVmaPolicy(vmaId: i32, node: i32, bound: bool): void {
  const vma = vmaAt(vmaId);
  vma.node = node;
  vma.bound = bound ? 1 : 0;
}

/**
 * mmap() of virtual pages start … end-1, which must be free. Returns the VMA, or 0 when an object, a
 * cache slot or a frame is missing.
 */
export function mmapRegion(mm: i32, start: i32, end: i32, kind: i32, prot: i32): i32 {
  let object = 0;
  if (kind == VMA_SHMEM) {
    object = createShmem(end - start);
    if (object == 0) return 0;
  }
  const id = insertVma(mm, start, end, kind, kind == VMA_SHMEM ? 0 : start);
  const vma = vmaAt(id);
  vma.prot = prot;
  if (object != 0) {
    linkToObject(id, object);
    putMapping(object); // the VMA's reference is the one that counts
  }
  if (kind == VMA_VDSO && !mapKernelPages(id)) return 0;
  return id;
}

/** zap_pte_range() for one PTE. The rss class is decided by the tag at this moment. */
function zapPte(mm: Mm, number: i32): void {
  const pte = pteAt(number);
  if (pte == 0) return;
  setPte(number, 0);
  expectStamp(number, 0);
  const pfn = ptePfn(pte);
  if (pfn == ZERO_PFN) return;
  const page = pageAt(pfn);
  const anon = pageAnon(page);
  if (pteIsMigrationEntry(pte)) {
    if (anon) mm.rssAnon -= 1;
    else mm.rssFile -= 1;
    return;
  }
  if ((pte & PTE_KVM) != 0) count(PROBE_KVM_UNMAP, 1);
  if (anon) {
    mm.rssAnon -= 1;
  } else {
    if ((pte & PTE_DIRTY) != 0) setPageDirty(page, FN_ZAP_PTE_RANGE);
    mm.rssFile -= 1;
  }
  pageRemoveRmap(page);
  if (page.mapcount == 0 && (page.flags & PG_MLOCKED) != 0) {
    page.flags &= ~PG_MLOCKED; // clear_page_mlock()
    count(NR_MLOCK, -1);
  }
  putPage(page);
}

/** Takes the pages of a shmem object whose last mapping goes out of the page cache. */
function truncateShmem(object: i32): void {
  const mapping = mappingAt(object);
  for (let index = 0; index < mapping.nrSlots; index++) {
    const slot = cacheSlotAt(mapping, index);
    const pfn = slot.pfn;
    slot.pfn = PFN_NONE;
    slot.expected = 0;
    if (pfn == PFN_NONE) continue;
    mapping.nrpages -= 1;
    count(NR_FILE_PAGES, -1);
    count(NR_SHMEM, -1);
    const page = pageAt(pfn);
    page.mapping = 0;
    putPage(page);
  }
}

/** MADV_DONTNEED, and the zapping half of munmap(): the range must lie within one VMA. */
function zapVma(vma: Vma, start: i32, end: i32): void {
  const mm = mmAt(vma.mm);
  for (let vpn = start; vpn < end; vpn++) zapPte(mm, pteNumber(vma, vpn));
}

/** Applies to the VMAs that overlap start … end-1: zap only (madvise) or zap and remove (munmap). */
export function zapRange(mm: i32, start: i32, end: i32): void {
  for (let id = mmAt(mm).firstVma; id != 0; id = vmaAt(id).nextVma) {
    const vma = vmaAt(id);
    const from = max<i32>(start, vma.start);
    const to = min<i32>(end, vma.end);
    if (from < to) zapVma(vma, from, to);
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
      const object = vma.object;
      if (vma.kind == VMA_SHMEM && mappingAt(object).refcount == 1) truncateShmem(object);
      removeVma(id);
    }
    id = next;
  }
}

function protectPte(number: i32, prot: i32): void {
  const pte = pteAt(number);
  if (pte == 0) return;
  if (pteIsMigrationEntry(pte)) {
    if ((prot & PROT_WRITE) == 0) setPte(number, pte & ~PTE_WRITE);
    return;
  }
  let next = pte & ~(PTE_PRESENT | PTE_PROTNONE | PTE_WRITE);
  next |= prot == PROT_NONE ? PTE_PROTNONE : PTE_PRESENT;
  // Write access comes back by a fault, except where the kernel sees that nobody shares the page.
  if ((prot & PROT_WRITE) != 0 && (pte & PTE_DIRTY) != 0 && pageAt(ptePfn(pte)).mapcount == 1)
    next |= PTE_WRITE;
  setPte(number, next);
}

export function mprotect(mm: i32, start: i32, end: i32, prot: i32): void {
  splitAt(mm, start, end);
  for (let id = mmAt(mm).firstVma; id != 0; id = vmaAt(id).nextVma) {
    const vma = vmaAt(id);
    if (vma.start < start || vma.end > end) continue;
    vma.prot = prot;
    for (let vpn = vma.start; vpn < vma.end; vpn++) protectPte(pteNumber(vma, vpn), prot);
  }
}

/** mlock_vma_page(): moves a page to the unevictable list. */
function mlockPage(pfn: i32): void {
  const page = pageAt(pfn);
  if ((page.flags & PG_MLOCKED) != 0 || pfn == ZERO_PFN) return;
  page.flags |= PG_MLOCKED;
  count(NR_MLOCK, 1);
  if ((page.flags & PG_LRU) == 0) return; // it finds its list when it is put back
  lruDel(pfn, page);
  addToUnevictableList(pfn, page);
}

/** mlock() of pages that are there already; VM_LOCKED makes later faults follow. */
export function mlock(mm: i32, start: i32, end: i32, nrCpus: i32): void {
  splitAt(mm, start, end);
  lruAddDrainAll(nrCpus);
  for (let id = mmAt(mm).firstVma; id != 0; id = vmaAt(id).nextVma) {
    const vma = vmaAt(id);
    if (vma.start < start || vma.end > end) continue;
    vma.flags |= VM_LOCKED;
    for (let vpn = vma.start; vpn < vma.end; vpn++) {
      const pte = pteAt(pteNumber(vma, vpn));
      if ((pte & PTE_PRESENT) != 0) mlockPage(ptePfn(pte));
    }
  }
}

/**
 * exit_mmap(): unmaps everything. The rss counters should be 0 then; what is left is the kernel's "Bad
 * rss-counter state".
 */
export function exitMmap(mm: i32): void {
  munmap(mm, 0, mmAt(mm).nrPages);
}
