/** Address spaces: VMAs and the system calls that change them. */
import * as abi from "../../assembly/abi.ts";
import { addToUnevictable, drainAll, putPage, removeFromLru } from "./lru.ts";
import {
  type Machine,
  type Mapping,
  type Page,
  type Process,
  type Vma,
  clearFlag,
  count,
  has,
  pageAt,
  removeFrom,
  setFlag,
} from "./machine.ts";
import { clearMlock, removeRmap, setPageDirty } from "./rmap.ts";

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
    ptes: new Map(),
    rssAnon: 0,
    rssFile: 0,
    vcpus: [],
  };
  m.processes = [...m.processes, process].toSorted((a, b) => a.firstPte - b.firstPte);
  return process;
}

export function newMapping(m: Machine, kind: "anon_vma" | "shmem"): Mapping {
  return { id: m.mappingIds.take(), kind, alive: true, vmas: [], cache: new Map() };
}

export function linkTo(vma: Vma, mapping: Mapping): void {
  vma.mapping = mapping;
  mapping.vmas.unshift(vma);
}

function addVma(process: Process, vma: Vma): void {
  process.vmas = [...process.vmas, vma].toSorted((a, b) => a.start - b.start);
}

export interface MapOptions {
  readonly kind: "anon" | "shmem";
  readonly prot?: number;
  readonly node?: number;
  readonly bound?: boolean;
}

export function map(m: Machine, process: Process, { start, end }: Range, options: MapOptions): void {
  const vma: Vma = {
    process,
    start,
    end,
    kind: options.kind,
    prot: options.prot ?? abi.PROT_RW,
    locked: false,
    node: options.node ?? -1,
    bound: options.bound ?? false,
    pgoff: options.kind === "shmem" ? 0 : start,
    mapping: null,
  };
  if (options.kind === "shmem") linkTo(vma, newMapping(m, "shmem"));
  addVma(process, vma);
}

export function findVma(process: Process, vpn: number): Vma | undefined {
  return process.vmas.find((vma) => vpn >= vma.start && vpn < vma.end);
}

function splitAt(process: Process, vpn: number): void {
  const lower = findVma(process, vpn);
  if (lower === undefined || lower.start === vpn) return;
  const upper: Vma = { ...lower, start: vpn, pgoff: lower.pgoff + vpn - lower.start, mapping: null };
  if (lower.mapping !== null) linkTo(upper, lower.mapping);
  lower.end = vpn;
  addVma(process, upper);
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

/** zap_pte_range() for one PTE. */
function zap(m: Machine, process: Process, vpn: number): void {
  const pte = process.ptes.get(vpn);
  if (pte === undefined) return;
  process.ptes.delete(vpn);
  const { page } = pte;
  if (isZeroPage(page)) return;
  if (page.anon) {
    process.rssAnon -= 1;
  } else {
    if (pte.dirty) setPageDirty(m, page);
    if (pte.accessed) setFlag(page, abi.PG_REFERENCED);
    process.rssFile -= 1;
  }
  removeRmap(m, page);
  if (page.mapcount === 0) clearMlock(m, page);
  putPage(m, page);
}

/** MADV_DONTNEED. */
export function discard(m: Machine, process: Process, { start, end }: Range): void {
  m.cpu = process.cpu;
  for (let vpn = start; vpn < end; vpn++) zap(m, process, vpn);
}

function truncate(m: Machine, mapping: Mapping): void {
  const cached = [...mapping.cache].toSorted(([a], [b]) => a - b);
  mapping.cache.clear();
  for (const [, { page }] of cached) {
    count(m, abi.NR_FILE_PAGES, -1);
    count(m, abi.NR_SHMEM, -1);
    // truncate_inode_page(): waits for writeback, then cancel_dirty_page().
    clearFlag(page, abi.PG_WRITEBACK | abi.PG_DIRTY);
    page.mapping = null;
    putPage(m, page);
  }
}

function removeVma(m: Machine, vma: Vma): void {
  removeFrom(vma.process.vmas, vma);
  const { mapping } = vma;
  if (mapping === null) return;
  if (mapping.kind === "shmem" && mapping.vmas.length === 1) truncate(m, mapping);
  removeFrom(mapping.vmas, vma);
  if (mapping.vmas.length > 0) return;
  mapping.alive = false;
  m.mappingIds.giveBack(mapping.id);
}

export function munmap(m: Machine, process: Process, range: Range): void {
  for (const vma of splitVmas(process, range)) {
    discard(m, process, vma);
    removeVma(m, vma);
  }
}

export function mprotect(process: Process, range: Range, prot: number): void {
  for (const vma of splitVmas(process, range)) {
    vma.prot = prot;
    for (let vpn = vma.start; vpn < vma.end; vpn++) {
      const pte = process.ptes.get(vpn);
      if (pte === undefined) continue;
      pte.protNone = prot === abi.PROT_NONE;
      pte.write = (prot & abi.PROT_WRITE) !== 0 && pte.dirty && pte.page.mapcount === 1;
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
      if (pte !== undefined && !pte.protNone) mlockPage(m, pte.page);
    }
  }
}

function mlockPage(m: Machine, page: Page): void {
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
