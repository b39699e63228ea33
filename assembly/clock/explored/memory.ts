/**
 * Memory of the explored clock: behind the machine, laid out once a search. It is no state of the machine, so
 * the pointers and counts of a search may be globals.
 */
import { TABLE_SCRATCH } from "../../abi";
import { tablePtr, tableSize } from "../../arena";

const ALIGNMENT: usize = 64;
const WASM_PAGE_SHIFT: usize = 16;

let cursor: usize = 0;

function align(address: usize): usize {
  return (address + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
}

/** Begins a layout behind what verify() needs. */
export function beginLayout(): void {
  cursor = align(tablePtr(TABLE_SCRATCH) + tableSize(TABLE_SCRATCH));
}

/** The next `size` bytes; what they hold is what an earlier search has left. 0 if memory ends before. */
export function reserve(size: u64): usize {
  const start = cursor;
  if (<u64>start + size > <u64>0xfff00000) return 0;
  const end = align(start + <usize>size);
  if (!hasMemory(end)) return 0;
  cursor = end;
  return start;
}

/** Sees to it that memory reaches `end`. */
export function hasMemory(end: usize): bool {
  const wanted = <i32>((end + (1 << WASM_PAGE_SHIFT) - 1) >> WASM_PAGE_SHIFT);
  const present = memory.size();
  return wanted <= present || memory.grow(wanted - present) >= 0;
}
