/** fork(): the address space of the child (dup_mmap(), copy_page_range()). */
import {
  PG_ANON_EXCLUSIVE,
  PROBE_KVM_UNMAP,
  PTE_ACCESSED,
  PTE_EXCLUSIVE,
  PTE_KVM,
  PTE_WRITE,
  VMA_ANON,
  VMA_VDSO,
  ZERO_PFN,
} from "../abi";
import { copyContent, expectStamp, expectedStamp } from "../state/content";
import { machine } from "../state/machine";
import { Mm, mmAt } from "../state/mm";
import { Page, getPage, maybePinned, pageAnon, pageAt } from "../state/page";
import { pteAt, pteIsMigrationEntry, pteIsSwapEntry, ptePfn, setPte } from "../state/pgtable";
import { VM_DONTCOPY, VM_LOCKED, Vma, copyVma, findVma, pteNumber, vmaAt } from "../state/vma";
import { count } from "../state/vmstat";
import { mapNewAnonPage } from "./anon_page";
import { pageAddRmap } from "./rmap";
import { swapDuplicate } from "./swap_state";

/** Counts a PTE or an entry for `page` in the rss of the child: its class is what the tag says now. */
function addRss(mm: Mm, page: Page): void {
  if (pageAnon(page)) mm.rssAnon += 1;
  else mm.rssFile += 1;
}

/** A migration entry: from now on parent and child share the page, so neither may write to it. */
function copyMigrationEntry(mm: Mm, entry: i32, from: i32, to: i32): void {
  addRss(mm, pageAt(ptePfn(entry)));
  const shared = entry & ~(PTE_WRITE | PTE_EXCLUSIVE);
  setPte(from, shared);
  setPte(to, shared);
}

/** A swap entry: the page that comes of it will be shared. */
function copySwapEntry(mm: Mm, entry: i32, from: i32, to: i32): void {
  swapDuplicate(ptePfn(entry));
  mm.rssSwap += 1;
  setPte(from, entry & ~PTE_EXCLUSIVE);
  setPte(to, entry & ~PTE_EXCLUSIVE);
}

/**
 * 6.x, page_try_dup_anon_rmap(): true if the page must stay the parent's alone, because a device of the
 * parent may be working on it (page_needs_cow_for_dma()).
 */
function mustCopy(parent: Mm, page: Page): bool {
  return (page.flags & PG_ANON_EXCLUSIVE) != 0 && parent.hasPinned != 0 && maybePinned(page);
}

/** copy_present_page(): gives the child a page of its own now. Returns 0 or -ENOMEM. */
function copyPresentPage(childVma: i32, vpn: i32, pfn: i32): i32 {
  const err = mapNewAnonPage(childVma, vpn);
  if (err != 0) return err;
  copyContent(pfn, ptePfn(pteAt(pteNumber(vmaAt(childVma), vpn))));
  return 0;
}

/** copy_one_pte() of a private mapping. Returns 0 or -ENOMEM. */
function copyPte(parent: Mm, from: i32, childVma: i32, vpn: i32): i32 {
  const pte = pteAt(from);
  const vma = vmaAt(childVma);
  const child = mmAt(vma.mm);
  const to = pteNumber(vma, vpn);
  const pfn = ptePfn(pte);
  if (pteIsSwapEntry(pte)) {
    expectStamp(to, expectedStamp(from));
    copySwapEntry(child, pte, from, to);
    return 0;
  }
  const isEntry = pteIsMigrationEntry(pte);
  const copied = !isEntry && pfn != ZERO_PFN && mustCopy(parent, pageAt(pfn));
  const err = copied ? copyPresentPage(childVma, vpn, pfn) : 0;
  if (err != 0) return err;
  expectStamp(to, expectedStamp(from));
  if (copied) return 0;
  if (isEntry) {
    copyMigrationEntry(child, pte, from, to);
    return 0;
  }
  if (pfn != ZERO_PFN) {
    const page = pageAt(pfn);
    page.flags &= ~PG_ANON_EXCLUSIVE;
    getPage(page);
    pageAddRmap(page);
    addRss(child, page);
  }
  if ((pte & PTE_KVM) != 0) count(PROBE_KVM_UNMAP, 1);
  setPte(from, pte & ~(PTE_WRITE | PTE_KVM));
  setPte(to, pte & ~(PTE_WRITE | PTE_KVM | PTE_ACCESSED));
  return 0;
}

