/**
 * The record of the first violation that verify() finds; and, for who asks for all of them, the set of what
 * does not hold: a bit for each invariant, its number, and one for each counter of the host.
 */
import { BROKEN_COUNTERS, INV_VMSTAT, NR_ANON_PAGES } from "../abi";
import { machine } from "../state/machine";

const ANY: i32 = -1;

let collecting = false;
let wanted: i32 = ANY; // the bit whose first violation is to be recorded
let broken: u64 = 0;

/** From now on verify() goes on after a violation, and records the first one of the bit `wanted`. */
export function beginCollecting(wantedBit: i32): void {
  collecting = true;
  wanted = wantedBit;
  broken = 0;
}

/** Returns the set of what verify() has found broken since. */
export function endCollecting(): u64 {
  collecting = false;
  wanted = ANY;
  return broken;
}

/** The first violation if that ends the check: INV_*, else 0. */
export function violation(): i32 {
  return collecting ? 0 : machine().badInvariant;
}

/**
 * Notes a violation; the record is that of the first. `object` is a process, vCPU, work item, mapping, list
 * or table, as the invariant says.
 */
export function bad(invariant: i32, pfn: i32, object: i32, expected: i64, found: i64): void {
  const bit = invariant == INV_VMSTAT ? BROKEN_COUNTERS + object - NR_ANON_PAGES : invariant;
  broken |= (<u64>1) << bit;
  const m = machine();
  if (m.badInvariant != 0 || (wanted != ANY && wanted != bit)) return;
  m.badInvariant = invariant;
  m.badPfn = pfn;
  m.badObject = object;
  m.badExpected = expected;
  m.badFound = found;
}

/** Notes a violation if the two differ. */
export function expectEqual(invariant: i32, pfn: i32, object: i32, expected: i64, found: i64): void {
  if (expected != found) bad(invariant, pfn, object, expected, found);
}
