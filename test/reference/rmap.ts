/** Who maps a page, and what is done through page->mapping: locks, dirty bits. */
import * as abi from "../../assembly/abi.ts";
import { addToLru, removeFromLru } from "./lru.ts";
import {
  type Machine,
  type Mapping,
  type MappingWord,
  type Page,
  type Pte,
  type Vma,
  Crash,
  clearFlag,
  count,
  has,
  setFlag,
} from "./machine.ts";
import { unchargeUnmapped } from "./memcg.ts";
import { contextOf, slotOf } from "./swap-area.ts";

export function repaired(m: Machine, repair: string): boolean {
  return m.config.repairs?.includes(repair) ?? false;
}

export function hasSubstitute(m: Machine, page: Page): boolean {
  return page.mapping !== null && page.mapping === m.apfMapping;
}

/** page->mapping as mm/rmap.c sees it: with L4 it looks behind the substitute. */
export function rmapMapping(m: Machine, page: Page): MappingWord {
  if (!hasSubstitute(m, page) || !repaired(m, "L4")) return page;
  const context = contextOf(page);
  if (context?.alive !== true) {
    throw new Crash({
      kind: abi.CRASH_OOPS,
      trace: [abi.FN_TRY_TO_UNMAP],
      pfn: page.pfn,
      invariant: abi.INV_UAF,
    });
  }
  return context.original;
}

/** Of a page in the swap cache the type bits of the private word name the area; those of a pointer none. */
function swapAddressSpace(page: Page): Mapping {
  const slot = slotOf(page);
  if (slot !== null) return slot.area.mapping;
  throw new Crash({
    kind: abi.CRASH_OOPS,
    trace: [abi.FN_PAGE_MAPPING],
    pfn: page.pfn,
    invariant: abi.INV_PRIV,
  });
}

/** page_mapping(): the address_space, null for anonymous memory outside the swap cache. */
export function pageMapping(m: Machine, page: Page): Mapping | null {
  if (has(page, abi.PG_SWAPCACHE)) return swapAddressSpace(page);
  return page.anon && !hasSubstitute(m, page) ? null : page.mapping;
}

function rmapClass(m: Machine, page: Page): number {
  return rmapMapping(m, page).anon ? abi.NR_ANON_PAGES : abi.NR_FILE_MAPPED;
}

export function addRmap(m: Machine, page: Page): void {
  page.mapcount += 1;
  if (page.mapcount === 1) count(m, rmapClass(m, page), 1);
}

/** page_add_anon_rmap() of a page of swap: its first PTE makes it anonymous memory of that place. */
export function addAnonRmap(m: Machine, page: Page, vma: Vma, vpn: number): void {
  if (page.mapcount === 0 && !page.anon) {
    page.mapping = vma.mapping;
    page.anon = true;
    page.index = vpn - vma.start + vma.pgoff;
  }
  addRmap(m, page);
}

export function removeRmap(m: Machine, page: Page): void {
  page.mapcount -= 1;
  if (page.mapcount > 0) return;
  count(m, rmapClass(m, page), -1);
  if (rmapMapping(m, page).anon) unchargeUnmapped(m, page);
}

/** A place where the reverse map may find a page. */
export interface Place {
  readonly vma: Vma;
  readonly vpn: number;
  readonly pte: Pte;
}

export function placesIn({ vmas }: Mapping, index: number): Place[] {
  return vmas.flatMap((vma) => {
    const vpn = vma.start + index - vma.pgoff;
    const pte = vpn >= vma.start && vpn < vma.end ? vma.process.ptes.get(vpn) : undefined;
    return pte === undefined ? [] : [{ vma, vpn, pte }];
  });
}

function placesOf({ mapping, ksm }: MappingWord, page: Page): Place[] {
  if (mapping === null) return [];
  if (!ksm) return placesIn(mapping, page.index);
  return mapping.items.flatMap(({ anonVma, index }) => placesIn(anonVma, index));
}

function isMappedByLockedVma(m: Machine, page: Page): boolean {
  const places = placesOf(rmapMapping(m, page), page);
  return places.some(({ vma, pte }) => vma.locked && pte.page === page);
}

