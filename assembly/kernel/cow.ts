/** A write to a page whose PTE does not allow it: written in place or copied (do_wp_page(), mm/memory.c). */
import {
  ENOMEM,
  FAULT_NOWAIT,
  FAULT_WAIT,
  PFN_NONE,
  PG_ANON_EXCLUSIVE,
  PG_LOCKED,
  PG_LRU,
  PG_SWAPCACHE,
  PTE_ACCESSED,
  PTE_DIRTY,
  PTE_WRITE,
  VMA_ANON,
} from "../abi";
import { copyContent } from "../state/content";
import { lruAddDrainCpu } from "../state/lru_batch";
import { machine } from "../state/machine";
import { mmAt } from "../state/mm";
import { Page, pageAnon, pageAt, pageKsm, pfnOf } from "../state/page";
import { putPage } from "../state/page_free";
import { pteAt, ptePfn, setPte } from "../state/pgtable";
import { profile } from "../state/profile";
import { pteNumber, vmaAt } from "../state/vma";
import { allocAnonPage, mapAnonPage } from "./anon_page";
import { setPageDirty } from "./dirty";
import { munlockUnmapped } from "./mlock";
import { lockPageOrRetry } from "./page_lock";
import { pageRemoveRmap } from "./rmap";
import { freeSwapCache, reuseSwapPage, tryToFreeSwap } from "./swap_state";

/** Above so many references 6.x does not try (do_wp_page(), wp_can_reuse_anon_folio()). */
const MAX_REFS_TO_REUSE: i32 = 3;

/**
 * 6.x: the page is exclusive, or becomes so, because nobody else has a reference. One that waits in the batch
 * of this CPU alone is found out by draining that.
 */
function becomesExclusive(page: Page): bool {
  if ((page.flags & PG_ANON_EXCLUSIVE) != 0) return true;
  if (page.refcount > MAX_REFS_TO_REUSE) return false;
  if ((page.flags & PG_LRU) == 0) lruAddDrainCpu(machine().cpu);
  const inSwapCache = (page.flags & PG_SWAPCACHE) != 0 ? 1 : 0;
  if (page.refcount > 1 + inSwapCache || (page.flags & PG_LOCKED) != 0) return false;
  machine().lockTaken = pfnOf(page); // folio_trylock()
  if (inSwapCache != 0) tryToFreeSwap(page);
  if (page.refcount != 1) return false;
  page.flags |= PG_ANON_EXCLUSIVE;
  return true;
}

/** cow_user_page(): a copy of the page that nothing maps yet, for the VMA. Or PFN_NONE. */
export function copyForWrite(vmaId: i32, pfn: i32): i32 {
  const copy = allocAnonPage(vmaId);
  if (copy != PFN_NONE) copyContent(pfn, copy);
  return copy;
}

/** The end of do_wp_page(): the copy takes the place of the page at `vpn`. */
export function installCopy(vmaId: i32, vpn: i32, pfn: i32, copy: i32): void {
  mapAnonPage(vmaId, vpn, copy);
  const vma = vmaAt(vmaId);
  const page = pageAt(pfn);
  // mapAnonPage() has counted a page more; the rss class of the old one is what its tag says now.
  if (pageAnon(page)) mmAt(vma.mm).rssAnon -= 1;
  else mmAt(vma.mm).rssFile -= 1;
  pageRemoveRmap(page);
  munlockUnmapped(vma, pfn, page);
  if (profile().cowFreesSwapCache) freeSwapCache(page);
  putPage(page);
}

/** Gives the VMA a copy of the page at `vpn`. Returns 0 or -ENOMEM. */
function copyPage(vmaId: i32, vpn: i32, pfn: i32): i32 {
  const copy = copyForWrite(vmaId, pfn);
  if (copy == PFN_NONE) return -ENOMEM;
  installCopy(vmaId, vpn, pfn, copy);
  return 0;
}

/** Whether the write may go to the page itself, which must look anonymous for that; or FAULT_*WAIT. */
export function writableInPlace(mm: i32, pfn: i32, page: Page): i32 {
  if (!pageAnon(page) || pageKsm(page)) return 0; // not anonymous: as the RFC makes one
  if (profile().anonExclusive) return becomesExclusive(page) ? 1 : 0;
  // v3.12 looks at it under the page lock: reuse_swap_page() asks who maps it, not who holds it.
  if ((page.flags & PG_LOCKED) != 0) return lockPageOrRetry(mm, pfn);
  machine().lockTaken = pfn;
  return reuseSwapPage(page) ? 1 : 0;
}

/** wp_page_reuse(): the PTE of the page allows the write. */
export function reuseForWrite(number: i32): void {
  setPte(number, pteAt(number) | PTE_WRITE | PTE_DIRTY | PTE_ACCESSED);
}

/** do_wp_page() for virtual page `vpn`, whose PTE is present. Returns 0, FAULT_*WAIT or -ENOMEM. */
export function doWpPage(vmaId: i32, vpn: i32): i32 {
  const vma = vmaAt(vmaId);
  const number = pteNumber(vma, vpn);
  const pfn = ptePfn(pteAt(number));
  const page = pageAt(pfn);
  const inPlace = vma.kind == VMA_ANON ? writableInPlace(vma.mm, pfn, page) : 1;
  if (inPlace == FAULT_WAIT || inPlace == FAULT_NOWAIT) return inPlace;
  if (inPlace == 0) return copyPage(vmaId, vpn, pfn);
  reuseForWrite(number);
  if (vma.kind != VMA_ANON) setPageDirty(page); // a shared mapping
  return 0;
}
