/**
 * The states that are still to be expanded, as differences from the initial one: first in first out for a
 * search in breadth, last in first out for one in depth. The last region of memory, so that it can grow.
 */
import { encodeDifference, imageSize, mapSize } from "./image";
import { hasMemory, reserve } from "./memory";

@unmanaged
class Entry {
  size: u32; // of all of it; it is repeated in its last word
  state: i32;
  actors: i32; // that are to be tried, one bit each
  depth: i32;
  broken: u64; // invariants that do not hold in it, see check/explored.ts
  lastActor: i32; // whose step led to it, and
  switches: i32; // how many context switches: used if there is a bound for them
}

const HEADER: usize = offsetof<Entry>();

const GROWTH: usize = 16 << 20;

let base: usize = 0;
let end: usize = 0; // of the memory that is there
let head: usize = 0;
let tail: usize = 0;
export let nrEntries: i32 = 0;

/** Returns false without memory. */
export function initFrontier(): bool {
  base = reserve(0);
  head = base;
  tail = base;
  end = base;
  nrEntries = 0;
  return base != 0;
}

function grow(wanted: usize): bool {
  if (<u64>wanted + GROWTH > u32.MAX_VALUE || !hasMemory(wanted + GROWTH)) return false;
  end = wanted + GROWTH;
  return true;
}

/** Makes room for one entry at the tail. */
function makeRoom(): bool {
  const most = HEADER + mapSize() + imageSize + 8;
  if (tail + most <= end) return true;
  if (head - base > tail - head) {
    memory.copy(base, head, tail - head);
    tail -= head - base;
    head = base;
    if (tail + most <= end) return true;
  }
  return grow(tail + most);
}

/** Adds the machine as it is now. Returns false without memory. */
export function pushMachine(
  state: i32,
  actors: i32,
  depth: i32,
  broken: u64,
  actor: i32,
  switches: i32,
): bool {
  if (nrEntries == 0) {
    head = base;
    tail = base;
  }
  if (!makeRoom()) return false;
  const entry = changetype<Entry>(tail);
  entry.state = state;
  entry.actors = actors;
  entry.depth = depth;
  entry.broken = broken;
  entry.lastActor = actor;
  entry.switches = switches;
  const size = HEADER + encodeDifference(tail + HEADER) + 8;
  entry.size = <u32>size;
  store<u32>(tail + size - 8, <u32>size);
  tail += size;
  nrEntries += 1;
  return true;
}

/** Takes an entry out: the oldest, or the newest. It stays readable until the next one is added. */
export function takeEntry(newest: bool): Entry {
  nrEntries -= 1;
  if (newest) {
    tail -= <usize>load<u32>(tail - 8);
    return changetype<Entry>(tail);
  }
  const entry = changetype<Entry>(head);
  head += <usize>entry.size;
  return entry;
}

/** Where the difference of an entry is. */
export function differenceOf(entry: Entry): usize {
  return changetype<usize>(entry) + HEADER;
}
