/** The report of `pinshift run situation`: a table that answers the RFC's question, JSON, CSV. */
import type { HolderCount } from "../host/holders.ts";
import type { SituationReport, JudgedSituation } from "../run/situations.ts";
import { isClean } from "../run/situation-verdict.ts";
import { brokenInvariant, situation } from "../run/situation.ts";
import { renderCsv, renderJson } from "./csv.ts";
import { formatCount, formatDuration, formatLarge, formatRanges } from "./format.ts";
import { type Paint, renderTable, wrap } from "./table.ts";
import { joinLabels, variantLabel, variantName } from "./variant.ts";

/** "async_pf vcpu 0–3 (35)": holders of one kind together, with the references that they hold. */
export function holdersText(holders: readonly HolderCount[]): string {
  const kinds = [...new Set(holders.map(({ kind }) => kind))];
  return kinds
    .map((kind) => {
      const group = holders.filter((holder) => holder.kind === kind);
      const vcpus = group.flatMap(({ vcpu }) => (vcpu === null ? [] : [vcpu])).toSorted((a, b) => a - b);
      const refs = group.reduce((sum, { count }) => sum + count, 0);
      const who = vcpus.length === 0 ? kind : `${kind} vcpu ${formatRanges(vcpus)}`;
      return `${who} (${formatCount(refs)})`;
    })
    .join(", ");
}

function leaksText({ aftermath }: JudgedSituation): string {
  if (aftermath === null) return "";
  const { contexts, lostFaults, pins, badPages } = aftermath.leaks;
  const found: [number, string][] = [
    [contexts, "ctx"],
    [lostFaults, "lost"],
    [pins, "refs"],
    [badPages, "bad"],
  ];
  const text = found.filter(([nr]) => nr > 0).map(([nr, what]) => `${nr} ${what}`);
  return text.length === 0 ? "–" : text.join(", ");
}

function blockText(result: JudgedSituation, paint: Paint): string {
  if (result.crash !== null) return paint("red", result.crash.kind);
  if (result.offlined) return paint(isClean(result) ? "green" : "yellow", "offline");
  return paint("yellow", result.endless ? "stuck" : (result.errno ?? "online"));
}

const COLUMNS = [
  { head: "policy", width: 16 },
  { head: "block", width: 7 },
  { head: "after", width: 7, align: "right" },
  { head: "moved", width: 6, align: "right" },
  { head: "left", width: 6, align: "right" },
  { head: "attempts", width: 8, align: "right" },
  { head: "unmapped", width: 8, align: "right" },
  { head: "held by", width: 22 },
  { head: "leaked", width: 6 },
] as const;
const MAX_WIDTH = 120;

function row(result: JudgedSituation, paint: Paint): string[] {
  const { durationNs } = result;
  return [
    variantLabel(result),
    blockText(result, paint),
    durationNs === null ? "never" : formatDuration(durationNs),
    formatCount(result.pagesMoved),
    formatCount(result.pagesLeft),
    formatLarge(result.attempts),
    formatLarge(result.unmapCycles),
    result.holders.length === 0 ? "–" : holdersText(result.holders),
    leaksText(result),
  ];
}

/** A sentence for each outcome, those who share it together. */
function sentences(report: SituationReport, paint: Paint, columns: number): string {
  const outcomes = [...new Set(report.results.map(({ verdict }) => verdict))];
  const entries = outcomes.map((sentence) => ({
    who: joinLabels(report.results.filter(({ verdict }) => verdict === sentence).map(variantLabel)),
    sentence,
  }));
  const indent = Math.max(...entries.map(({ who }) => who.length)) + 2;
  return entries
    .map(({ who, sentence }) => {
      const text = wrap(sentence, columns, " ".repeat(indent));
      return paint("bold", who) + text.slice(who.length);
    })
    .join("\n");
}

/** The question answered, in one or two lines. */
function answer(report: SituationReport): string {
  const cans = report.results.filter(({ offlined }) => offlined);
  const clean = joinLabels(cans.filter(isClean).map(variantLabel));
  const dirty = joinLabels(cans.filter((result) => !isClean(result)).map(variantLabel));
  if (cans.length === 0) {
    const crashes = report.results.filter(({ crash }) => crash !== null).length;
    if (crashes === 0) return "No: it stays online while its pages are held.";
    return crashes === report.results.length
      ? "No: the machine stops."
      : "No: it stays online, or the machine stops.";
  }
  const lines = clean === "" ? [] : [`Yes, and nothing is left behind: ${clean}.`];
  if (dirty !== "") lines.push(`Yes, but something is left behind: ${dirty}.`);
  return lines.join("\n");
}

