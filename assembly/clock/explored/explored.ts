/** The explored clock, as the outside drives it: begin, go on for a while, go on after a crash. */
import { EXPLORE_ACTORS, EXPLORE_MAX_STATES } from "../../abi";
import { isUnfinished } from "../../actors/actors";
import { brokenIn } from "../../check/explored";
import { actorAt, nrActors } from "../../state/actor";
import { machine } from "../../state/machine";
import { noteCrash } from "./ends";
import { foundFull, initEvents, nrFound } from "./events";
import { EVERYBODY, afterCrash, expand, isExpansion } from "./explorer";
import { initFrontier, nrEntries, pushMachine } from "./frontier";
import {
  hashHigh,
  hashImage,
  hashLow,
  imageSize,
  initImages,
  initialPtr,
  loadInitial,
  presentPtr,
  saveImage,
} from "./image";
import { beginLayout } from "./memory";
import { initSearch, search } from "./search";
import { addState, initVisited, nrStates } from "./visited";
import { endCrashedWalk, initWalks, walk } from "./walk";

/**
 * Begins a search from the machine as it is, for at most `maxStates` states, `maxDepth` steps and
 * `maxSwitches` context switches (0: any number); with sleep sets if `reduce`. Returns false without memory.
 */
export function beginSearch(
  strategy: i32,
  maxStates: i32,
  maxDepth: i32,
  maxSwitches: i32,
  reduce: bool,
): bool {
  assert(nrActors() <= EXPLORE_ACTORS, "beginSearch: sets of actors have 16 bits");
  assert(maxStates <= EXPLORE_MAX_STATES, "beginSearch: too many states");
  machine().interleaved = 1;
  beginLayout();
  if (!initSearch() || !initImages() || !initEvents() || !initVisited(maxStates)) return false;
  const broken = brokenIn(false);
  if (!initWalks(0, broken) || !initFrontier()) return false;
  saveImage(initialPtr);
  saveImage(presentPtr);
  hashImage(initialPtr);
  const s = search();
  s.strategy = strategy;
  s.maxDepth = maxDepth;
  s.maxSwitches = maxSwitches;
  // Of two orders of independent steps one may be within a bound of switches, and the other not.
  s.reducing = reduce && maxSwitches == 0 ? 1 : 0;
  s.lastActor = -1;
  const first = addState(hashLow, hashHigh, 0, 0, 0);
  return !isExpansion(strategy) || pushMachine(first, EVERYBODY, 0, broken, -1, 0);
}

/** Of a random search: so many walks, and with pct so many points at which priorities change. */
export function setWalks(walks: i32, points: i32, seed: u64): bool {
  const s = search();
  s.walksLeft = walks;
  s.random = seed;
  return initWalks(points, brokenIn(false));
}

/**
 * The search ends as soon as one way has come to an end at which no work is left, without this event. It must
 * not be a reduced one: sleep sets count on both orders of two steps, and no way goes on behind the event.
 */
export function setAvoided(kind: i32, what: i32, transition: i32): void {
  const s = search();
  assert(s.reducing == 0, "setAvoided: with sleep sets");
  s.avoidKind = kind;
  s.avoidWhat = what;
  s.avoidTransition = transition;
}

/** Goes on for about `budget` steps. Returns EXPLORE_*. */
export function continueSearch(budget: i32): i32 {
  return isExpansion(search().strategy) ? expand(budget) : walk(budget);
}

/** The simulated kernel has crashed in a step of the search, which ends a way; the others go on. */
export function crashInSearch(): void {
  const s = search();
  noteCrash(s);
  if (isExpansion(s.strategy)) afterCrash();
  else endCrashedWalk();
}

/** Makes the machine what it was when the search began. */
export function endSearch(): void {
  loadInitial();
}

export function wasAvoided(): bool {
  return search().avoided != 0;
}

/** True if an actor has work left that nobody else will do. */
export function actorIsUnfinished(number: i32): bool {
  return isUnfinished(actorAt(number));
}

/** How far the search is: states, steps, the longest way, entries of the frontier, events. */
export function searchStates(): i32 {
  return nrStates;
}

export function searchTransitions(): f64 {
  return <f64>search().nrTransitions;
}

export function searchDepth(): i32 {
  return search().deepest;
}

export function searchFrontier(): i32 {
  return nrEntries;
}

export function searchEvents(): i32 {
  return nrFound;
}

/** What has cut the search short so far: 1 the bound of the depth, 2 of the switches, 4 room for findings. */
export function searchCuts(): i32 {
  return search().cutByDepth | (search().cutBySwitches << 1) | (foundFull ? 4 : 0);
}

/** Bytes of the machine that a search copies. */
export function searchImageBytes(): usize {
  return imageSize;
}
