/** From an event of the core to a finding: its names, its story, and the words for what is wrong. */
import * as abi from "../../core/abi.ts";
import type { KernelCrash } from "../../core/core.ts";
import { type Invariant, actorKinds, crashName, nameIn } from "../../core/names.ts";
import { transitionName } from "../../core/transitions.ts";
import { type Broken, brokenOf, counterOfBit, crashField } from "./broken.ts";
import { inevitableFrom, shrink } from "./event.ts";
import { type ModelMachine, type Variant, resetMachine } from "./machine.ts";
import { viewPage, virtualPageOf } from "./page-view.ts";
import { type Played, beginPlaying, play } from "./replay.ts";
import type { Finding, FindingKind, PageView, ScheduleStep } from "./result.ts";
import { type Schedule, scheduleText } from "./schedule.ts";
import type { FoundEvent } from "./search.ts";

/** What findings are told from each other by. */
export interface FindingName {
  readonly invariant: Invariant;
  readonly transition: string;
  readonly field: string;
  readonly kind: FindingKind;
}

/** The invariant of a crash, as the core packs it with function and caller. */
function crashInvariant(what: number): Invariant {
  return brokenOf(what & 0xff).invariant;
}

/** Who has work left and can take no step. */
export function stuckName(what: number): Broken & { readonly kind: FindingKind } {
  const name = nameIn(actorKinds, what) ?? "actor";
  const waits = what === abi.ACTOR_GUEST || what === abi.ACTOR_ENTRY || what === abi.ACTOR_IO;
  return { invariant: "INV-LIVE", field: `${name} waits`, kind: waits ? "lost wake-up" : "deadlock" };
}

/** The name of an event. */
export function nameOfEvent(event: FoundEvent): FindingName {
  const transition = event.kind === abi.FOUND_END ? "end" : transitionName(event.transition).name;
  if (event.kind === abi.FOUND_STUCK) {
    const { invariant, field, kind } = stuckName(event.what);
    return { invariant, transition, field, kind };
  }
  if (event.kind === abi.FOUND_CRASH) {
    const invariant = crashInvariant(event.what);
    return { invariant, transition, field: crashField(invariant), kind: crashName(event.what >>> 24) };
  }
  const { invariant, field } = brokenOf(event.what);
  return { invariant, transition, field, kind: "invariant" };
}

/** The page, 0 if it is about none, and the words for what is wrong. */
export interface Detail {
  readonly pfn: number;
  readonly detail: string;
}

/** What a bit of the set of what is broken says of the machine as it is. */
export function brokenDetail({ core }: ModelMachine, bit: number, atEnd: boolean): Detail {
  core.read((x) => {
    x.describeBroken(bit, atEnd);
  });
  const { field } = brokenOf(bit);
  const { pfn, object, expected, found } = core.violation();
  const counter = counterOfBit(bit);
  if (counter !== undefined) return { pfn, detail: `${counter} is ${found}, a recount gives ${expected}` };
  switch (bit) {
    case abi.BROKEN_UNLOCKED_MAPPING:
    case abi.BROKEN_UNLOCKED_PRIVATE:
      return { pfn: 0, detail: `${field} of a mapped page is written without the page lock` };
    case abi.BROKEN_DANGLING:
      return { pfn, detail: `page->private of page ${pfn} points to a context that is freed` };
    case abi.INV_MOVE:
      return { pfn, detail: `page ${pfn} does not move although nobody but async_pf holds it` };
    case abi.INV_TAG:
      return { pfn, detail: `page ${pfn}, which an anonymous PTE maps, is not tagged as anonymous` };
    case abi.INV_CTX:
      return { pfn, detail: `context ${object}: ${expected} expected to name it, ${found} do` };
    default: {
      const where = pfn === 0 ? `object ${object}` : `page ${pfn}`;
      return { pfn, detail: `${field} of ${where}: expected ${expected}, found ${found}` };
    }
  }
}

export function crashDetail({ pfn, kind, trace }: KernelCrash): Detail {
  return { pfn, detail: `${kind}: ${trace.join(" ← ")}` };
}

/** Who has work left although nobody can take a step. */
export function stuckDetail({ core, actors }: ModelMachine): Detail {
  const waiting = actors
    .filter((_, actor) => core.read((x) => x.actorIsUnfinished(actor)))
    .map((actor) => actor.name);
  return { pfn: 0, detail: `nobody can take a step, and ${[...new Set(waiting)].join(", ")} has work left` };
}

function detailOf(machine: ModelMachine, event: FoundEvent, { crash }: Played): Detail {
  if (crash !== null) return crashDetail(crash);
  if (event.kind === abi.FOUND_STUCK) return stuckDetail(machine);
  return brokenDetail(machine, event.what, event.kind === abi.FOUND_END);
}

/** The steps of a schedule with the page after each. */
export function tellSteps(
  machine: ModelMachine,
  schedule: Schedule,
  page: number,
  pfn: number,
): { readonly before: PageView; readonly steps: readonly ScheduleStep[]; readonly played: Played } {
  machine.core.read((x) => {
    x.restartSchedule();
  });
  const before = viewPage(machine, page, pfn);
  const views: PageView[] = [];
  const played = play(machine, schedule, () => views.push(viewPage(machine, page, pfn)));
  const steps = played.steps.map((step, i) => {
    const { name, function: fn } = transitionName(step.transition);
    return {
      actor: machine.actors[step.actor]?.name ?? "",
      transition: name,
      function: fn,
      page: views[i] ?? before,
    };
  });
  return { before, steps, played };
}

/** Tells the story of an event: the shortest schedule, its steps, and the two that matter. */
export function tellFinding(
  machine: ModelMachine,
  variant: Variant,
  event: FoundEvent,
  isShortest: boolean,
): Finding {
  const name = nameOfEvent(event);
  const schedule = shrink(machine, event, isShortest);
  const inevitable = inevitableFrom(machine, event, schedule);
  beginPlaying(machine);
  const played = play(machine, schedule);
  const { pfn, detail } = detailOf(machine, event, played);
  const told = tellSteps(machine, schedule, Math.max(0, virtualPageOf(machine, pfn)), pfn);
  resetMachine(machine);
  return {
    ...name,
    pfn,
    detail,
    schedule: scheduleText({ model: machine.model.name, variant, schedule }),
    before: told.before,
    steps: told.steps,
    brokenBy: told.steps.length - 1,
    inevitableFrom: inevitable,
    models: [machine.model.name],
  };
}
