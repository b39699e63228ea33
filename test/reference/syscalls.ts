/** The system calls that move pages: move_pages(2), mbind(2), migrate_pages(2). */
import * as abi from "../../assembly/abi.ts";
import { beginMigrating, endMigrating, isolate } from "./lru.ts";
import { type Machine, type Page, type Process, at, zoneOf } from "./machine.ts";
import { type Item, type Job, migratePages } from "./migrate.ts";
import { runDueEvents } from "./time.ts";
import { type Range, findVma, isZeroPage, splitVmas } from "./process.ts";

export function nodeOf(page: Page): number {
  return zoneOf(page).node;
}

export function nodeHasMemory(m: Machine, node: number): boolean {
  return m.zones.some((zone) => zone.node === node && zone.managedPages > 0);
}

/** follow_page(): the page, or why it cannot be had. */
export function followPage(m: Machine, process: Process, vpn: number): Page | number {
  const vma = findVma(process, vpn);
  if (vma === undefined) return -abi.EFAULT;
  if (process.ptes.swapPte(vpn) !== undefined) return -abi.ENOENT;
  const pte = process.ptes.get(vpn);
  if (pte === undefined) return vma.kind === "anon" ? m.profile.statusOfUntouched : -abi.ENOENT;
  if (pte.entry || (pte.protNone && !m.profile.findsProtNone)) return -abi.ENOENT;
  return isZeroPage(pte.page) ? m.profile.statusOfZeroPage : pte.page;
}

/** move_pages(2) without nodes. */
export function where(m: Machine, process: Process, vpns: readonly (number | null)[]): number[] {
  return vpns.map((vpn) => {
    const found = vpn === null ? -abi.EFAULT : followPage(m, process, vpn);
    return typeof found === "number" ? found : nodeOf(found);
  });
}

/** An entry of the array of move_pages(2); null is an address in no mapping. */
export interface Entry {
  readonly vpn: number | null;
  readonly node: number;
}

export interface MoveResult {
  readonly rc: number;
  /** Null: the kernel has written nothing. */
  readonly status: (number | null)[];
}

/** Isolates the page of an entry. Returns it, or the entry's status. */
function queueEntry(m: Machine, process: Process, { vpn, node }: Entry, moveAll: boolean): Page | number {
  const page = vpn === null ? -abi.EFAULT : followPage(m, process, vpn);
  if (typeof page === "number") return page;
  if (nodeOf(page) === node) return node;
  if (page.mapcount > 1 && !moveAll) return -abi.EACCES;
  const err = isolate(m, page);
  return err === 0 ? page : err;
}

interface Call {
  readonly process: Process;
  readonly entries: readonly Entry[];
  readonly moveAll: boolean;
  readonly status: (number | null)[];
}

function moveChunk(m: Machine, call: Call, start: number, end: number): number {
  const { process, entries, moveAll, status } = call;
  const chunk = entries.slice(start, end);
  if (chunk.some(({ node }) => !nodeHasMemory(m, node))) return -abi.ENODEV;
  const items: Item[] = [];
  for (const [nr, entry] of chunk.entries()) {
    const queued = queueEntry(m, process, entry, moveAll);
    if (typeof queued === "number") status[start + nr] = queued;
    else items.push({ page: queued, entry: start + nr });
  }
  if (items.length === 0) return 0;
  const job: Job = {
    mode: abi.MIGRATE_SYNC,
    where: ({ entry }) => ({ only: at(entries, entry).node }),
    onResult: ({ entry }, rc, to) => {
      status[entry] = rc === 0 ? nodeOf(to) : rc;
    },
  };
  const { rc } = migratePages(m, job, items);
  if (rc !== -abi.ENOMEM) return 0;
  status.fill(null, start, end);
  return rc;
}

function moveInChunks(m: Machine, call: Call): number {
  for (let start = 0; start < call.entries.length; start += m.profile.movePagesChunk) {
    const end = Math.min(start + m.profile.movePagesChunk, call.entries.length);
    const err = moveChunk(m, call, start, end);
    if (err !== 0) return err;
  }
  return 0;
}

/** Moves what is queued of the run of entries start … end-1. */
function flushRun(m: Machine, call: Call, items: Item[], run: { start: number; end: number }): number {
  const queued = items.splice(0);
  if (queued.length === 0) return 0;
  const { node } = at(call.entries, run.start);
  const { rc } = migratePages(m, { mode: abi.MIGRATE_SYNC, where: () => ({ only: node }) }, queued);
  if (rc > 0) return rc + call.entries.length - run.end;
  if (rc === 0) call.status.fill(node, run.start, run.end);
  return rc;
}

