/** Page faults, and accesses of a process. */
import * as abi from "../../assembly/abi.ts";
import { addFreshPageToLru, mapAnonPage, newPte, wherePagesGo } from "./anon-page.ts";
import { allocPage } from "./buddy.ts";
import { writeProtectFault } from "./cow.ts";
import { getPage } from "./lru.ts";
import { type Machine, type Page, type Process, type Vma, count, has, setFlag } from "./machine.ts";
import { sleepOn } from "./page-lock.ts";
import { type Range, findVma, isZeroPage, zeroPage } from "./process.ts";
import { addRmap, setPageDirty } from "./rmap.ts";
import { runDueEvents } from "./time.ts";

function anonFault(m: Machine, vma: Vma, vpn: number, write: boolean): number {
  if (write) return mapAnonPage(m, vma, vpn, 0) === null ? -abi.ENOMEM : 0;
  vma.process.ptes.set(vpn, newPte(zeroPage(m), {}));
  return 0;
}

function cachedPage(m: Machine, vma: Vma, index: number): Page | null {
  if (vma.mapping === null) throw new Error("shared memory without an address_space");
  const cached = vma.mapping.cache.get(index);
  if (cached !== undefined) return cached.page;
  const page = allocPage(m, wherePagesGo(vma));
  if (page === null) return null;
  page.content = 0;
  page.mapping = vma.mapping;
  page.index = index;
  setFlag(page, abi.PG_UPTODATE | abi.PG_SWAPBACKED);
  vma.mapping.cache.set(index, { page, expected: 0 });
  count(m, abi.NR_FILE_PAGES, 1);
  count(m, abi.NR_SHMEM, 1);
  addFreshPageToLru(m, vma, page);
  return page;
}

/** A page is mapped under its lock. A write makes it dirty at once, not only its PTE. */
function shmemFault(m: Machine, vma: Vma, vpn: number, write: boolean): number | "sleeps" {
  const page = cachedPage(m, vma, vpn - vma.start + vma.pgoff);
  if (page === null) return -abi.ENOMEM;
  if (has(page, abi.PG_LOCKED)) return sleepOn(m, vma.process, page, true);
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
  if (pte !== undefined && !isZeroPage(pte.page)) return writeProtectFault(m, vma, vpn, pte);
  return vma.kind === "shmem" ? shmemFault(m, vma, vpn, write) : anonFault(m, vma, vpn, write);
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

function access(m: Machine, process: Process, vpn: number, write: boolean): number | "sleeps" {
  const rc = faultIn(m, process, vpn, write);
  const pte = process.ptes.get(vpn);
  if (rc === "sleeps" || rc < 0 || pte === undefined) return rc;
  pte.accessed = true;
  if (!write) return rc;
  pte.dirty = true;
  m.lastStamp += 1;
  pte.page.content = m.lastStamp;
  const vma = findVma(process, vpn);
  const cached = vma?.kind === "shmem" ? vma.mapping?.cache.get(pte.page.index) : undefined;
  if (cached === undefined) pte.expected = m.lastStamp;
  else cached.expected = m.lastStamp;
  return rc;
}

/** Accesses pages in order; stops at the first error, and where it sleeps. */
export function touch(
  m: Machine,
  process: Process,
  { start, end }: Range,
  write: boolean,
): { faults: number; sleeps: boolean; err: number } {
  let faults = 0;
  let sleeps = false;
  let err = 0;
  for (let vpn = start; vpn < end && err === 0 && !sleeps; vpn++) {
    const rc = access(m, process, vpn, write);
    sleeps = rc === "sleeps";
    if (rc === "sleeps") faults += 1;
    else if (rc < 0) err = rc;
    else faults += rc;
  }
  m.nowNs += faults * m.config.costs.faultNs;
  runDueEvents(m);
  return { faults, sleeps, err };
}
