/** Memory offline and online. Every round is executed. */
import * as abi from "../../assembly/abi.ts";
import { type Where, addFreeRange, isMovablePageblock, removeFreeRange, setIsolated } from "./buddy.ts";
import { drainAll, isolate, putback } from "./lru.ts";
import { type Machine, type Page, type Zone, count, has, zoneOf } from "./machine.ts";
import { type Item, migratePages } from "./migrate.ts";
import { runDueEvents } from "./time.ts";

export interface Budget {
  readonly maxRounds?: number;
  readonly untilNs?: number;
}

export interface OfflineResult {
  readonly rc: number;
  readonly ending: "returned" | "budget";
}

const NR_BLOCK = abi.MEMORY_BLOCK_PAGES;

function pagesOf(m: Machine, block: number): Page[] {
  return m.pages.slice(block * NR_BLOCK, (block + 1) * NR_BLOCK);
}

/** The zone that all of a block is in, if there is one. */
function zoneOfBlock(m: Machine, block: number): Zone | undefined {
  const start = block * NR_BLOCK;
  return m.zones.find((zone) => zone.start <= start && start + NR_BLOCK <= zone.end);
}

/** Every frame by itself, but a free block only by its first. */
function* framesOf(pages: readonly Page[]): Generator<Page> {
  for (let i = 0; i < pages.length;) {
    const page = pages[i];
    if (page === undefined) return;
    yield page;
    i += has(page, abi.PG_BUDDY) ? 2 ** page.order : 1;
  }
}

function isUnmovable(m: Machine, page: Page): boolean {
  const movable = zoneOf(page).kind === abi.ZONE_MOVABLE;
  if (m.profile.offlineTrustsMovable && (movable || isMovablePageblock(m, page.pfn))) return false;
  return has(page, abi.PG_RESERVED) || (!movable && page.refcount > 0 && !has(page, abi.PG_LRU));
}

/** 0, or why the block cannot go. Isolates its pageblocks. */
function begin(m: Machine, block: number): number {
  const zone = zoneOfBlock(m, block);
  if (!m.onlineBlocks.has(block) || zone === undefined) return -abi.EINVAL;
  const normal = m.zones.filter(({ kind }) => kind !== abi.ZONE_MOVABLE);
  const managed = normal.reduce((sum, { managedPages }) => sum + managedPages, 0);
  if (normal.includes(zone) && managed <= NR_BLOCK) return -abi.EINVAL;
  drainAll(m);
  for (const page of framesOf(pagesOf(m, block))) {
    if (isUnmovable(m, page)) return -abi.EBUSY;
  }
  setIsolated(m, { start: block * NR_BLOCK, end: (block + 1) * NR_BLOCK }, true);
  if (m.profile.disablesLruBatches) m.lruBatchesDisabled += 1;
  return 0;
}

function end(m: Machine, block: number, success: boolean): void {
  const zone = zoneOfBlock(m, block);
  const range = { start: block * NR_BLOCK, end: (block + 1) * NR_BLOCK };
  if (m.profile.disablesLruBatches) m.lruBatchesDisabled -= 1;
  if (!success || zone === undefined) {
    setIsolated(m, range, false);
    return;
  }
  removeFreeRange(m, zone, range.start, range.end);
  m.onlineBlocks.delete(block);
  m.offlineBlocks.add(block);
}

function whereTo(m: Machine): (item: Item) => Where {
  if (m.profile.offlinePrefersOtherNodes) return ({ page }) => ({ elsewhereThan: zoneOf(page).node });
  return () => ({ preferred: 0 });
}

/** Isolates pages for one round. False: one in use cannot be, and the kernel gives the round up for it. */
function isolateRange(m: Machine, pages: readonly Page[], items: Item[]): boolean {
  for (const page of pages) {
    if (items.length >= m.profile.offlineBatch) break;
    if (page.refcount === 0) continue;
    if (isolate(m, page) === 0) items.push({ page, entry: 0 });
    else if (m.profile.offlineBatch < Infinity) return false;
  }
  return true;
}

