/** do_swap_page() (mm/memory.c): a fault on a swap entry. */
import {
  ENOMEM,
  FAULT_WAIT,
  PFN_NONE,
  PGMAJFAULT,
  PG_ANON_EXCLUSIVE,
  PG_DIRTY,
  PG_LOCKED,
  PG_LRU,
  PG_MLOCKED,
  PG_SWAPCACHE,
  PTE_ACCESSED,
  PTE_DIRTY,
  PTE_EXCLUSIVE,
  PTE_PRESENT,
  PTE_WRITE,
} from "../abi";
import { copyContent } from "../state/content";
import { lruAddDrainCpu } from "../state/lru_batch";
import { machine } from "../state/machine";
import { objectOf } from "../state/mapping";
import { chargePage } from "../state/memcg";
import { mmAt } from "../state/mm";
import { Page, getPage, pageAnon, pageAt, pageKsm } from "../state/page";
import { putPage } from "../state/page_free";
import { makePte, pteAt, ptePfn, setPte } from "../state/pgtable";
import { profile } from "../state/profile";
import { areaOfSlot, isSwapFull, swapAreaAt, swapSlotAt } from "../state/swap";
import { VM_LOCKED, Vma, pageIndex, pteNumber, vmaAt } from "../state/vma";
import { count } from "../state/vmstat";
import { mapNewAnonPage, nodeOfVma } from "./anon_page";
import { mlockPage } from "./mlock";
import { lockPageOrRetry } from "./page_lock";
import { pageAddAnonRmap } from "./rmap";
import { readWithoutCache, swapinReadahead } from "./swap_io";
import { reuseSwapPage, swapFree, tryToFreeSwap } from "./swap_state";

/** Reads the page of a slot that is not in the swap cache, with a reference for the caller. Or PFN_NONE. */
function readIn(slot: i32, vma: Vma): i32 {
  const bypasses =
    profile().swapinBypassesCache &&
    swapAreaAt(areaOfSlot(slot)).synchronous != 0 &&
    swapSlotAt(slot).count == 1;
  const node = nodeOfVma(vma);
  const bound = vma.bound != 0;
  const pfn = bypasses ? readWithoutCache(slot, node, bound) : swapinReadahead(slot, node, bound);
  if (pfn != PFN_NONE) count(PGMAJFAULT, 1);
  return pfn;
}

/** v3.12: a write may go to the page itself if nobody else has it. Returns the flags of the PTE. */
function mapByCount(page: Page, vma: Vma, slot: i32, write: bool): i32 {
  const writable = write && reuseSwapPage(page);
  swapFree(slot);
  if (isSwapFull() || (vma.flags & VM_LOCKED) != 0 || (page.flags & PG_MLOCKED) != 0) tryToFreeSwap(page);
  return writable ? PTE_WRITE | PTE_DIRTY : 0;
}

/** should_try_to_free_swap() of 6.x, but for the reference of the fault. */
function mayFreeSwap(page: Page, vma: Vma, write: bool): bool {
  if (isSwapFull() || (vma.flags & VM_LOCKED) != 0 || (page.flags & PG_MLOCKED) != 0) return true;
  return write && !pageKsm(page) && page.refcount == 2;
}

/** 6.x: a write may go to the page itself if the entry was exclusive, or nobody else refers to the page. */
function mapByExclusive(page: Page, vma: Vma, entry: i32, write: bool): i32 {
  const cached = (page.flags & PG_SWAPCACHE) != 0;
  if (write && cached && !pageKsm(page) && (page.flags & PG_LRU) == 0) lruAddDrainCpu(machine().cpu);
  let exclusive = !cached || (entry & PTE_EXCLUSIVE) != 0;
  swapFree(ptePfn(entry));
  if (mayFreeSwap(page, vma, write)) tryToFreeSwap(page);
  exclusive = exclusive || page.refcount == 1;
  if (!exclusive || pageKsm(page)) return 0;
  page.flags |= PG_ANON_EXCLUSIVE;
  return write ? PTE_WRITE | PTE_DIRTY : 0;
}

/**
 * ksm_might_need_to_copy(): a page that KSM had merged came back as an ordinary one, for another place than
 * this. In the swap cache a KSM page still serves all its places.
 */
export function isOfAnotherPlace(page: Page, vma: Vma, vpn: i32): bool {
  if (!pageAnon(page) || pageKsm(page)) return false;
  return objectOf(page.mapping) != vma.object || page.index != pageIndex(vma, vpn);
}

/**
 * Maps a copy of a page of the swap cache, of which the caller's reference goes, behind a PTE with `flags`.
 * Returns 0 or -ENOMEM.
 */
export function mapCopy(vmaId: i32, vpn: i32, pfn: i32, flags: i32): i32 {
  const vma = vmaAt(vmaId);
  const number = pteNumber(vma, vpn);
  const slot = ptePfn(pteAt(number));
  const err = mapNewAnonPage(vmaId, vpn);
  if (err == 0) {
    const copy = ptePfn(pteAt(number));
    copyContent(pfn, copy);
    pageAt(copy).flags |= PG_DIRTY;
    setPte(number, makePte(copy, flags));
    mmAt(vma.mm).rssSwap -= 1;
    swapFree(slot);
  }
  putPage(pageAt(pfn));
  return err;
}

/**
 * do_swap_page() for virtual page `vpn`, up to do_wp_page(), which is due if the PTE does not allow the
 * write. Returns 0, FAULT_WAIT, FAULT_NOWAIT or -ENOMEM.
 */
export function doSwapPage(vmaId: i32, vpn: i32, write: bool): i32 {
  const vma = vmaAt(vmaId);
  const number = pteNumber(vma, vpn);
  const entry = pteAt(number);
  const slot = ptePfn(entry);
  let pfn = swapSlotAt(slot).pfn;
  if (pfn == PFN_NONE) {
    pfn = readIn(slot, vma);
    if (pfn == PFN_NONE) return -ENOMEM;
  } else {
    // lookup_swap_cache() has a reference, also while the fault sleeps for the lock.
    getPage(pageAt(pfn));
  }
  const page = pageAt(pfn);
  if ((page.flags & PG_LOCKED) != 0) {
    putPage(page); // sleeping takes it anew
    return lockPageOrRetry(vma.mm, pfn);
  }
  machine().lockTaken = pfn;
  if ((page.flags & PG_SWAPCACHE) != 0 && page.privateWord != slot) {
    // The RFC has put a pointer over the entry: the fault is given up, and taken again, for ever.
    putPage(page);
    return FAULT_WAIT;
  }
  if (isOfAnotherPlace(page, vma, vpn)) {
    return mapCopy(vmaId, vpn, pfn, PTE_PRESENT | PTE_ACCESSED | (write ? PTE_WRITE | PTE_DIRTY : 0));
  }
  const mm = mmAt(vma.mm);
  mm.rssAnon += 1;
  mm.rssSwap -= 1;
  const flags = profile().anonExclusive
    ? mapByExclusive(page, vma, entry, write)
    : mapByCount(page, vma, slot, write);
  setPte(number, makePte(pfn, PTE_PRESENT | PTE_ACCESSED | flags));
  pageAddAnonRmap(page, vma.object, pageIndex(vma, vpn));
  chargePage(page); // v3.12: what was read ahead is nobody's until it is mapped
  if ((vma.flags & VM_LOCKED) != 0) mlockPage(pfn);
  return 0;
}
