/** The story of a schedule: what each step does, what it breaks, and where all of them lead. */
import type { KernelCrash } from "../../core/core.ts";
import { hex } from "../../core/hex.ts";
import type { KernelName, PolicyName, RepairName } from "../../core/names.ts";
import { transitionName } from "../../core/transitions.ts";
import { SimError } from "../../errors.ts";
import type { Model } from "../../scenario/model/model.ts";
import { bitsOf, brokenOf, crashField } from "./broken.ts";
import {
  type Detail,
  type FindingName,
  brokenDetail,
  crashDetail,
  stuckDetail,
  stuckName,
  tellSteps,
} from "./finding.ts";
import { type ModelMachine, type Variant, buildMachine } from "./machine.ts";
import { virtualPageOf } from "./page-view.ts";
import { type Played, type PlayedStep, beginPlaying, isAtEnd, play } from "./replay.ts";
import type { PageView, ScheduleStep } from "./result.ts";
import { type Schedule, actorLetter, scheduleText } from "./schedule.ts";

/** What a step breaks that held before it, or what is wrong where nobody can take a step any more. */
export interface Break extends FindingName, Detail {}

export interface StoryStep extends ScheduleStep {
  readonly breaks: readonly Break[];
}

/** The JSON of `pinshift replay`. */
export interface Story {
  readonly command: "replay";
  readonly version: string;
  readonly kernel: KernelName;
  readonly policy: PolicyName;
  readonly repairs: readonly RepairName[];
  readonly model: string;
  readonly title: string;
  readonly schedule: string;
  /** Of the whole state after the last step: equal on every machine. */
  readonly stateHash: string;
  readonly crash: KernelCrash | null;
  /** The page before the first step. */
  readonly before: PageView;
  readonly steps: readonly StoryStep[];
  /** Null if somebody can still take a step; otherwise what is wrong at the end. */
  readonly end: readonly Break[] | null;
}

function actorsText({ actors }: ModelMachine): string {
  return actors.map(({ name }, actor) => `${actorLetter(actor)} (${name})`).join(", ");
}

function refuse(position: number, message: string): never {
  throw new SimError("ERR_ARGUMENT", `schedule: step ${position + 1}: ${message}`);
}

function checkActors(machine: ModelMachine, schedule: Schedule): void {
  const position = schedule.findIndex((actor) => actor >= machine.actors.length);
  if (position < 0) return;
  const letter = actorLetter(schedule[position] ?? 0);
  refuse(position, `the model ${machine.model.name} has no actor ${letter}: it has ${actorsText(machine)}`);
}

/** TRANSITION_* that an actor, which cannot take a step, would take; 0 if it has nothing to do. */
function awaitedTransition(machine: ModelMachine, actor: number): number {
  machine.core.run((x) => x.scheduleStep(actor));
  return machine.core.read((x) => x.lastTransition());
}

/** Says why the step at a position cannot be taken. */
function refuseStep(machine: ModelMachine, schedule: Schedule, position: number): never {
  const actor = schedule[position] ?? 0;
  const who = `${actorLetter(actor)} (${machine.actors[actor]?.name ?? ""})`;
  play(machine, schedule.slice(0, position));
  const awaited = awaitedTransition(machine, actor);
  const isUnfinished = machine.core.read((x) => x.actorIsUnfinished(actor));
  if (awaited === 0 || !isUnfinished) refuse(position, `${who} has nothing to do`);
  const { name, function: fn } = transitionName(awaited);
  refuse(position, `${who} cannot take it, it waits before “${name}” in ${fn}`);
}

/** Plays a schedule of which every step must be taken. */
function playAll(machine: ModelMachine, schedule: Schedule): Played {
  const played = play(machine, schedule);
  const [skipped] = played.skipped;
  if (skipped !== undefined) refuseStep(machine, schedule, skipped);
  if (played.steps.length < schedule.length) {
    refuse(played.steps.length, `the simulated kernel has crashed in step ${played.steps.length}`);
  }
  return played;
}

function crashBreak(crash: KernelCrash, transition: string): Break {
  const { invariant, kind } = crash;
  return { invariant, transition, field: crashField(invariant), kind, ...crashDetail(crash) };
}

function brokenBreak(machine: ModelMachine, bit: number, transition: string, atEnd: boolean): Break {
  return { ...brokenOf(bit), transition, kind: "invariant", ...brokenDetail(machine, bit, atEnd) };
}

/** What a step breaks. What is described must be looked at in the state that the step has led to. */
function stepBreaks(machine: ModelMachine, schedule: Schedule, position: number, played: Played): Break[] {
  const step = played.steps[position];
  if (step === undefined) return [];
  const { name } = transitionName(step.transition);
  if (played.crash !== null && position === played.steps.length - 1) return [crashBreak(played.crash, name)];
  const before: PlayedStep["broken"] = played.steps[position - 1]?.broken ?? 0n;
  const bits = bitsOf((step.broken & ~before) | step.byStep);
  if (bits.length === 0) return [];
  play(machine, schedule.slice(0, position + 1));
  return bits.map((bit) => brokenBreak(machine, bit, name, false));
}

/** What is wrong where nobody can take a step: somebody waits, or what must hold at the end does not. */
function endBreaks(machine: ModelMachine, schedule: Schedule, played: Played): Break[] | null {
  const { core, actors } = machine;
  if (played.crash !== null || !isAtEnd(machine, schedule)) return null;
  play(machine, schedule);
  const stuck = actors.flatMap(({ kind }, actor) =>
    core.read((x) => x.actorIsUnfinished(actor)) ? [{ kind, actor }] : [],
  );
  if (stuck.length > 0) {
    const detail = stuckDetail(machine);
    return stuck.map(({ kind, actor }) => {
      const { name } = transitionName(awaitedTransition(machine, actor));
      return { ...stuckName(kind), transition: name, ...detail };
    });
  }
  const broken = core.read((x) => BigInt.asUintN(64, x.brokenIn(true)));
  const bits = bitsOf(broken & ~(played.steps.at(-1)?.broken ?? 0n));
  return bits.map((bit) => brokenBreak(machine, bit, "end", true));
}

/** The page that the story is about: that of the last break that is about one. */
function pfnOf(breaks: readonly Break[]): number {
  return breaks.findLast(({ pfn }) => pfn !== 0)?.pfn ?? 0;
}

/**
 * Plays a schedule of a model and tells what happens.
 *
 * @throws {SimError} ERR_ARGUMENT naming the step that cannot be taken, and what its actor waits for.
 */
export async function tellStory(
  model: Model,
  variant: Variant,
  schedule: Schedule,
  version: string,
): Promise<Story> {
  const machine = await buildMachine(model, variant);
  checkActors(machine, schedule);
  beginPlaying(machine);
  const played = playAll(machine, schedule);
  const stateHash = hex(machine.core.read((x) => x.stateHash()));
  const breaks = schedule.map((_, position) => stepBreaks(machine, schedule, position, played));
  const end = endBreaks(machine, schedule, played);
  const pfn = pfnOf([...breaks.flat(), ...(end ?? [])]);
  play(machine, schedule);
  const page = Math.max(0, virtualPageOf(machine, pfn));
  const { before, steps } = tellSteps(machine, schedule, page, pfn);
  return {
    command: "replay",
    version,
    ...variant,
    model: model.name,
    title: model.title,
    schedule: scheduleText({ model: model.name, variant, schedule }),
    stateHash,
    crash: played.crash,
    before,
    steps: steps.map((step, position) => ({ ...step, breaks: breaks[position] ?? [] })),
    end,
  };
}
