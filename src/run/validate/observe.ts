/** What a step did to the simulated host, in the words of a recording. */
import * as abi from "../../core/abi.ts";
import type { CounterName } from "../../core/names.ts";
import { errnoName } from "../../core/names.ts";
import type { Host } from "../../host.ts";
import type { Region } from "../../host/region.ts";
import type { Trace, TraceEvent } from "../../host/trace.ts";
import { comparedFlags } from "./scope.ts";

export type Simulated = Readonly<Record<string, unknown>>;
type Counters = Readonly<Record<CounterName, number>>;

/** Spells a return value or status as recordings do: "0", "12", "-EAGAIN". */
export function returnName(value: number): string {
  return value < 0 ? `-${errnoName(value) ?? -value}` : String(value);
}

/** Spells where a page is: "node1", "-EFAULT", "untouched". */
export function placeName(status: number | null): string {
  if (status === null) return "untouched";
  return status < 0 ? returnName(status) : `node${status}`;
}

export function countBy<T>(items: readonly T[], name: (item: T) => string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const item of items) counts[name(item)] = (counts[name(item)] ?? 0) + 1;
  return counts;
}

/** Equal records once, with how often they were seen. */
function histogram(records: readonly object[], times: string): object[] {
  const seen = new Map<string, { record: object; times: number }>();
  for (const record of records) {
    const key = JSON.stringify(record);
    const known = seen.get(key);
    if (known) known.times += 1;
    else seen.set(key, { record, times: 1 });
  }
  return [...seen.values()].map((one) => ({ ...one.record, [times]: one.times }));
}

/** Counters that grew, under the names of the probes that counted the same. */
export function counterFields(before: Counters, after: Counters): Simulated {
  const grown = (name: CounterName): number => after[name] - before[name];
  return {
    vmstat: {
      pgmigrate_success: grown("pgmigrate_success"),
      pgmigrate_fail: grown("pgmigrate_fail"),
      pswpin: grown("pswpin"),
      pswpout: grown("pswpout"),
      pgmajfault: grown("pgmajfault"),
    },
    tryToMigrateCalls: grown("tryToUnmapCalls"),
    tryToUnmapCalls: grown("tryToUnmapCalls"),
    refcountChecks: grown("refcountChecks"),
    ptesUnmapped: grown("ptesUnmapped"),
    pagesCopied: grown("pagesCopied"),
    migratePagesCalls: grown("migratePagesCalls"),
    migratePagesBatchCalls: grown("migratePagesBatchCalls"),
  };
}

type Event<K extends TraceEvent["event"]> = Extract<TraceEvent, { event: K }>;

function only<K extends TraceEvent["event"]>(trace: Trace, kind: K): Event<K>[] {
  return trace.events.filter((event): event is Event<K> => event.event === kind);
}

interface Attempts {
  moved: boolean;
  unmaps: number;
  checks: number;
}

/** Per page that was tried: how often it was unmapped and checked until it moved or was given up. */
function attemptsPerPage(events: readonly TraceEvent[]): Attempts[] {
  const pages = new Map<number, Attempts>();
  for (const event of events) {
    if (event.event !== "unmap" && event.event !== "check" && event.event !== "move") continue;
    let page = pages.get(event.pfn);
    if (page === undefined) {
      page = { moved: false, unmaps: 0, checks: 0 };
      pages.set(event.pfn, page);
    }
    if (event.event === "unmap") page.unmaps += 1;
    else if (event.event === "check") page.checks += 1;
    else if (event.ret === 0) page.moved = true;
  }
  return [...pages.values()];
}

/**
 * Return values of try_to_unmap() on v3.12, 0 for an unmapped page: only then move_to_new_page() is called
 * before the page is tried again.
 */
function unmapReturns(events: readonly TraceEvent[]): Record<string, number> {
  const tried = new Set<number>();
  let unmaps = 0;
  let unmapped = 0;
  for (const event of events) {
    if (event.event === "unmap") {
      unmaps += 1;
      tried.add(event.pfn);
    } else if (event.event === "move" && tried.delete(event.pfn)) {
      unmapped += 1;
    }
  }
  return { "0": unmapped, "1": unmaps - unmapped };
}

/** Fields that come from the trace. */
export function traceFields(trace: Trace, checkAtMoveEntry: boolean): Simulated {
  const moves = only(trace, "move");
  const checks = only(trace, "check");
  const calls = only(trace, "migratePages");
  const unmaps = only(trace, "unmap").map(({ refcount, mapcount }) => ({ refcount, mapcount }));
  const moveReturns = countBy(moves, ({ ret }) => returnName(ret));
  return {
    // The probe of 6.12 sat on the move as a whole.
    refcountCheckReturns: checkAtMoveEntry ? moveReturns : countBy(checks, ({ ret }) => returnName(ret)),
    moveToNewFolioReturns: moveReturns,
    moveToNewPageReturns: moveReturns,
    isolateReturns: countBy(only(trace, "isolate"), ({ ret }) => returnName(ret)),
    tryToUnmapReturns: unmapReturns(trace.events),
    migratePagesReturns: countBy(calls, ({ ret }) => returnName(ret)),
    batches: countBy(only(trace, "batch"), ({ ret }) => returnName(ret)),
    refsAtTryToMigrate: histogram(unmaps, "times"),
    refsAtTryToUnmap: histogram(unmaps, "times"),
    refsAtRefcountCheck: histogram(
      // A page that is still mapped never gets to the check.
      checks.map(({ refcount, mapping }) => ({ refcount, mapcount: 0, mapping })),
      "times",
    ),
    attemptsPerFolio: histogram(attemptsPerPage(trace.events), "folios"),
    migratePagesEvents: calls.map(({ succeeded, failed, mode, reason }) => ({
      succeeded,
      failed,
      thpSucceeded: 0,
      thpFailed: 0,
      thpSplit: 0,
      mode,
      reason,
    })),
    migratePagesEventsTraced: calls.length,
  };
}

function flagsOf(host: Host, frame: number, showsKsm: boolean): string[] {
  if (frame === abi.ZERO_PFN) return ["ZERO_PAGE"];
  const page = host.pages.at(frame);
  const tag = page.mapping & abi.MAPPING_TAG_MASK;
  const flags = page.flags.map((flag) => flag.toUpperCase()).filter((flag) => comparedFlags.has(flag));
  if ((tag & abi.MAPPING_ANON) !== 0) flags.push("ANON");
  if (tag === abi.MAPPING_KSM && showsKsm) flags.push("KSM");
  return flags.toSorted();
}

/**
 * A page as pagemap, kpageflags, kpagecount and a query of its node show it. Recordings of 6.12 do not say
 * which pages KSM has: kpageflags says so there of every anonymous page.
 */
export function samplePage(
  host: Host,
  region: Region,
  index: number,
  showsKsm: boolean,
): Simulated & { frame: number | null } {
  const frame = region.frameOf(index);
  const found = region.pfnOf(index);
  const node = found < 0 ? returnName(found) : host.pages.at(found).node;
  if (frame === null) {
    return { index, node, frame, present: false, swapped: region.swapSlotOf(index) !== null };
  }
  const mapcount = frame === abi.ZERO_PFN ? 0 : host.pages.mapcount(frame);
  const flags = flagsOf(host, frame, showsKsm);
  return { index, node, frame, present: true, swapped: false, mapcount, exclusive: mapcount === 1, flags };
}
