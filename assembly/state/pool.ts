/**
 * Record pools: tables of equal records, ids from 1. Word 0 of a record is 0 while it is free; word 1 links
 * the free ones. A freed record is cleared, so that a stale id is seen as such.
 */

@unmanaged
class Record {
  state: i32;
  link: i32;
}

function recordAt(table: usize, size: usize, id: i32): Record {
  return changetype<Record>(table + <usize>id * size);
}

/** Threads records 1 … count-1 of a zeroed table into a free list, lowest id first. Returns its head. */
export function poolInit(table: usize, size: usize, count: i32): i32 {
  for (let id = 1; id < count - 1; id++) recordAt(table, size, id).link = id + 1;
  return count > 1 ? 1 : 0;
}

/** The record that follows `id` in the free list, which becomes its new head. */
export function poolNext(table: usize, size: usize, id: i32): i32 {
  const record = recordAt(table, size, id);
  const next = record.link;
  record.link = 0;
  return next;
}

/** Clears a record and puts it in front of the free list; returns `id`, the new head. */
export function poolFree(table: usize, size: usize, id: i32, head: i32): i32 {
  const record = recordAt(table, size, id);
  memory.fill(changetype<usize>(record), 0, size);
  record.link = head;
  return id;
}
