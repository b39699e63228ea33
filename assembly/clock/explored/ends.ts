/** Where a way ends: nobody can take a step, or the simulated kernel has crashed. */
import { FOUND_CRASH, FOUND_END, FOUND_STUCK } from "../../abi";
import { isUnfinished } from "../../actors/actors";
import { brokenIn } from "../../check/explored";
import { actorAt, nrActors } from "../../state/actor";
import { machine } from "../../state/machine";
import { noteBroken, noteEvent } from "./events";
import { Search } from "./search";
import { awaitedTransition, lastTransition, steppingActor } from "./step";

/** True if somebody has work left. */
function isStuck(): bool {
  for (let number = 0; number < nrActors(); number++) if (isUnfinished(actorAt(number))) return true;
  return false;
}

/** Notes what is wrong with the present state, in which nobody can take a step. */
export function noteEnd(s: Search): void {
  if (!isStuck()) {
    const broken = brokenIn(true);
    const isToAvoid = s.avoidKind == FOUND_END && (broken & ((<u64>1) << s.avoidWhat)) != 0;
    if (s.avoidKind != 0 && !isToAvoid) s.avoided = 1;
    noteBroken(FOUND_END, broken & ~s.broken, 0, s.state, -1, s.depth);
    return;
  }
  for (let number = 0; number < nrActors(); number++) {
    const actor = actorAt(number);
    if (!isUnfinished(actor)) continue;
    noteEvent(FOUND_STUCK, actor.kind, awaitedTransition(number), s.state, -1, s.depth);
  }
}

/** Notes the crash in the step that was under way. */
export function noteCrash(s: Search): void {
  const m = machine();
  const what = m.crashInvariant | (m.crashFunction << 8) | (m.crashCaller << 16) | (m.crashKind << 24);
  s.nrTransitions += 1;
  noteEvent(FOUND_CRASH, what, lastTransition(), s.state, steppingActor, s.depth + 1);
}
