/** swapon() and swapoff() (mm/swapfile.c). */
import {
  CFG_MAPPINGS,
  ENOMEM,
  PFN_NONE,
  PG_LOCKED,
  PG_ANON_EXCLUSIVE,
  PG_WRITEBACK,
  PTE_EXCLUSIVE,
} from "../abi";
import { config } from "../arena";
import {
  AS_BDI,
  AS_LOCKS_INITIALISED,
  AS_SET_PAGE_DIRTY,
  AS_SWAP,
  AS_WRITABLE,
  AS_WRITEPAGE,
  MIGRATEPAGE_GENERIC,
  OBJECT_ADDRESS_SPACE,
  allocSwapMapping,
  mappingAt,
  putMapping,
} from "../state/mapping";
import { machine } from "../state/machine";
import { chargePage } from "../state/memcg";
import { mmAt } from "../state/mm";
import { getPage, pageAt, pageKsm } from "../state/page";
import { makePte, pteAt, pteIsSwapEntry, ptePfn, setPte } from "../state/pgtable";
import { allocSwapArea, freeSwapArea, swapAreaAt, swapSlotAt } from "../state/swap";
import { pageIndex, presentBit, pteNumber, vmaAt } from "../state/vma";
import { nodeOfVma } from "./anon_page";
import { pageAddAnonRmap } from "./rmap";
import { shmemUnuse } from "./shmem";
import { swapinReadahead } from "./swap_io";
import { swapFree, tryToFreeSwap } from "./swap_state";
import { isOfAnotherPlace, mapCopy } from "./swapin";
import { endPageWriteback } from "./writeback";

const SWAP_FLAGS: i32 =
  AS_LOCKS_INITIALISED | AS_WRITABLE | AS_BDI | AS_SET_PAGE_DIRTY | AS_WRITEPAGE | AS_SWAP;

/** swapon(): an area of `nrSlots`. Returns its id, 0 when an area or slots are missing. */
export function swapOn(nrSlots: i32, synchronous: bool): i32 {
  const id = allocSwapArea(nrSlots);
  if (id == 0) return 0;
  const object = allocSwapMapping(OBJECT_ADDRESS_SPACE);
  assert(object != 0, "swapOn: no object was kept aside");
  const mapping = mappingAt(object);
  mapping.flags = <i16>SWAP_FLAGS;
  mapping.migratepage = <i16>MIGRATEPAGE_GENERIC;
  const area = swapAreaAt(id);
  area.mapping = object;
  area.synchronous = synchronous ? 1 : 0;
  return id;
}

/** Ends the writeback of every page of an area: its device has answered. */
export function endSwapWriteback(id: i32): void {
  const area = swapAreaAt(id);
  for (let slot = area.first; slot < area.end; slot++) {
    const pfn = swapSlotAt(slot).pfn;
    if (pfn != PFN_NONE && (pageAt(pfn).flags & PG_WRITEBACK) != 0) endPageWriteback(pfn, pageAt(pfn));
  }
}

/** unuse_pte(): the page of a swap entry is mapped again, old and not to be written without a fault. */
function unusePte(vmaId: i32, vpn: i32, entry: i32): bool {
  const vma = vmaAt(vmaId);
  const slot = ptePfn(entry);
  let pfn = swapSlotAt(slot).pfn;
  if (pfn == PFN_NONE) pfn = swapinReadahead(slot, nodeOfVma(vma), vma.bound != 0);
  else getPage(pageAt(pfn));
  if (pfn == PFN_NONE) return false;
  const page = pageAt(pfn);
  const present = presentBit(vma);
  if (isOfAnotherPlace(page, vma, vpn)) return mapCopy(vmaId, vpn, pfn, present) == 0;
  chargePage(page);
  const mm = mmAt(vma.mm);
  mm.rssSwap -= 1;
  mm.rssAnon += 1;
  if ((entry & PTE_EXCLUSIVE) != 0 && !pageKsm(page)) page.flags |= PG_ANON_EXCLUSIVE;
  setPte(pteNumber(vma, vpn), makePte(pfn, present));
  pageAddAnonRmap(page, vma.object, pageIndex(vma, vpn));
  swapFree(slot);
  return true;
}

function unuseVma(vmaId: i32, first: i32, end: i32): bool {
  const vma = vmaAt(vmaId);
  for (let vpn = vma.start; vpn < vma.end; vpn++) {
    const entry = pteAt(pteNumber(vma, vpn));
    if (!pteIsSwapEntry(entry) || ptePfn(entry) < first || ptePfn(entry) >= end) continue;
    if (!unusePte(vmaId, vpn, entry)) return false;
  }
  return true;
}

/** try_to_unuse(): processes and files in memory get their pages back. Returns false without memory. */
function tryToUnuse(first: i32, end: i32): bool {
  for (let mm = machine().firstMm; mm != 0; mm = mmAt(mm).nextMm) {
    for (let id = mmAt(mm).firstVma; id != 0; id = vmaAt(id).nextVma) {
      machine().cpu = mmAt(mm).cpu;
      if (!unuseVma(id, first, end)) return false;
    }
  }
  for (let object = 1; object <= config(CFG_MAPPINGS); object++) {
    if (mappingAt(object).kind == OBJECT_ADDRESS_SPACE && !shmemUnuse(object, first, end)) return false;
  }
  return true;
}

/** True if a page of the area is locked in the swap cache: swapoff(2) would sleep. */
export function swapOffMustWait(id: i32): bool {
  const area = swapAreaAt(id);
  for (let slot = area.first; slot < area.end; slot++) {
    const pfn = swapSlotAt(slot).pfn;
    if (pfn != PFN_NONE && (pageAt(pfn).flags & PG_LOCKED) != 0) return true;
  }
  return false;
}

/**
 * swapoff(): reads what is in use back. Returns 0, or -ENOMEM with the area still there and what was read
 * back mapped.
 */
export function swapOff(id: i32): i32 {
  const area = swapAreaAt(id);
  endSwapWriteback(id);
  if (!tryToUnuse(area.first, area.end)) return -ENOMEM;
  for (let slot = area.first; slot < area.end; slot++) {
    const pfn = swapSlotAt(slot).pfn;
    if (pfn != PFN_NONE) tryToFreeSwap(pageAt(pfn));
  }
  putMapping(area.mapping);
  freeSwapArea(id);
  return 0;
}
