/** Page faults (mm/memory.c): first touch, the zero page, pages of files, the wait on a migration entry. */
import {
  EFAULT,
  ENOMEM,
  FAULT_MINOR,
  FAULT_NONE,
  FAULT_NOWAIT,
  FAULT_WAIT,
  NEW_CONTENT,
  PFN_NONE,
  PGFAULT,
  PGMAJFAULT,
  PG_LOCKED,
  PG_UPTODATE,
  PROT_READ,
  PROT_WRITE,
  PTE_ACCESSED,
  PTE_DIRTY,
  PTE_PRESENT,
  PTE_WRITE,
  SWAP_SLOT_NONE,
  VMA_VDSO,
  ZERO_PFN,
} from "../abi";
import { expectStamp, nextStamp, writeContent } from "../state/content";
import { machine } from "../state/machine";
import { AS_SHMEM, cacheSlotAt, cachedSwapSlot, mappingAt } from "../state/mapping";
import { mmAt } from "../state/mm";
import { getPage, pageAt } from "../state/page";
import {
  makePte,
  pteAt,
  pteIsMigrationEntry,
  pteIsSwapEntry,
  ptePfn,
  ptePresent,
  setPte,
} from "../state/pgtable";
import { swapSlotAt } from "../state/swap";
import { Vma, findVma, isSharedMapping, pageIndex, pteNumber, vmaAt } from "../state/vma";
import { count } from "../state/vmstat";
import { profile } from "../state/profile";
import { addFreshPageToLru, allocPageVma, mapNewAnonPage, nodeOfVma } from "./anon_page";
import { doWpPage } from "./cow";
import { setPageDirty } from "./dirty";
import { addToPageCache } from "./filemap";
import { lockPageOrRetry, sleepOnPage } from "./page_lock";
import { pageAddRmap } from "./rmap";
import { shmemSwapin } from "./shmem";
import { doSwapPage } from "./swapin";

/**
 * Maps a page of the page cache, new or found (filemap_fault(), shmem_fault()); one that is locked is waited
 * for, with a reference. Returns 0, FAULT_WAIT, FAULT_NOWAIT, -EFAULT or -ENOMEM.
 */
function fileFault(vmaId: i32, vpn: i32, write: bool): i32 {
  const vma = vmaAt(vmaId);
  const mapping = mappingAt(vma.object);
  const index = pageIndex(vma, vpn);
  if (index >= mapping.nrSlots) return -EFAULT; // SIGBUS: behind the end of the file
  const slot = cacheSlotAt(mapping, index);
  if (cachedSwapSlot(slot) != SWAP_SLOT_NONE) {
    const cached = swapSlotAt(cachedSwapSlot(slot)).pfn;
    const rc = shmemSwapin(vma.object, index, nodeOfVma(vma), vma.bound != 0);
    if (rc == FAULT_WAIT) return sleepOnPage(vma.mm, cached, true);
    if (rc != 0) return rc;
    if (cached == PFN_NONE) count(PGMAJFAULT, 1);
  }
  if (slot.pfn == PFN_NONE) {
    const fresh = allocPageVma(vma);
    if ((mapping.flags & AS_SHMEM) == 0) count(PGMAJFAULT, 1); // it is read, or would be
    if (fresh == PFN_NONE) return -ENOMEM;
    const cached = addToPageCache(vma.object, index, fresh);
    // The read of a file takes time where actors run, but not on the timed clock, which has no device for it.
    if (machine().interleaved != 0 && machine().timed == 0 && (mapping.flags & AS_SHMEM) == 0) {
      cached.flags = (cached.flags & ~PG_UPTODATE) | PG_LOCKED;
    }
    addFreshPageToLru(vma, fresh, cached);
  }
  const page = pageAt(slot.pfn);
  if ((page.flags & PG_LOCKED) != 0) return lockPageOrRetry(vma.mm, slot.pfn);
  getPage(page);
  pageAddRmap(page);
  mmAt(vma.mm).rssFile += 1;
  const flags = write ? PTE_WRITE | PTE_DIRTY : 0;
  setPte(pteNumber(vma, vpn), makePte(slot.pfn, PTE_PRESENT | PTE_ACCESSED | flags));
  if (write) setPageDirty(page); // fault_dirty_shared_page()
  return 0;
}

/** A write through a PTE: dirty, young, and the stamp of the write in the page. */
function noteWrite(vma: Vma, vpn: i32, number: i32, stamp: i32): void {
  const pte = pteAt(number) | PTE_DIRTY | PTE_ACCESSED;
  setPte(number, pte);
  writeContent(ptePfn(pte), stamp);
  if (isSharedMapping(vma)) cacheSlotAt(mappingAt(vma.object), pageIndex(vma, vpn)).expected = stamp;
  else expectStamp(number, stamp);
}

