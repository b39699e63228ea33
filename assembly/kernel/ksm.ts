/**
 * What ksmd does with pages of equal content (mm/ksm.c): one of them stays, read-only and with a stable node
 * for its mapping, and the PTEs of the others are led to it. Who compares which pages when is the caller's.
 */
import {
  CFG_CONTENT_BYTES,
  CFG_CPUS,
  KSM_LEFT,
  KSM_SHARED,
  KSM_SHARING,
  PFN_NONE,
  PG_ANON_EXCLUSIVE,
  PG_DIRTY,
  PG_LOCKED,
  PG_REFERENCED,
  PG_SWAPCACHE,
  PROBE_KVM_UNMAP,
  PTE_ACCESSED,
  PTE_DIRTY,
  PTE_KVM,
  PTE_WRITE,
} from "../abi";
import { config } from "../arena";
import { sameContent } from "../state/content";
import { addKsmItem, allocKsmNode, ksmWord } from "../state/ksm";
import { lruAddDrainAll } from "../state/lru_batch";
import { isSubstitute, objectOf } from "../state/mapping";
import { Page, getPage, pageAnon, pageAt, pageKsm, pfnOf } from "../state/page";
import { putPage } from "../state/page_free";
import { makePte, pteAt, ptePfn, setPte } from "../state/pgtable";
import { profile } from "../state/profile";
import { VM_LOCKED, Vma, findVma, pageIndex, presentBit, pteNumber, vmaAt } from "../state/vma";
import { count } from "../state/vmstat";
import { setPageDirty } from "./dirty";
import { entryNode, entryVpn, setStatus, useArrays } from "./entries";
import { followPage } from "./gup";
import { mlockPage, munlockUnmapped } from "./mlock";
import { pageAddRmap, pageRemoveRmap } from "./rmap";
import { tryToFreeSwap } from "./swap_state";

const NO_PTE: i32 = -1;

/** The second word of an entry is here its process, negative in the first entry of a group. */
function startsGroup(entry: i32): bool {
  return entryNode(entry) < 0;
}

function vmaOf(entry: i32): i32 {
  return findVma(abs<i32>(entryNode(entry)), entryVpn(entry));
}

/** The PTE of an entry, if it maps a page; else NO_PTE. */
function pteOf(entry: i32): i32 {
  const vmaId = vmaOf(entry);
  if (vmaId == 0) return NO_PTE;
  const vpn = entryVpn(entry);
  return followPage(vmaAt(vmaId).mm, vpn) < 0 ? NO_PTE : pteNumber(vmaAt(vmaId), vpn);
}

/**
 * The check of write_protect_page(): nobody but PTEs and the swap cache may have a reference of a page that
 * can be written to, or has been since its PTE was made. Others are not looked at.
 */
function mayWriteProtect(page: Page, pte: i32): bool {
  if ((pte & (PTE_WRITE | PTE_DIRTY)) == 0 && (page.flags & PG_ANON_EXCLUSIVE) == 0) return true;
  return page.refcount == page.mapcount + ((page.flags & PG_SWAPCACHE) != 0 ? 1 : 0);
}

/**
 * True if try_to_merge_one_page() would get as far as to compare the page of this PTE. Behind the RFC's
 * substitute page_address_in_vma() finds no anon_vma; with L4, which shows it the original one, L5 has the
 * page left alone, since the context has the word that would be replaced.
 */
function isMergeable(pte: i32): bool {
  const page = pageAt(ptePfn(pte));
  if (!pageAnon(page) || pageKsm(page) || isSubstitute(page.mapping)) return false;
  return (page.flags & PG_LOCKED) == 0 && mayWriteProtect(page, pte);
}

/** pages_identical(). Without content the caller's word is taken. */
function pagesIdentical(a: i32, b: i32): bool {
  return config(CFG_CONTENT_BYTES) == 0 || sameContent(a, b);
}

