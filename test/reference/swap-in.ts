/** do_swap_page(): a fault on a swap entry. */
import * as abi from "../../assembly/abi.ts";
import { mapAnonPage, newPte, wherePagesGo } from "./anon-page.ts";
import { writeProtectFault } from "./cow.ts";
import { drainCpu, getPage, putPage } from "./lru.ts";
import { type Machine, type Page, type SwapPte, type Vma, count, has, setFlag } from "./machine.ts";
import { charge } from "./memcg.ts";
import { sleepOn } from "./page-lock.ts";
import { mlockPage } from "./process.ts";
import { addAnonRmap } from "./rmap.ts";
import { type SwapSlot, isSwapFull, slotOf } from "./swap-area.ts";
import { dropEntry, isReusable, tryToFreeSwap } from "./swap-cache.ts";
import { readAhead, readPastCache } from "./swap-io.ts";

/** Reads what is not in the swap cache, with a reference for the caller. */
function read(m: Machine, vma: Vma, slot: SwapSlot): Page | null {
  const alone = m.profile.readsPastSwapCache && slot.area.synchronous && slot.count === 1;
  const page = (alone ? readPastCache : readAhead)(m, slot, wherePagesGo(vma));
  if (page !== null) count(m, abi.PGMAJFAULT, 1);
  return page;
}

/** ksm_might_need_to_copy(): it is, after its return from swap, the page of another place than this. */
export function isOfAnotherPlace(page: Page, vma: Vma, vpn: number): boolean {
  if (!page.anon || page.ksm) return false;
  return page.mapping !== vma.mapping || page.index !== vpn - vma.start + vma.pgoff;
}

function holdsSwapFor(m: Machine, vma: Vma, page: Page): boolean {
  return !isSwapFull(m) && !vma.locked && !has(page, abi.PG_MLOCKED);
}

interface Access {
  readonly vma: Vma;
  readonly vpn: number;
  readonly entry: SwapPte;
  readonly write: boolean;
}

/** Whether v3.12 lets a write go to the page itself. */
function takeByCount(m: Machine, page: Page, { vma, entry, write }: Access): boolean {
  const writable = write && isReusable(m, page);
  dropEntry(entry.slot);
  if (!holdsSwapFor(m, vma, page)) tryToFreeSwap(m, page);
  return writable;
}

/** The same for 6.x. */
function takeByExclusive(m: Machine, page: Page, { vma, entry, write }: Access): boolean {
  const fresh = !has(page, abi.PG_SWAPCACHE);
  if (write && !fresh && !page.ksm && !has(page, abi.PG_LRU)) drainCpu(m, m.cpu);
  dropEntry(entry.slot);
  const likelyAlone = write && !page.ksm && page.refcount === 2;
  if (likelyAlone || !holdsSwapFor(m, vma, page)) tryToFreeSwap(m, page);
  const exclusive = !page.ksm && (fresh || entry.exclusive || page.refcount === 1);
  if (exclusive) setFlag(page, abi.PG_ANON_EXCLUSIVE);
  return write && exclusive;
}

/** Maps a copy instead of the page, of which the reference goes. */
function mapCopy(m: Machine, page: Page, { vma, vpn, entry, write }: Access): number {
  const pte = mapAnonPage(m, vma, vpn, page.content);
  if (pte !== null) {
    pte.write = write;
    pte.dirty = write;
    setFlag(pte.page, abi.PG_DIRTY);
    vma.process.rssSwap -= 1;
    dropEntry(entry.slot);
  }
  putPage(m, page);
  return pte === null ? -abi.ENOMEM : 0;
}

function mapPage(m: Machine, page: Page, access: Access): number | "sleeps" {
  const { vma, vpn, entry, write } = access;
  vma.process.rssAnon += 1;
  vma.process.rssSwap -= 1;
  const take = m.profile.anonExclusive ? takeByExclusive : takeByCount;
  const writable = take(m, page, access);
  charge(m, page); // also one that has just left the swap cache unmapped, and with it been uncharged
  const pte = newPte(page, { write: writable, dirty: writable, expected: entry.expected });
  vma.process.ptes.set(vpn, pte);
  addAnonRmap(m, page, vma, vpn);
  if (vma.locked) mlockPage(m, page);
  return write && !writable ? writeProtectFault(m, vma, vpn, pte) : 0;
}

export function swapFault(m: Machine, vma: Vma, vpn: number, write: boolean): number | "sleeps" {
  const entry = vma.process.ptes.swapPte(vpn);
  if (entry === undefined) throw new Error(`page ${vpn} is not swapped out`);
  const { slot } = entry;
  const found = slot.page;
  if (found !== null && has(found, abi.PG_LOCKED)) return sleepOn(m, vma.process, found, true);
  if (found !== null) getPage(found);
  const page = found ?? read(m, vma, slot);
  if (page === null) return -abi.ENOMEM;
  if (has(page, abi.PG_SWAPCACHE) && slotOf(page) !== slot) {
    // The RFC has put a pointer over it. The fault is given up, and taken again, for ever.
    putPage(m, page);
    return "sleeps";
  }
  const map = isOfAnotherPlace(page, vma, vpn) ? mapCopy : mapPage;
  return map(m, page, { vma, vpn, entry, write });
}
