/** Address spaces: VMAs and the system calls that change them. */
import * as abi from "../../assembly/abi.ts";
import { addToUnevictable, drainAll, putPage, removeFromLru } from "./lru.ts";
import {
  type Machine,
  type Mapping,
  type Page,
  type Process,
  type Pte,
  type Vma,
  count,
  has,
  pageAt,
  removeFrom,
  setFlag,
} from "./machine.ts";
import { linkTo, newShmem, unlink } from "./mapping.ts";
import { hasLockedPage, truncatePages } from "./page-cache.ts";
import { PteTable } from "./pte-table.ts";
import { munlockEntry, munlockUnmapped, removeRmap, setPageDirty } from "./rmap.ts";
import { dropEntryAndCache, freeSwapCache } from "./swap-cache.ts";

export interface Range {
  readonly start: number;
  readonly end: number;
}

/** In the first gap of the table of PTEs that is large enough. */
export function createProcess(m: Machine, pages: number, cpu = 0): Process {
  let firstPte = 0;
  for (const other of m.processes) {
    if (other.firstPte - firstPte >= pages) break;
    firstPte = other.firstPte + other.pages;
  }
  const process: Process = {
    id: m.processIds.take(),
    firstPte,
    pages,
    cpu,
    vmas: [],
    ptes: new PteTable(pages),
    rssAnon: 0,
    rssFile: 0,
    rssSwap: 0,
    hasPinned: false,
    vcpus: [],
  };
  m.processes = [...m.processes, process].toSorted((a, b) => a.firstPte - b.firstPte);
  return process;
}

function addVma(process: Process, vma: Vma): void {
  process.vmas = [...process.vmas, vma].toSorted((a, b) => a.start - b.start);
}

/** A VMA like `vma`, with the differences that are listed. */
export function addCopy(
  vma: Vma,
  differences: Partial<Pick<Vma, "process" | "start" | "pgoff" | "locked">>,
): Vma {
  const copy: Vma = { ...vma, ...differences, mapping: null };
  if (vma.mapping !== null) linkTo(copy, vma.mapping);
  addVma(copy.process, copy);
  return copy;
}

export interface MapOptions {
  readonly kind: "anon" | "shmem";
  /** Instead of the kind. */
  readonly file?: { readonly mapping: Mapping; readonly offset: number } | null;
  readonly prot?: number;
  readonly node?: number;
  readonly bound?: boolean;
  readonly dontFork?: boolean;
}

export function map(m: Machine, process: Process, { start, end }: Range, options: MapOptions): void {
  const file = options.file ?? null;
  const vma: Vma = {
    process,
    start,
    end,
    kind: file === null ? options.kind : "file",
    prot: options.prot ?? abi.PROT_RW,
    locked: false,
    dontFork: options.dontFork ?? false,
    node: options.node ?? -1,
    bound: options.bound ?? false,
    pgoff: file?.offset ?? (options.kind === "shmem" ? 0 : start),
    mapping: null,
  };
  if (vma.kind === "shmem") linkTo(vma, newShmem(m, end - start));
  if (file !== null) linkTo(vma, file.mapping);
  addVma(process, vma);
}

export function findVma(process: Process, vpn: number): Vma | undefined {
  return process.vmas.find((vma) => vpn >= vma.start && vpn < vma.end);
}

function splitAt(process: Process, vpn: number): void {
  const lower = findVma(process, vpn);
  if (lower === undefined || lower.start === vpn) return;
  addCopy(lower, { start: vpn, pgoff: lower.pgoff + vpn - lower.start });
  lower.end = vpn;
}

/** The VMAs of a range, cut so that none reaches beyond it. */
export function splitVmas(process: Process, { start, end }: Range): Vma[] {
  splitAt(process, start);
  splitAt(process, end);
  return process.vmas.filter((vma) => vma.start >= start && vma.end <= end);
}

export function isZeroPage(page: Page): boolean {
  return page.pfn === abi.ZERO_PFN;
}

/** Counts a PTE or an entry in the rss: its class is what the tag of the page says now. */
export function addRss(process: Process, page: Page, nr: 1 | -1): void {
  if (page.anon) process.rssAnon += nr;
  else process.rssFile += nr;
}

