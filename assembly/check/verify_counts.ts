/** Counters against a recount: rss of every process, the host's page classes, isolation, content. */
import {
  CFG_MAPPINGS,
  INV_DATA,
  INV_ENTRY,
  INV_RSS,
  INV_VMSTAT,
  NR_ANON_PAGES,
  NR_FILE_MAPPED,
  NR_FILE_PAGES,
  NR_ISOLATED_ANON,
  NR_ISOLATED_FILE,
  MEMCG_CHARGED,
  NR_MLOCK,
  PFN_NONE,
  PG_ISOLATED,
  PG_LOCKED,
  PG_MEMCG,
  PG_MLOCKED,
  PG_SWAPBACKED,
  PG_UPTODATE,
  SWAP_SLOT_NONE,
  VMA_ANON,
  VMA_VDSO,
  ZERO_PFN,
} from "../abi";
import { config } from "../arena";
import { contentIs, expectedStamp, slotContentIs } from "../state/content";
import { atRest, machine } from "../state/machine";
import { OBJECT_ADDRESS_SPACE, cacheSlotAt, cachedSwapSlot, mappingAt } from "../state/mapping";
import { mmAt } from "../state/mm";
import { Page, pageAt } from "../state/page";
import { pteAt, pteIsMigrationEntry, pteIsSwapEntry, ptePfn, ptePresent } from "../state/pgtable";
import { swapSlotAt } from "../state/swap";
import { Vma, isSharedMapping, pageIndex, pteNumber, vmaAt } from "../state/vma";
import { counterOf } from "../state/vmstat";
import { verifyIsolated } from "./verify_migrations";
import { mappedByAnonVma } from "./verify_pages";
import { bad, expectEqual, violation } from "./violation";

/**
 * rss of one process. The class of a page is what the VMA says it is, not what its tag says now: a kernel
 * that loses the tag miscounts when it unmaps, not before.
 */
function verifyRss(id: i32): void {
  const mm = mmAt(id);
  let anon = 0;
  let file = 0;
  let swap = 0;
  for (let vmaId = mm.firstVma; vmaId != 0; vmaId = vmaAt(vmaId).nextVma) {
    const vma = vmaAt(vmaId);
    let pages = 0;
    for (let vpn = vma.start; vpn < vma.end; vpn++) {
      const pte = pteAt(pteNumber(vma, vpn));
      if (pteIsSwapEntry(pte)) swap += 1;
      else if (pte != 0 && ptePfn(pte) != ZERO_PFN) pages += 1;
    }
    if (vma.kind == VMA_ANON) anon += pages;
    else file += pages;
  }
  expectEqual(INV_RSS, 0, id, anon, mm.rssAnon);
  expectEqual(INV_RSS, 0, id, file, mm.rssFile);
  expectEqual(INV_RSS, 0, id, swap, mm.rssSwap);
}

export function verifyMms(): void {
  for (let id = machine().firstMm; id != 0 && violation() == 0; id = mmAt(id).nextMm) verifyRss(id);
}

function cachedPages(): i32 {
  let nr = 0;
  for (let id = 1; id <= config(CFG_MAPPINGS); id++) {
    const mapping = mappingAt(id);
    if (mapping.kind == OBJECT_ADDRESS_SPACE) nr += mapping.nrpages;
  }
  return nr;
}

// What the frames recounted so far add up to.
let anonMapped = 0;
let fileMapped = 0;
let isolatedAnon = 0;
let isolatedFile = 0;
let mlocked = 0;
let charged = 0;

export function beginCounters(): void {
  anonMapped = 0;
  fileMapped = 0;
  isolatedAnon = 0;
  isolatedFile = 0;
  mlocked = 0;
  charged = 0;
}

/** At quiescence no page is locked. */
function tallyUnusual(pfn: i32, page: Page): void {
  const flags = page.flags;
  if ((flags & PG_MLOCKED) != 0) mlocked += 1;
  if ((flags & PG_ISOLATED) != 0) {
    if ((flags & PG_SWAPBACKED) != 0) isolatedAnon += 1;
    else isolatedFile += 1;
    verifyIsolated(pfn, page);
  }
  if ((flags & PG_LOCKED) != 0 && atRest()) expectEqual(INV_ENTRY, pfn, 0, 0, 1);
}

