/** Pages: references equal holders, mapcount equals PTEs, tags and migration entries are sound. */
import {
  CFG_CPUS,
  CFG_MAPPINGS,
  CFG_PINS,
  FIRST_PFN,
  HOLDER_NONE,
  INV_ENTRY,
  INV_MAPC,
  INV_PTE,
  INV_REF,
  INV_TAG,
  INV_UAF,
  MAPPING_ANON,
  MAPPING_KSM,
  MAPPING_TAG_MASK,
  PFN_NONE,
  PG_ANON_EXCLUSIVE,
  PG_ISOLATED,
  PG_LOCKED,
  PG_RESERVED,
  PG_SWAPCACHE,
  PROT_NONE,
  PROT_WRITE,
  PTE_PRESENT,
  PTE_WRITE,
  VMA_ANON,
  ZERO_PFN,
} from "../abi";
import { config } from "../arena";
import { batchLength, batchPfn } from "../state/lru_batch";
import { atRest, machine } from "../state/machine";
import {
  AS_SWAP,
  OBJECT_ADDRESS_SPACE,
  OBJECT_ANON_VMA,
  OBJECT_KSM_NODE,
  cacheSlotAt,
  cachedPfn,
  isSubstitute,
  mappingAt,
  objectOf,
} from "../state/mapping";
import { mmAt } from "../state/mm";
import { profile } from "../state/profile";
import { pteAt, pteIsMigrationEntry, ptePfn, ptePresent } from "../state/pgtable";
import { Page, pageAt, pageHasPrivate, pageKsm } from "../state/page";
import { pinAt, refsOfKind } from "../state/pins";
import { Vma, findVma, pteNumber, vmaAt } from "../state/vma";
import { addRefs, addUser, tallied, tallyOf } from "./tally";
import { countGivenUp } from "./verify_migrations";
import { countSwapCache, verifySwapPage } from "./verify_swap";
import { bad, expectEqual, violation } from "./violation";

const MAPPED_BY_ANON_VMA: i32 = 1 << 30; // among the PTEs of a tally

/**
 * A PTE is present only where the VMA lets it be read and writable only where that lets it be written, and
 * never that of a KSM page; on 6.x an anonymous page that can be written is exclusive.
 */
function allowsTooMuch(vma: Vma, pte: i32, page: Page): bool {
  if ((pte & PTE_PRESENT) != 0 && vma.prot == PROT_NONE) return true;
  if ((pte & PTE_WRITE) == 0) return false;
  if ((vma.prot & PROT_WRITE) == 0 || pageKsm(page)) return true;
  return vma.kind == VMA_ANON && profile().anonExclusive && (page.flags & PG_ANON_EXCLUSIVE) == 0;
}

/** At quiescence no migration entry is left, and one always names a locked page. */
function verifyMigrationEntry(vma: Vma, pte: i32): void {
  const pfn = ptePfn(pte);
  const locked = (pageAt(pfn).flags & PG_LOCKED) != 0;
  if (!locked || atRest()) bad(INV_ENTRY, pfn, vma.mm, 0, pte);
}

/** A page that an anonymous PTE maps has the tag. */
function countPresentPte(vma: Vma, pte: i32): void {
  const pfn = ptePfn(pte);
  const page = pageAt(pfn);
  if (page.refcount == 0) bad(INV_UAF, pfn, vma.mm, 1, 0);
  if (allowsTooMuch(vma, pte, page)) bad(INV_PTE, pfn, vma.mm, vma.prot, pte);
  const tally = tallyOf(pfn);
  tally.refs += 1;
  tally.users += 1;
  if (vma.kind != VMA_ANON) return;
  tally.users |= MAPPED_BY_ANON_VMA;
  if ((page.mapping & MAPPING_ANON) == 0) bad(INV_TAG, pfn, vma.mm, vma.object, page.mapping);
}

/** Between the halves of a zap the page counts a PTE that is gone. */
function countZapped(mmId: i32): void {
  const mm = mmAt(mmId);
  if (mm.zapped == PFN_NONE || !tallied(mm.zapped)) return;
  addUser(mm.zapped, 1);
  if (vmaAt(findVma(mmId, mm.zappedVpn)).kind == VMA_ANON) tallyOf(mm.zapped).users |= MAPPED_BY_ANON_VMA;
}

function countPte(vma: Vma, pte: i32): void {
  const pfn = ptePfn(pte);
  if (ptePresent(pte)) {
    if (pfn != ZERO_PFN && tallied(pfn)) countPresentPte(vma, pte);
  } else if (pteIsMigrationEntry(pte) && tallied(pfn)) {
    verifyMigrationEntry(vma, pte);
  }
}