/** handle_mm_fault() where no page is mapped, or the zero page. Returns 0, FAULT_WAIT, -EFAULT or -ENOMEM. */
function mapPage(vmaId: i32, vpn: i32, write: bool): i32 {
  const vma = vmaAt(vmaId);
  const number = pteNumber(vma, vpn);
  const pte = pteAt(number);
  if (pteIsSwapEntry(pte)) return doSwapPage(vmaId, vpn, write);
  if (pteIsMigrationEntry(pte)) {
    // migration_entry_wait(). The reference of v3.12 makes the migration fail if it comes before the check.
    return sleepOnPage(vma.mm, ptePfn(pte), profile().waiterTakesRef);
  }
  if (isSharedMapping(vma)) return fileFault(vmaId, vpn, write);
  if (write) return mapNewAnonPage(vmaId, vpn);
  setPte(number, makePte(ZERO_PFN, PTE_PRESENT | PTE_ACCESSED));
  return 0;
}

function handleFault(vmaId: i32, vpn: i32, write: bool): i32 {
  const number = pteNumber(vmaAt(vmaId), vpn);
  const pte = pteAt(number);
  if (ptePresent(pte) && ptePfn(pte) != ZERO_PFN) return doWpPage(vmaId, vpn);
  const err = mapPage(vmaId, vpn, write);
  const isReadOnly = err == 0 && write && pteIsSwapEntry(pte) && (pteAt(number) & PTE_WRITE) == 0;
  return isReadOnly ? doWpPage(vmaId, vpn) : err;
}

/** Whether an access needs a fault: FAULT_NONE or FAULT_MINOR, or -EFAULT if it is not allowed. */
function checkAccess(vma: Vma, vpn: i32, write: bool): i32 {
  if ((vma.prot & (write ? PROT_WRITE : PROT_READ)) == 0) return -EFAULT;
  if (write && vma.kind == VMA_VDSO) return -EFAULT;
  const pte = pteAt(pteNumber(vma, vpn));
  return (pte & PTE_PRESENT) != 0 && (!write || (pte & PTE_WRITE) != 0) ? FAULT_NONE : FAULT_MINOR;
}

/** The same of a write to virtual page `vpn`, -EFAULT also if there is no VMA. */
export function checkWrite(mm: i32, vpn: i32): i32 {
  const vmaId = findVma(mm, vpn);
  return vmaId == 0 ? -EFAULT : checkAccess(vmaAt(vmaId), vpn, true);
}

function countFault(mm: i32): void {
  machine().cpu = mmAt(mm).cpu;
  count(PGFAULT, 1);
}

/**
 * A write fault up to do_wp_page(), which is due if the PTE does not allow the write. Returns 0, FAULT_WAIT,
 * -EFAULT or -ENOMEM.
 */
export function faultBeforeWp(vmaId: i32, vpn: i32): i32 {
  countFault(vmaAt(vmaId).mm);
  return mapPage(vmaId, vpn, true);
}

/**
 * handle_mm_fault(), if the PTE of virtual page `vpn` does not allow the access. Returns FAULT_NONE,
 * FAULT_MINOR or FAULT_*WAIT, or -EFAULT (no VMA, or not allowed), or -ENOMEM. The content stays as it is.
 */
export function faultIn(mm: i32, vpn: i32, write: bool): i32 {
  const vmaId = findVma(mm, vpn);
  return vmaId == 0 ? -EFAULT : faultInVma(vmaId, vpn, write);
}

function faultInVma(vmaId: i32, vpn: i32, write: bool): i32 {
  const vma = vmaAt(vmaId);
  const needed = checkAccess(vma, vpn, write);
  if (needed != FAULT_MINOR) return needed;
  countFault(vma.mm);
  const err = handleFault(vmaId, vpn, write);
  return err != 0 ? err : FAULT_MINOR;
}

/** True if the PTE of virtual page `vpn` allows an access, so that no fault comes of it. */
export function isAllowed(mm: i32, vpn: i32, write: bool): bool {
  const vmaId = findVma(mm, vpn);
  if (vmaId == 0) return false;
  const pte = pteAt(pteNumber(vmaAt(vmaId), vpn));
  return (pte & PTE_PRESENT) != 0 && (!write || (pte & PTE_WRITE) != 0);
}

/**
 * One access of a process to virtual page `vpn`, with what faultIn() returns. A write leaves `content`.
 */
export function access(mm: i32, vpn: i32, write: bool, content: i32): i32 {
  const vmaId = findVma(mm, vpn); // no fault changes it
  if (vmaId == 0) return -EFAULT;
  const rc = faultInVma(vmaId, vpn, write);
  if (rc < 0 || rc == FAULT_WAIT || rc == FAULT_NOWAIT) return rc;
  const vma = vmaAt(vmaId);
  const number = pteNumber(vma, vpn);
  if (write) noteWrite(vma, vpn, number, content == NEW_CONTENT ? nextStamp() : content);
  else setPte(number, pteAt(number) | PTE_ACCESSED);
  return rc;
}
