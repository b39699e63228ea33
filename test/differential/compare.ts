/** The whole state of a host against that of the reference model. */
import * as abi from "../../assembly/abi.ts";
import { counters, crashName, functionName, holderKinds, invariantName } from "../../src/core/names.ts";
import type { Host, Process } from "../../src/index.ts";
import type { Machine, Process as ReferenceProcess } from "../reference/machine.ts";
import { freePagesOf } from "../reference/buddy.ts";
import { pageRecords, pinsOf, ptesOf } from "../reference/state.ts";

const FIELDS = ["flags", "refcount", "mapcount", "mapping", "index", "private", "next", "prev"] as const;

function record(words: Int32Array, pfn: number): Record<string, number> {
  return Object.fromEntries(FIELDS.map((name, i) => [name, words[pfn * FIELDS.length + i] ?? 0]));
}

/** Differing records by pfn, the first few. */
function pageDifferences(core: Int32Array, reference: Int32Array): Map<number, unknown> {
  const found = new Map<number, unknown>();
  if (Buffer.compare(Buffer.from(core.buffer), Buffer.from(reference.buffer)) === 0) return found;
  for (let pfn = 0; pfn * FIELDS.length < core.length && found.size < 8; pfn++) {
    const [a, b] = [record(core, pfn), record(reference, pfn)];
    if (FIELDS.some((name) => a[name] !== b[name])) found.set(pfn, { core: a, reference: b });
  }
  return found;
}

/**
 * A machine that has stopped in the middle of a migration has lists under way in the links of isolated pages,
 * and in 6.12 a note in the private word of a target.
 */
function maskUnderWay(words: Int32Array): void {
  for (let at = 0; at < words.length; at += FIELDS.length) {
    const onList = ((words[at] ?? 0) & (abi.PG_LRU | abi.PG_BUDDY)) !== 0;
    if (onList) continue;
    words.fill(0, at + abi.PAGE_NEXT / 4, at + abi.PAGE_PREV / 4 + 1);
    if (((words[at] ?? 0) & abi.PG_UPTODATE) === 0) words[at + abi.PAGE_PRIVATE / 4] = 0;
  }
}

function crashOf(m: Machine): unknown {
  if (m.crash === null) return null;
  const { kind, trace, pfn, invariant } = m.crash;
  const names = trace.map(functionName);
  return {
    kind: crashName(kind),
    function: names[0],
    trace: names,
    pfn,
    invariant: invariantName(invariant),
  };
}

function sorted(list: number[][]): string[] {
  return list.map((one) => one.join(" ")).toSorted();
}

const pinKinds = [
  abi.HOLDER_GET,
  abi.HOLDER_PIN,
  abi.HOLDER_ASYNC_PF,
  abi.HOLDER_MIGRATION_WAITER,
  abi.HOLDER_MIGRATION_TARGET,
];

/** Pins by pfn. */
function holders(host: Host, m: Machine): Record<"core" | "reference", unknown> {
  const pages = [...new Set(m.pins.map(({ page }) => page))];
  const inCore = (pfn: number): number[][] =>
    host
      .holders(pfn)
      .map(({ kind, vcpu, process, token }) => [holderKinds[kind], vcpu ?? process ?? -1, token ?? 0])
      .filter(([kind]) => pinKinds.some((one) => one === kind));
  return {
    core: pages.map(({ pfn }) => [pfn, ...sorted(inCore(pfn))]),
    reference: pages.map((page) => [page.pfn, ...sorted(pinsOf(m, page))]),
  };
}

function countersOf(host: Host, m: Machine): Record<"core" | "reference", Record<string, number>> {
  const core: Record<string, number> = { ...host.counters() };
  const reference: Record<string, number> = {};
  for (const [name, id] of Object.entries(counters)) {
    if (id === abi.PROBE_OFFLINE_SKIPPED) delete core[name];
    else reference[name] = m.counters[id] ?? 0;
  }
  return { core, reference };
}

/** PTEs that differ, by virtual page. */
function pteDifferences(core: Int32Array, reference: Int32Array): Map<number, unknown> {
  const found = new Map<number, unknown>();
  for (const [vpn, word] of core.entries()) {
    if (word !== reference[vpn]) found.set(vpn, { core: word, reference: reference[vpn] });
  }
  return found;
}

/** What differs, by name. Empty if nothing does. */
export function differences(
  host: Host,
  m: Machine,
  processes: readonly { readonly core: Process; readonly reference: ReferenceProcess }[],
): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  const compare = (name: string, core: unknown, reference: unknown): void => {
    if (JSON.stringify(core) !== JSON.stringify(reference)) found[name] = { core, reference };
  };
  const records = host.pages.copy(0, host.pages.length);
  const expected = pageRecords(m);
  if (m.crash !== null) {
    maskUnderWay(records);
    maskUnderWay(expected);
  }
  const pages = pageDifferences(records, expected);
  if (pages.size > 0) found["pages"] = Object.fromEntries(pages);
  compare("crash", host.crash, crashOf(m));
  const { core, reference } = countersOf(host, m);
  for (const name of Object.keys(core)) compare(name, core[name], reference[name]);
  compare("nowNs", host.nowNs, m.nowNs);
  compare("freePages", host.freePages(), m.zones.map(freePagesOf));
  const held = holders(host, m);
  compare("holders", held.core, held.reference);
  const leaks = host.leaks();
  compare("contexts", leaks.contexts, m.contexts.length);
  compare("badPages", leaks.badPages, m.badPages.length);
  for (const pair of processes) {
    const { rss } = pair.core;
    const regions = pair.core.regions().map(({ start, pages: nr }) => [start, start + nr]);
    const { vmas } = pair.reference;
    compare(
      `regions of ${pair.core.id}`,
      regions,
      vmas.map(({ start, end }) => [start, end]),
    );
    const ptes = pteDifferences(pair.core.ptes(), ptesOf(pair.reference));
    if (ptes.size > 0) found[`ptes of ${pair.core.id}`] = Object.fromEntries(ptes);
    compare(`rss of ${pair.core.id}`, [rss.anon, rss.file], [pair.reference.rssAnon, pair.reference.rssFile]);
  }
  return found;
}
