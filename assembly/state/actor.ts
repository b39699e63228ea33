/**
 * Actors: who does what next on the timed and the explored clock. Each is a small state machine over the
 * transitions of kernel/; its record says how far it is. The machines are in actors/.
 */
import { ACTOR_SIZE, ACTOR_TRANSITION, CFG_ACTORS, TABLE_ACTORS } from "../abi";
import { config, tablePtr } from "../arena";

/** What all actors have; a kind that needs more extends it, up to ACTOR_SIZE bytes. */
@unmanaged
export class Actor {
  kind: i32; // ACTOR_*
  pc: i32; // how far its program is; its meaning is the kind's, 0 = not begun
  ended: i32; // it has nothing more to do
  isolated: i32; // page that it has taken off the LRU, 0 = none; migrations have records of their own
  transition: i32; // TRANSITION_*: what it has just done, or has just tried
  mm: i32; // address space that it works in
  vcpu: i32; // of a guest, its entry, its worker or its reset
  script: i32; // what it is to do: up to four operations of 8 bits, the first in the lowest; 0 ends
  options: i32; // of its kind
  heldByAsyncPf: i32; // of a migrator: page that has not moved and that nobody but async_pf held, 0 = none
}

if (offsetof<Actor>("transition") != ACTOR_TRANSITION) ERROR("Actor record");

export const OPERATION_BITS: i32 = 8;
const PAGE_BITS: i32 = 4;

/** OP_* of 8 bits of a script. */
export function operationOf(operation: i32): i32 {
  return operation >> PAGE_BITS;
}

/** The virtual page that they are about. */
export function pageOf(operation: i32): i32 {
  return operation & ((1 << PAGE_BITS) - 1);
}

/** The operation that is next: OP_*, 0 = none is left. */
export function nextOperation(actor: Actor): i32 {
  return operationOf(actor.script & ((1 << OPERATION_BITS) - 1));
}

/** The virtual page that the next operation is about. */
export function nextPage(actor: Actor): i32 {
  return pageOf(actor.script);
}

/** The next operation has been done: the one after it is next. */
export function endOperation(actor: Actor): void {
  actor.script = <i32>(<u32>actor.script >> OPERATION_BITS);
  actor.pc = 0;
  if (actor.script == 0) actor.ended = 1;
}

export function actorAt(number: i32): Actor {
  return changetype<Actor>(tablePtr(TABLE_ACTORS) + <usize>number * ACTOR_SIZE);
}

export function numberOf(actor: Actor): i32 {
  return <i32>((changetype<usize>(actor) - tablePtr(TABLE_ACTORS)) / ACTOR_SIZE);
}

export function nrActors(): i32 {
  return config(CFG_ACTORS);
}
