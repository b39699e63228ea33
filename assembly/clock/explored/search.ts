/** What a search knows of itself: its bounds, how far it is, and the state that it is at. */
import { nrActors } from "../../state/actor";
import { reserve } from "./memory";

@unmanaged
export class Search {
  strategy: i32; // EXPLORE_*
  maxDepth: i32;
  maxSwitches: i32; // 0 = no bound
  reducing: i32; // with sleep sets
  avoidKind: i32; // FOUND_*: is there a way on that ends well without it? 0 = all ways are of interest
  avoidWhat: i32;
  avoidTransition: i32;
  avoided: i32; // there is one
  deepest: i32;
  cutByDepth: i32;
  cutBySwitches: i32;
  nrTransitions: u64;

  state: i32; // that is being expanded, or that the walk has reached
  depth: i32;
  broken: u64; // what does not hold in it
  todo: i32; // actors that are still to be tried
  sleep: i32; // actors that need not be
  anyStep: i32; // somebody can take a step
  lastActor: i32;
  switches: i32;
  walksLeft: i32;
  longest: i32; // steps of the longest walk
  random: u64;
}

let record: usize = 0;

export function initSearch(): bool {
  record = reserve(offsetof<Search>());
  if (record == 0) return false;
  memory.fill(record, 0, offsetof<Search>());
  return true;
}

export function search(): Search {
  return changetype<Search>(record);
}

/** All actors, one bit each. */
export function allActors(): i32 {
  return (1 << nrActors()) - 1;
}
