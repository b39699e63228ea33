/**
 * What a search has come upon: for each kind, and each transition that led to it, the way there that is
 * shortest. The outside takes a way again to see what it is.
 */
import {
  FOUND_CRASH,
  FOUND_DEPTH,
  FOUND_SIZE,
  FOUND_STATE,
  FOUND_ACTOR,
  FOUND_KIND,
  FOUND_TRANSITION,
  FOUND_WHAT,
  MAX_FOUND,
} from "../../abi";
import { reserve } from "./memory";

@unmanaged
class FoundEvent {
  kind: i32; // FOUND_*
  what: i32; // bit of the invariant, or invariant and function of a crash
  transition: i32; // TRANSITION_* that led to it
  state: i32; // from which
  actor: i32; // by whom, -1 = nobody can take a step
  depth: i32; // steps to there, that one included
}

if (offsetof<FoundEvent>() > <usize>FOUND_SIZE) ERROR("size of an event");
if (offsetof<FoundEvent>("kind") != FOUND_KIND) ERROR("FoundEvent record");
if (offsetof<FoundEvent>("what") != FOUND_WHAT) ERROR("FoundEvent record");
if (offsetof<FoundEvent>("transition") != FOUND_TRANSITION) ERROR("FoundEvent record");
if (offsetof<FoundEvent>("state") != FOUND_STATE) ERROR("FoundEvent record");
if (offsetof<FoundEvent>("actor") != FOUND_ACTOR) ERROR("FoundEvent record");
if (offsetof<FoundEvent>("depth") != FOUND_DEPTH) ERROR("FoundEvent record");

let events: usize = 0;
export let nrFound: i32 = 0;
export let foundFull = false; // more kinds than there is room for

export function initEvents(): bool {
  nrFound = 0;
  foundFull = false;
  events = reserve(<u64>MAX_FOUND * FOUND_SIZE);
  return events != 0;
}

/** Where the events are, for the outside. */
export function eventsAddress(): usize {
  return events;
}

function eventAt(position: i32): FoundEvent {
  return changetype<FoundEvent>(events + <usize>position * FOUND_SIZE);
}

function find(kind: i32, what: i32, transition: i32): i32 {
  for (let i = 0; i < nrFound; i++) {
    const event = eventAt(i);
    if (event.kind == kind && event.what == what && event.transition == transition) return i;
  }
  return nrFound;
}

/** Notes an event, unless it is known and this way there is no shorter. */
export function noteEvent(kind: i32, what: i32, transition: i32, state: i32, actor: i32, depth: i32): void {
  const position = find(kind, what, transition);
  foundFull = foundFull || position == MAX_FOUND;
  if (position == MAX_FOUND) return;
  const event = eventAt(position);
  if (position < nrFound && event.depth <= depth) return;
  nrFound = max<i32>(nrFound, position + 1);
  event.kind = kind;
  event.what = what;
  event.transition = transition;
  event.state = state;
  event.actor = actor;
  event.depth = depth;
}

/** Notes each of the invariants of a set. */
export function noteBroken(
  kind: i32,
  broken: u64,
  transition: i32,
  state: i32,
  actor: i32,
  depth: i32,
): void {
  assert(kind != FOUND_CRASH, "noteBroken: a crash breaks one invariant");
  for (let bits = broken; bits != 0; bits &= bits - 1) {
    noteEvent(kind, <i32>ctz(bits), transition, state, actor, depth);
  }
}
