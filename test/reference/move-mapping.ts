/** The reference-count check, and what a page that moves takes along. */
import * as abi from "../../assembly/abi.ts";
import { getPage } from "./lru.ts";
import { type Machine, type Mapping, type Page, Crash, clearFlag, count, has, setFlag } from "./machine.ts";
import { clearPageDirtyForIo } from "./rmap.ts";
import { slotOf } from "./swap-area.ts";

const carried = abi.PG_ERROR | abi.PG_REFERENCED | abi.PG_UPTODATE | abi.PG_CHECKED | abi.PG_MAPPEDTODISK;

/** References of an unmapped page of the page or swap cache: isolation, the cache, buffer heads. */
export function expectedRefs(page: Page): number {
  return has(page, abi.PG_PRIVATE) ? 3 : 2;
}

/** The swap cache finds a page by its slot. */
function moveInSwapCache(page: Page, to: Page): number {
  const slot = slotOf(page);
  if (page.refcount !== expectedRefs(page) || slot?.page !== page) return -abi.EAGAIN;
  getPage(to);
  setFlag(to, abi.PG_SWAPCACHE);
  to.private = slot;
  slot.page = to;
  page.refcount -= 1;
  return 0;
}

/**
 * migrate_page_move_mapping(). Null is anonymous memory; an anon_vma is what the posted callback hands on by
 * mistake: the lock that is taken in it is none.
 */
export function moveMapping(m: Machine, mapping: Mapping | null, page: Page, to: Page): number {
  if (!m.profile.unmapsBatchFirst) count(m, abi.PROBE_REFCOUNT_CHECK, 1);
  if (mapping === null) return page.refcount === 1 ? 0 : -abi.EAGAIN;
  if (mapping.kind === "swap") return moveInSwapCache(page, to);
  if (mapping.fs === null) {
    throw new Crash({
      kind: abi.CRASH_LOCKUP,
      trace: [abi.FN_RAW_SPIN_LOCK_IRQ, abi.FN_MIGRATE_PAGE_MOVE_MAPPING, abi.FN_ASYNC_PF_MIGRATEPAGE],
      pfn: page.pfn,
      invariant: abi.INV_LOCK,
    });
  }
  const cached = mapping.cache.get(page.index);
  if (page.refcount !== expectedRefs(page) || cached?.page !== page) return -abi.EAGAIN;
  getPage(to);
  cached.page = to;
  page.refcount -= 1;
  return 0;
}

export function copyPage(m: Machine, page: Page, to: Page): void {
  count(m, abi.PROBE_PAGES_COPIED, 1);
  to.content = page.content;
  setFlag(to, page.flags & carried);
  const lru = has(page, abi.PG_ACTIVE) ? abi.PG_ACTIVE : abi.PG_UNEVICTABLE;
  setFlag(to, page.flags & lru);
  clearFlag(page, lru);
  if (has(page, abi.PG_DIRTY)) {
    clearPageDirtyForIo(m, page);
    setFlag(to, abi.PG_DIRTY);
  }
  setFlag(to, page.flags & abi.PG_MLOCKED);
  // The stable node goes along; the page keeps the tag.
  if (to.ksm) page.mapping = null;
  clearFlag(page, abi.PG_MLOCKED | abi.PG_ANON_EXCLUSIVE | abi.PG_PRIVATE | abi.PG_SWAPCACHE);
  page.private = null;
}

/** migrate_page(): 0 or -EAGAIN. */
export function migratePage(m: Machine, mapping: Mapping | null, page: Page, to: Page): number {
  const rc = moveMapping(m, mapping, page, to);
  if (rc === 0) copyPage(m, page, to);
  return rc;
}
