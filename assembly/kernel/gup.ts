/** get_user_pages() and pin_user_pages() of one page, and mm/gup.c's look-up for other callers. */
import {
  EFAULT,
  FAULT_WAIT,
  GUP_PIN_COUNTING_BIAS,
  NR_FOLL_PIN_ACQUIRED,
  PTE_PRESENT,
  PTE_PROTNONE,
  SWAP_SLOT_NONE,
  ZERO_PFN,
  ENOENT,
  PG_REFERENCED,
} from "../abi";
import { cacheSlotAt, cachedSwapSlot, mappingAt } from "../state/mapping";
import { getPage, pageAt } from "../state/page";
import { pteAt, pteIsSwapEntry, ptePfn } from "../state/pgtable";
import { addPin, isFollPin } from "../state/pins";
import { swapSlotAt } from "../state/swap";
import { findVma, isSharedMapping, pageIndex, pteNumber, vmaAt } from "../state/vma";
import { count } from "../state/vmstat";
import { faultIn } from "./fault";
import { profile } from "../state/profile";

/** Takes the references of a pin of `kind` and notes who holds them. Returns the pin. */
export function takePin(kind: i32, pfn: i32, group: i32, owner: i32, token: i32): i32 {
  const page = pageAt(pfn);
  getPage(page);
  if (isFollPin(kind)) {
    page.refcount += GUP_PIN_COUNTING_BIAS - 1;
    count(NR_FOLL_PIN_ACQUIRED, 1);
  }
  return addPin(kind, pfn, group, owner, token);
}

/**
 * Faults the page at `vpn` in as GUP does, with FOLL_TOUCH. Returns its pfn, or -EFAULT, -ENOMEM, or
 * -FAULT_WAIT when the task would sleep on a migration entry.
 */
export function faultinPage(mm: i32, vpn: i32, write: bool): i32 {
  const rc = faultIn(mm, vpn, write);
  if (rc == FAULT_WAIT) return -FAULT_WAIT;
  if (rc < 0) return rc;
  const pfn = ptePfn(pteAt(pteNumber(vmaAt(findVma(mm, vpn)), vpn)));
  if (pfn != ZERO_PFN) pageAt(pfn).flags |= PG_REFERENCED;
  return pfn;
}

/** The page that the migration entry at `vpn` names, or that the swap cache has for the swap entry there. */
export function entryPfn(mm: i32, vpn: i32): i32 {
  const entry = pteAt(pteNumber(vmaAt(findVma(mm, vpn)), vpn));
  return pteIsSwapEntry(entry) ? swapSlotAt(ptePfn(entry)).pfn : ptePfn(entry);
}

/** The page that a fault at `vpn` sleeps on: that of the entry, or of a shared mapping what is cached. */
export function awaitedPfn(mm: i32, vpn: i32): i32 {
  const vma = vmaAt(findVma(mm, vpn));
  if (!isSharedMapping(vma) || pteAt(pteNumber(vma, vpn)) != 0) return entryPfn(mm, vpn);
  const slot = cacheSlotAt(mappingAt(vma.object), pageIndex(vma, vpn));
  const swapSlot = cachedSwapSlot(slot);
  return swapSlot != SWAP_SLOT_NONE ? swapSlotAt(swapSlot).pfn : slot.pfn;
}

/** A page found by follow_page(), or a negative status for move_pages(2). */
export function followPage(mm: i32, vpn: i32): i32 {
  const vmaId = findVma(mm, vpn);
  if (vmaId == 0) return -EFAULT;
  const vma = vmaAt(vmaId);
  const pte = pteAt(pteNumber(vma, vpn));
  if (pte == 0) return isSharedMapping(vma) ? -ENOENT : profile().statusUntouched;
  if ((pte & PTE_PROTNONE) != 0 && !profile().protNoneMoves) return -ENOENT;
  if ((pte & (PTE_PRESENT | PTE_PROTNONE)) == 0) return -ENOENT;
  const pfn = ptePfn(pte);
  return pfn == ZERO_PFN ? profile().statusZeroPage : pfn;
}
