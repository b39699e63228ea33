/** Page faults (mm/memory.c): first touch, the zero page, and the wait on a migration entry. */
import {
  EFAULT,
  ENOMEM,
  FAULT_MINOR,
  FAULT_NONE,
  FAULT_WAIT,
  HOLDER_MIGRATION_WAITER,
  MAPPING_TAG_SHIFT,
  MIGRATE_MOVABLE,
  NR_FILE_PAGES,
  NR_MLOCK,
  NR_SHMEM,
  PFN_NONE,
  PGFAULT,
  PG_ACTIVE,
  PG_ANON_EXCLUSIVE,
  PG_MLOCKED,
  PG_SWAPBACKED,
  PG_UPTODATE,
  PROT_READ,
  PROT_WRITE,
  PTE_ACCESSED,
  PTE_DIRTY,
  PTE_PRESENT,
  PTE_WRITE,
  VMA_ANON,
  VMA_SHMEM,
  VMA_VDSO,
  ZERO_PFN,
} from "../abi";
import { copyContent, expectStamp, nextStamp, writeContent } from "../state/content";
import { addToUnevictableList } from "../state/lru";
import { lruCacheAdd } from "../state/lru_batch";
import { machine } from "../state/machine";
import { OBJECT_ANON_VMA, allocMapping, cacheSlotAt, mappingAt, putMapping } from "../state/mapping";
import { mmAt } from "../state/mm";
import { Page, getPage, pageAnon, pageAt } from "../state/page";
import { allocPages } from "../state/page_alloc";
import { putPage } from "../state/page_free";
import { makePte, pteAt, pteIsMigrationEntry, ptePfn, setPte } from "../state/pgtable";
import { addPin, freePins } from "../state/pins";
import { VM_LOCKED, Vma, findVma, linkToObject, pageIndex, pteNumber, vmaAt } from "../state/vma";
import { count } from "../state/vmstat";
import { profile } from "../state/profile";
import { clearPageMlock } from "./mlock";
import { pageAddNewAnonRmap, pageAddRmap, pageRemoveRmap } from "./rmap";

/** The node that a page of this VMA is allocated on, without a policy the CPU's: node 0. */
function policyNode(vma: Vma): i32 {
  return vma.node >= 0 ? vma.node : 0;
}

/** mlock_vma_page() or the LRU-add batch: puts a fresh page where the VMA says. */
function addFreshPageToLru(vma: Vma, pfn: i32, page: Page): void {
  if ((vma.flags & VM_LOCKED) == 0) {
    lruCacheAdd(pfn, page, profile().lruBatch);
    return;
  }
  page.flags |= PG_MLOCKED;
  count(NR_MLOCK, 1);
  addToUnevictableList(pfn, page);
}

/** anon_vma_prepare(): gives the VMA its anon_vma. Returns false when no object is left. */
export function anonVmaPrepare(vmaId: i32): bool {
  if (vmaAt(vmaId).object != 0) return true;
  const object = allocMapping(OBJECT_ANON_VMA);
  if (object == 0) return false;
  linkToObject(vmaId, object);
  putMapping(object); // the VMA's reference is the one that counts
  return true;
}

/** A page of the VMA's own at `vpn`, zeroed. Returns 0 or -ENOMEM. */
function anonymousWrite(vmaId: i32, vpn: i32): i32 {
  const vma = vmaAt(vmaId);
  if (!anonVmaPrepare(vmaId)) return -ENOMEM;
  const pfn = allocPages(policyNode(vma), 0, MIGRATE_MOVABLE, vma.bound != 0);
  if (pfn == PFN_NONE) return -ENOMEM;
  const page = pageAt(pfn);
  const p = profile();
  page.flags = PG_UPTODATE | PG_SWAPBACKED;
  if (p.faultActivates) page.flags |= PG_ACTIVE;
  if (p.anonExclusive) page.flags |= PG_ANON_EXCLUSIVE;
  writeContent(pfn, 0);
  pageAddNewAnonRmap(page, vma.object, pageIndex(vma, vpn));
  mmAt(vma.mm).rssAnon += 1;
  addFreshPageToLru(vma, pfn, page);
  const write = (vma.prot & PROT_WRITE) != 0 ? PTE_WRITE | PTE_DIRTY : 0;
  setPte(pteNumber(vma, vpn), makePte(pfn, PTE_PRESENT | PTE_ACCESSED | write));
  return 0;
}

/** shmem_fault(): finds or makes the page-cache page. Returns 0 or -ENOMEM. */
function shmemFault(vmaId: i32, vpn: i32, write: bool): i32 {
  const vma = vmaAt(vmaId);
  const mapping = mappingAt(vma.object);
  const index = pageIndex(vma, vpn);
  const slot = cacheSlotAt(mapping, index);
  if (slot.pfn == PFN_NONE) {
    const fresh = allocPages(policyNode(vma), 0, MIGRATE_MOVABLE, vma.bound != 0);
    if (fresh == PFN_NONE) return -ENOMEM;
    const page = pageAt(fresh);
    page.flags = PG_UPTODATE | PG_SWAPBACKED;
    page.mapping = vma.object << MAPPING_TAG_SHIFT;
    page.index = index;
    writeContent(fresh, 0);
    slot.pfn = fresh; // the allocator's reference becomes the page cache's
    mapping.nrpages += 1;
    count(NR_FILE_PAGES, 1);
    count(NR_SHMEM, 1);
    addFreshPageToLru(vma, fresh, page);
  }
  const page = pageAt(slot.pfn);
  getPage(page);
  pageAddRmap(page);
  mmAt(vma.mm).rssFile += 1;
  const flags = write ? PTE_WRITE | PTE_DIRTY : 0;
  setPte(pteNumber(vma, vpn), makePte(slot.pfn, PTE_PRESENT | PTE_ACCESSED | flags));
  return 0;
}

