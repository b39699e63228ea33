/**
 * The buddy allocator. Pages are asked for as movable or as unmovable ones; a free block is on the list of
 * the type of its pageblock.
 */
import * as abi from "../../assembly/abi.ts";
import {
  type Machine,
  type Page,
  type Zone,
  at,
  clearFlag,
  count,
  has,
  pageAt,
  removeFrom,
  setFlag,
  zoneOf,
} from "./machine.ts";

function pageblockOf(pfn: number): number {
  return Math.floor(pfn / abi.PAGEBLOCK_PAGES);
}

type Type = "movable" | "unmovable" | "isolated";

function typeOf(m: Machine, pfn: number): Type {
  const block = pageblockOf(pfn);
  if (m.isolatedPageblocks.has(block)) return "isolated";
  return m.unmovablePageblocks.has(block) ? "unmovable" : "movable";
}

export function isMovablePageblock(m: Machine, pfn: number): boolean {
  return typeOf(m, pfn) === "movable";
}

export function isIsolatedPageblock(m: Machine, pfn: number): boolean {
  return typeOf(m, pfn) === "isolated";
}

function listFor(m: Machine, page: Page): Page[] {
  return at(zoneOf(page).free, page.order)[typeOf(m, page.pfn)];
}

function markFree(page: Page, order: number): Page {
  setFlag(page, abi.PG_BUDDY);
  page.order = order;
  return page;
}

function take(m: Machine, page: Page): void {
  removeFrom(listFor(m, page), page);
  clearFlag(page, abi.PG_BUDDY);
}

/** The pageblocks of a block that was borrowed whole are of the other type from now on. */
function convert(m: Machine, block: Page, type: "movable" | "unmovable"): void {
  for (let pfn = block.pfn; pfn < block.pfn + 2 ** block.order; pfn += abi.PAGEBLOCK_PAGES) {
    if (type === "movable") m.unmovablePageblocks.delete(pageblockOf(pfn));
    else m.unmovablePageblocks.add(pageblockOf(pfn));
  }
}

/** A frame of this type, or else one of the largest block of the other type. */
function takeFrame(m: Machine, zone: Zone, type: "movable" | "unmovable"): Page | null {
  const own = zone.free.find((lists) => lists[type].length > 0);
  if (own !== undefined) return split(m, at(own[type], 0));
  const other = type === "movable" ? "unmovable" : "movable";
  const largest = zone.free.findLast((lists) => lists[other].length > 0);
  if (largest === undefined) return null;
  const foreign = at(largest[other], 0);
  take(m, foreign);
  if (foreign.order >= abi.PAGEBLOCK_ORDER) convert(m, foreign, type);
  listFor(m, markFree(foreign, foreign.order)).unshift(foreign);
  return split(m, foreign);
}

/** Takes the first frame of a free block; the rest stays free, in halves. */
function split(m: Machine, page: Page): Page {
  take(m, page);
  for (let order = page.order - 1; order >= 0; order--) {
    const upper = markFree(pageAt(m, page.pfn + 2 ** order), order);
    listFor(m, upper).unshift(upper);
  }
  return page;
}

export function blocksOf({ movable, unmovable, isolated }: Zone["free"][number]): Page[] {
  return [...movable, ...unmovable, ...isolated];
}

export function freePagesOf(zone: Zone): number {
  return zone.free.reduce((sum, { movable, unmovable, isolated }, order) => {
    return sum + (movable.length + unmovable.length + isolated.length) * 2 ** order;
  }, 0);
}

/** The zones of a node, the highest first. */
function zonesOf(m: Machine, node: number): Zone[] {
  return m.zones.filter((zone) => zone.node === node).toSorted((a, b) => b.kind - a.kind);
}

/** Other nodes in the order of their use: without CPUs first, then those behind this one, then by number. */
function fallbacksOf(m: Machine, node: number): number[] {
  const cost = (other: number): number[] => {
    const cpus = m.config.nodes[other]?.cpus ?? other === 0;
    return [Number(cpus), Number(other < node), other];
  };
  const others = m.config.nodes.map((_, other) => other).filter((other) => other !== node);
  return others.toSorted((a, b) => {
    const [x, y] = [cost(a), cost(b)];
    return x.map((part, i) => part - at(y, i)).find((difference) => difference !== 0) ?? 0;
  });
}

export type Where =
  | { readonly only: number }
  | { readonly preferred: number }
  | { readonly elsewhereThan: number }
  /** As preferred, but not in ZONE_MOVABLE. */
  | { readonly unmovableNear: number };

