/**
 * The arrays of move_pages(2): a virtual page and a node per entry, and a status. A call about a plain range
 * of pages and one node needs no arrays, so that it may be larger than they are; its statuses are not kept.
 */
import { TABLE_ENTRIES, TABLE_STATUS } from "../abi";
import { tablePtr } from "../arena";
import { machine } from "../state/machine";

/** Makes the entries those of the range that starts at `vpn`, all for `node`. */
export function useRange(vpn: i32, node: i32): void {
  const m = machine();
  m.rangeEntries = 1;
  m.rangeVpn = vpn;
  m.rangeNode = node;
}

export function useArrays(): void {
  machine().rangeEntries = 0;
}

/** Virtual page of an entry; an address in no mapping is written as -1. */
export function entryVpn(entry: i32): i32 {
  const m = machine();
  return m.rangeEntries != 0
    ? m.rangeVpn + entry
    : load<i32>(tablePtr(TABLE_ENTRIES) + ((<usize>entry) << 3));
}

export function entryNode(entry: i32): i32 {
  const m = machine();
  return m.rangeEntries != 0 ? m.rangeNode : load<i32>(tablePtr(TABLE_ENTRIES) + ((<usize>entry) << 3), 4);
}

export function setStatus(entry: i32, status: i32): void {
  if (machine().rangeEntries == 0) store<i32>(tablePtr(TABLE_STATUS) + ((<usize>entry) << 2), status);
}

export function fillStatus(start: i32, end: i32, status: i32): void {
  if (machine().rangeEntries != 0) return;
  for (let entry = start; entry < end; entry++) setStatus(entry, status);
}
