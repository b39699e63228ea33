/** A write to a page whose PTE does not allow it (do_wp_page()): to the page itself, or to a copy. */
import * as abi from "../../assembly/abi.ts";
import { mapAnonPage } from "./anon-page.ts";
import { drainCpu, putPage } from "./lru.ts";
import { type Machine, type Page, type Pte, type Vma, has, setFlag } from "./machine.ts";
import { sleepOn } from "./page-lock.ts";
import { addRss } from "./process.ts";
import { munlockUnmapped, removeRmap, setPageDirty } from "./rmap.ts";
import { freeSwapCache, isReusable, tryToFreeSwap } from "./swap-cache.ts";

/** wp_page_reuse(). */
function reuse(pte: Pte): number {
  pte.write = true;
  pte.dirty = true;
  pte.accessed = true;
  return 0;
}

/** Of a shared mapping: the page is dirty from now on, too. */
function reuseShared(m: Machine, pte: Pte): number {
  setPageDirty(m, pte.page);
  return reuse(pte);
}

/** 6.x: the process has the only reference of the page, as far as it can tell. */
function isOnlyHolder(m: Machine, page: Page): boolean {
  if (page.refcount > 3) return false;
  if (!has(page, abi.PG_LRU)) drainCpu(m, m.cpu);
  const cached = has(page, abi.PG_SWAPCACHE) ? 1 : 0;
  if (page.refcount > 1 + cached || has(page, abi.PG_LOCKED)) return false;
  tryToFreeSwap(m, page);
  return page.refcount === 1;
}

function becomesExclusive(m: Machine, page: Page): boolean {
  if (has(page, abi.PG_ANON_EXCLUSIVE)) return true;
  if (!isOnlyHolder(m, page)) return false;
  setFlag(page, abi.PG_ANON_EXCLUSIVE);
  return true;
}

/** wp_page_copy(). */
function copy(m: Machine, vma: Vma, vpn: number, old: Page): number {
  const { content } = old;
  if (mapAnonPage(m, vma, vpn, content) === null) return -abi.ENOMEM;
  addRss(vma.process, old, -1);
  removeRmap(m, old);
  munlockUnmapped(m, vma, old);
  if (m.profile.copyFreesSwapCache) freeSwapCache(m, old);
  putPage(m, old);
  return 0;
}

export function writeProtectFault(m: Machine, vma: Vma, vpn: number, pte: Pte): number | "sleeps" {
  const { page } = pte;
  if (vma.kind !== "anon") return reuseShared(m, pte);
  if (!page.anon || page.ksm) return copy(m, vma, vpn, page);
  if (m.profile.reusesByMapcount) {
    if (has(page, abi.PG_LOCKED)) return sleepOn(m, vma.process, page, true);
    return isReusable(m, page) ? reuse(pte) : copy(m, vma, vpn, page);
  }
  return becomesExclusive(m, page) ? reuse(pte) : copy(m, vma, vpn, page);
}