function zonelist(m: Machine, where: Where): Zone[] {
  if ("only" in where) return zonesOf(m, where.only);
  if ("elsewhereThan" in where) {
    const { elsewhereThan: node } = where;
    return [...fallbacksOf(m, node), node].flatMap((one) => zonesOf(m, one));
  }
  const node = "preferred" in where ? where.preferred : where.unmovableNear;
  const zones = [node, ...fallbacksOf(m, node)].flatMap((one) => zonesOf(m, one));
  return "preferred" in where ? zones : zones.filter(({ kind }) => kind !== abi.ZONE_MOVABLE);
}

/** One page with one reference, or null. */
export function allocPage(m: Machine, where: Where): Page | null {
  const type = "unmovableNear" in where ? "unmovable" : "movable";
  for (const zone of zonelist(m, where)) {
    const page = takeFrame(m, zone, type);
    if (page === null) continue;
    page.refcount = 1;
    count(m, abi.PGALLOC, 1);
    return page;
  }
  return null;
}

function isFreeBlock(zone: Zone, page: Page | undefined, order: number): page is Page {
  return page?.zone === zone && has(page, abi.PG_BUDDY) && page.order === order;
}

export function freePage(m: Machine, page: Page): void {
  count(m, abi.PGFREE, 1);
  let block = page;
  let order = 0;
  for (; order < abi.MAX_ORDER; order++) {
    const buddy = m.pages[block.pfn ^ (2 ** order)];
    if (!isFreeBlock(zoneOf(page), buddy, order)) break;
    take(m, buddy);
    block = block.pfn < buddy.pfn ? block : buddy;
  }
  listFor(m, markFree(block, order)).unshift(block);
}

/** Gives frames start … end-1 to the allocator, in the largest aligned blocks, each behind the others. */
export function addFreeRange(m: Machine, zone: Zone, start: number, end: number): void {
  for (let pfn = start; pfn < end; pfn++) {
    m.isolatedPageblocks.delete(pageblockOf(pfn));
    m.unmovablePageblocks.delete(pageblockOf(pfn));
  }
  for (let pfn = start; pfn < end;) {
    let order = abi.MAX_ORDER;
    while (pfn % 2 ** order !== 0 || pfn + 2 ** order > end) order--;
    const block = markFree(pageAt(m, pfn), order);
    listFor(m, block).push(block);
    pfn += 2 ** order;
  }
  zone.managedPages += end - start;
}

/** Takes one free frame away for good, as the kernel did at boot. False: it is not free. */
export function reserveFrame(m: Machine, page: Page): boolean {
  const zone = zoneOf(page);
  const { pfn } = page;
  let of = 0;
  while (of < abi.NR_ORDERS && !isFreeBlock(zone, m.pages[pfn - (pfn % 2 ** of)], of)) of++;
  if (of === abi.NR_ORDERS) return false;
  const block = pageAt(m, pfn - (pfn % 2 ** of));
  take(m, block);
  for (let order = of - 1; order >= 0; order--) {
    const half = pfn - (pfn % 2 ** order);
    const rest = markFree(pageAt(m, half ^ (2 ** order)), order);
    listFor(m, rest).unshift(rest);
  }
  zone.managedPages -= 1;
  page.flags = abi.PG_RESERVED;
  page.refcount = 1;
  return true;
}

function blocksIn(zone: Zone, start: number, end: number): Page[] {
  return zone.free
    .flatMap(blocksOf)
    .filter(({ pfn }) => pfn >= start && pfn < end)
    .toSorted((a, b) => a.pfn - b.pfn);
}

export function removeFreeRange(m: Machine, zone: Zone, start: number, end: number): void {
  for (const block of blocksIn(zone, start, end)) take(m, block);
  zone.managedPages -= end - start;
}

/** Makes the pageblocks of start … end-1 isolated or movable again, and their free blocks with them. */
export function setIsolated(m: Machine, range: { start: number; end: number }, isolated: boolean): void {
  for (let pfn = range.start; pfn < range.end; pfn += abi.PAGEBLOCK_PAGES) {
    const blocks = blocksIn(zoneOf(pageAt(m, pfn)), pfn, pfn + abi.PAGEBLOCK_PAGES);
    for (const block of blocks) removeFrom(listFor(m, block), block);
    if (isolated) m.isolatedPageblocks.add(pageblockOf(pfn));
    else m.isolatedPageblocks.delete(pageblockOf(pfn));
    m.unmovablePageblocks.delete(pageblockOf(pfn));
    for (const block of blocks) listFor(m, block).unshift(block);
  }
}
