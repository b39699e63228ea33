/** Plays a schedule: what each step does, and the machine after it. */
import type { KernelCrash } from "../../core/core.ts";
import type { ModelMachine } from "./machine.ts";
import type { Schedule } from "./schedule.ts";

export interface PlayedStep {
  readonly actor: number;
  /** TRANSITION_* */
  readonly transition: number;
  /** The set of what does not hold after it. */
  readonly broken: bigint;
  /** The set of what the step itself has done that no step may do. */
  readonly byStep: bigint;
}

export interface Played {
  readonly steps: readonly PlayedStep[];
  /** The crash in the last step, null if there was none. */
  readonly crash: KernelCrash | null;
  /** Steps of the schedule that could not be taken, by position. */
  readonly skipped: readonly number[];
}

/** Readies a machine for play(): as it is now, every schedule begins. */
export function beginPlaying(machine: ModelMachine): void {
  machine.core.read((x) => x.beginSchedule());
}

/**
 * Takes the steps of a schedule from the beginning, up to a crash. A step that cannot be taken is skipped.
 * `after` is called after each step.
 */
export function play(machine: ModelMachine, schedule: Schedule, after?: (actor: number) => void): Played {
  const { core } = machine;
  core.read((x) => {
    x.restartSchedule();
  });
  const steps: PlayedStep[] = [];
  const skipped: number[] = [];
  for (const [position, actor] of schedule.entries()) {
    const taken = core.run((x) => x.scheduleStep(actor));
    if (taken !== undefined && !taken) {
      skipped.push(position);
      continue;
    }
    const transition = core.read((x) => x.lastTransition());
    const crash = core.crash;
    const broken = crash === null ? core.read((x) => BigInt.asUintN(64, x.brokenIn(false))) : 0n;
    const byStep = crash === null ? core.read((x) => BigInt.asUintN(64, x.brokenByLastStep())) : 0n;
    steps.push({ actor, transition, broken, byStep });
    after?.(actor);
    if (crash !== null) return { steps, crash, skipped };
  }
  return { steps, crash: null, skipped };
}

/** Whether nobody can take a step in the machine as it is, which it still is afterwards. */
export function isAtEnd(machine: ModelMachine, schedule: Schedule): boolean {
  return machine.actors.every((_, actor) => {
    const played = play(machine, [...schedule, actor]);
    return played.skipped.includes(schedule.length);
  });
}
