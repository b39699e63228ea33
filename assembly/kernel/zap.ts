/** Taking PTEs away: zap_pte_range() (mm/memory.c) and MADV_DONTNEED. */
import {
  PFN_NONE,
  PG_MLOCKED,
  PG_REFERENCED,
  PG_SWAPCACHE,
  PROBE_KVM_UNMAP,
  PTE_ACCESSED,
  PTE_DIRTY,
  PTE_KVM,
  ZERO_PFN,
} from "../abi";
import { expectStamp } from "../state/content";
import { machine } from "../state/machine";
import { Mm, mmAt } from "../state/mm";
import { pageAnon, pageAt } from "../state/page";
import { putPage } from "../state/page_free";
import { pteAt, pteIsSwapEntry, ptePfn, ptePresent, setPte } from "../state/pgtable";
import { Vma, findVma, pteNumber, vmaAt } from "../state/vma";
import { count } from "../state/vmstat";
import { setPageDirty } from "./dirty";
import { munlockEntry, munlockUnmapped } from "./mlock";
import { pageRemoveRmap } from "./rmap";
import { freeSwapAndCache, freeSwapCache } from "./swap_state";

/** Of a swap entry or a migration entry that has just gone. */
function zapEntry(mm: Mm, vma: Vma, entry: i32): void {
  const pfn = ptePfn(entry);
  if (pteIsSwapEntry(entry)) {
    mm.rssSwap -= 1;
    freeSwapAndCache(pfn);
    return;
  }
  const page = pageAt(pfn);
  munlockEntry(vma, pfn, page);
  if (pageAnon(page)) mm.rssAnon -= 1;
  else mm.rssFile -= 1;
}

/**
 * zap_pte_range() for one PTE, up to page_remove_rmap(). The rss class is decided by the tag at this moment.
 * Returns the page for which zapRmap() is due, or PFN_NONE.
 */
function zapPte(mm: Mm, vma: Vma, number: i32): i32 {
  const pte = pteAt(number);
  if (pte == 0) return PFN_NONE;
  setPte(number, 0);
  expectStamp(number, 0);
  if (!ptePresent(pte)) {
    zapEntry(mm, vma, pte);
    return PFN_NONE;
  }
  const pfn = ptePfn(pte);
  if (pfn == ZERO_PFN) return PFN_NONE;
  const page = pageAt(pfn);
  const anon = pageAnon(page);
  if ((pte & PTE_KVM) != 0) count(PROBE_KVM_UNMAP, 1);
  if (anon) {
    mm.rssAnon -= 1;
  } else {
    if ((pte & PTE_DIRTY) != 0) setPageDirty(page);
    if ((pte & PTE_ACCESSED) != 0) page.flags |= PG_REFERENCED; // mark_page_accessed(), without activation
    mm.rssFile -= 1;
  }
  return pfn;
}

/** What is left then: page_remove_rmap(), which looks at the tag again, and the reference of the PTE. */
function zapRmap(vma: Vma, pfn: i32): void {
  const page = pageAt(pfn);
  const special = (page.flags & (PG_MLOCKED | PG_SWAPCACHE)) != 0;
  pageRemoveRmap(page);
  if (special) {
    munlockUnmapped(vma, pfn, page);
    freeSwapCache(page);
  }
  putPage(page);
}

/** MADV_DONTNEED, and the zapping half of munmap(): the range must lie within one VMA. */
export function zapVma(vma: Vma, start: i32, end: i32): void {
  const mm = mmAt(vma.mm);
  machine().cpu = mm.cpu;
  for (let vpn = start; vpn < end; vpn++) {
    const pfn = zapPte(mm, vma, pteNumber(vma, vpn));
    if (pfn != PFN_NONE) zapRmap(vma, pfn);
  }
}

/** The first virtual page from `from` on that has a PTE, -1 if none is left. */
export function nextToZap(mmId: i32, from: i32): i32 {
  for (let id = mmAt(mmId).firstVma; id != 0; id = vmaAt(id).nextVma) {
    const vma = vmaAt(id);
    for (let vpn = max<i32>(from, vma.start); vpn < vma.end; vpn++) {
      if (pteAt(pteNumber(vma, vpn)) != 0) return vpn;
    }
  }
  return -1;
}

/** The first half for one virtual page, which must be in a VMA; mm.zapped tells whether the second is due. */
export function beginZap(mmId: i32, vpn: i32): void {
  const mm = mmAt(mmId);
  const vma = vmaAt(findVma(mmId, vpn));
  machine().cpu = mm.cpu;
  mm.zapped = zapPte(mm, vma, pteNumber(vma, vpn));
  if (mm.zapped != PFN_NONE) mm.zappedVpn = vpn;
}

/** The second half. */
export function endZap(mmId: i32): void {
  const mm = mmAt(mmId);
  const pfn = mm.zapped;
  const vma = vmaAt(findVma(mmId, mm.zappedVpn));
  machine().cpu = mm.cpu;
  mm.zapped = PFN_NONE;
  mm.zappedVpn = 0;
  zapRmap(vma, pfn);
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
