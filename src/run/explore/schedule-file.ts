/** Files that `pinshift replay` plays: schedules with their model, reports of `explore`, bare strings. */
import { SimError } from "../../errors.ts";
import { parseJson } from "../validate/json.ts";
import type { Finding } from "./result.ts";
import { type NamedSchedule, parseSchedule } from "./schedule.ts";

/** A finding that needs nothing else to be played again. */
export interface ScheduleFile {
  readonly version: string;
  readonly schedule: string;
  readonly invariant: string;
  readonly transition: string;
  readonly field: string;
  readonly kind: string;
  readonly detail: string;
  /** The model as YAML. */
  readonly yaml: string;
}

export function scheduleFile(finding: Finding, yaml: string, version: string): ScheduleFile {
  const { schedule, invariant, transition, field, kind, detail } = finding;
  return { version, schedule, invariant, transition, field, kind, detail, yaml };
}

/** "01-INV-LOCK-store-private.json": the name of the file of a finding. */
export function scheduleFileName({ invariant, transition }: Finding, nr: number): string {
  const slug = transition.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");
  return `${String(nr).padStart(2, "0")}-${invariant}-${slug}.json`;
}

export interface ReadSchedule extends NamedSchedule {
  /** The model as YAML, if the file has it. */
  readonly yaml: string | undefined;
}

function refuse(message: string): never {
  throw new SimError("ERR_ARGUMENT", message);
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null
    ? Object.entries(value).find(([key]) => key === name)?.[1]
    : undefined;
}

/** The finding that is asked for, or the file itself if it has none. */
function partOf(value: unknown, file: string, finding: number | undefined): unknown {
  const findings = fieldOf(value, "findings");
  if (!Array.isArray(findings)) {
    if (finding !== undefined) refuse(`--finding: ${file} has no findings to choose from`);
    return value;
  }
  const nr = finding ?? 1;
  if (findings.length === 0) refuse(`${file}: there is no finding in it`);
  if (nr > findings.length) refuse(`--finding: ${nr} is more than the ${findings.length} that ${file} has`);
  return findings[nr - 1];
}

function parse(text: string, file: string): NamedSchedule {
  try {
    return parseSchedule(text);
  } catch (cause) {
    throw cause instanceof SimError
      ? new SimError(cause.code, `${file}: ${cause.message}`, { cause })
      : cause;
  }
}

/**
 * Reads what a file has to play. `finding` counts from 1.
 *
 * @throws {SimError} ERR_RECORDING if it is no JSON, ERR_ARGUMENT if there is no schedule in it.
 */
export function readSchedule(text: string, file: string, finding?: number): ReadSchedule {
  if (!text.trimStart().startsWith("{")) {
    if (finding !== undefined) refuse(`--finding: ${file} has no findings to choose from`);
    return { ...parse(text.trim(), file), yaml: undefined };
  }
  const part = partOf(parseJson(text, file), file, finding);
  const schedule = fieldOf(part, "schedule");
  if (typeof schedule !== "string") refuse(`${file}: it is neither a report of explore nor a schedule`);
  const yaml = fieldOf(part, "yaml");
  return { ...parse(schedule, file), yaml: typeof yaml === "string" ? yaml : undefined };
}
