/** Reclaim of one page, of a range (MADV_PAGEOUT), and of the LRU lists of a zone. */
import * as abi from "../../assembly/abi.ts";
import { addToLru, addToUnevictable, drainCpu, endIsolation, isolate, putPage, putback } from "./lru.ts";
import { type Machine, type Page, type Process, type Zone, at, clearFlag, count, has } from "./machine.ts";
import { type Range, isZeroPage } from "./process.ts";
import { pageReferenced } from "./referenced.ts";
import { type Outcome, shrinkPage } from "./shrink-page.ts";
import { hasFreeSlots } from "./swap-area.ts";

/** A page of this process alone, which looks as if it had not been accessed. */
function takeForPageout(m: Machine, process: Process, vpn: number): Page[] {
  const pte = process.ptes.get(vpn);
  if (pte === undefined || pte.entry || isZeroPage(pte.page)) return [];
  const { page } = pte;
  if (page.mapcount !== 1 || !has(page, abi.PG_LRU)) return [];
  pte.accessed = false;
  clearFlag(page, abi.PG_REFERENCED);
  if (has(page, abi.PG_UNEVICTABLE) || isolate(m, page) !== 0) return [];
  clearFlag(page, abi.PG_ACTIVE);
  return [page];
}

/** MADV_PAGEOUT: how many pages were freed, or -EINVAL. */
export function pageoutRange(m: Machine, process: Process, { start, end }: Range): number {
  if (process.vmas.some((vma) => vma.locked && vma.start < end && start < vma.end)) return -abi.EINVAL;
  m.cpu = process.cpu;
  drainCpu(m, m.cpu);
  const taken: Page[] = [];
  for (let vpn = start; vpn < end; vpn++) taken.push(...takeForPageout(m, process, vpn));
  let freed = 0;
  for (const page of taken) {
    if (shrinkPage(m, page, true) === "freed") freed += 1;
    else putback(m, page);
  }
  return freed;
}

/** putback_inactive_pages(): to the list that it belongs on by now. */
function putOnItsList(m: Machine, page: Page): void {
  endIsolation(m, page);
  if (page.refcount === 1) clearFlag(page, abi.PG_ACTIVE);
  else if (has(page, abi.PG_MLOCKED)) addToUnevictable(page);
  else addToLru(page);
  putPage(m, page);
}

function shrinkInTurn(m: Machine, page: Page): Outcome {
  clearFlag(page, abi.PG_ACTIVE);
  const outcome = shrinkPage(m, page, false);
  if (outcome !== "freed") putOnItsList(m, page);
  return outcome;
}

/** As if the page's turn had come on its list. */
export function reclaimPage(m: Machine, page: Page): Outcome {
  if (has(page, abi.PG_UNEVICTABLE) || isolate(m, page) !== 0) return "kept";
  count(m, abi.PGSCAN, 1);
  const outcome = shrinkInTurn(m, page);
  if (outcome === "freed") count(m, abi.PGSTEAL, 1);
  return outcome;
}

/** The oldest `nr` pages of a list. */
function takeOldest(m: Machine, zone: Zone, lru: number, nr: number): Page[] {
  drainCpu(m, m.cpu);
  const oldest = at(zone.lru, lru).slice(-nr).toReversed();
  for (const page of oldest) isolate(m, page);
  return oldest;
}

function shrinkInactive(m: Machine, zone: Zone, lru: number, nr: number): number {
  const pages = takeOldest(m, zone, lru, nr);
  count(m, abi.PGSCAN, pages.length);
  const freed = pages.filter((page) => shrinkInTurn(m, page) === "freed").length;
  count(m, abi.PGSTEAL, freed);
  return freed;
}

function shrinkActive(m: Machine, zone: Zone, lru: number, nr: number): void {
  let deactivated = 0;
  for (const page of takeOldest(m, zone, lru, nr)) {
    if (has(page, abi.PG_MLOCKED)) {
      putback(m, page);
      continue;
    }
    pageReferenced(m, page, false);
    clearFlag(page, abi.PG_ACTIVE);
    deactivated += 1;
    putOnItsList(m, page);
  }
  count(m, abi.PGDEACTIVATE, deactivated);
}

const classes = [
  { inactive: abi.LRU_INACTIVE_ANON, active: abi.LRU_ACTIVE_ANON },
  { inactive: abi.LRU_INACTIVE_FILE, active: abi.LRU_ACTIVE_FILE },
] as const;

type Class = (typeof classes)[number];

const PAGES_OF_GIB = 2 ** 30 / abi.PAGE_SIZE;

/** inactive_list_is_low(). */
function hasFewInactive(zone: Zone, { inactive, active }: Class): boolean {
  const gib = Math.floor(zone.managedPages / PAGES_OF_GIB);
  const ratio = active === abi.LRU_ACTIVE_ANON && gib > 0 ? Math.floor(Math.sqrt(10 * gib)) : 1;
  return at(zone.lru, inactive).length * ratio < at(zone.lru, active).length;
}

/** shrink_lruvec(): a share of 2^-priority of each list. */
function shrinkLists(m: Machine, zone: Zone, priority: number, wanted: number): number {
  const anonToo = hasFreeSlots(m);
  const share = (lru: number): number => Math.floor(at(zone.lru, lru).length / 2 ** priority);
  const todo = classes.map((one) => {
    const skipped = one.active === abi.LRU_ACTIVE_ANON && !anonToo;
    return { one, inactive: skipped ? 0 : share(one.inactive), active: skipped ? 0 : share(one.active) };
  });
  let freed = 0;
  const isLeft = (): boolean =>
    todo.some(
      ({ one, inactive, active }) => inactive > 0 || (one.active === abi.LRU_ACTIVE_FILE && active > 0),
    );
  while (isLeft() && freed < wanted) {
    for (const list of todo) {
      const inactive = Math.min(list.inactive, abi.SWAP_CLUSTER_MAX);
      const active = Math.min(list.active, abi.SWAP_CLUSTER_MAX);
      if (inactive > 0) freed += shrinkInactive(m, zone, list.one.inactive, inactive);
      if (active > 0 && hasFewInactive(zone, list.one)) shrinkActive(m, zone, list.one.active, active);
      list.inactive -= inactive;
      list.active -= active;
    }
  }
  // Where there is swap at all, though it may be full.
  if (m.swapAreas.length > 0 && hasFewInactive(zone, classes[0])) {
    shrinkActive(m, zone, abi.LRU_ACTIVE_ANON, abi.SWAP_CLUSTER_MAX);
  }
  return freed;
}

/** Looks at more and more of a zone until about `wanted` pages are freed. Returns how many were. */
export function reclaimZone(m: Machine, zone: Zone, wanted: number): number {
  m.cpu = 0;
  drainCpu(m, 0);
  let freed = 0;
  for (let priority = 12; priority >= 0 && freed < wanted; priority--) {
    freed += shrinkLists(m, zone, priority, wanted - freed);
  }
  return freed;
}
