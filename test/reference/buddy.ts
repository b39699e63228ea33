/** The buddy allocator. Nothing but movable memory is asked for, so a block is on one of two lists. */
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

function listFor(m: Machine, page: Page): Page[] {
  const lists = at(zoneOf(page).free, page.order);
  return m.isolatedPageblocks.has(pageblockOf(page.pfn)) ? lists.isolated : lists.movable;
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

function takeSmallest(m: Machine, zone: Zone): Page | null {
  const page = zone.free.map(({ movable }) => movable[0]).find((head) => head !== undefined);
  if (page === undefined) return null;
  take(m, page);
  for (let order = page.order - 1; order >= 0; order--) {
    const upper = markFree(pageAt(m, page.pfn + 2 ** order), order);
    listFor(m, upper).unshift(upper);
  }
  return page;
}

export function freePagesOf(zone: Zone): number {
  const lengths = zone.free.map(({ movable, isolated }) => movable.length + isolated.length);
  return lengths.reduce((sum, length, order) => sum + length * 2 ** order, 0);
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
  | { readonly elsewhereThan: number };

function zonelist(m: Machine, where: Where): Zone[] {
  if ("only" in where) return zonesOf(m, where.only);
  const node = "preferred" in where ? where.preferred : where.elsewhereThan;
  const own = zonesOf(m, node);
  const others = fallbacksOf(m, node).flatMap((other) => zonesOf(m, other));
  return "preferred" in where ? [...own, ...others] : [...others, ...own];
}

/** One page with one reference, or null. */
export function allocPage(m: Machine, where: Where): Page | null {
  for (const zone of zonelist(m, where)) {
    const page = takeSmallest(m, zone);
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
  for (let pfn = start; pfn < end; pfn++) m.isolatedPageblocks.delete(pageblockOf(pfn));
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
  const orders = Array.from({ length: abi.NR_ORDERS }, (_, order) => order);
  const of = orders.find((order) => isFreeBlock(zone, m.pages[pfn - (pfn % 2 ** order)], order));
  if (of === undefined) return false;
  const block = pageAt(m, pfn - (pfn % 2 ** of));
  const lists = listFor(m, block);
  const isolated = lists === at(zone.free, of).isolated;
  take(m, block);
  for (let order = of - 1; order >= 0; order--) {
    const half = pfn - (pfn % 2 ** order);
    const rest = markFree(pageAt(m, half ^ (2 ** order)), order);
    const free = at(zone.free, order);
    (isolated ? free.isolated : free.movable).unshift(rest);
  }
  zone.managedPages -= 1;
  page.flags = abi.PG_RESERVED;
  page.refcount = 1;
  return true;
}

function blocksIn(zone: Zone, start: number, end: number): Page[] {
  const blocks = zone.free.flatMap(({ movable, isolated }) => [...movable, ...isolated]);
  return blocks.filter(({ pfn }) => pfn >= start && pfn < end).toSorted((a, b) => a.pfn - b.pfn);
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
    for (const block of blocks) listFor(m, block).unshift(block);
  }
}