/** zap_pte_range() for one PTE. */
function zap(m: Machine, vma: Vma, vpn: number): void {
  const pte = vma.process.ptes.get(vpn);
  const swapped = vma.process.ptes.swapPte(vpn);
  vma.process.ptes.delete(vpn);
  if (swapped !== undefined) {
    vma.process.rssSwap -= 1;
    dropEntryAndCache(m, swapped.slot);
  }
  if (pte === undefined) return;
  const { page } = pte;
  if (isZeroPage(page)) return;
  if (!pte.entry && !page.anon) {
    if (pte.dirty) setPageDirty(m, page);
    if (pte.accessed) setFlag(page, abi.PG_REFERENCED);
  }
  addRss(vma.process, page, -1);
  if (pte.entry) {
    munlockEntry(m, vma, page);
    return;
  }
  removeRmap(m, page);
  munlockUnmapped(m, vma, page);
  freeSwapCache(m, page);
  putPage(m, page);
}

/** Takes the PTEs of a part of a VMA away. */
export function zapRange(m: Machine, vma: Vma, { start, end }: Range): void {
  m.cpu = vma.process.cpu;
  for (let vpn = start; vpn < end; vpn++) zap(m, vma, vpn);
}

/** MADV_DONTNEED. */
export function discard(m: Machine, process: Process, { start, end }: Range): void {
  for (const vma of process.vmas.filter((one) => one.start < end && start < one.end)) {
    zapRange(m, vma, { start: Math.max(start, vma.start), end: Math.min(end, vma.end) });
  }
}

/** munmap() would sleep: it is the last to unmap shared memory of which a page is locked. */
export function munmapMustWait(process: Process, { start, end }: Range): boolean {
  const gone = process.vmas.filter((vma) => start <= vma.start && vma.end <= end);
  return gone.some(({ kind, mapping }) => {
    if (kind !== "shmem" || mapping?.vmas.every((vma) => gone.includes(vma)) !== true) return false;
    return hasLockedPage(mapping, 0, mapping.size);
  });
}

function removeVma(m: Machine, vma: Vma): void {
  removeFrom(vma.process.vmas, vma);
  const { mapping } = vma;
  if (mapping === null) return;
  if (mapping.kind === "shmem" && mapping.vmas.length === 1) truncatePages(m, mapping, 0);
  unlink(m, vma);
}

export function munmap(m: Machine, process: Process, range: Range): void {
  for (const vma of splitVmas(process, range)) {
    discard(m, process, vma);
    removeVma(m, vma);
  }
}

/** Whether mprotect() gives write access back by itself. */
function isWritableAtOnce(m: Machine, { kind }: Vma, { page, dirty }: Pte): boolean {
  if (kind !== "anon") return dirty;
  if (!page.anon || !has(page, abi.PG_ANON_EXCLUSIVE)) return false;
  return dirty || m.profile.cleanPtesGetWriteAccess;
}

function protectPte(m: Machine, vma: Vma, pte: Pte): void {
  const { prot } = vma;
  const mayWrite = (prot & abi.PROT_WRITE) !== 0;
  pte.protNone = !pte.entry && prot === abi.PROT_NONE;
  pte.write = mayWrite && (pte.entry ? pte.write : isWritableAtOnce(m, vma, pte));
}

export function mprotect(m: Machine, process: Process, range: Range, prot: number): void {
  for (const vma of splitVmas(process, range)) {
    vma.prot = prot;
    for (let vpn = vma.start; vpn < vma.end; vpn++) {
      const pte = process.ptes.get(vpn);
      if (pte !== undefined) protectPte(m, vma, pte);
    }
  }
}

export function mlock(m: Machine, process: Process, range: Range): void {
  const vmas = splitVmas(process, range);
  drainAll(m);
  for (const vma of vmas) {
    vma.locked = true;
    for (let vpn = vma.start; vpn < vma.end; vpn++) {
      const pte = process.ptes.get(vpn);
      if (pte !== undefined && !pte.entry && !pte.protNone) mlockPage(m, pte.page);
    }
  }
}

export function mlockPage(m: Machine, page: Page): void {
  if (isZeroPage(page) || has(page, abi.PG_MLOCKED)) return;
  setFlag(page, abi.PG_MLOCKED);
  count(m, abi.NR_MLOCK, 1);
  if (!has(page, abi.PG_LRU)) return;
  removeFromLru(page);
  addToUnevictable(page);
}

/** The process is gone, and its address space with it. */
export function forgetProcess(m: Machine, process: Process): void {
  m.processes = m.processes.filter((other) => other !== process);
  m.processIds.giveBack(process.id);
}

export function zeroPage(m: Machine): Page {
  return pageAt(m, abi.ZERO_PFN);
}
