/** Swap: slots against the PTEs that name them, the swap cache against its pages. */
import {
  CFG_MAPPINGS,
  CFG_SWAP_SLOTS,
  INV_LIST,
  INV_PRIV,
  INV_PTE,
  INV_REF,
  MAX_SWAP_AREAS,
  PFN_NONE,
  PG_SWAPCACHE,
  PTE_EXCLUSIVE,
  SWAP_SLOT_NONE,
  TABLE_SWAP_AREAS,
} from "../abi";
import { config } from "../arena";
import { machine } from "../state/machine";
import { OBJECT_ADDRESS_SPACE, cacheSlotAt, cachedSwapSlot, mappingAt } from "../state/mapping";
import { mmAt } from "../state/mm";
import { Page, pageAt } from "../state/page";
import { pteAt, pteIsSwapEntry, ptePfn } from "../state/pgtable";
import { SwapArea, areaOfSlot, swapAreaAt, swapSlotAt } from "../state/swap";
import { Vma, pteNumber, vmaAt } from "../state/vma";
import { addRefs, addUser, recountWindows, tallyOf } from "./tally";
import { replacementOf } from "./verify_migrations";
import { bad, expectEqual } from "./violation";

/** The swap cache holds a reference of each of its pages. */
export function countSwapCache(): void {
  for (let slot = 1; slot <= config(CFG_SWAP_SLOTS); slot++) addRefs(swapSlotAt(slot).pfn, 1);
}

/** page->private of a page in the swap cache is the slot that has this page, or by now its target. */
export function verifySwapPage(pfn: i32, page: Page): void {
  const slot = page.privateWord;
  if (areaOfSlot(slot) == 0) {
    bad(INV_PRIV, pfn, slot, 1, 0);
    return;
  }
  const found = swapSlotAt(slot).pfn;
  if (found != pfn) expectEqual(INV_PRIV, pfn, slot, replacementOf(pfn), found);
}

function countEntriesOf(vma: Vma): void {
  for (let vpn = vma.start; vpn < vma.end; vpn++) {
    const pte = pteAt(pteNumber(vma, vpn));
    if (!pteIsSwapEntry(pte)) continue;
    const slot = ptePfn(pte);
    if (areaOfSlot(slot) == 0) bad(INV_PTE, 0, vma.mm, 1, slot);
    addUser(slot, (pte & PTE_EXCLUSIVE) != 0 ? 1 : 0);
  }
}

/** Files in memory have entries in the place of pages. */
function countCachedEntries(): void {
  for (let id = 1; id <= config(CFG_MAPPINGS); id++) {
    const mapping = mappingAt(id);
    if (mapping.kind != OBJECT_ADDRESS_SPACE) continue;
    for (let index = 0; index < mapping.nrSlots; index++) {
      const slot = cachedSwapSlot(cacheSlotAt(mapping, index));
      if (slot != SWAP_SLOT_NONE) addUser(slot, 0);
    }
  }
}

function countEntries(): void {
  countCachedEntries();
  for (let mm = machine().firstMm; mm != 0; mm = mmAt(mm).nextMm) {
    for (let id = mmAt(mm).firstVma; id != 0; id = vmaAt(id).nextVma) countEntriesOf(vmaAt(id));
  }
}

/** Each slot counts its PTEs, one alone if that is exclusive, and its page names it. */
function recountSlots(start: i32, end: i32): void {
  countEntries();
  for (let number = max<i32>(start, 1); number < end; number++) {
    const slot = swapSlotAt(number);
    const tally = tallyOf(number);
    expectEqual(INV_REF, slot.pfn, number, tally.users, slot.count);
    if (tally.refs > 0) expectEqual(INV_PTE, slot.pfn, number, 1, slot.count);
    if (slot.pfn == PFN_NONE) {
      if (slot.count > 0 && slot.written == 0) bad(INV_PRIV, 0, number, 1, 0);
      continue;
    }
    const page = pageAt(slot.pfn);
    if ((page.flags & PG_SWAPCACHE) == 0) bad(INV_PRIV, slot.pfn, number, 1, 0);
    expectEqual(INV_PRIV, slot.pfn, number, number, page.privateWord);
  }
}

/** Slots and cached pages of one area. */
function verifyArea(area: SwapArea): void {
  let used = 0;
  let cached = 0;
  for (let number = area.first; number < area.end; number++) {
    const slot = swapSlotAt(number);
    if (slot.pfn != PFN_NONE) cached += 1;
    if (slot.pfn != PFN_NONE || slot.count > 0) used += 1;
  }
  expectEqual(INV_LIST, 0, TABLE_SWAP_AREAS, used, area.nrUsed);
  expectEqual(INV_REF, 0, area.mapping, cached, mappingAt(area.mapping).nrpages);
}

export function verifySwap(): void {
  recountWindows(config(CFG_SWAP_SLOTS) + 1, recountSlots);
  for (let id = 1; id <= MAX_SWAP_AREAS; id++) {
    if (swapAreaAt(id).live != 0) verifyArea(swapAreaAt(id));
  }
}
