/** Fresh pages of private anonymous memory. */
import * as abi from "../../assembly/abi.ts";
import { type Where, allocPage } from "./buddy.ts";
import { addToBatch, addToUnevictable } from "./lru.ts";
import { type Machine, type Page, type Pte, type Vma, count, setFlag } from "./machine.ts";
import { linkTo, newAnonVma } from "./mapping.ts";
import { charge } from "./memcg.ts";
import { addRmap } from "./rmap.ts";

export function wherePagesGo(vma: Vma): Where {
  const node = vma.node >= 0 ? vma.node : 0;
  return vma.bound ? { only: node } : { preferred: node };
}

export function newPte(page: Page, flags: Partial<Pte>): Pte {
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

export function addFreshPageToLru(m: Machine, vma: Vma, page: Page): void {
  if (!vma.locked) {
    addToBatch(m, page);
    return;
  }
  setFlag(page, abi.PG_MLOCKED);
  count(m, abi.NR_MLOCK, 1);
  addToUnevictable(page);
}

/** Maps a page of the VMA's own with this content as the VMA allows. Null: no memory. */
export function mapAnonPage(m: Machine, vma: Vma, vpn: number, content: number): Pte | null {
  if (vma.mapping === null) linkTo(vma, newAnonVma(m));
  const page = allocPage(m, wherePagesGo(vma));
  if (page === null) return null;
  page.content = content;
  page.mapping = vma.mapping;
  page.anon = true;
  page.index = vpn - vma.start + vma.pgoff;
  setFlag(page, abi.PG_UPTODATE | abi.PG_SWAPBACKED);
  charge(m, page);
  if (m.profile.faultActivates) setFlag(page, abi.PG_ACTIVE);
  if (m.profile.anonExclusive) setFlag(page, abi.PG_ANON_EXCLUSIVE);
  addRmap(m, page);
  vma.process.rssAnon += 1;
  addFreshPageToLru(m, vma, page);
  const expected = vma.process.ptes.expected(vpn);
  const write = (vma.prot & abi.PROT_WRITE) !== 0;
  const protNone = vma.prot === abi.PROT_NONE;
  const pte = newPte(page, { write, protNone, dirty: write, expected });
  vma.process.ptes.set(vpn, pte);
  return pte;
}