/** Adds the frames start … end-1, whose holders have been counted. */
export function tallyCounters(start: i32, end: i32): void {
  for (let pfn = start; pfn < end; pfn++) {
    const page = pageAt(pfn);
    const flags = page.flags;
    if (page.mapcount > 0) {
      if (!mappedByAnonVma(pfn)) fileMapped += 1;
      else {
        anonMapped += 1;
        if ((flags & PG_MEMCG) == 0) bad(INV_VMSTAT, pfn, MEMCG_CHARGED, 1, 0);
      }
    }
    if ((flags & PG_MEMCG) != 0) charged += 1;
    if ((flags & (PG_MLOCKED | PG_ISOLATED | PG_LOCKED)) != 0) tallyUnusual(pfn, page);
  }
}

/** Compares the host's counters with what was added up. */
export function verifyCounters(): void {
  expectEqual(INV_VMSTAT, 0, NR_ANON_PAGES, anonMapped, counterOf(NR_ANON_PAGES));
  expectEqual(INV_VMSTAT, 0, NR_FILE_MAPPED, fileMapped, counterOf(NR_FILE_MAPPED));
  expectEqual(INV_VMSTAT, 0, NR_FILE_PAGES, cachedPages(), counterOf(NR_FILE_PAGES));
  expectEqual(INV_VMSTAT, 0, NR_ISOLATED_ANON, isolatedAnon, counterOf(NR_ISOLATED_ANON));
  expectEqual(INV_VMSTAT, 0, NR_ISOLATED_FILE, isolatedFile, counterOf(NR_ISOLATED_FILE));
  expectEqual(INV_VMSTAT, 0, NR_MLOCK, mlocked, counterOf(NR_MLOCK));
  expectEqual(INV_VMSTAT, 0, MEMCG_CHARGED, charged, counterOf(MEMCG_CHARGED));
}

/** A page that is locked and not up to date: whoever finds it waits for its content. */
function isAwaited(pfn: i32): bool {
  return (pageAt(pfn).flags & (PG_LOCKED | PG_UPTODATE)) == PG_LOCKED;
}

/** What a swap entry leads to: the page in the swap cache, or what the device has. */
function verifySwappedContent(owner: i32, number: i32, stamp: i32): void {
  const pfn = swapSlotAt(number).pfn;
  const same = pfn != PFN_NONE ? isAwaited(pfn) || contentIs(pfn, stamp) : slotContentIs(number, stamp);
  if (!same) expectEqual(INV_DATA, pfn, owner, stamp, -1);
}

function verifyVmaContent(vma: Vma): void {
  for (let vpn = vma.start; vpn < vma.end; vpn++) {
    const number = pteNumber(vma, vpn);
    const pte = pteAt(number);
    if (pteIsSwapEntry(pte)) verifySwappedContent(vma.mm, ptePfn(pte), expectedStamp(number));
    if (pte == 0 || (!ptePresent(pte) && !pteIsMigrationEntry(pte))) continue;
    const pfn = ptePfn(pte);
    if (pfn == ZERO_PFN) continue;
    const stamp = isSharedMapping(vma)
      ? cacheSlotAt(mappingAt(vma.object), pageIndex(vma, vpn)).expected
      : expectedStamp(number);
    if (!contentIs(pfn, stamp)) expectEqual(INV_DATA, pfn, vma.mm, stamp, -1);
  }
}

/** Pages of the page cache, mapped or not. */
function verifyCacheContent(): void {
  for (let id = 1; id <= config(CFG_MAPPINGS); id++) {
    const mapping = mappingAt(id);
    if (mapping.kind != OBJECT_ADDRESS_SPACE) continue;
    for (let index = 0; index < mapping.nrSlots; index++) {
      const slot = cacheSlotAt(mapping, index);
      const swapSlot = cachedSwapSlot(slot);
      if (swapSlot != SWAP_SLOT_NONE) verifySwappedContent(id, swapSlot, slot.expected);
      else if (slot.pfn != PFN_NONE && !isAwaited(slot.pfn) && !contentIs(slot.pfn, slot.expected)) {
        expectEqual(INV_DATA, slot.pfn, id, slot.expected, -1);
      }
    }
  }
}

/** What a process reads is what it last wrote. */
export function verifyContent(): void {
  verifyCacheContent();
  for (let mm = machine().firstMm; mm != 0 && violation() == 0; mm = mmAt(mm).nextMm) {
    for (let id = mmAt(mm).firstVma; id != 0; id = vmaAt(id).nextVma) {
      if (vmaAt(id).kind != VMA_VDSO) verifyVmaContent(vmaAt(id));
    }
  }
}