/** True if copy_page_range() has to look at the PTEs of a VMA at all. */
function isCopied(vma: Vma): bool {
  if ((vma.flags & VM_DONTCOPY) != 0) return false;
  return vma.kind == VMA_ANON ? vma.object != 0 : vma.kind == VMA_VDSO;
}

/**
 * copy_page_range(): PTEs that a fault would bring back are left out, which is all of a shared mapping, and
 * of a private one that has no page of its own yet. The vDSO is mapped at once, as it is by mmap(). Returns 0
 * or -ENOMEM.
 */
function copyPageRange(vmaId: i32, childVma: i32): i32 {
  const vma = vmaAt(vmaId);
  if (!isCopied(vma)) return 0;
  const parent = mmAt(vma.mm);
  for (let vpn = vma.start; vpn < vma.end; vpn++) {
    const from = pteNumber(vma, vpn);
    if (pteAt(from) == 0) continue;
    const err = copyPte(parent, from, childVma, vpn);
    if (err != 0) return err;
  }
  return 0;
}

/** How many VMAs a child of `mm` gets. */
export function vmasToCopy(mm: i32): i32 {
  let nr = 0;
  for (let id = mmAt(mm).firstVma; id != 0; id = vmaAt(id).nextVma) {
    if ((vmaAt(id).flags & VM_DONTCOPY) == 0) nr += 1;
  }
  return nr;
}

/** A VMA of the child, without PTEs. Returns its id. */
function dupVma(vmaId: i32, childId: i32): i32 {
  const copy = copyVma(vmaId, childId);
  vmaAt(copy).flags &= ~VM_LOCKED;
  return copy;
}

/** The part of dup_mmap() that needs no PTE: the VMAs of `parentId`, which must fit, for the child. */
export function dupVmas(parentId: i32, childId: i32): void {
  for (let id = mmAt(parentId).firstVma; id != 0; id = vmaAt(id).nextVma) {
    if ((vmaAt(id).flags & VM_DONTCOPY) == 0) dupVma(id, childId);
  }
}

/** The first virtual page from `from` on whose PTE the child gets, -1 if none is left. */
export function nextToDup(parentId: i32, from: i32): i32 {
  for (let id = mmAt(parentId).firstVma; id != 0; id = vmaAt(id).nextVma) {
    const vma = vmaAt(id);
    if (!isCopied(vma)) continue;
    for (let vpn = max<i32>(from, vma.start); vpn < vma.end; vpn++) {
      if (pteAt(pteNumber(vma, vpn)) != 0) return vpn;
    }
  }
  return -1;
}

/** The rest of dup_mmap() for one virtual page. Returns 0 or -ENOMEM. */
export function dupPte(parentId: i32, childId: i32, vpn: i32): i32 {
  const parent = mmAt(parentId);
  machine().cpu = parent.cpu;
  return copyPte(parent, pteNumber(vmaAt(findVma(parentId, vpn)), vpn), findVma(childId, vpn), vpn);
}

/**
 * dup_mmap(): copies the VMAs of `parentId`, which must fit, and their PTEs to the empty address space
 * `childId`. One anon_vma serves a whole family, where the kernel links several: a walk finds the same PTEs.
 * Returns 0, or -ENOMEM with what was copied so far still there.
 */
export function dupMmap(parentId: i32, childId: i32): i32 {
  machine().cpu = mmAt(parentId).cpu;
  for (let id = mmAt(parentId).firstVma; id != 0; id = vmaAt(id).nextVma) {
    if ((vmaAt(id).flags & VM_DONTCOPY) != 0) continue;
    const err = copyPageRange(id, dupVma(id, childId));
    if (err != 0) return err;
  }
  return 0;
}
