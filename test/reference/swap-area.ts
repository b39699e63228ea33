/** Swap areas and their slots, which are numbered through all areas. */
import { MAX_SWAP_AREAS } from "../../assembly/abi.ts";
import type { Context, Machine, Mapping, Page } from "./machine.ts";
import { newSwapCache, putMapping } from "./mapping.ts";

export interface SwapSlot {
  readonly number: number;
  readonly area: SwapArea;
  /** Swap PTEs, and places in the page cache, that lead here. */
  count: number;
  /** Its page in the swap cache. */
  page: Page | null;
  /** Stamp of what the device holds, null if that is nothing. */
  content: number | null;
}

export interface SwapArea {
  readonly id: number;
  /** Number of the first slot. */
  readonly first: number;
  readonly slots: SwapSlot[];
  /** Position at which the search for a free slot begins. */
  next: number;
  /** I/O has ended when it returns. */
  readonly synchronous: boolean;
  readonly mapping: Mapping;
}

/** Behind those that are on. Null: no room. */
export function addArea(m: Machine, pages: number, synchronous: boolean): SwapArea | null {
  const first = Math.max(1, ...m.swapAreas.map((area) => area.first + area.slots.length));
  const limit = m.config.limits?.swapSlots ?? 0;
  if (m.swapAreas.length === MAX_SWAP_AREAS || first + pages - 1 > limit) return null;
  let id = 1;
  while (m.swapAreas.some((other) => other.id === id)) id++;
  const area: SwapArea = { id, first, slots: [], next: 0, synchronous, mapping: newSwapCache(m) };
  for (let i = 0; i < pages; i++) {
    area.slots.push({ number: first + i, area, count: 0, page: null, content: null });
  }
  m.swapAreas = [...m.swapAreas, area].toSorted((a, b) => a.id - b.id);
  return area;
}

export function removeArea(m: Machine, area: SwapArea): void {
  if (usedSlots(area) > 0) throw new Error(`a slot of area ${area.id} is in use`);
  m.swapAreas = m.swapAreas.filter((other) => other !== area);
  putMapping(m, area.mapping);
}

export function isUsed({ count, page }: SwapSlot): boolean {
  return count > 0 || page !== null;
}

export function usedSlots({ slots }: SwapArea): number {
  return slots.filter(isUsed).length;
}

/** get_swap_page(): round each area in turn. Null: none is free. */
export function takeSlot(m: Machine): SwapSlot | null {
  for (const area of m.swapAreas) {
    const inTurn = [...area.slots.slice(area.next), ...area.slots.slice(0, area.next)];
    const free = inTurn.find((slot) => !isUsed(slot));
    if (free === undefined) continue;
    area.next = free.number - area.first + 1;
    return free;
  }
  return null;
}

/** What the device had of a slot is nobody's any more. */
export function forgetIfUnused(slot: SwapSlot): void {
  if (!isUsed(slot)) slot.content = null;
}

/** vm_swap_full(): more than half is used. */
export function isSwapFull(m: Machine): boolean {
  const slots = m.swapAreas.flatMap((area) => area.slots);
  return slots.filter(isUsed).length * 2 > slots.length;
}

export function hasFreeSlots(m: Machine): boolean {
  return m.swapAreas.some(({ slots }) => !slots.every(isUsed));
}

/** The slot that the private word of a page names, if it is an entry. */
export function slotOf({ private: word }: Page): SwapSlot | null {
  return word !== null && "area" in word ? word : null;
}

/** The context that it points to. */
export function contextOf({ private: word }: Page): Context | null {
  return word !== null && "owners" in word ? word : null;
}
