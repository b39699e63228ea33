/** The record of the first violation that verify() finds. */
import { machine } from "../state/machine";

export function violation(): i32 {
  return machine().badInvariant;
}

/**
 * Notes a violation unless one is noted already. `object` is a process, vCPU, work item, mapping, list or
 * table, as the invariant says.
 */
export function bad(invariant: i32, pfn: i32, object: i32, expected: i64, found: i64): void {
  const m = machine();
  if (m.badInvariant != 0) return;
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
