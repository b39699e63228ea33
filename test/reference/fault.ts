/** Page faults, and accesses of a process. */
import * as abi from "../../assembly/abi.ts";
import { addFreshPageToLru, mapAnonPage, newPte, wherePagesGo } from "./anon-page.ts";
import { writeProtectFault } from "./cow.ts";
import { getPage } from "./lru.ts";
import { type Machine, type Process, type Vma, count, has } from "./machine.ts";
import { addToPageCache } from "./page-cache.ts";
import { sleepOn } from "./page-lock.ts";
import { type Range, findVma, isZeroPage, zeroPage } from "./process.ts";
import { addRmap, setPageDirty } from "./rmap.ts";
import { bringBack } from "./shmem-swap.ts";
import { swapFault } from "./swap-in.ts";
import { runDueEvents } from "./time.ts";

function anonFault(m: Machine, vma: Vma, vpn: number, write: boolean): number {
  if (write) return mapAnonPage(m, vma, vpn, 0) === null ? -abi.ENOMEM : 0;
  vma.process.ptes.set(vpn, newPte(zeroPage(m), {}));
  return 0;
}

/** shmem_fault() on what was swapped out. It waits for the page lock with a reference. */
function swappedSharedFault(m: Machine, vma: Vma, vpn: number, write: boolean): number | "sleeps" {
  const index = vpn - vma.start + vma.pgoff;
  const inSwapCache = vma.mapping?.swapped.get(index)?.slot.page ?? null;
  const result = vma.mapping && bringBack(m, vma.mapping, index, wherePagesGo(vma));
  if (result === "locked" && inSwapCache !== null) return sleepOn(m, vma.process, inSwapCache, true);
  if (result !== "back") return -abi.ENOMEM;
  if (inSwapCache === null) count(m, abi.PGMAJFAULT, 1);
  return sharedFault(m, vma, vpn, write);
}

/**
 * A page of a shared mapping, which is mapped under its lock. A write makes it dirty at once, not only its
 * PTE.
 */
function sharedFault(m: Machine, vma: Vma, vpn: number, write: boolean): number | "sleeps" {
  if (vma.mapping === null) throw new Error("shared memory without an address_space");
  const index = vpn - vma.start + vma.pgoff;
  if (index >= vma.mapping.size) return -abi.EFAULT;
  const cached = vma.mapping.cache.get(index);
  if (vma.mapping.swapped.has(index)) return swappedSharedFault(m, vma, vpn, write);
  if (cached !== undefined && has(cached.page, abi.PG_LOCKED)) {
    return sleepOn(m, vma.process, cached.page, true);
  }
  if (cached === undefined && vma.mapping.fs?.inMemory !== true) count(m, abi.PGMAJFAULT, 1);
  const page = cached?.page ?? addToPageCache(m, vma.mapping, index, wherePagesGo(vma));
  if (page === null) return -abi.ENOMEM;
  if (cached === undefined) addFreshPageToLru(m, vma, page);
  getPage(page);
  addRmap(m, page);
  vma.process.rssFile += 1;
  vma.process.ptes.set(vpn, newPte(page, { write, dirty: write }));
  if (write) setPageDirty(m, page);
  return 0;
}

function handleFault(m: Machine, vma: Vma, vpn: number, write: boolean): number | "sleeps" {
  const pte = vma.process.ptes.get(vpn);
  if (pte?.entry === true) return sleepOn(m, vma.process, pte.page, m.profile.waiterTakesRef);
  if (vma.process.ptes.swapPte(vpn) !== undefined) return swapFault(m, vma, vpn, write);
  if (pte !== undefined && !isZeroPage(pte.page)) return writeProtectFault(m, vma, vpn, pte);
  return vma.kind === "anon" ? anonFault(m, vma, vpn, write) : sharedFault(m, vma, vpn, write);
}

export interface Access {
  readonly write: boolean;
  /** What a write leaves; by default what no other one does. */
  readonly content?: number | undefined;
}

/** Faults the page in if its PTE does not allow the access: 1 if it took a fault, else 0; or an errno. */
export function faultIn(m: Machine, process: Process, vpn: number, write: boolean): number | "sleeps" {
  const vma = findVma(process, vpn);
  const needed = write ? abi.PROT_WRITE : abi.PROT_READ;
  if (vma === undefined || (vma.prot & needed) === 0) return -abi.EFAULT;
  const pte = process.ptes.get(vpn);
  if (pte !== undefined && !pte.entry && !pte.protNone && (!write || pte.write)) return 0;
  m.cpu = process.cpu;
  count(m, abi.PGFAULT, 1);
  const err = handleFault(m, vma, vpn, write);
  return err === 0 ? 1 : err;
}

/** What a write leaves that says so, or else what no other one does. */
function stampOf(m: Machine, content: number | undefined): number {
  if (content !== undefined) return 0 - content;
  m.lastStamp += 1;
  return m.lastStamp;
}

function access(m: Machine, process: Process, vpn: number, how: Access): number | "sleeps" {
  const { write, content } = how;
  const rc = faultIn(m, process, vpn, write);
  const pte = process.ptes.get(vpn);
  if (rc === "sleeps" || rc < 0 || pte === undefined) return rc;
  pte.accessed = true;
  if (!write) return rc;
  pte.dirty = true;
  const stamp = stampOf(m, content);
  pte.page.content = stamp;
  const vma = findVma(process, vpn);
  const cached = vma?.kind === "anon" ? undefined : vma?.mapping?.cache.get(pte.page.index);
  if (cached === undefined) pte.expected = stamp;
  else cached.expected = stamp;
  return rc;
}

/** Accesses pages in order; stops at the first error, and where it sleeps. */
export function touch(
  m: Machine,
  process: Process,
  { start, end }: Range,
  how: Access,
): { faults: number; sleeps: boolean; err: number } {
  let faults = 0;
  let sleeps = false;
  let err = 0;
  for (let vpn = start; vpn < end && err === 0 && !sleeps; vpn++) {
    const rc = access(m, process, vpn, how);
    sleeps = rc === "sleeps";
    if (rc === "sleeps") faults += 1;
    else if (rc < 0) err = rc;
    else faults += rc;
  }
  m.nowNs += faults * m.config.costs.faultNs;
  runDueEvents(m);
  return { faults, sleeps, err };
}
