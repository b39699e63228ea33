/** Processes and their regions on both sides, and what a process does to its own mappings. */
import { protections } from "../../src/core/names.ts";
import type { Process, Region } from "../../src/index.ts";
import type { Machine, Page, Process as ReferenceProcess } from "../reference/machine.ts";
import * as memory from "../reference/process.ts";
import { run } from "../reference/state.ts";
import type { Operation } from "./operations.ts";
import { type Answers, nothing } from "./vcpu.ts";

export interface ProcessPair {
  readonly core: Process;
  readonly reference: ReferenceProcess;
  /** Forks between it and a process that was created. */
  readonly depth: number;
}

export interface RegionPair {
  readonly core: Region;
  readonly process: ProcessPair;
}

/** Pages of a region. */
export interface Pages {
  readonly start: number;
  readonly count: number;
}

export function pick<T>(list: readonly T[], number: number): T | undefined {
  return list[number % list.length];
}

export function vpnsOf(region: RegionPair, pages: Pages): memory.Range {
  const start = region.core.start + pages.start;
  return { start, end: start + pages.count };
}

/** The page at an index of a region: that of its PTE, or of its slot in the swap cache. */
export function pageBehind({ core, process }: RegionPair, index: number): Page | null {
  const { ptes } = process.reference;
  const vpn = core.start + index;
  const pte = ptes.get(vpn);
  if (pte !== undefined) return pte.entry ? null : pte.page;
  const entry = ptes.swapPte(vpn);
  if (entry !== undefined) return entry.slot.page;
  const vma = memory.findVma(process.reference, vpn);
  if (vma === undefined || vma.kind === "anon") return null;
  const inFile = vpn - vma.start + vma.pgoff;
  return vma.mapping?.cache.get(inFile)?.page ?? vma.mapping?.swapped.get(inFile)?.slot.page ?? null;
}

export function change(
  m: Machine,
  operation: Extract<Operation, { readonly op: "unmap" | "discard" | "protect" | "mlock" }>,
  region: RegionPair,
  pages: Pages,
): Answers {
  const process = region.process.reference;
  const vpns = vpnsOf(region, pages);
  switch (operation.op) {
    case "unmap":
      if (memory.munmapMustWait(process, vpns)) break;
      region.core.unmap(pages);
      run(m, () => memory.munmap(m, process, vpns));
      break;
    case "discard":
      region.core.discard(pages);
      run(m, () => memory.discard(m, process, vpns));
      break;
    case "protect":
      region.core.protect(operation.prot, pages);
      memory.mprotect(m, process, vpns, protections[operation.prot]);
      break;
    case "mlock":
      region.core.mlock(pages);
      run(m, () => memory.mlock(m, process, vpns));
      break;
    default:
  }
  return nothing;
}