function countPtes(): void {
  for (let mm = machine().firstMm; mm != 0; mm = mmAt(mm).nextMm) {
    countZapped(mm);
    for (let id = mmAt(mm).firstVma; id != 0; id = vmaAt(id).nextVma) {
      const vma = vmaAt(id);
      for (let vpn = vma.start; vpn < vma.end; vpn++) {
        const pte = pteAt(pteNumber(vma, vpn));
        if (pte != 0) countPte(vma, pte);
      }
      if (violation() != 0) return;
    }
  }
}

function countPageCache(): void {
  for (let id = 1; id <= config(CFG_MAPPINGS); id++) {
    const mapping = mappingAt(id);
    if (mapping.kind != OBJECT_ADDRESS_SPACE) continue;
    let nr = 0;
    if ((mapping.flags & AS_SWAP) != 0) continue; // see verify_swap.ts
    for (let index = 0; index < mapping.nrSlots; index++) {
      const pfn = cachedPfn(cacheSlotAt(mapping, index));
      if (pfn == PFN_NONE) continue;
      addRefs(pfn, 1);
      nr += 1;
    }
    expectEqual(INV_REF, 0, id, nr, mapping.nrpages);
  }
}

/** Adds up the holders of the frames of the window. */
export function countHolders(): void {
  countPtes();
  countPageCache();
  countSwapCache();
  countGivenUp();
  for (let id = 1; id <= config(CFG_PINS); id++) {
    const pin = pinAt(id);
    if (pin.kind != HOLDER_NONE) addRefs(pin.pfn, refsOfKind(pin.kind));
  }
  for (let cpu = 0; cpu < config(CFG_CPUS); cpu++) {
    for (let i = 0; i < batchLength(cpu); i++) addRefs(batchPfn(cpu, i), 1);
  }
}

/** OBJECT_* of an id that was found somewhere, 0 if there is no such object. */
export function objectKind(id: i32): i32 {
  return <u32>id > <u32>config(CFG_MAPPINGS) ? 0 : mappingAt(id).kind;
}

function kindOfTag(tag: i32): i32 {
  if (tag == MAPPING_KSM) return OBJECT_KSM_NODE;
  return tag == 0 ? OBJECT_ADDRESS_SPACE : OBJECT_ANON_VMA;
}

/** The object that a page's mapping word names must exist and be of the kind that its tag says. */
function verifyMappingWord(pfn: i32, word: i32): void {
  if (word == 0 || isSubstitute(word)) return;
  const object = objectOf(word);
  const wanted = kindOfTag(word & MAPPING_TAG_MASK);
  const kind = objectKind(object);
  if (kind == wanted) {
    // Amid a move the old page and its target have the word.
    const moves = (pageAt(pfn).flags & PG_LOCKED) != 0 && !atRest();
    if (kind == OBJECT_KSM_NODE && !moves) expectEqual(INV_TAG, pfn, object, pfn, mappingAt(object).link);
  } else if (pageAt(pfn).mapcount > 0) {
    // The word of an unmapped anonymous page stays after its anon_vma has gone.
    bad(kind == 0 ? INV_UAF : INV_TAG, pfn, object, wanted, kind);
  }
}

/** Compares the frames start … end-1 with their holders, which have been counted. */
export function verifyPages(start: i32, end: i32): void {
  for (let pfn = max<i32>(start, FIRST_PFN); pfn < end; pfn++) {
    const page = pageAt(pfn);
    const tally = tallyOf(pfn);
    if ((page.flags | page.refcount | page.mapcount | tally.refs) == 0) continue; // free
    if ((page.flags & PG_RESERVED) != 0) continue;
    const isolated = (page.flags & PG_ISOLATED) != 0 ? 1 : 0;
    const buffers = pageHasPrivate(page) ? 1 : 0;
    expectEqual(INV_REF, pfn, 0, tally.refs + isolated + buffers, page.refcount);
    if ((page.flags & PG_ANON_EXCLUSIVE) != 0 && (page.mapcount > 1 || pageKsm(page)))
      bad(INV_PTE, pfn, 0, 1, page.mapcount);
    expectEqual(INV_MAPC, pfn, 0, tally.users & ~MAPPED_BY_ANON_VMA, page.mapcount);
    if (page.refcount > 0) verifyMappingWord(pfn, page.mapping);
    if ((page.flags & PG_SWAPCACHE) != 0) verifySwapPage(pfn, page);
    if (violation() != 0) return;
  }
}

/** Of a frame of the window: true if a private anonymous mapping has the page, whatever its tag says. */
export function mappedByAnonVma(pfn: i32): bool {
  return (tallyOf(pfn).users & MAPPED_BY_ANON_VMA) != 0;
}
