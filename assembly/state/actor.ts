/**
 * Actors: who does what next on the timed and the explored clock. Each is a small state machine over the
 * transitions of kernel/; its record says how far it is. The machines are in actors/.
 */
import { ACTOR_SIZE, CFG_ACTORS, TABLE_ACTORS } from "../abi";
import { config, tablePtr } from "../arena";

/** What all actors have; a kind that needs more extends it, up to ACTOR_SIZE bytes. */
@unmanaged
export class Actor {
  kind: i32; // ACTOR_*
  pc: i32; // how far its program is; its meaning is the kind's, 0 = not begun
  ended: i32; // it has nothing more to do
  isolated: i32; // page that it has taken off the LRU, 0 = none; migrations have records of their own
  transition: i32; // TRANSITION_*: what it has just done, or has just tried
}

export function actorAt(number: i32): Actor {
  return changetype<Actor>(tablePtr(TABLE_ACTORS) + <usize>number * ACTOR_SIZE);
}

export function nrActors(): i32 {
  return config(CFG_ACTORS);
}
