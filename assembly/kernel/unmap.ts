/** try_to_unmap() for migration and its way back, remove_migration_ptes() (mm/rmap.c, mm/migrate.c). */
import {
  FN_REMOVE_MIGRATION_PTES,
  FN_RMAP_WALK_FILE,
  FN_TRY_TO_UNMAP,
  FN_TRY_TO_UNMAP_FILE,
  PG_ANON_EXCLUSIVE,
  PG_SWAPCACHE,
  PROBE_KVM_UNMAP,
  PROBE_PTES_UNMAPPED,
  PROBE_REMOVE_MIGRATION_PTE,
  PROBE_TRY_TO_UNMAP,
  PTE_DIRTY,
  PTE_EXCLUSIVE,
  PTE_KVM,
  PTE_MIGRATION,
  PTE_WRITE,
  TRACE_UNMAP,
} from "../abi";
import { mmAt } from "../state/mm";
import { Page, getPage, maybePinned, pageAnon, pageAt, pageKsm, pfnOf } from "../state/page";
import { putPage } from "../state/page_free";
import { makePte, pteAt, pteIsMigrationEntry, ptePfn, ptePresent, setPte } from "../state/pgtable";
import { trace, tracing } from "../state/trace";
import { Vma, presentBit } from "../state/vma";
import { count } from "../state/vmstat";
import { setPageDirty } from "./dirty";
import { munlockUnmapped } from "./mlock";
import { profile } from "../state/profile";
import { pageAddRmap, pageRemoveRmap, rmapMapping, rmapPageAnon } from "./rmap";
import { NO_PLACE, beginWalk, lockForWalk, nextPlace, placeVma } from "./rmap_walk";
import { swapDuplicate } from "./swap_state";

/**
 * try_to_unmap_one() of a page in the swap cache: the PTE becomes a swap entry. Returns false, with the PTE
 * as it was and the page dirty if it was, for an exclusive page that may be pinned, or where page->private is
 * no entry (INV-PRIV). The last PTE that goes ends mlock: page_remove_rmap() does that of v3.12, and later
 * kernels leave mlocked pages mapped.
 */
export function unmapToSwap(page: Page, vma: Vma, number: i32, pte: i32): bool {
  if ((pte & PTE_DIRTY) != 0) setPageDirty(page);
  const slot = page.privateWord;
  const exclusive = (page.flags & PG_ANON_EXCLUSIVE) != 0;
  if (exclusive && maybePinned(page)) return false;
  if (!swapDuplicate(slot)) return false;
  page.flags &= ~PG_ANON_EXCLUSIVE;
  setPte(number, makePte(slot, exclusive ? PTE_EXCLUSIVE : 0));
  const mm = mmAt(vma.mm);
  mm.rssAnon -= 1;
  mm.rssSwap += 1;
  finishUnmapping(page, pte);
  if (page.mapcount == 0) munlockUnmapped(vma, pfnOf(page), page);
  return true;
}

/** The end of unmapping one PTE: its mapping and its reference go, and KVM's mapping of it. */
export function finishUnmapping(page: Page, pte: i32): void {
  pageRemoveRmap(page);
  putPage(page);
  if ((pte & PTE_KVM) != 0) count(PROBE_KVM_UNMAP, 1);
}

/**
 * try_to_unmap_one(): one PTE becomes a migration entry. Returns false, with the PTE as it was and the page
 * dirty if it was, for an exclusive page that may be pinned (page_try_share_anon_rmap()).
 */
function tryToUnmapOne(page: Page, pfn: i32, vma: Vma, number: i32, pte: i32): bool {
  if ((page.flags & PG_SWAPCACHE) != 0 && profile().unmapsToSwap && rmapPageAnon(page)) {
    return unmapToSwap(page, vma, number, pte);
  }
  if ((pte & PTE_DIRTY) != 0) setPageDirty(page);
  let entry = PTE_MIGRATION | (pte & PTE_WRITE);
  if ((page.flags & PG_ANON_EXCLUSIVE) != 0) {
    if (maybePinned(page)) return false;
    page.flags &= ~PG_ANON_EXCLUSIVE;
    entry |= PTE_EXCLUSIVE;
  }
  setPte(number, makePte(pfn, entry));
  finishUnmapping(page, pte);
  return true;
}

/** try_to_unmap(TTU_MIGRATION): replaces every PTE of a locked, isolated page with a migration entry. */
export function tryToUnmap(pfn: i32, page: Page): void {
  count(PROBE_TRY_TO_UNMAP, 1);
  if (tracing()) trace(TRACE_UNMAP, pfn, page.refcount, page.mapcount, 0);
  if (page.mapcount == 0 && pageAnon(page) && !pageKsm(page)) return; // page_lock_anon_vma_read()
  let unmapped = 0;
  const word = rmapMapping(page);
  lockForWalk(word, pfn, FN_TRY_TO_UNMAP_FILE, FN_TRY_TO_UNMAP);
  beginWalk(word, page.index);
  for (let number = nextPlace(); number != NO_PLACE; number = nextPlace()) {
    const pte = pteAt(number);
    if (!ptePresent(pte) || ptePfn(pte) != pfn) continue;
    if (!tryToUnmapOne(page, pfn, placeVma(), number, pte)) break;
    unmapped += 1;
    if (page.mapcount == 0) break;
  }
  count(PROBE_PTES_UNMAPPED, unmapped);
}

/**
 * remove_migration_pte(): the entry becomes a PTE of `page`, old and clean, writable if it was a write entry.
 */
function removeMigrationPte(page: Page, pfn: i32, vma: Vma, number: i32, entry: i32): void {
  getPage(page);
  const present = presentBit(vma);
  setPte(number, makePte(pfn, present | (entry & PTE_WRITE)));
  if ((entry & PTE_EXCLUSIVE) != 0 && profile().anonExclusive) page.flags |= PG_ANON_EXCLUSIVE;
  pageAddRmap(page);
}

/**
 * remove_migration_ptes(): resolves every entry that names `fromPfn` to `toPfn`, which may be the same page.
 */
export function removeMigrationPtes(fromPfn: i32, toPfn: i32): void {
  const page = pageAt(toPfn);
  let removed = 0;
  const word = rmapMapping(page);
  lockForWalk(word, toPfn, FN_RMAP_WALK_FILE, FN_REMOVE_MIGRATION_PTES);
  beginWalk(word, page.index);
  for (let number = nextPlace(); number != NO_PLACE; number = nextPlace()) {
    const entry = pteAt(number);
    if (!pteIsMigrationEntry(entry) || ptePfn(entry) != fromPfn) continue;
    removeMigrationPte(page, toPfn, placeVma(), number, entry);
    removed += 1;
  }
  count(PROBE_REMOVE_MIGRATION_PTE, removed);
}
