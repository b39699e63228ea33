/** What a run came to, in a sentence made of its facts. No policy is named: the same facts read the same. */
import type { KernelCrash } from "../core/core.ts";
import type { Invariant } from "../core/names.ts";
import type { SituationResult } from "./situation.ts";

/** What the kernel did when it broke the invariant. */
const causes: Partial<Record<Invariant, string>> = {
  "INV-LOCK": "takes a lock that nobody initialised",
  "INV-NULL": "follows a NULL pointer",
  "INV-UAF": "uses what has been freed",
  "INV-REF": "counts a reference wrong",
  "INV-LIVE": "waits for what never comes",
};

function plural(nr: number, noun: string): string {
  return `${nr} ${noun}${nr === 1 ? "" : "s"}`;
}

function crashSentence(crash: KernelCrash, onPin: boolean): string {
  const [inner, caller] = crash.trace;
  const where = caller === undefined ? inner : `${inner} ← ${caller}`;
  const cause = causes[crash.invariant] ?? "goes wrong";
  const page = onPin ? "a pinned page" : "a page";
  return `${crash.kind} at ${page}: ${where} ${cause} (${crash.invariant})`;
}

/** Everything that is still there after all completions, or wrong. Empty: nothing is. */
function remains(result: SituationResult): string[] {
  const after = result.aftermath;
  if (after === null) return [];
  const { leaks, badRss, violation, crash } = after;
  const found: string[] = [];
  if (leaks.contexts > 0) found.push(`${plural(leaks.contexts, "context")} never freed`);
  if (leaks.lostFaults > 0) found.push(`${plural(leaks.lostFaults, "fault")} never completed`);
  if (leaks.pins > 0) found.push(`${plural(leaks.pins, "reference")} never dropped`);
  if (leaks.badPages > 0) found.push(`${plural(leaks.badPages, "page")} lost in a bad state`);
  if (badRss !== null) found.push("rss counters wrong at exit");
  if (violation !== null) found.push(`breaks ${violation.invariant}`);
  if (crash !== null) found.push(crashSentence(crash, false));
  return found;
}

function whatMoved({ pins, pagesMovedOut }: SituationResult): string {
  if (pagesMovedOut > 0) return `moved, ${plural(pagesMovedOut, "page")} of it before they were pinned`;
  return pins > 0 ? `moved, ${plural(pins, "pinned page")} too` : "nothing was pinned, all moved";
}

function movedSentence(result: SituationResult): string {
  const how = whatMoved(result);
  const left = remains(result);
  return left.length === 0 ? `${how}; nothing left behind` : `${how}; ${left.join(", ")}`;
}

/** Pages that stayed: what each attempt on them came to, who ended it, and what the completions change. */
function stayedSentence(result: SituationResult): string {
  const { endless, errno, pagesLeft, unmapCycles, pagesMoved, aftermath } = result;
  const end = endless ? "retries for ever" : `retries until the kernel returns -${errno}`;
  if (pagesLeft === 0) return `${end} although nothing is left in the block`;
  const cycles =
    unmapCycles > pagesMoved
      ? "each attempt unmaps a pinned page, counts a reference too many and maps it again"
      : "a pinned page is never unmapped: its PTEs are not found";
  const left = remains(result);
  if (left.length > 0) return `${end}; ${cycles}; ${left.join(", ")}`;
  return aftermath?.retry?.offlined === true
    ? `${end}; ${cycles}. Goes offline once the completions have run`
    : `${end}; ${cycles}`;
}

/** What happened, in a sentence. */
export function verdict(result: SituationResult): string {
  if (result.crash !== null) return crashSentence(result.crash, result.crashedOnPin);
  return result.offlined ? movedSentence(result) : stayedSentence(result);
}

/** True if the block went offline and nothing is left behind. */
export function isClean(result: SituationResult): boolean {
  return result.offlined && result.aftermath !== null && remains(result).length === 0;
}
