/** What ksmd makes of pages that are said to be equal. */
import * as abi from "../../assembly/abi.ts";
import { newPte } from "./anon-page.ts";
import { drainAll, getPage, putPage } from "./lru.ts";
import {
  type Machine,
  type Mapping,
  type Page,
  type Process,
  type Pte,
  type Vma,
  clearFlag,
  has,
  setFlag,
} from "./machine.ts";
import { newKsmNode } from "./mapping.ts";
import { findVma, mlockPage } from "./process.ts";
import { addRmap, hasSubstitute, munlockUnmapped, removeRmap, setPageDirty } from "./rmap.ts";
import { tryToFreeSwap } from "./swap-cache.ts";
import { followPage } from "./syscalls.ts";

/** A page by its place in a process. */
export interface Place {
  readonly process: Process;
  readonly vpn: number;
}

interface Found extends Place {
  readonly vma: Vma;
  readonly pte: Pte;
  readonly page: Page;
}

/** A page of private anonymous memory. */
function find(m: Machine, { process, vpn }: Place): Found[] {
  const vma = findVma(process, vpn);
  const pte = process.ptes.get(vpn);
  const page = followPage(m, process, vpn);
  if (vma?.kind !== "anon" || pte === undefined || typeof page === "number") return [];
  return [{ process, vpn, vma, pte, page }];
}

/** Nobody writes to it behind the back of its PTEs, so far as KSM looks. */
function isWriteProtectable({ page, pte }: Found): boolean {
  const mayHaveWriters = pte.write || pte.dirty || has(page, abi.PG_ANON_EXCLUSIVE);
  return !mayHaveWriters || page.refcount === page.mapcount + (has(page, abi.PG_SWAPCACHE) ? 1 : 0);
}

function isMergeable(m: Machine, found: Found): boolean {
  const { page } = found;
  const ofItsAnonVma = page.anon && !page.ksm && !hasSubstitute(m, page);
  return ofItsAnonVma && !has(page, abi.PG_LOCKED) && isWriteProtectable(found);
}

function areEqual(m: Machine, a: Page, b: Page): boolean {
  return (m.config.contentBytes ?? 0) === 0 || a.content === b.content;
}

function writeProtect(m: Machine, { page, pte }: Found): void {
  if (pte.dirty) setPageDirty(m, page);
  pte.dirty = false;
  pte.write = false;
  clearFlag(page, abi.PG_ANON_EXCLUSIVE);
}

/** The page has a place more, unless that is known already. */
function addPlace(node: Mapping | null, { vma, vpn }: Found): void {
  const index = vpn - vma.start + vma.pgoff;
  const anonVma = vma.mapping;
  if (node === null || anonVma === null) throw new Error("a page of KSM without its objects");
  if (node.items.some((item) => item.anonVma === anonVma && item.index === index)) return;
  node.items.unshift({ anonVma, index });
  anonVma.refs += 1;
}

function becomeShared(m: Machine, found: Found): void {
  const { page } = found;
  writeProtect(m, found);
  page.mapping = newKsmNode(m);
  page.mapping.refs = 1;
  page.ksm = true;
  setFlag(page, abi.PG_REFERENCED);
  if (m.profile.sharedPagesAreDirty) setFlag(page, abi.PG_DIRTY);
  addPlace(page.mapping, found);
}

function share(m: Machine, found: Found, shared: Page): void {
  const { process, vpn, vma, pte, page } = found;
  writeProtect(m, found);
  getPage(shared);
  addRmap(m, shared);
  const protNone = vma.prot === abi.PROT_NONE;
  process.ptes.set(vpn, newPte(shared, { protNone, expected: pte.expected }));
  addPlace(shared.mapping, found);
  removeRmap(m, page);
  munlockUnmapped(m, vma, page);
  if (vma.locked) mlockPage(m, shared);
  if (page.mapcount === 0) tryToFreeSwap(m, page);
  putPage(m, page);
}

function sharedAlready(m: Machine, group: readonly Place[]): Page | undefined {
  const pages = group.flatMap((place) => find(m, place)).map(({ page }) => page);
  return pages.find((page) => page.ksm && !has(page, abi.PG_LOCKED));
}

function canJoin(m: Machine, place: Place, page: Page): boolean {
  return find(m, place).some(
    (found) => found.page !== page && isMergeable(m, found) && areEqual(m, found.page, page),
  );
}

export interface Merged {
  pagesShared: number;
  pagesSharing: number;
}

function mergeGroup(m: Machine, group: readonly Place[], merged: Merged): void {
  let shared = sharedAlready(m, group);
  for (const [position, place] of group.entries()) {
    const [found] = find(m, place).filter((one) => isMergeable(m, one));
    if (found === undefined) continue;
    if (shared === undefined) {
      const others = group.slice(position + 1);
      if (!others.some((other) => canJoin(m, other, found.page))) continue;
      becomeShared(m, found);
      shared = found.page;
      merged.pagesShared += 1;
    } else if (areEqual(m, found.page, shared)) {
      share(m, found, shared);
      merged.pagesSharing += 1;
    }
  }
}

/** Merges the pages of each group. */
export function mergeKsm(m: Machine, groups: readonly (readonly Place[])[]): Merged {
  const merged = { pagesShared: 0, pagesSharing: 0 };
  drainAll(m);
  for (const group of groups) mergeGroup(m, group, merged);
  return merged;
}
