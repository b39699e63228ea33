/** Which machine an actor is, and what it has left to do. */
import {
  ACTOR_ENTRY,
  ACTOR_GUEST,
  ACTOR_IO,
  ACTOR_MIGRATOR,
  ACTOR_PINNER,
  ACTOR_PROCESS,
  ACTOR_RECLAIMER,
  ACTOR_RESET,
  ACTOR_WORKER,
  STEP_BLOCKED,
} from "../abi";
import { Actor, actorAt } from "../state/actor";
import { entryHasWork, entryStep } from "./entry";
import { Faulter } from "./faulter";
import { Guest, guestStep } from "./guest";
import { ioHasWork, ioStep } from "./io";
import { Migrator, migratorStep } from "./migrator";
import { pinnerStep } from "./pinner";
import { processStep } from "./process";
import { ProcessActor } from "./process_actor";
import { resetStep } from "./reset";
import { Reclaimer, reclaimerStep } from "./reclaimer";
import { Worker, workerHasWork, workerStep } from "./worker";

/** Places an actor. Its record must be empty. */
export function placeActor(number: i32, kind: i32, mm: i32, vcpu: i32, script: i32, options: i32): void {
  const actor = actorAt(number);
  actor.kind = kind;
  actor.mm = mm;
  actor.vcpu = vcpu;
  actor.script = script;
  actor.options = options;
}

/** Takes the next transition of an actor. Returns STEP_*. */
export function stepActor(number: i32): i32 {
  const actor = actorAt(number);
  const kind = actor.kind;
  if (kind == ACTOR_GUEST) return guestStep(changetype<Guest>(actor));
  if (kind == ACTOR_ENTRY) return entryStep(actor);
  if (kind == ACTOR_WORKER) return workerStep(changetype<Worker>(actor));
  if (kind == ACTOR_IO) return ioStep(actor);
  if (kind == ACTOR_MIGRATOR) return migratorStep(changetype<Migrator>(actor));
  if (kind == ACTOR_RECLAIMER) return reclaimerStep(changetype<Reclaimer>(actor));
  if (kind == ACTOR_PROCESS) return processStep(changetype<ProcessActor>(actor));
  if (kind == ACTOR_PINNER) return pinnerStep(changetype<Faulter>(actor));
  if (kind == ACTOR_RESET) return resetStep(actor);
  return STEP_BLOCKED;
}

/** True if an actor has work left that nobody else will do: it is not where a run may end. */
export function isUnfinished(actor: Actor): bool {
  const kind = actor.kind;
  if (kind == ACTOR_ENTRY) return entryHasWork(actor);
  if (kind == ACTOR_WORKER) return workerHasWork(changetype<Worker>(actor));
  if (kind == ACTOR_IO) return ioHasWork(actor);
  return actor.ended == 0;
}