function heading(report: SituationReport, paint: Paint, columns: number): string {
  const [first] = report.results;
  const faults = first === undefined ? "" : `, ${first.faults} asynchronous page faults not completed yet`;
  const facts = [
    `Linux ${report.kernel}`,
    `block ${situation.block}, ${situation.blockMib} MiB, ZONE_MOVABLE`,
    `${formatCount(first?.pagesBefore ?? situation.blockPages)} guest pages in it`,
    `${situation.vcpus} vCPUs${faults}`,
    `seed ${report.seed}`,
  ];
  return `${paint("bold", "Can the block be offlined?")}\n${wrap(facts.join(" · "), columns)}`;
}

/** The legend says what each number counts. */
const LEGEND =
  "moved, left: pages of the block; the guest's other " +
  `${formatCount(situation.guestPages - situation.blockPages)} pages lie in the normal zone. ` +
  "attempts: one page, one pass. unmapped: PTEs replaced by migration entries, those of pages that moved " +
  "included. leaked: after every completion has run. Times are simulated.";

/** The report for a terminal of so many columns, at most 120 of which are used. */
export function renderSituationTable(
  report: SituationReport,
  options: { paint: Paint; columns: number },
): string {
  const { paint } = options;
  const columns = Math.min(options.columns, MAX_WIDTH);
  const table = renderTable(
    COLUMNS,
    report.results.map((result) => row(result, paint)),
    paint,
  );
  const next = "Why: pinshift explain rfc · what was set up: pinshift explain situation";
  return [
    heading(report, paint, columns),
    "",
    table,
    sentences(report, paint, columns),
    "",
    paint("bold", answer(report)),
    "",
    paint("dim", wrap(LEGEND, columns)),
    paint("dim", next),
    "",
  ].join("\n");
}

function jsonResult(result: JudgedSituation): Record<string, unknown> {
  const { aftermath } = result;
  return {
    policy: result.policy,
    repairs: result.repairs,
    offlined: result.offlined,
    errno: result.errno,
    endless: result.endless,
    durationNs: result.durationNs,
    faults: result.faults,
    pins: result.pins,
    pagesBefore: result.pagesBefore,
    pagesMoved: result.pagesMoved,
    pagesLeft: result.pagesLeft,
    attempts: result.attempts,
    unmapCycles: result.unmapCycles,
    rounds: result.rounds,
    holders: result.holders,
    crash: result.crash,
    leaks: aftermath?.leaks ?? null,
    violation: aftermath?.violation ?? null,
    badRss: aftermath?.badRss ?? null,
    retry: aftermath?.retry ?? null,
    verdict: result.verdict,
    stateHash: result.stateHash,
  };
}

export function renderSituationJson(report: SituationReport): string {
  return renderJson({ ...report, results: report.results.map(jsonResult) });
}

const CSV_COLUMNS = [
  "kernel",
  "seed",
  "policy",
  "offlined",
  "errno",
  "durationNs",
  "faults",
  "pins",
  "pagesBefore",
  "pagesMoved",
  "pagesLeft",
  "attempts",
  "unmapCycles",
  "rounds",
  "holders",
  "crash",
  "crashFunctions",
  "brokenInvariant",
  "leakedContexts",
  "verdict",
  "stateHash",
] as const;

export function renderSituationCsv(report: SituationReport): string {
  const rows = report.results.map((result) => [
    report.kernel,
    report.seed,
    variantName(result),
    result.offlined,
    result.errno,
    result.durationNs,
    result.faults,
    result.pins,
    result.pagesBefore,
    result.pagesMoved,
    result.pagesLeft,
    result.attempts,
    result.unmapCycles,
    result.rounds,
    holdersText(result.holders),
    result.crash?.kind ?? null,
    result.crash?.trace.join(" ← ") ?? null,
    brokenInvariant(result),
    result.aftermath?.leaks.contexts ?? null,
    result.verdict,
    result.stateHash,
  ]);
  return renderCsv(CSV_COLUMNS, rows);
}
