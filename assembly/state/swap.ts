/**
 * Swap areas and their slots (swap_info_struct, swap_map), and which page of the swap cache a slot has.
 * Slots are numbered through all areas, from 1; the number is the swap entry, in PTEs and in page->private.
 */
import {
  CFG_SWAP_SLOTS,
  MAX_SWAP_AREAS,
  PFN_NONE,
  SWAP_AREA_END,
  SWAP_AREA_FIRST,
  SWAP_AREA_LIVE,
  SWAP_AREA_USED,
  SWAP_SLOT_COUNT,
  SWAP_SLOT_NONE,
  SWAP_SLOT_PFN,
} from "../abi";
import { SWAP_AREA_RECORD_SIZE, SWAP_SLOT_RECORD_SIZE, config, swapAreasPtr, swapSlotsPtr } from "../arena";
import { machine } from "./machine";

@unmanaged
export class SwapArea {
  live: i32; // serial number of the device, 0 = none
  first: i32; // slot
  end: i32; // exclusive
  next: i32; // where the search for a free slot begins
  nrUsed: i32;
  mapping: i32; // the address_space of its part of the swap cache
  synchronous: i32; // SWP_SYNCHRONOUS_IO: I/O has ended when it returns, as on zram
}

if (offsetof<SwapArea>() > SWAP_AREA_RECORD_SIZE) ERROR("size of a swap area record");
if (offsetof<SwapArea>("live") != SWAP_AREA_LIVE) ERROR("SwapArea record");
if (offsetof<SwapArea>("first") != SWAP_AREA_FIRST) ERROR("SwapArea record");
if (offsetof<SwapArea>("end") != SWAP_AREA_END) ERROR("SwapArea record");
if (offsetof<SwapArea>("nrUsed") != SWAP_AREA_USED) ERROR("SwapArea record");

/** A slot is in use while PTEs or the swap cache have it. */
@unmanaged
export class SwapSlot {
  count: i32; // swap PTEs, and slots of the page cache, that name it
  pfn: i32; // its page in the swap cache (SWAP_HAS_CACHE)
  written: i32; // the device holds its content
}

if (offsetof<SwapSlot>() > SWAP_SLOT_RECORD_SIZE) ERROR("size of a swap slot record");
if (offsetof<SwapSlot>("count") != SWAP_SLOT_COUNT) ERROR("SwapSlot record");
if (offsetof<SwapSlot>("pfn") != SWAP_SLOT_PFN) ERROR("SwapSlot record");

/** Areas have ids from 1 to MAX_SWAP_AREAS. */
export function swapAreaAt(id: i32): SwapArea {
  return changetype<SwapArea>(swapAreasPtr + <usize>id * SWAP_AREA_RECORD_SIZE);
}

export function swapSlotAt(slot: i32): SwapSlot {
  return changetype<SwapSlot>(swapSlotsPtr + <usize>slot * SWAP_SLOT_RECORD_SIZE);
}

/** The area that a slot lies in; one that is off has no slots. Returns 0 for a word that is no swap entry. */
export function areaOfSlot(slot: i32): i32 {
  for (let id = 1; id <= MAX_SWAP_AREAS; id++) {
    const area = swapAreaAt(id);
    if (<u32>(slot - area.first) < <u32>(area.end - area.first)) return id;
  }
  return 0;
}

/** An area of `nrSlots` consecutive slots behind the highest one in use. Returns its id, 0 without room. */
export function allocSwapArea(nrSlots: i32): i32 {
  let free = 0;
  let first = 1;
  for (let id = MAX_SWAP_AREAS; id > 0; id--) {
    const area = swapAreaAt(id);
    if (area.live == 0) free = id;
    else first = max<i32>(first, area.end);
  }
  if (free == 0 || nrSlots > config(CFG_SWAP_SLOTS) + 1 - first) return 0;
  const area = swapAreaAt(free);
  const m = machine();
  m.mmSerial += 1;
  area.live = m.mmSerial;
  area.first = first;
  area.end = first + nrSlots;
  area.next = first;
  return free;
}

/** How many more areas there can be. */
export function freeSwapAreas(): i32 {
  let nr = 0;
  for (let id = 1; id <= MAX_SWAP_AREAS; id++) if (swapAreaAt(id).live == 0) nr += 1;
  return nr;
}

/** Forgets an area, none of whose slots is in use. */
export function freeSwapArea(id: i32): void {
  const area = swapAreaAt(id);
  assert(area.nrUsed == 0, "freeSwapArea: a slot is in use");
  memory.fill(changetype<usize>(area), 0, offsetof<SwapArea>());
}

function isUsed(slot: SwapSlot): bool {
  return slot.count > 0 || slot.pfn != PFN_NONE;
}

function findFree(start: i32, end: i32): i32 {
  for (let slot = start; slot < end; slot++) if (!isUsed(swapSlotAt(slot))) return slot;
  return SWAP_SLOT_NONE;
}

/**
 * get_swap_page(): the next free slot, in the order of the areas. The caller makes it used at once. Returns
 * SWAP_SLOT_NONE when all are used.
 */
export function allocSwapSlot(): i32 {
  for (let id = 1; id <= MAX_SWAP_AREAS; id++) {
    const area = swapAreaAt(id);
    if (area.live == 0 || area.nrUsed == area.end - area.first) continue;
    let slot = findFree(area.next, area.end);
    if (slot == SWAP_SLOT_NONE) slot = findFree(area.first, area.next);
    area.next = slot + 1;
    area.nrUsed += 1;
    return slot;
  }
  return SWAP_SLOT_NONE;
}

/** Gives a slot back if nobody has it any more. */
export function freeUnusedSlot(number: i32): void {
  const slot = swapSlotAt(number);
  if (isUsed(slot)) return;
  slot.written = 0;
  swapAreaAt(areaOfSlot(number)).nrUsed -= 1;
}

/** vm_swap_full(): more than half of all slots are used. */
export function isSwapFull(): bool {
  let total = 0;
  let used = 0;
  for (let id = 1; id <= MAX_SWAP_AREAS; id++) {
    const area = swapAreaAt(id);
    total += area.end - area.first;
    used += area.nrUsed;
  }
  return (total - used) * 2 < total;
}

/** total_swap_pages > 0. */
export function hasSwap(): bool {
  return freeSwapAreas() < MAX_SWAP_AREAS;
}

/** get_nr_swap_pages() > 0. */
export function hasFreeSlots(): bool {
  for (let id = 1; id <= MAX_SWAP_AREAS; id++) {
    const area = swapAreaAt(id);
    if (area.nrUsed < area.end - area.first) return true;
  }
  return false;
}
