/** What is said of a finding wherever it is told. */
import type { Finding, ScheduleStep } from "../run/explore/result.ts";
import { formatCount } from "./format.ts";

/** The command that plays the schedule again, for a shell. */
export function replayCommand({ schedule }: { readonly schedule: string }): string {
  return `pinshift replay '${schedule.replaceAll("'", String.raw`'\''`)}'`;
}

/** "14 steps". */
export function counted(nr: number, what: string): string {
  return `${formatCount(nr)} ${what}${nr === 1 ? "" : "s"}`;
}

/** "“take reference” in get_page": the transition that broke it, and where. */
export function brokenText({ steps, brokenBy, transition }: Finding): string {
  const step = steps[brokenBy];
  return step === undefined ? `“${transition}”` : `“${transition}” in ${step.function}`;
}

/** "INV-REF (invariant): count of page 9". */
export function findingTitle({ invariant, kind, field, pfn }: Finding): string {
  return `${invariant} (${kind}): ${field}${pfn === 0 ? "" : ` of page ${pfn}`}`;
}

/** The actors in the order in which they first take a step. */
export function actorsOf({ steps }: Pick<Told, "steps">): string[] {
  return [...new Set(steps.map(({ actor }) => actor))];
}

export const BROKEN_MARK = "✗";
export const INEVITABLE_MARK = "◆";

export interface MarkedStep {
  readonly mark: string;
  readonly index: number;
  readonly text: string;
}

/** Steps to be told, and what some of them are marked for. */
export interface Told {
  readonly steps: readonly ScheduleStep[];
  readonly marked: readonly MarkedStep[];
}

/** "◆✗": the marks of a step, each once. */
export function marksOf({ marked }: Told, index: number): string {
  return [...new Set(marked.filter((step) => step.index === index).map(({ mark }) => mark))].join("");
}

/** The two marked steps in the order of the story, each with what it means. */
export function markedSteps(finding: Finding): MarkedStep[] {
  const { brokenBy, inevitableFrom, steps } = finding;
  const broken = steps[brokenBy];
  const marked: MarkedStep[] = [];
  if (inevitableFrom !== null && steps[inevitableFrom] !== undefined) {
    marked.push({
      mark: INEVITABLE_MARK,
      index: inevitableFrom,
      text:
        inevitableFrom === brokenBy
          ? "avoidable up to here: before this step another order of those left avoids it"
          : "inevitable from here on: no order of the steps left ends well without it",
    });
  }
  if (broken !== undefined) {
    marked.push({
      mark: BROKEN_MARK,
      index: brokenBy,
      text: `${broken.actor} breaks ${finding.invariant}: ${finding.detail}`,
    });
  }
  return marked;
}

/** The story of a finding. */
export function toldOf(finding: Finding): Told {
  return { steps: finding.steps, marked: markedSteps(finding) };
}
