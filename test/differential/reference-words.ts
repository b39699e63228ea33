/** The reference model as the numbers that are compared with the tables of the core (core-words.ts). */
import * as abi from "../../assembly/abi.ts";
import { freePagesOf } from "../reference/buddy.ts";
import type { Machine, Mapping, Process } from "../reference/machine.ts";
import { type SwapArea, usedSlots } from "../reference/swap-area.ts";
import type { Words } from "./words.ts";

const LOW_WORD = 2 ** 32;

function putMachine(words: Words, m: Machine): void {
  const { kind, trace, pfn, invariant } = m.crash ?? { kind: 0, trace: [], pfn: 0, invariant: 0 };
  words.put("time, low word", 0, m.nowNs % LOW_WORD);
  words.put("time, high word", 0, Math.floor(m.nowNs / LOW_WORD));
  words.put("crash kind", 0, kind);
  words.put("crash function", 0, trace[0] ?? 0);
  words.put("crash caller", 0, trace[1] ?? 0);
  words.put("crash caller", 1, trace[2] ?? 0);
  words.put("crash pfn", 0, pfn);
  words.put("crash invariant", 0, invariant);
  words.put("contexts", 0, m.contexts.length);
  words.put("bad pages", 0, m.badPages.length);
  words.put("mappings", 0, m.mappings.size);
  words.put("pins", 0, m.pins.length);
}

function putCounters(words: Words, m: Machine): void {
  for (let id = 0; id < m.counters.length; id++) {
    if (id === abi.PROBE_OFFLINE_SKIPPED) continue;
    const value = m.counters[id] ?? 0;
    words.put("counter, half word", id * 2, value % LOW_WORD);
    words.put("counter, half word", id * 2 + 1, Math.floor(value / LOW_WORD));
  }
}

const vmaKinds = { anon: abi.VMA_ANON, shmem: abi.VMA_SHMEM, file: abi.VMA_FILE } as const;

function putProcess(words: Words, { id, firstPte, rssAnon, rssFile, rssSwap, vmas }: Process): void {
  words.put("first PTE", id, firstPte);
  words.put("anon rss", id, rssAnon);
  words.put("file rss", id, rssFile);
  words.put("swap rss", id, rssSwap);
  for (const { start, end, kind, mapping } of vmas) {
    words.put("VMA start", id, start);
    words.put("VMA end", id, end);
    words.put("VMA kind", id, vmaKinds[kind]);
    words.put("VMA object", id, mapping?.id ?? 0);
  }
}

function putMapping(words: Words, { id, refs, size, cache, swapped, stored }: Mapping): void {
  words.put("references of mapping", id, refs);
  words.put("size of mapping", id, size);
  for (let index = 0; index < size; index++) {
    const cached = cache.get(index);
    const out = swapped.get(index);
    const expected = cached?.expected ?? out?.expected ?? stored.get(index) ?? 0;
    // A slot is there as a negative number.
    words.put("cached pfn", id, cached?.page.pfn ?? 0 - (out?.slot.number ?? 0));
    words.put("expected of cached", id, expected);
  }
}

function putPins(words: Words, m: Machine): void {
  for (const { id, kind, page, group, owner, token } of m.pins.toSorted((a, b) => a.id - b.id)) {
    words.put("pin kind", id, kind);
    words.put("pin pfn", id, page.pfn);
    words.put("pin group", id, group);
    words.put("pin owner", id, owner);
    words.put("pin token", id, token);
  }
}

function putSwapArea(words: Words, area: SwapArea): void {
  words.put("swap area", area.id, area.first);
  words.put("used slots of swap area", area.id, usedSlots(area));
  for (const { number, count, page } of area.slots) {
    words.put("count of swap slot", number, count);
    words.put("page of swap slot", number, page?.pfn ?? 0);
  }
}

/** Everything but pages and PTEs. */
export function putObjects(words: Words, m: Machine): void {
  putMachine(words, m);
  putCounters(words, m);
  for (const [number, zone] of m.zones.entries()) words.put("free pages", number, freePagesOf(zone));
  for (const [cpu, batch] of m.batches.entries()) {
    words.put("batch length", cpu, batch.length);
    for (const page of batch) words.put("batch", cpu, page.pfn);
  }
  for (const process of m.processes) putProcess(words, process);
  for (const id of [...m.mappings.keys()].toSorted((a, b) => a - b)) {
    const mapping = m.mappings.get(id);
    if (mapping !== undefined) putMapping(words, mapping);
  }
  putPins(words, m);
  for (const area of m.swapAreas) putSwapArea(words, area);
}
