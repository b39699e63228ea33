/**
 * The search through all states that the actors can reach: in breadth, which finds the shortest way to
 * everything, or in depth. Sleep sets (Godefroid 1996) leave out steps that would only swap two independent
 * ones, and no state: whoever has taken a step from a state puts it to sleep for the actors after it, until
 * something that depends on it has happened.
 */
import {
  EXPLORE_BREADTH_FIRST,
  EXPLORE_DEPTH_FIRST,
  EXPLORE_DONE,
  EXPLORE_MEMORY,
  EXPLORE_RUNNING,
  EXPLORE_STATES,
  FOUND_BROKEN,
} from "../../abi";
import { brokenIn, isCorrupt } from "../../check/explored";
import { noteEnd } from "./ends";
import { noteBroken } from "./events";
import { differenceOf, nrEntries, pushMachine, takeEntry } from "./frontier";
import { decodeDifference, hashHigh, hashLow, loadPresent, revert, setHash, toggleContext } from "./image";
import { independentOf } from "./independence";
import { Search, allActors, search } from "./search";
import { brokenByStep, lastTransition, steppingActor, takeStep } from "./step";
import {
  NO_STATE,
  addState,
  findState,
  hashHighOf,
  hashLowOf,
  isExpanded,
  isFull,
  setExpanded,
  setSleep,
  sleepOf,
} from "./visited";

/** Of an entry of the frontier: all actors that do not sleep are to be tried. */
export const EVERYBODY: i32 = -1;

export function isExpansion(strategy: i32): bool {
  return strategy == EXPLORE_BREADTH_FIRST || strategy == EXPLORE_DEPTH_FIRST;
}

function backToState(s: Search): void {
  setHash(hashLowOf(s.state), hashHighOf(s.state));
}

/** Takes the next state from the frontier. */
function beginExpansion(s: Search): void {
  const entry = takeEntry(s.strategy == EXPLORE_DEPTH_FIRST);
  s.state = entry.state;
  s.depth = entry.depth;
  s.broken = entry.broken;
  s.lastActor = entry.lastActor;
  s.switches = entry.switches;
  s.sleep = sleepOf(s.state);
  const whole = entry.actors == EVERYBODY;
  s.todo = whole ? allActors() & ~s.sleep : entry.actors;
  s.anyStep = !whole || s.sleep != 0 ? 1 : 0; // who sleeps could take a step
  decodeDifference(differenceOf(entry));
  setExpanded(s.state);
  backToState(s);
}

/** True if the last step is what is to be avoided: no way on is of interest. */
function isToAvoid(s: Search, byStep: u64): bool {
  if (s.avoidKind != FOUND_BROKEN || s.avoidTransition != lastTransition()) return false;
  const broken = (brokenIn(false) & ~s.broken) | byStep;
  return (broken & ((<u64>1) << s.avoidWhat)) != 0;
}

/** Adds the machine, which no step has reached before, to the frontier. */
function addNewState(s: Search, actor: i32, childSleep: i32, switches: i32): bool {
  const child = addState(hashLow, hashHigh, s.state, actor, childSleep);
  const broken = brokenIn(false);
  const newly = broken & ~s.broken;
  if (newly != 0) noteBroken(FOUND_BROKEN, newly, lastTransition(), s.state, actor, s.depth + 1);
  s.deepest = max<i32>(s.deepest, s.depth + 1);
  if (isCorrupt(broken)) return true;
  if (s.depth + 1 < s.maxDepth) return pushMachine(child, EVERYBODY, s.depth + 1, broken, actor, switches);
  s.cutByDepth = 1;
  return true;
}

/** Sees to it that a known state is expanded by those whom this way there does not let sleep. */
function wakeIn(s: Search, child: i32, childSleep: i32, actor: i32, switches: i32): bool {
  const asleep = sleepOf(child);
  const woken = asleep & ~childSleep;
  if (woken == 0) return true;
  setSleep(child, asleep & childSleep);
  if (!isExpanded(child)) return true;
  if (s.depth + 1 >= s.maxDepth) {
    s.cutByDepth = 1;
    return true;
  }
  return pushMachine(child, woken, s.depth + 1, brokenIn(false), actor, switches);
}

/** Where the step of `actor` has led. Returns EXPLORE_*. */
function arrive(s: Search, actor: i32, childSleep: i32): i32 {
  const byStep = brokenByStep();
  if (byStep != 0) noteBroken(FOUND_BROKEN, byStep, lastTransition(), s.state, actor, s.depth + 1);
  if (isToAvoid(s, byStep)) return EXPLORE_RUNNING;
  const switches = s.lastActor >= 0 && s.lastActor != actor ? s.switches + 1 : s.switches;
  if (s.maxSwitches > 0) {
    toggleContext(s.lastActor, s.switches);
    toggleContext(actor, switches);
    if (switches > s.maxSwitches) {
      s.cutBySwitches = 1;
      return EXPLORE_RUNNING;
    }
  }
  const child = findState(hashLow, hashHigh);
  if (child == NO_STATE && isFull()) return EXPLORE_STATES;
  const room =
    child == NO_STATE
      ? addNewState(s, actor, childSleep, switches)
      : wakeIn(s, child, childSleep, actor, switches);
  return room ? EXPLORE_RUNNING : EXPLORE_MEMORY;
}

/** Tries an actor. Returns EXPLORE_*. */
function expandBy(s: Search, actor: i32): i32 {
  const childSleep = s.reducing != 0 ? independentOf(actor, s.sleep) : 0;
  if (!takeStep(actor)) {
    // It waits, or its step changes nothing: to put that to sleep would let it sleep for ever.
    return EXPLORE_RUNNING;
  }
  s.nrTransitions += 1;
  s.anyStep = 1;
  const result = arrive(s, actor, childSleep);
  revert();
  backToState(s);
  if (result == EXPLORE_RUNNING) s.sleep |= 1 << actor;
  return result;
}

/** The actor has been tried. */
function endTrial(s: Search, actor: i32): void {
  s.todo &= ~(1 << actor);
  if (s.todo == 0 && s.anyStep == 0) noteEnd(s);
}

/** Goes on for about `budget` steps. Returns EXPLORE_*. */
export function expand(budget: i32): i32 {
  const s = search();
  const end = s.nrTransitions + <u64>budget;
  while (s.nrTransitions < end && s.avoided == 0) {
    if (s.todo == 0) {
      if (nrEntries == 0) return EXPLORE_DONE;
      beginExpansion(s);
      if (s.todo == 0) continue;
    }
    const actor = ctz(s.todo);
    const result = expandBy(s, actor);
    if (result != EXPLORE_RUNNING) return result;
    endTrial(s, actor);
  }
  return s.avoided != 0 ? EXPLORE_DONE : EXPLORE_RUNNING;
}

/** Goes on after a crash in the step that was under way. */
export function afterCrash(): void {
  const s = search();
  s.anyStep = 1;
  s.sleep |= 1 << steppingActor;
  loadPresent();
  backToState(s);
  endTrial(s, steppingActor);
}