/** do_migrate_range(). */
function migrateRound(m: Machine, pages: readonly Page[]): number {
  count(m, abi.PROBE_OFFLINE_ROUNDS, 1);
  m.blamed = [];
  const items: Item[] = [];
  if (!isolateRange(m, pages, items)) {
    for (const { page } of items) {
      m.blamed.push(page);
      putback(m, page);
    }
    return -abi.EBUSY;
  }
  if (items.length === 0) return 0;
  const { rc, left } = migratePages(m, { mode: abi.MIGRATE_SYNC, where: whereTo(m) }, items);
  count(m, abi.PROBE_LOG_MIGRATION_FAILED, left);
  return rc;
}

function round(m: Machine, block: number, from: number): number {
  const rc = migrateRound(m, m.pages.slice(from, (block + 1) * NR_BLOCK));
  m.nowNs += m.config.costs.offlineRoundNs;
  return rc;
}

/** The first LRU page of the block from `from` on. */
function findMovable(m: Machine, block: number, from: number): number | undefined {
  const pages = m.pages.slice(from, (block + 1) * NR_BLOCK);
  return pages.find((page) => has(page, abi.PG_LRU))?.pfn;
}

function isFree(m: Machine, block: number): boolean {
  return [...framesOf(pagesOf(m, block))].every((page) => has(page, abi.PG_BUDDY));
}

interface Limits {
  readonly expireNs: number;
  readonly maxRounds: number;
  readonly untilNs: number;
}

function whyNoOtherRound(m: Machine, limits: Limits, rounds: number): OfflineResult | null {
  runDueEvents(m);
  if (m.nowNs > limits.expireNs) return { rc: -abi.EAGAIN, ending: "returned" };
  if (rounds >= limits.maxRounds || m.nowNs >= limits.untilNs) return { rc: -abi.EINTR, ending: "budget" };
  return null;
}

/** Rounds as v3.12 makes them: each begins its scan anew. */
function roundsFromTheStart(m: Machine, block: number, limits: Limits): OfflineResult {
  let retriesLeft = m.profile.offlineRetries;
  for (let rounds = 0; ; rounds++) {
    const over = whyNoOtherRound(m, limits, rounds);
    if (over !== null) return over;
    if (rounds > 0) drainAll(m);
    const from = findMovable(m, block, block * NR_BLOCK);
    if (from === undefined) {
      drainAll(m);
      return { rc: isFree(m, block) ? 0 : -abi.EBUSY, ending: "returned" };
    }
    const rc = round(m, block, from);
    if (rc < 0) retriesLeft -= 1;
    if (retriesLeft === 0) return { rc, ending: "returned" };
  }
}

/** Rounds as 6.x makes them: each goes on where the one before it found a page. */
function roundsUntilFree(m: Machine, block: number, limits: Limits): OfflineResult {
  let from = block * NR_BLOCK;
  for (let rounds = 0; ; rounds++) {
    const over = whyNoOtherRound(m, limits, rounds);
    if (over !== null) return over;
    const found = findMovable(m, block, from);
    if (found !== undefined) {
      from = found;
      round(m, block, from);
      continue;
    }
    drainAll(m);
    if (isFree(m, block)) return { rc: 0, ending: "returned" };
    m.nowNs += m.config.costs.offlineRoundNs;
    from = block * NR_BLOCK;
  }
}

export function offline(m: Machine, block: number, budget: Budget = {}): OfflineResult {
  m.cpu = 0;
  m.blamed = [];
  m.nowNs += m.config.costs.syscallNs;
  const err = begin(m, block);
  if (err !== 0) return { rc: err, ending: "returned" };
  const limits = {
    expireNs: m.nowNs + m.profile.offlineTimeoutNs,
    maxRounds: budget.maxRounds ?? Infinity,
    untilNs: budget.untilNs ?? Infinity,
  };
  const rounds = m.profile.offlineBatch < Infinity ? roundsFromTheStart : roundsUntilFree;
  const result = rounds(m, block, limits);
  end(m, block, result.rc === 0);
  return result;
}

export function online(m: Machine, block: number): number {
  const zone = zoneOfBlock(m, block);
  if (!m.offlineBlocks.has(block) || zone === undefined) return -abi.EINVAL;
  addFreeRange(m, zone, block * NR_BLOCK, (block + 1) * NR_BLOCK);
  m.offlineBlocks.delete(block);
  m.onlineBlocks.add(block);
  return 0;
}
