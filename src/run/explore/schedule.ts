/**
 * Schedules: which actor takes the next step. As a string they name the model and the rules too, so that the
 * string alone can be played again: `migrate@v3.12/rfc+L1:a3b2c`. Letters are actors in the order of the
 * model, a number behind one says how many steps it takes.
 */
import { kernels, policies, repairs } from "../../core/names.ts";
import { SimError } from "../../errors.ts";
import { nameOf } from "../../host/config.ts";
import type { Variant } from "./machine.ts";

/** Numbers of actors, one for each step. */
export type Schedule = readonly number[];

export interface NamedSchedule {
  readonly model: string;
  readonly variant: Variant;
  readonly schedule: Schedule;
}

const FIRST_LETTER = "a".charCodeAt(0);
const FORM = /^(?<model>[a-z0-9-]+)@(?<kernel>[^/]+)\/(?<policy>[^+:]+)(?<repairs>(?:\+L\d)*):(?<steps>.*)$/;

/** The letter of an actor in a schedule string. */
export function actorLetter(actor: number): string {
  return String.fromCharCode(FIRST_LETTER + actor);
}

function steps(schedule: Schedule): string {
  let text = "";
  for (let i = 0; i < schedule.length;) {
    const actor = schedule[i] ?? 0;
    let end = i + 1;
    while (end < schedule.length && schedule[end] === actor) end += 1;
    text += actorLetter(actor) + (end - i > 1 ? String(end - i) : "");
    i = end;
  }
  return text;
}

/** "rfc+L1+L2": policy and repairs as schedules and --policy have them. */
export function variantText({ policy, repairs: fixed }: Variant): string {
  return [policy, ...fixed].join("+");
}

export function scheduleText({ model, variant, schedule }: NamedSchedule): string {
  return `${model}@${variant.kernel}/${variantText(variant)}:${steps(schedule)}`;
}

/** True if a text has the form of a schedule string. */
export function isSchedule(text: string): boolean {
  return /^[a-z0-9-]+@/.test(text);
}

function parseSteps(text: string, at: number): Schedule {
  const schedule: number[] = [];
  const step = /([a-p])([1-9]\d{0,3})?/y;
  while (step.lastIndex < text.length) {
    const from = step.lastIndex;
    const match = step.exec(text);
    if (match === null) {
      const found = JSON.stringify(text.slice(from, from + 8));
      throw new SimError(
        "ERR_ARGUMENT",
        `schedule: column ${at + from + 1}: ${found} is no step, such as a or a3`,
      );
    }
    const actor = (match[1] ?? "a").charCodeAt(0) - FIRST_LETTER;
    schedule.push(...Array.from({ length: Number(match[2] ?? 1) }, () => actor));
  }
  return schedule;
}

/**
 * Reads a schedule string.
 *
 * @throws {SimError} ERR_ARGUMENT with the column, ERR_UNKNOWN_NAME for a kernel, policy or repair.
 */
export function parseSchedule(text: string): NamedSchedule {
  const parts = FORM.exec(text)?.groups;
  if (parts === undefined) {
    throw new SimError(
      "ERR_ARGUMENT",
      `schedule: ${JSON.stringify(text.slice(0, 80))} is not of the form MODEL@KERNEL/POLICY:STEPS, ` +
        "such as migrate@v3.12/rfc+L1:a3b2",
    );
  }
  const fixed = (parts["repairs"] ?? "").split("+").filter((name) => name !== "");
  return {
    model: parts["model"] ?? "",
    variant: {
      kernel: nameOf("kernel", kernels, parts["kernel"] ?? ""),
      policy: nameOf("policy", policies, parts["policy"] ?? ""),
      repairs: fixed.map((name) => nameOf("repairs", repairs, name)),
    },
    schedule: parseSteps(parts["steps"] ?? "", text.indexOf(":") + 1),
  };
}
