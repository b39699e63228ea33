/** try_to_unmap() for migration, and its way back. */
import * as abi from "../../assembly/abi.ts";
import { getPage, putPage } from "./lru.ts";
import { type Machine, type Page, type Pte, clearFlag, count, has, setFlag } from "./machine.ts";
import { addRmap, removeRmap, rmapWalk, setPageDirty } from "./rmap.ts";

/** Replaces one PTE by a migration entry, unless the page is exclusive and may be pinned. */
function unmapOne(m: Machine, page: Page, pte: Pte): boolean {
  const exclusive = has(page, abi.PG_ANON_EXCLUSIVE);
  if (exclusive && page.refcount >= abi.GUP_PIN_COUNTING_BIAS) return false;
  clearFlag(page, abi.PG_ANON_EXCLUSIVE);
  const { dirty } = pte;
  Object.assign(pte, { entry: true, exclusive, protNone: false, dirty: false, accessed: false });
  if (dirty) setPageDirty(m, page);
  removeRmap(m, page);
  putPage(m, page);
  count(m, abi.PROBE_PTES_UNMAPPED, 1);
  return true;
}

export function tryToUnmap(m: Machine, page: Page): void {
  count(m, abi.PROBE_TRY_TO_UNMAP, 1);
  const walked = rmapWalk(m, page, [abi.FN_TRY_TO_UNMAP_FILE, abi.FN_TRY_TO_UNMAP]);
  for (const { pte } of walked.filter((one) => one.pte.page === page)) {
    if (!unmapOne(m, page, pte)) return;
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