/**
 * migration_entry_wait(): the task sleeps until the old page is unlocked. In v3.12 it holds a reference of it
 * meanwhile, which makes the migration's own count check fail if it comes before that.
 */
function migrationEntryWait(vma: Vma, entry: i32): i32 {
  const pfn = ptePfn(entry);
  if (profile().waiterTakesRef && pageAt(pfn).refcount > 0 && freePins() > 0) {
    getPage(pageAt(pfn));
    addPin(HOLDER_MIGRATION_WAITER, pfn, 0, vma.mm, 0);
    machine().nrWaiters += 1;
  }
  return FAULT_WAIT;
}

/** A write through a PTE: dirty, young, and a new stamp in the page. */
function noteWrite(vma: Vma, vpn: i32, number: i32): void {
  const pte = pteAt(number) | PTE_DIRTY | PTE_ACCESSED;
  setPte(number, pte);
  const stamp = nextStamp();
  writeContent(ptePfn(pte), stamp);
  if (vma.kind == VMA_SHMEM) cacheSlotAt(mappingAt(vma.object), pageIndex(vma, vpn)).expected = stamp;
  else expectStamp(number, stamp);
}

/**
 * do_wp_page(): the page is there and only the PTE is tighter than the VMA allows. No other process has it,
 * so it is written in place; but a private page that does not look anonymous, as the RFC makes one, is
 * copied.
 */
function writeProtectFault(vmaId: i32, vpn: i32): i32 {
  const vma = vmaAt(vmaId);
  const number = pteNumber(vma, vpn);
  const pfn = ptePfn(pteAt(number));
  const page = pageAt(pfn);
  if (vma.kind != VMA_ANON || pageAnon(page)) {
    setPte(number, pteAt(number) | PTE_WRITE);
    return 0;
  }
  const err = anonymousWrite(vmaId, vpn);
  if (err != 0) return err;
  copyContent(pfn, ptePfn(pteAt(number)));
  mmAt(vma.mm).rssFile -= 1;
  pageRemoveRmap(page);
  if (page.mapcount == 0) clearPageMlock(pfn, page);
  putPage(page);
  return 0;
}

function handleFault(vmaId: i32, vpn: i32, write: bool): i32 {
  const vma = vmaAt(vmaId);
  const number = pteNumber(vma, vpn);
  const pte = pteAt(number);
  if (pteIsMigrationEntry(pte)) return migrationEntryWait(vma, pte);
  if (pte != 0 && ptePfn(pte) != ZERO_PFN) return writeProtectFault(vmaId, vpn);
  if (vma.kind == VMA_SHMEM) return shmemFault(vmaId, vpn, write);
  if (write) return anonymousWrite(vmaId, vpn);
  setPte(number, makePte(ZERO_PFN, PTE_PRESENT | PTE_ACCESSED));
  return 0;
}

/**
 * handle_mm_fault(), if the PTE of virtual page `vpn` does not allow the access. Returns FAULT_NONE,
 * FAULT_MINOR or FAULT_WAIT, or -EFAULT (no VMA, or not allowed), or -ENOMEM. The content stays as it is.
 */
export function faultIn(mm: i32, vpn: i32, write: bool): i32 {
  const vmaId = findVma(mm, vpn);
  if (vmaId == 0) return -EFAULT;
  const vma = vmaAt(vmaId);
  if ((vma.prot & (write ? PROT_WRITE : PROT_READ)) == 0) return -EFAULT;
  if (write && vma.kind == VMA_VDSO) return -EFAULT;
  const pte = pteAt(pteNumber(vma, vpn));
  if ((pte & PTE_PRESENT) != 0 && (!write || (pte & PTE_WRITE) != 0)) return FAULT_NONE;
  machine().cpu = mmAt(mm).cpu;
  count(PGFAULT, 1);
  const err = handleFault(vmaId, vpn, write);
  return err != 0 ? err : FAULT_MINOR;
}

/**
 * One access of a process to virtual page `vpn`, with what faultIn() returns. A write leaves new content.
 */
export function access(mm: i32, vpn: i32, write: bool): i32 {
  const rc = faultIn(mm, vpn, write);
  if (rc < 0 || rc == FAULT_WAIT) return rc;
  const vma = vmaAt(findVma(mm, vpn));
  const number = pteNumber(vma, vpn);
  if (write) noteWrite(vma, vpn, number);
  else setPte(number, pteAt(number) | PTE_ACCESSED);
  return rc;
}