/** The page that entries of a group share already, PFN_NONE if there is none. */
function sharedPage(start: i32, end: i32): i32 {
  for (let entry = start; entry < end; entry++) {
    const number = pteOf(entry);
    if (number == NO_PTE) continue;
    const page = pageAt(ptePfn(pteAt(number)));
    if (pageKsm(page) && (page.flags & PG_LOCKED) == 0) return pfnOf(page);
  }
  return PFN_NONE;
}

/** True if an entry from `start` on has another page that could be merged with `pfn`. */
function hasPartner(pfn: i32, start: i32, end: i32): bool {
  for (let entry = start; entry < end; entry++) {
    const number = pteOf(entry);
    if (number == NO_PTE) continue;
    const other = ptePfn(pteAt(number));
    if (other != pfn && isMergeable(pteAt(number)) && pagesIdentical(other, pfn)) return true;
  }
  return false;
}

/** write_protect_page(), after its check. */
function writeProtect(page: Page, number: i32): void {
  const pte = pteAt(number);
  if ((pte & PTE_KVM) != 0) count(PROBE_KVM_UNMAP, 1);
  if ((pte & PTE_DIRTY) != 0) setPageDirty(page);
  page.flags &= ~PG_ANON_EXCLUSIVE;
  setPte(number, pte & ~(PTE_WRITE | PTE_DIRTY | PTE_KVM));
}

/** try_to_merge_one_page() without a stable page yet: the page of this PTE becomes it. */
function becomeStable(page: Page, vma: Vma, vpn: i32): void {
  writeProtect(page, pteNumber(vma, vpn));
  const node = allocKsmNode(pfnOf(page));
  page.mapping = ksmWord(node);
  page.flags |= PG_REFERENCED; // mark_page_accessed(), without activation
  if (profile().ksmDirties) page.flags |= PG_DIRTY;
  addKsmItem(node, vma.object, pageIndex(vma, vpn));
}

/** replace_page(): the PTE leads to the stable page from now on. */
function replacePage(page: Page, stable: Page, vma: Vma, vpn: i32): void {
  const number = pteNumber(vma, vpn);
  writeProtect(page, number);
  getPage(stable);
  pageAddRmap(stable);
  const present = presentBit(vma);
  setPte(number, makePte(pfnOf(stable), present | PTE_ACCESSED));
  addKsmItem(objectOf(stable.mapping), vma.object, pageIndex(vma, vpn));
  pageRemoveRmap(page);
  munlockUnmapped(vma, pfnOf(page), page);
  if ((vma.flags & VM_LOCKED) != 0) mlockPage(pfnOf(stable));
  if (page.mapcount == 0) tryToFreeSwap(page);
  putPage(page);
}

/**
 * Merges the pages of one group. The first one that can be becomes the stable page, unless the group has one
 * already; where none could join it, all stay as they are.
 */
function mergeGroup(start: i32, end: i32): void {
  let stable = sharedPage(start, end);
  for (let entry = start; entry < end; entry++) {
    setStatus(entry, KSM_LEFT);
    const number = pteOf(entry);
    if (number == NO_PTE || !isMergeable(pteAt(number))) continue;
    const vma = vmaAt(vmaOf(entry));
    const pfn = ptePfn(pteAt(number));
    if (stable == PFN_NONE) {
      if (!hasPartner(pfn, entry + 1, end)) continue;
      stable = pfn;
      becomeStable(pageAt(pfn), vma, entryVpn(entry));
      setStatus(entry, KSM_SHARED);
    } else if (pagesIdentical(pfn, stable)) {
      replacePage(pageAt(pfn), pageAt(stable), vma, entryVpn(entry));
      setStatus(entry, KSM_SHARING);
    }
  }
}

/**
 * Merges the pages of `nrEntries` entries, group by group, and leaves in their statuses what has become of
 * each (KSM_*). There must be an item for every entry and a node for every group.
 */
export function mergeKsm(nrEntries: i32): void {
  useArrays();
  lruAddDrainAll(config(CFG_CPUS)); // ksm_do_scan(): a page in a batch has a reference more
  let start = 0;
  for (let entry = 1; entry <= nrEntries; entry++) {
    if (entry < nrEntries && !startsGroup(entry)) continue;
    mergeGroup(start, entry);
    start = entry;
  }
}
