/**
 * A crash of the simulated kernel: the machine stops where it is, with its locks held and its pages isolated.
 * `unreachable` unwinds the wasm stack without touching the state; the host reads the record and refuses
 * further operations. A failed assertion of ours leaves no record and is a panic of Pinshift instead.
 */
import { CRASH_NONE } from "../abi";
import { machine } from "./machine";

/** Records the crash and stops. `fn` was called by `caller`, and that by `caller2` (FN_*, 0 = not named). */
export function crash(kind: i32, fn: i32, caller: i32, pfn: i32, invariant: i32, caller2: i32 = 0): void {
  const m = machine();
  assert(m.crashKind == CRASH_NONE, "crash: the machine has stopped already");
  m.crashKind = kind;
  m.crashFunction = fn;
  m.crashCaller = caller;
  m.crashCaller2 = caller2;
  m.crashPfn = pfn;
  m.crashInvariant = invariant;
  unreachable();
}
