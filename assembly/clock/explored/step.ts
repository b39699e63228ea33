/** One step of the search: what an actor does to the present state, and what that breaks. */
import {
  BROKEN_UNLOCKED_MAPPING,
  BROKEN_UNLOCKED_PRIVATE,
  CFG_MAX_PFN,
  FIRST_PFN,
  PG_LOCKED,
  STEP_BLOCKED,
} from "../../abi";
import { config, pagesPtr } from "../../arena";
import { stepActor } from "../../actors/actors";
import { actorAt } from "../../state/actor";
import { machine } from "../../state/machine";
import { Page, pageAt } from "../../state/page";
import { compareWithPresent, nrChanged, presentOf } from "./image";
import { normalise } from "./normalise";

/** The actor whose step is under way: if the simulated kernel crashes, it is that one's doing. */
export let steppingActor: i32 = -1;

/**
 * Takes the next step of an actor from the present state, and makes the hash that of the machine then.
 * Returns false if it cannot take one, or one that changes nothing.
 */
export function takeStep(actor: i32): bool {
  steppingActor = actor;
  if (stepActor(actor) == STEP_BLOCKED) return false;
  normalise();
  compareWithPresent();
  return nrChanged > 0;
}

export function transitionOf(actor: i32): i32 {
  return actorAt(actor).transition;
}

/** A page that is mapped before and after keeps mapping and private unless its lock is held. */
function isProtected(pfn: i32, before: Page, after: Page): bool {
  if (before.mapcount == 0 || after.mapcount == 0) return false;
  return ((before.flags | after.flags) & PG_LOCKED) == 0 && machine().lockTaken != pfn;
}

/** The set of what the last step has done that no step may do, whatever the state. */
export function brokenByStep(): u64 {
  let broken: u64 = 0;
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