/** munlock of a page that `vma` maps no more: evictable, unless another VM_LOCKED VMA maps it. */
export function munlockUnmapped(m: Machine, vma: Vma, page: Page): void {
  if (!has(page, abi.PG_MLOCKED)) return;
  if (page.mapcount > 0 && (!vma.locked || isMappedByLockedVma(m, page))) return;
  clearFlag(page, abi.PG_MLOCKED);
  count(m, abi.NR_MLOCK, -1);
  if (!has(page, abi.PG_LRU)) return;
  removeFromLru(page);
  clearFlag(page, abi.PG_UNEVICTABLE);
  addToLru(page);
}

/** The same for a migration entry of the page that `vma` has no more. */
export function munlockEntry(m: Machine, vma: Vma, page: Page): void {
  if (!vma.locked || !has(page, abi.PG_MLOCKED) || isMappedByLockedVma(m, page)) return;
  clearFlag(page, abi.PG_MLOCKED);
  count(m, abi.NR_MLOCK, -1);
}

function isReadOnly(m: Machine, mapping: Mapping): boolean {
  return mapping === m.apfMapping && !repaired(m, "L1") && (m.config.debugRodata ?? true);
}

function lockMmapMutex(m: Machine, page: Page, mapping: Mapping, callers: readonly number[]): void {
  if (mapping !== m.apfMapping || repaired(m, "L1")) return;
  const called = isReadOnly(m, mapping)
    ? [abi.FN_MUTEX_LOCK]
    : [abi.FN_MUTEX_LOCK_SLOWPATH, abi.FN_MUTEX_LOCK];
  throw new Crash({
    kind: abi.CRASH_OOPS,
    trace: [...called, ...callers].slice(0, 3),
    pfn: page.pfn,
    invariant: abi.INV_LOCK,
  });
}

/** The anon_vma of an unmapped page may be gone, or its memory may be another one's by now. */
function checkAnonVma(m: Machine, page: Page, mapping: Mapping, callers: readonly number[]): void {
  if (m.mappings.get(mapping.id)?.kind === "anon_vma") return;
  const isSubstitute = mapping === m.apfMapping;
  throw new Crash({
    kind: isSubstitute ? abi.CRASH_HANG : abi.CRASH_OOPS,
    trace: [abi.FN_RMAP_WALK_ANON, ...callers.slice(1)],
    pfn: page.pfn,
    invariant: isSubstitute ? abi.INV_LOCK : abi.INV_UAF,
  });
}

/** Every PTE at the page's place in the VMAs that its mapping leads to. */
export function rmapWalk(m: Machine, page: Page, callers: readonly number[]): Place[] {
  const word = rmapMapping(m, page);
  const { mapping, anon, ksm } = word;
  if (mapping === null) return [];
  if (!anon) lockMmapMutex(m, page, mapping, callers);
  else if (!ksm) checkAnonVma(m, page, mapping, callers);
  return placesOf(word, page);
}

export function setPageDirty(m: Machine, page: Page): void {
  const mapping = pageMapping(m, page);
  if (mapping !== null && mapping === m.apfMapping && !repaired(m, "L2")) {
    const callers = [abi.FN_SET_PAGE_DIRTY_BUFFERS, abi.FN_SET_PAGE_DIRTY];
    const oops = { kind: abi.CRASH_OOPS, pfn: page.pfn };
    if (isReadOnly(m, mapping)) {
      throw new Crash({ ...oops, trace: [abi.FN_RAW_SPIN_LOCK, ...callers], invariant: abi.INV_LOCK });
    }
    if (!has(page, abi.PG_DIRTY)) {
      throw new Crash({ ...oops, trace: [abi.FN_ACCOUNT_PAGE_DIRTIED, ...callers], invariant: abi.INV_NULL });
    }
  }
  if (mapping !== null) clearFlag(page, abi.PG_RECLAIM);
  setFlag(page, abi.PG_DIRTY);
}

export function clearPageDirtyForIo(m: Machine, page: Page): void {
  if (pageMapping(m, page) === m.apfMapping && hasSubstitute(m, page) && !repaired(m, "L2")) {
    throw new Crash({
      kind: abi.CRASH_OOPS,
      trace: [abi.FN_CLEAR_PAGE_DIRTY_FOR_IO, abi.FN_MIGRATE_PAGE_COPY],
      pfn: page.pfn,
      invariant: abi.INV_NULL,
    });
  }
  clearFlag(page, abi.PG_DIRTY);
}
