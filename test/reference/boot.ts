/** A machine as it is when it has booted. */
import * as abi from "../../assembly/abi.ts";
import { addFreeRange } from "./buddy.ts";
import { clearQueue } from "./async-pf.ts";
import { type Config, type Machine, type Process, makeMachine, pageAt } from "./machine.ts";
import { forgetProcess, munmap } from "./process.ts";

export function boot(config: Config): Machine {
  const m = makeMachine(config);
  for (let pfn = 0; pfn < abi.FIRST_PFN; pfn++) {
    pageAt(m, pfn).flags = abi.PG_RESERVED;
    pageAt(m, pfn).refcount = 1;
  }
  const online = config.nodes.flatMap(({ zones }) => zones.map((zone) => zone.online ?? true));
  for (const [number, zone] of m.zones.entries()) {
    const isOnline = online[number] === true;
    if (isOnline) addFreeRange(m, zone, Math.max(zone.start, abi.FIRST_PFN), zone.end);
    for (let pfn = zone.start; pfn < zone.end; pfn += abi.PAGEBLOCK_PAGES) {
      const block = Math.floor(pfn / abi.MEMORY_BLOCK_PAGES);
      m.onlineBlocks.delete(block);
      m.offlineBlocks.delete(block);
      (isOnline ? m.onlineBlocks : m.offlineBlocks).add(block);
    }
  }
  return m;
}

/** exit(): the memory goes first, then the vCPUs. Returns what is left in the rss counters. */
export function exit(m: Machine, process: Process): { anon: number; file: number; swap: number } {
  munmap(m, process, { start: 0, end: process.pages });
  for (const vcpu of process.vcpus.toSorted((a, b) => a.id - b.id)) clearQueue(m, vcpu);
  m.vcpus = m.vcpus.filter((vcpu) => vcpu.process !== process);
  forgetProcess(m, process);
  return { file: process.rssFile, anon: process.rssAnon, swap: process.rssSwap };
}
