/** One step of the search: what an actor does to the present state, and what that breaks. */
import {
  BROKEN_UNLOCKED_MAPPING,
  BROKEN_UNLOCKED_PRIVATE,
  CFG_MAX_PFN,
  FIRST_PFN,
  PAGE_RECORD_SIZE,
  PG_LOCKED,
  STEP_BLOCKED,
} from "../../abi";
import { config, pagesPtr } from "../../arena";
import { stepActor } from "../../actors/actors";
import { actorAt } from "../../state/actor";
import { machine } from "../../state/machine";
import { Page, pageAt } from "../../state/page";
import { compareWithPresent, hasChangedWithin, nrChanged, presentOf } from "./image";
import { normalise } from "./normalise";

/** The actor whose step is under way: if the simulated kernel crashes, it is that one's doing. */
export let steppingActor: i32 = -1;
let transition: i32 = 0; // TRANSITION_* that it has taken
let lockTaken: i32 = 0; // page whose lock the step has taken and released

/** What an actor does is no state of the machine: its record names it only while the step is under way. */
function tryStep(actor: i32): i32 {
  const result = stepActor(actor);
  transition = actorAt(actor).transition;
  actorAt(actor).transition = 0;
  return result;
}

/** TRANSITION_* that an actor would take, were it not blocked. */
export function awaitedTransition(actor: i32): i32 {
  tryStep(actor);
  return transition;
}

/**
 * Takes the next step of an actor from the present state, and makes the hash that of the machine then.
 * Returns false if it cannot take one, or one that changes nothing.
 */
export function takeStep(actor: i32): bool {
  steppingActor = actor;
  if (tryStep(actor) == STEP_BLOCKED) return false;
  lockTaken = machine().lockTaken;
  normalise();
  compareWithPresent();
  return nrChanged > 0;
}

/** TRANSITION_* of the step that was taken last, or in which the simulated kernel has crashed. */
export function lastTransition(): i32 {
  return machine().crashKind != 0 ? actorAt(steppingActor).transition : transition;
}

/** A page that is mapped before and after keeps mapping and private unless its lock is held. */
function isProtected(pfn: i32, before: Page, after: Page): bool {
  if (before.mapcount == 0 || after.mapcount == 0) return false;
  return ((before.flags | after.flags) & PG_LOCKED) == 0 && lockTaken != pfn;
}

/** The set of what the last step has done that no step may do, whatever the state. */
export function brokenByStep(): u64 {
  let broken: u64 = 0;
  if (!hasChangedWithin(pagesPtr, <usize>config(CFG_MAX_PFN) * PAGE_RECORD_SIZE)) return broken;
  const table = presentOf(pagesPtr);
  for (let pfn = FIRST_PFN; pfn < config(CFG_MAX_PFN); pfn++) {
    const after = pageAt(pfn);
    const before = changetype<Page>(changetype<usize>(after) + table);
    const mapping = before.mapping != after.mapping;
    const word = before.privateWord != after.privateWord;
    if ((!mapping && !word) || !isProtected(pfn, before, after)) continue;
    if (mapping) broken |= (<u64>1) << BROKEN_UNLOCKED_MAPPING;
    if (word) broken |= (<u64>1) << BROKEN_UNLOCKED_PRIVATE;
  }
  return broken;
}
