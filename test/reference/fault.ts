/** Page faults, accesses of a process, and get_user_pages(). */
import * as abi from "../../assembly/abi.ts";
import { type Where, allocPage } from "./buddy.ts";
import { addToBatch, addToUnevictable, getPage, putPage } from "./lru.ts";
import {
  type Machine,
  type Page,
  type Pin,
  type Process,
  type Pte,
  type Vma,
  count,
  setFlag,
} from "./machine.ts";
import { type Range, findVma, isZeroPage, linkTo, newMapping, zeroPage } from "./process.ts";
import { addRmap, clearMlock, removeRmap } from "./rmap.ts";
import { runDueEvents } from "./time.ts";

function wherePagesGo(vma: Vma): Where {
  const node = vma.node >= 0 ? vma.node : 0;
  return vma.bound ? { only: node } : { preferred: node };
}

function newPte(page: Page, flags: Partial<Pte>): Pte {
  return {
    page,
    entry: false,
    protNone: false,
    write: false,
    dirty: false,
    accessed: true,
    exclusive: false,
    expected: 0,
    ...flags,
  };
}

function addToLru(m: Machine, vma: Vma, page: Page): void {
  if (!vma.locked) {
    addToBatch(m, page);
    return;
  }
  setFlag(page, abi.PG_MLOCKED);
  count(m, abi.NR_MLOCK, 1);
  addToUnevictable(page);
}

/** A page of the VMA's own, with content `content`, mapped writable. Null: no memory. */
function mapAnonPage(m: Machine, vma: Vma, vpn: number, content: number): Page | null {
  if (vma.mapping === null) linkTo(vma, newMapping(m, "anon_vma"));
  const page = allocPage(m, wherePagesGo(vma));
  if (page === null) return null;
  page.content = content;
  page.mapping = vma.mapping;
  page.anon = true;
  page.index = vpn - vma.start + vma.pgoff;
  setFlag(page, abi.PG_UPTODATE | abi.PG_SWAPBACKED);
  if (m.profile.faultActivates) setFlag(page, abi.PG_ACTIVE);
  if (m.profile.anonExclusive) setFlag(page, abi.PG_ANON_EXCLUSIVE);
  addRmap(m, page);
  vma.process.rssAnon += 1;
  addToLru(m, vma, page);
  const expected = vma.process.ptes.get(vpn)?.expected ?? 0;
  vma.process.ptes.set(vpn, newPte(page, { write: true, dirty: true, expected }));
  return page;
}

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
  addToLru(m, vma, page);
  return page;
}

function shmemFault(m: Machine, vma: Vma, vpn: number, write: boolean): number {
  const page = cachedPage(m, vma, vpn - vma.start + vma.pgoff);
  if (page === null) return -abi.ENOMEM;
  getPage(page);
  addRmap(m, page);
  vma.process.rssFile += 1;
  vma.process.ptes.set(vpn, newPte(page, { write, dirty: write }));
  return 0;
}

/** do_wp_page(): nobody shares the page, but one that does not look anonymous is copied all the same. */
function writeProtectFault(m: Machine, vma: Vma, vpn: number, pte: Pte): number {
  const old = pte.page;
  if (vma.kind === "shmem" || old.anon) {
    pte.write = true;
    return 0;
  }
  if (mapAnonPage(m, vma, vpn, old.content) === null) return -abi.ENOMEM;
  vma.process.rssFile -= 1;
  removeRmap(m, old);
  if (old.mapcount === 0) clearMlock(m, old);
  putPage(m, old);
  return 0;
}

function handleFault(m: Machine, vma: Vma, vpn: number, write: boolean): number {
  const pte = vma.process.ptes.get(vpn);
  if (pte !== undefined && !isZeroPage(pte.page)) return writeProtectFault(m, vma, vpn, pte);
  return vma.kind === "shmem" ? shmemFault(m, vma, vpn, write) : anonFault(m, vma, vpn, write);
}

/** Faults the page in if its PTE does not allow the access. Returns how many faults it took, or an errno. */
function faultIn(m: Machine, process: Process, vpn: number, write: boolean): number {
  const vma = findVma(process, vpn);
  const needed = write ? abi.PROT_WRITE : abi.PROT_READ;
  if (vma === undefined || (vma.prot & needed) === 0) return -abi.EFAULT;
  const pte = process.ptes.get(vpn);
  if (pte !== undefined && !pte.protNone && (!write || pte.write)) return 0;
  m.cpu = process.cpu;
  count(m, abi.PGFAULT, 1);
  const err = handleFault(m, vma, vpn, write);
  return err < 0 ? err : 1;
}

function access(m: Machine, process: Process, vpn: number, write: boolean): number {
  const rc = faultIn(m, process, vpn, write);
  const pte = process.ptes.get(vpn);
  if (rc < 0 || pte === undefined) return rc;
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

/** Accesses pages in order; stops at the first error. */
export function touch(
  m: Machine,
  process: Process,
  { start, end }: Range,
  write: boolean,
): { faults: number; err: number } {
  let faults = 0;
  let err = 0;
  for (let vpn = start; vpn < end && err === 0; vpn++) {
    const rc = access(m, process, vpn, write);
    if (rc < 0) err = rc;
    else faults += rc;
  }
  m.nowNs += faults * m.config.costs.faultNs;
  runDueEvents(m);
  return { faults, err };
}

/** get_user_pages() of one page for writing, without the reference. Null: it could not be had. */
export function faultInForGup(m: Machine, process: Process, vpn: number): Page | null {
  const rc = faultIn(m, process, vpn, true);
  const page = process.ptes.get(vpn)?.page;
  if (rc < 0 || page === undefined) return null;
  setFlag(page, abi.PG_REFERENCED);
  return page;
}

export function takePin(m: Machine, holder: Omit<Pin, "id">): Pin {
  const pin = { ...holder, id: m.pinIds.take() };
  getPage(pin.page);
  if (pin.kind === abi.HOLDER_PIN) {
    pin.page.refcount += abi.GUP_PIN_COUNTING_BIAS - 1;
    count(m, abi.NR_FOLL_PIN_ACQUIRED, 1);
  }
  m.pins.push(pin);
  return pin;
}

/** Pins pages for writing, until one cannot be had. Returns the group, and how many there are. */
export function pinPages(
  m: Machine,
  process: Process,
  vpns: readonly number[],
  kind: "get" | "pin",
): { group: number; pages: number } {
  m.lastGroup += 1;
  const group = m.lastGroup;
  const holder = kind === "pin" ? abi.HOLDER_PIN : abi.HOLDER_GET;
  for (const [nr, vpn] of vpns.entries()) {
    const page = faultInForGup(m, process, vpn);
    if (page === null) return { group, pages: nr };
    takePin(m, { kind: holder, page, group, owner: process.id, token: 0 });
  }
  return { group, pages: vpns.length };
}
