/**
 * Random ways through the states. `random` lets any actor go that can take a step; `pct` that of the highest
 * priority, which falls at depth-1 random points (Burckhardt et al., ASPLOS 2010: it finds a defect that
 * needs d steps in a certain order with a probability of at least 1 / (n k^(d-1))).
 */
import {
  EXPLORE_ACTORS,
  EXPLORE_DONE,
  EXPLORE_PCT,
  EXPLORE_RUNNING,
  EXPLORE_STATES,
  FOUND_BROKEN,
} from "../../abi";
import { brokenIn, isCorrupt } from "../../check/explored";
import { nrActors } from "../../state/actor";
import { noteEnd } from "./ends";
import { noteBroken } from "./events";
import { advance, hashHigh, hashLow, loadInitial, setHash } from "./image";
import { reserve } from "./memory";
import { Search, allActors, search } from "./search";
import { brokenByStep, lastTransition, takeStep } from "./step";
import { NO_STATE, addState, findState, hashHighOf, hashLowOf, isFull } from "./visited";

const MOST_CHANGES: i32 = 15;

let nrChanges: i32 = 0; // points at which a priority falls, in one walk
let priorities: usize = 0; // of the actors
let changes: usize = 0; // the depths of the points
let firstBroken: u64 = 0; // what does not hold in the initial state

export function initWalks(points: i32, broken: u64): bool {
  nrChanges = points;
  firstBroken = broken;
  priorities = reserve(<u64>EXPLORE_ACTORS * 4);
  changes = reserve(<u64>MOST_CHANGES * 4 + 4);
  return priorities != 0 && changes != 0;
}

/** splitmix64, as state/prng.ts has it for the machine, which a walk must not touch. */
function randomBelow(s: Search, bound: i32): i32 {
  s.random += 0x9e3779b97f4a7c15;
  let z = s.random;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return <i32>((z ^ (z >> 31)) % <u64>bound);
}

function priorityOf(actor: i32): i32 {
  return load<i32>(priorities + ((<usize>actor) << 2));
}

function setPriority(actor: i32, priority: i32): void {
  store<i32>(priorities + ((<usize>actor) << 2), priority);
}

/** Random priorities, all different and above those to which they fall, and random points. */
function drawPriorities(s: Search): void {
  for (let actor = 0; actor < nrActors(); actor++) {
    const other = randomBelow(s, actor + 1);
    setPriority(actor, actor == other ? nrChanges + 1 + actor : priorityOf(other));
    if (actor != other) setPriority(other, nrChanges + 1 + actor);
  }
  for (let i = 0; i < nrChanges; i++) {
    store<i32>(changes + ((<usize>i) << 2), 1 + randomBelow(s, max<i32>(1, s.longest)));
  }
}

function beginWalk(s: Search): void {
  s.walksLeft -= 1;
  s.state = 0;
  s.depth = 0;
  s.broken = firstBroken;
  s.todo = allActors();
  loadInitial();
  setHash(hashLowOf(0), hashHighOf(0));
  if (s.strategy == EXPLORE_PCT) drawPriorities(s);
}

/** One of the actors that have not been tried. */
function choose(s: Search): i32 {
  let chosen = -1;
  let nr = 0;
  for (let actor = 0; actor < nrActors(); actor++) {
    if ((s.todo & (1 << actor)) == 0) continue;
    nr += 1;
    if (s.strategy == EXPLORE_PCT) {
      if (chosen < 0 || priorityOf(actor) > priorityOf(chosen)) chosen = actor;
    } else if (randomBelow(s, nr) == 0) {
      chosen = actor;
    }
  }
  return chosen;
}

/** At a point of change whoever has just taken a step falls below all others. */
function lowerPriority(s: Search, actor: i32): void {
  for (let i = 0; i < nrChanges; i++) {
    if (load<i32>(changes + ((<usize>i) << 2)) == s.depth) setPriority(actor, i);
  }
}

/** The walk has got a step further. Returns EXPLORE_*. */
function arrive(s: Search, actor: i32): i32 {
  s.nrTransitions += 1;
  const broken = brokenIn(false);
  const newly = (broken & ~s.broken) | brokenByStep();
  if (newly != 0) noteBroken(FOUND_BROKEN, newly, lastTransition(), s.state, actor, s.depth + 1);
  let child = findState(hashLow, hashHigh);
  if (child == NO_STATE) {
    if (isFull()) return EXPLORE_STATES;
    child = addState(hashLow, hashHigh, s.state, actor, 0);
  }
  s.state = child;
  s.depth += 1;
  s.broken = broken;
  s.todo = allActors();
  s.longest = max<i32>(s.longest, s.depth);
  s.deepest = s.longest;
  if (s.strategy == EXPLORE_PCT) lowerPriority(s, actor);
  advance();
  if (isCorrupt(broken)) endWalk(s);
  return EXPLORE_RUNNING;
}

function endWalk(s: Search): void {
  s.todo = 0;
}

/** Goes on for about `budget` steps. Returns EXPLORE_*. */
export function walk(budget: i32): i32 {
  const s = search();
  const end = s.nrTransitions + <u64>budget;
  while (s.nrTransitions < end) {
    if (s.todo == 0 || s.depth >= s.maxDepth) {
      if (s.walksLeft == 0) return EXPLORE_DONE;
      beginWalk(s);
    }
    const actor = choose(s);
    if (takeStep(actor)) {
      const result = arrive(s, actor);
      if (result != EXPLORE_RUNNING) return result;
      continue;
    }
    s.todo &= ~(1 << actor);
    if (s.todo == 0) noteEnd(s);
  }
  return EXPLORE_RUNNING;
}

/** A crash ends the walk; the next one begins with a machine that runs. */
export function endCrashedWalk(): void {
  endWalk(search());
  loadInitial();
}
