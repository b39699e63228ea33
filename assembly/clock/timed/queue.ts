/**
 * Events by time: a heap of four children a node in the arena. Of two events at the same time the one that
 * was scheduled first comes first.
 */
import { EVENT_KIND_SHIFT, TABLE_QUEUE } from "../../abi";
import { QUEUE_ENTRY_SIZE, tablePtr, tableSize } from "../../arena";
import { timed } from "./timed_state";

@unmanaged
class Entry {
  atNs: u64;
  serial: u32; // of all events, in the order in which they were scheduled
  target: i32; // kind << EVENT_KIND_SHIFT | number
}

if (offsetof<Entry>() != <usize>QUEUE_ENTRY_SIZE) ERROR("size of a queue entry");

const ENTRY: usize = 16;
const CHILDREN: i32 = 4;
/** Later than anything. */
export const NEVER: u64 = u64.MAX_VALUE;

export function eventOf(kind: i32, number: i32): i32 {
  return (kind << EVENT_KIND_SHIFT) | number;
}

export function kindOf(target: i32): i32 {
  return target >> EVENT_KIND_SHIFT;
}

export function numberOf(target: i32): i32 {
  return target & ((1 << EVENT_KIND_SHIFT) - 1);
}

function entryAt(heap: usize, position: i32): Entry {
  return changetype<Entry>(heap + <usize>position * ENTRY);
}

function isBefore(entry: Entry, atNs: u64, serial: u32): bool {
  return entry.atNs < atNs || (entry.atNs == atNs && entry.serial < serial);
}

function set(entry: Entry, atNs: u64, serial: u32, target: i32): void {
  entry.atNs = atNs;
  entry.serial = serial;
  entry.target = target;
}

/** Schedules an event. Returns its number, by which the target can tell it from one that it has replaced. */
export function schedule(atNs: u64, target: i32): u32 {
  const t = timed();
  const heap = tablePtr(TABLE_QUEUE);
  let position = t.nrEvents;
  assert(<usize>(position + 1) * ENTRY <= tableSize(TABLE_QUEUE), "schedule: the queue is full");
  t.nrEvents = position + 1;
  t.serial += 1;
  const serial = t.serial;
  while (position > 0) {
    const parent = (position - 1) / CHILDREN;
    const above = entryAt(heap, parent);
    // The new one is the last of its time, so that it never rises past an equal one.
    if (above.atNs <= atNs) break;
    set(entryAt(heap, position), above.atNs, above.serial, above.target);
    position = parent;
  }
  set(entryAt(heap, position), atNs, serial, target);
  t.nextNs = heap != 0 ? entryAt(heap, 0).atNs : NEVER;
  return serial;
}

/** Numbers an event that is due at once, without the queue. */
export function skipSerial(): u32 {
  const t = timed();
  t.serial += 1;
  t.poppedSerial = t.serial;
  return t.serial;
}

/** Takes the first event out. Its number is `poppedSerial` of the clock then. There must be one. */
export function popEvent(): i32 {
  const t = timed();
  const heap = tablePtr(TABLE_QUEUE);
  const first = entryAt(heap, 0);
  const target = first.target;
  t.poppedSerial = first.serial;
  const nr = t.nrEvents - 1;
  t.nrEvents = nr;
  const last = entryAt(heap, nr);
  const atNs = last.atNs;
  const serial = last.serial;
  let position = 0;
  while (true) {
    let child = position * CHILDREN + 1;
    if (child >= nr) break;
    let least = entryAt(heap, child);
    const end = min<i32>(child + CHILDREN, nr);
    let leastPosition = child;
    for (child += 1; child < end; child++) {
      const entry = entryAt(heap, child);
      if (isBefore(entry, least.atNs, least.serial)) {
        least = entry;
        leastPosition = child;
      }
    }
    if (!isBefore(least, atNs, serial)) break;
    set(entryAt(heap, position), least.atNs, least.serial, least.target);
    position = leastPosition;
  }
  set(entryAt(heap, position), atNs, serial, last.target);
  // What lies behind the end is no state.
  set(last, 0, 0, 0);
  t.nextNs = nr > 0 ? first.atNs : NEVER;
  return target;
}