function moveInRuns(m: Machine, call: Call): number {
  const { process, entries, moveAll, status } = call;
  const items: Item[] = [];
  let start = 0;
  for (const [nr, entry] of entries.entries()) {
    const run = { start, end: nr };
    if (!nodeHasMemory(m, entry.node)) {
      flushRun(m, call, items, run);
      return -abi.ENODEV;
    }
    if (entry.node !== at(entries, start).node) {
      const err = flushRun(m, call, items, run);
      if (err !== 0) return err;
      start = nr;
    }
    const queued = queueEntry(m, process, entry, moveAll);
    if (typeof queued !== "number") {
      items.push({ page: queued, entry: nr });
      continue;
    }
    status[nr] = queued;
    const err = flushRun(m, call, items, { start, end: nr });
    if (err !== 0) return err > 0 ? err - 1 : err;
    start = nr + 1;
  }
  return start < entries.length ? flushRun(m, call, items, { start, end: entries.length }) : 0;
}

export function movePages(
  m: Machine,
  process: Process,
  entries: readonly Entry[],
  moveAll = false,
): MoveResult {
  const call: Call = { process, entries, moveAll, status: entries.map(() => null) };
  m.cpu = process.cpu;
  m.blamed = [];
  beginMigrating(m);
  m.nowNs += m.config.costs.syscallNs;
  runDueEvents(m);
  const rc = m.profile.movePagesChunk < Infinity ? moveInChunks(m, call) : moveInRuns(m, call);
  endMigrating(m);
  return { rc, status: call.status };
}

/** Isolates the pages of a range that are to go; `stuck` counts those that cannot be isolated. */
function queueRange(
  m: Machine,
  process: Process,
  { start, end }: Range,
  which: { leaves: (node: number) => boolean; moveAll: boolean },
): { items: Item[]; stuck: number } {
  const items: Item[] = [];
  let stuck = 0;
  for (let vpn = start; vpn < end; vpn++) {
    const page = followPage(m, process, vpn);
    if (typeof page === "number" || !which.leaves(nodeOf(page))) continue;
    if ((page.mapcount === 1 || which.moveAll) && isolate(m, page) === 0) items.push({ page, entry: 0 });
    else stuck += 1;
  }
  return { items, stuck };
}

function migrateTo(m: Machine, items: readonly Item[], node: number, mode: number): number {
  if (items.length === 0) return 0;
  return migratePages(m, { mode, where: () => ({ only: node }) }, items).rc;
}

export interface MbindOptions {
  readonly node: number;
  readonly move: boolean;
  readonly strict: boolean;
}

export function mbind(m: Machine, process: Process, range: Range, options: MbindOptions): number {
  const { node, move, strict } = options;
  m.cpu = process.cpu;
  m.blamed = [];
  m.nowNs += m.config.costs.syscallNs;
  runDueEvents(m);
  if (!nodeHasMemory(m, node)) return -abi.EINVAL;
  if (move) beginMigrating(m);
  for (const vma of splitVmas(process, range)) {
    vma.node = node;
    vma.bound = true;
  }
  if (!move) return strict && misplaced(m, process, range, node) ? -abi.EIO : 0;
  const leaves = (from: number): boolean => from !== node;
  const { items, stuck } = queueRange(m, process, range, { leaves, moveAll: false });
  const rc = migrateTo(m, items, node, abi.MIGRATE_SYNC);
  endMigrating(m);
  return strict && (rc !== 0 || stuck > 0) ? -abi.EIO : 0;
}

function misplaced(m: Machine, process: Process, { start, end }: Range, node: number): boolean {
  for (let vpn = start; vpn < end; vpn++) {
    const page = followPage(m, process, vpn);
    if (typeof page !== "number" && nodeOf(page) !== node) return true;
  }
  return false;
}

/** migrate_pages(2) by a privileged caller. Returns how many pages stayed, or an errno. */
export function migrateProcess(
  m: Machine,
  process: Process,
  from: readonly number[],
  to: readonly number[],
): number {
  m.blamed = [];
  if (!to.every((node) => nodeHasMemory(m, node))) return -abi.EINVAL;
  m.cpu = process.cpu;
  m.nowNs += m.config.costs.syscallNs;
  runDueEvents(m);
  beginMigrating(m);
  let left = 0;
  for (const [nr, node] of from.entries()) {
    const leaves = (one: number): boolean => one === node;
    const all = { start: 0, end: process.pages };
    const { items } = queueRange(m, process, all, { leaves, moveAll: true });
    const rc = migrateTo(m, items, at(to, nr), abi.MIGRATE_SYNC);
    left = rc < 0 ? rc : left + rc;
    if (rc < 0) break;
  }
  endMigrating(m);
  return left;
}

/** migrate_pages() of a range as NUMA balancing or compaction call it: nothing is drained before. */
export function migrateRange(
  m: Machine,
  process: Process,
  range: Range,
  target: { node: number; mode: number },
): number {
  m.cpu = process.cpu;
  m.blamed = [];
  const leaves = (from: number): boolean => from !== target.node;
  const { items } = queueRange(m, process, range, { leaves, moveAll: true });
  return migrateTo(m, items, target.node, target.mode);
}
