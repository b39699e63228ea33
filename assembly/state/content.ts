/**
 * What is in the pages: a configured number of bytes each. A write leaves a stamp, spread over all words, and
 * the stamp is noted as expected for the address that was written through; verify() compares the two.
 */
import { CFG_CONTENT_BYTES } from "../abi";
import { config, contentPtr, expectedPtr, swapContentPtr } from "../arena";
import { machine } from "./machine";

const SPREAD: u64 = 0x9e3779b97f4a7c15;

function addressOf(pfn: i32): usize {
  return contentPtr + <usize>pfn * <usize>config(CFG_CONTENT_BYTES);
}

function addressOfSlot(slot: i32): usize {
  return swapContentPtr + <usize>slot * <usize>config(CFG_CONTENT_BYTES);
}

/**
 * The stamp of the next write; 0 stands for the zeros of a fresh page, negative ones are for callers to give.
 */
export function nextStamp(): i32 {
  const m = machine();
  m.writeStamp = (m.writeStamp + 1) & 0x7fffffff;
  return m.writeStamp;
}

/** Fills a page with what a write of `stamp` leaves; stamp 0 clears it. */
export function writeContent(pfn: i32, stamp: i32): void {
  const bytes = config(CFG_CONTENT_BYTES);
  if (bytes == 0) return;
  const start = addressOf(pfn);
  if (stamp == 0) {
    memory.fill(start, 0, bytes);
    return;
  }
  const word = <u64>stamp * SPREAD;
  for (let offset: usize = 0; offset < <usize>bytes; offset += 8) store<u64>(start + offset, word + offset);
}

function isStamp(start: usize, stamp: i32): bool {
  const bytes = <usize>config(CFG_CONTENT_BYTES);
  const word = <u64>stamp * SPREAD;
  for (let offset: usize = 0; offset < bytes; offset += 8) {
    if (load<u64>(start + offset) != (stamp == 0 ? 0 : word + offset)) return false;
  }
  return true;
}

/** True if every byte of the page is as a write of `stamp` left it. */
export function contentIs(pfn: i32, stamp: i32): bool {
  return isStamp(addressOf(pfn), stamp);
}

/** The same of what the device has in a slot. */
export function slotContentIs(slot: i32, stamp: i32): bool {
  return isStamp(addressOfSlot(slot), stamp);
}

/** True if two pages are equal byte for byte. */
export function sameContent(a: i32, b: i32): bool {
  return memory.compare(addressOf(a), addressOf(b), config(CFG_CONTENT_BYTES)) == 0;
}

/** copy_highpage(). */
export function copyContent(from: i32, to: i32): void {
  const bytes = <usize>config(CFG_CONTENT_BYTES);
  if (bytes != 0) memory.copy(addressOf(to), addressOf(from), bytes);
}

/** A page is written to the device. */
export function copyContentToSlot(pfn: i32, slot: i32): void {
  const bytes = <usize>config(CFG_CONTENT_BYTES);
  if (bytes != 0) memory.copy(addressOfSlot(slot), addressOf(pfn), bytes);
}

/** A page is read from the device. */
export function copyContentFromSlot(slot: i32, pfn: i32): void {
  const bytes = <usize>config(CFG_CONTENT_BYTES);
  if (bytes != 0) memory.copy(addressOf(pfn), addressOfSlot(slot), bytes);
}

/** Debug core: fills a freed frame, to make a stale read visible. */
export function poisonContent(pfn: i32): void {
  if (isDefined(MM_DEBUG)) memory.fill(addressOf(pfn), 0x6b, config(CFG_CONTENT_BYTES));
}

/** Stamp that was last written through PTE number `pte`. */
export function expectedStamp(pte: i32): i32 {
  return config(CFG_CONTENT_BYTES) == 0 ? 0 : load<i32>(expectedPtr + ((<usize>pte) << 2));
}

export function expectStamp(pte: i32, stamp: i32): void {
  if (config(CFG_CONTENT_BYTES) != 0) store<i32>(expectedPtr + ((<usize>pte) << 2), stamp);
}
