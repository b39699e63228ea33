/** Whether a schedule leads to an event, and how it gets shorter to read. */
import * as abi from "../../core/abi.ts";
import { bitsOf } from "./broken.ts";
import { type ModelMachine, resetMachine } from "./machine.ts";
import { beginPlaying, isAtEnd } from "./replay.ts";
import type { Schedule } from "./schedule.ts";
import { type FoundEvent, slice } from "./search.ts";

const NOTHING = 0n;

function has(set: bigint, bit: number): boolean {
  return bitsOf(set).includes(bit);
}

/** What a crash is told from others by, as the core packs it. */
function crashCode(machine: ModelMachine): number {
  const at = (field: number): number => machine.core.machineField(field);
  return (
    at(abi.MACHINE_CRASH_INVARIANT) |
    (at(abi.MACHINE_CRASH_FUNCTION) << 8) |
    (at(abi.MACHINE_CRASH_CALLER) << 16) |
    (at(abi.MACHINE_CRASH_KIND) << 24)
  );
}

function brokenNow(machine: ModelMachine, resting: boolean): bigint {
  return machine.core.read((x) => BigInt.asUintN(64, x.brokenIn(resting)));
}

/** True if the machine, in which nobody can take a step, is what an event at the end of a run says. */
function endsWith(machine: ModelMachine, event: FoundEvent, schedule: Schedule): boolean {
  if (event.kind === abi.FOUND_END) {
    const broken = brokenNow(machine, true);
    return has(broken, event.what) && isAtEnd(machine, schedule);
  }
  const unfinished = machine.actors.some(
    ({ kind }, actor) => kind === event.what && machine.core.read((x) => x.actorIsUnfinished(actor)),
  );
  return unfinished && isAtEnd(machine, schedule);
}

/**
 * True if a schedule leads to an event with its last step, all of its steps can be taken, and none crashes
 * before. The machine must be ready to play.
 */
export function leadsTo(machine: ModelMachine, event: FoundEvent, schedule: Schedule): boolean {
  const { core } = machine;
  core.read((x) => {
    x.restartSchedule();
  });
  const atEnd = event.kind === abi.FOUND_END || event.kind === abi.FOUND_STUCK;
  let before = NOTHING;
  for (const [position, actor] of schedule.entries()) {
    const isLast = position === schedule.length - 1;
    if (isLast && event.kind === abi.FOUND_BROKEN) before = brokenNow(machine, false);
    const taken = core.run((x) => x.scheduleStep(actor));
    if (taken === undefined) {
      const same =
        crashCode(machine) === event.what && core.read((x) => x.lastTransition()) === event.transition;
      return isLast && event.kind === abi.FOUND_CRASH && same;
    }
    if (!taken) return false;
    if (isLast && !atEnd && core.read((x) => x.lastTransition()) !== event.transition) return false;
  }
  if (event.kind === abi.FOUND_CRASH) return false;
  if (atEnd) return endsWith(machine, event, schedule);
  const byStep = core.read((x) => BigInt.asUintN(64, x.brokenByLastStep()));
  return has((brokenNow(machine, false) & ~before) | byStep, event.what);
}

function switchesOf(schedule: Schedule): number {
  return schedule.filter((actor, i) => i > 0 && actor !== schedule[i - 1]).length;
}

/** Leaves out each step that is not needed. */
function withoutNeedless(machine: ModelMachine, event: FoundEvent, schedule: Schedule): Schedule {
  let shortest = schedule;
  for (let i = 0; i < shortest.length;) {
    const shorter = shortest.toSpliced(i, 1);
    if (leadsTo(machine, event, shorter)) shortest = shorter;
    else i += 1;
  }
  return shortest;
}

/** The schedule with the run of steps from `from` to `end`, exclusive, moved to before position `to`. */
function moved(schedule: Schedule, from: number, end: number, to: number): Schedule {
  const run = schedule.slice(from, end);
  const rest = schedule.toSpliced(from, end - from);
  return rest.toSpliced(to > from ? to - run.length : to, 0, ...run);
}

function runEnd(schedule: Schedule, from: number): number {
  let end = from + 1;
  while (end < schedule.length && schedule[end] === schedule[from]) end += 1;
  return end;
}

/** Moves a run of one actor's steps next to another one, if the schedule still leads there. */
function withLessSwitches(machine: ModelMachine, event: FoundEvent, schedule: Schedule): Schedule {
  for (let from = 0; from < schedule.length; from = runEnd(schedule, from)) {
    const end = runEnd(schedule, from);
    const next = schedule.indexOf(schedule[from] ?? -1, end);
    if (next < 0) continue;
    const later = moved(schedule, from, end, next);
    const earlier = moved(schedule, next, runEnd(schedule, next), end);
    for (const candidate of [earlier, later]) {
      const better = switchesOf(candidate) < switchesOf(schedule);
      if (better && leadsTo(machine, event, candidate)) return candidate;
    }
  }
  return schedule;
}

/** A schedule to the same event, with no needless step, and with few context switches. */
export function shrink(machine: ModelMachine, event: FoundEvent, isShortest: boolean): Schedule {
  beginPlaying(machine);
  let schedule = isShortest ? event.schedule : withoutNeedless(machine, event, event.schedule);
  for (;;) {
    const calmer = withLessSwitches(machine, event, schedule);
    if (calmer === schedule) break;
    schedule = calmer;
  }
  resetMachine(machine);
  return schedule;
}

/** What is searched to find out whether a finding can still be avoided. */
const AVOIDING_STATES = 20_000;
const AVOIDING_DEPTH = 10_000;

/** True unless a search has shown that after the schedule no way ends well without the event. */
function isAvoidableAfter(machine: ModelMachine, event: FoundEvent, schedule: Schedule): boolean {
  const { core } = machine;
  for (const actor of schedule) core.run((x) => x.scheduleStep(actor));
  core.read((x) => {
    x.beginSearch(abi.EXPLORE_DEPTH_FIRST, AVOIDING_STATES, AVOIDING_DEPTH, 0, false);
    x.setAvoided(event.kind, event.what, event.transition);
  });
  let result: number = abi.EXPLORE_RUNNING;
  while (result === abi.EXPLORE_RUNNING) result = slice(core, AVOIDING_STATES);
  const avoidable = result !== abi.EXPLORE_DONE || core.read((x) => x.wasAvoided());
  resetMachine(machine);
  beginPlaying(machine);
  return avoidable;
}

/**
 * Position of the first step after which no order of the rest ends well without the event; null if none does
 * from the beginning. What ends well comes to where no work is left, over no crash and no corrupt memory.
 * Where a search of AVOIDING_STATES does not decide that, the step counts as one that can be made good.
 */
export function inevitableFrom(machine: ModelMachine, event: FoundEvent, schedule: Schedule): number | null {
  beginPlaying(machine);
  let avoidable = -1; // after so many steps it is, but for the first guess
  let lost = schedule.length;
  while (lost - avoidable > 1) {
    const middle = (avoidable + lost) >> 1;
    if (isAvoidableAfter(machine, event, schedule.slice(0, middle))) avoidable = middle;
    else lost = middle;
  }
  resetMachine(machine);
  return lost === 0 ? null : lost - 1;
}
