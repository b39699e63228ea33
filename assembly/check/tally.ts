/**
 * Counts by id in the scratch memory: of frames, objects, processes, contexts. A table with more ids than fit
 * is recounted a window at a time.
 */
import { TABLE_SCRATCH } from "../abi";
import { tablePtr, tableSize } from "../arena";
import { violation } from "./violation";

@unmanaged
export class Tally {
  refs: i32; // references that were found
  users: i32; // of a frame its PTEs, of an object its VMAs, of a process its vCPUs
}

const TALLY_SHIFT: usize = 3;
if (offsetof<Tally>() != 1 << TALLY_SHIFT) ERROR("size of a tally");

let windowStart = 0;
let windowEnd = 0;

export function tallied(id: i32): bool {
  return id >= windowStart && id < windowEnd;
}

/** The tally of an id of the present window. */
export function tallyOf(id: i32): Tally {
  return changetype<Tally>(tablePtr(TABLE_SCRATCH) + ((<usize>(id - windowStart)) << TALLY_SHIFT));
}

export function addRefs(id: i32, refs: i32): void {
  if (tallied(id)) tallyOf(id).refs += refs;
}

/** One user of `id`, which holds `refs` references. */
export function addUser(id: i32, refs: i32): void {
  if (!tallied(id)) return;
  const tally = tallyOf(id);
  tally.refs += refs;
  tally.users += 1;
}

/** Has `recount` count and compare the ids start … end-1, window by window, up to the first violation. */
export function recountWindows(nr: i32, recount: (start: i32, end: i32) => void): void {
  const scratch = tablePtr(TABLE_SCRATCH);
  const size = <i32>(tableSize(TABLE_SCRATCH) >> TALLY_SHIFT);
  for (let start = 0; start < nr && violation() == 0; start = windowEnd) {
    windowStart = start;
    windowEnd = start + min<i32>(size, nr - start);
    memory.fill(scratch, 0, (<usize>(windowEnd - start)) << TALLY_SHIFT);
    recount(start, windowEnd);
  }
}
