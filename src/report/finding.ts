/** What is said of a finding wherever it is told. */
import type { Finding } from "../run/explore/result.ts";
import { formatCount } from "./format.ts";

/** The command that plays the schedule again, for a shell. */
export function replayCommand({ schedule }: Finding): string {
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
export function actorsOf({ steps }: Finding): string[] {
  return [...new Set(steps.map(({ actor }) => actor))];
}

export const BROKEN_MARK = "✗";
export const INEVITABLE_MARK = "◆";

/** "◆✗": what a step is to the finding. */
export function marksOf({ brokenBy, inevitableFrom }: Finding, index: number): string {
  return (index === inevitableFrom ? INEVITABLE_MARK : "") + (index === brokenBy ? BROKEN_MARK : "");
}

export interface MarkedStep {
  readonly mark: string;
  readonly index: number;
  readonly text: string;
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
          : "inevitable from here on: no order of the steps left avoids it",
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
