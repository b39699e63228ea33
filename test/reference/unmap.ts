/** try_to_unmap() for migration, and its way back. */
import * as abi from "../../assembly/abi.ts";
import { getPage, putPage } from "./lru.ts";
import { type Machine, type Page, type Pte, clearFlag, count, has, setFlag } from "./machine.ts";
import {
  type Place,
  addRmap,
  munlockUnmapped,
  removeRmap,
  rmapMapping,
  rmapWalk,
  setPageDirty,
} from "./rmap.ts";
import { slotOf } from "./swap-area.ts";

/**
 * Replaces one PTE by a swap entry. False: the page is exclusive and may be pinned, or the RFC has put a
 * pointer where its slot was.
 */
export function unmapToSwap(m: Machine, page: Page, { vma, vpn, pte }: Place): boolean {
  if (pte.dirty) setPageDirty(m, page);
  const slot = slotOf(page);
  const exclusive = has(page, abi.PG_ANON_EXCLUSIVE);
  if (slot === null || (exclusive && page.refcount >= abi.GUP_PIN_COUNTING_BIAS)) return false;
  clearFlag(page, abi.PG_ANON_EXCLUSIVE);
  slot.count += 1;
  vma.process.ptes.set(vpn, { slot, exclusive, expected: pte.expected });
  vma.process.rssAnon -= 1;
  vma.process.rssSwap += 1;
  removeRmap(m, page);
  if (page.mapcount === 0) munlockUnmapped(m, vma, page);
  putPage(m, page);
  return true;
}

/** Replaces one PTE by a migration entry, unless the page is exclusive and may be pinned. */
function unmapOne(m: Machine, page: Page, pte: Pte): boolean {
  const exclusive = has(page, abi.PG_ANON_EXCLUSIVE);
  if (pte.dirty) setPageDirty(m, page);
  if (exclusive && page.refcount >= abi.GUP_PIN_COUNTING_BIAS) return false;
  clearFlag(page, abi.PG_ANON_EXCLUSIVE);
  Object.assign(pte, { entry: true, exclusive, protNone: false, dirty: false, accessed: false });
  removeRmap(m, page);
  putPage(m, page);
  return true;
}

export function tryToUnmap(m: Machine, page: Page): void {
  count(m, abi.PROBE_TRY_TO_UNMAP, 1);
  const walked = rmapWalk(m, page, [abi.FN_TRY_TO_UNMAP_FILE, abi.FN_TRY_TO_UNMAP]);
  const toSwap = m.profile.unmapsToSwap && has(page, abi.PG_SWAPCACHE) && rmapMapping(m, page).anon;
  for (const place of walked.filter((one) => one.pte.page === page)) {
    if (!(toSwap ? unmapToSwap(m, page, place) : unmapOne(m, page, place.pte))) return;
    count(m, abi.PROBE_PTES_UNMAPPED, 1);
  }
}

export function removeMigrationPtes(m: Machine, from: Page, to: Page): void {
  const walked = rmapWalk(m, to, [abi.FN_RMAP_WALK_FILE, abi.FN_REMOVE_MIGRATION_PTES]);
  for (const { vma, pte } of walked.filter((one) => one.pte.entry && one.pte.page === from)) {
    getPage(to);
    if (pte.exclusive) setFlag(to, abi.PG_ANON_EXCLUSIVE);
    const protNone = vma.prot === abi.PROT_NONE;
    Object.assign(pte, { page: to, entry: false, exclusive: false, protNone });
    addRmap(m, to);
    count(m, abi.PROBE_REMOVE_MIGRATION_PTE, 1);
  }
}
