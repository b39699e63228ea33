/** One attempt to migrate one page. */
import * as abi from "../../assembly/abi.ts";
import { asyncPfMigratepage } from "./async-pf-callback.ts";
import { type Machine, type Mapping, type Page, Crash, clearFlag, count, has, setFlag } from "./machine.ts";
import { putMapping } from "./mapping.ts";
import { keepCharge, moveCharge, releaseCharge } from "./memcg.ts";
import { migrateByMapping } from "./migrate-file.ts";
import { unlockPage } from "./page-lock.ts";
import { pageMapping, rmapMapping } from "./rmap.ts";
import { removeMigrationPtes, tryToUnmap } from "./unmap.ts";
import { endPageWriteback } from "./writeback.ts";

export interface Manner {
  readonly mode: number;
  /** May sleep for the page lock, where the mode allows. */
  readonly force: boolean;
}

/** What the end of an attempt has to undo. */
export interface Attempt {
  /** try_to_unmap() has been. */
  readonly called: boolean;
  /** It is kept until then. */
  readonly anonVma: Mapping | null;
}

export function lockPage(page: Page, { mode, force }: Manner): number {
  if (has(page, abi.PG_LOCKED)) {
    if (!force || mode === abi.MIGRATE_ASYNC) return -abi.EAGAIN;
    throw new Crash({
      kind: abi.CRASH_HANG,
      trace: [abi.FN_LOCK_PAGE],
      pfn: page.pfn,
      invariant: abi.INV_LIVE,
    });
  }
  setFlag(page, abi.PG_LOCKED);
  return 0;
}

function waitForWriteback(m: Machine, page: Page, { mode, force }: Manner): number {
  if (!has(page, abi.PG_WRITEBACK)) return 0;
  if (mode !== abi.MIGRATE_SYNC) return -abi.EBUSY;
  if (!force) return -abi.EAGAIN;
  endPageWriteback(m, page);
  return 0;
}

/** page_get_anon_vma(). */
function getAnonVma(m: Machine, page: Page): Mapping | null {
  const { mapping, anon, ksm } = rmapMapping(m, page);
  if (!anon || ksm || page.mapcount === 0 || mapping?.kind !== "anon_vma") return null;
  mapping.refs += 1;
  return mapping;
}

/** From the locked page to the unmapped one. */
export function unmapPage(m: Machine, page: Page, manner: Manner): { rc: number; attempt: Attempt } {
  if (rmapMapping(m, page).anon) keepCharge(m, page);
  const err = waitForWriteback(m, page, manner);
  if (err !== 0) return { rc: err, attempt: { called: false, anonVma: null } };
  const needsAnonVma = page.anon && !page.ksm;
  const anonVma = needsAnonVma ? getAnonVma(m, page) : null;
  if (needsAnonVma && anonVma === null && m.profile.refusesUnmappedAnon) {
    const rc = has(page, abi.PG_SWAPCACHE) ? 0 : -abi.EAGAIN;
    // It is called, and finds nothing; so there is nothing to put back.
    if (rc === 0) count(m, abi.PROBE_TRY_TO_UNMAP, 1);
    return { rc, attempt: { called: false, anonVma } };
  }
  const called = page.mapping !== null && (page.mapcount > 0 || m.profile.unmapsUnmappedPages);
  if (called) tryToUnmap(m, page);
  return { rc: page.mapcount === 0 ? 0 : -abi.EAGAIN, attempt: { called, anonVma } };
}

/** move_to_new_page(): mapping, content and flags; then the PTEs, if try_to_unmap() was called. */
export function moveToNewPage(
  m: Machine,
  { page, to }: { readonly page: Page; readonly to: Page },
  called: boolean,
  mode: number,
): number {
  setFlag(to, abi.PG_LOCKED | (page.flags & abi.PG_SWAPBACKED));
  to.index = page.index;
  to.mapping = page.mapping;
  to.anon = page.anon;
  to.ksm = page.ksm;
  if (m.profile.unmapsBatchFirst) count(m, abi.PROBE_REFCOUNT_CHECK, 1);
  const mapping = pageMapping(m, page);
  const rc =
    mapping?.kind === "apf_mapping"
      ? asyncPfMigratepage(m, page, to)
      : migrateByMapping(m, mapping, { page, to }, mode);
  if (rc === 0) {
    moveCharge(page, to);
    if (called) removeMigrationPtes(m, page, to);
    releaseCharge(m, page, to);
    if (!page.anon || m.profile.forgetsAnonMapping) {
      page.mapping = null;
      page.anon = false;
      page.ksm = false;
    }
  } else {
    to.mapping = null;
    to.anon = false;
    to.ksm = false;
  }
  clearFlag(to, abi.PG_LOCKED);
  return rc;
}

/** The end of an attempt: the PTEs of a page that did not move, the anon_vma, the lock. */
export function finishAttempt(m: Machine, page: Page, { called, anonVma }: Attempt, moved: boolean): void {
  if (called && !moved) removeMigrationPtes(m, page, page);
  releaseCharge(m, page, page);
  if (anonVma !== null) putMapping(m, anonVma);
  unlockPage(m, page);
}

export function attemptOnce(m: Machine, page: Page, to: Page, manner: Manner): number {
  const busy = lockPage(page, manner);
  if (busy !== 0) return busy;
  const { rc: refused, attempt } = unmapPage(m, page, manner);
  const rc = refused !== 0 ? refused : moveToNewPage(m, { page, to }, attempt.called, manner.mode);
  finishAttempt(m, page, attempt, rc === 0);
  return rc;
}
