/** fork(): the child's address space. */
import * as abi from "../../assembly/abi.ts";
import { mapAnonPage } from "./anon-page.ts";
import { getPage } from "./lru.ts";
import {
  type Machine,
  type Page,
  type Process,
  type Pte,
  type SwapPte,
  type Vma,
  clearFlag,
  has,
} from "./machine.ts";
import { addCopy, addRss, createProcess, forgetProcess, isZeroPage, munmap } from "./process.ts";

/** A device may be at work on the page for the parent (page_needs_cow_for_dma()). */
function mayBePinned(parent: Process, page: Page): boolean {
  return parent.hasPinned && page.refcount >= abi.GUP_PIN_COUNTING_BIAS;
}

/** Neither parent nor child may write to what an entry leads to: they share it. `vma`: the child's. */
function copyEntry(pte: Pte, vma: Vma, vpn: number): number {
  pte.write = false;
  pte.exclusive = false;
  addRss(vma.process, pte.page, 1);
  vma.process.ptes.set(vpn, { ...pte });
  return 0;
}

/** Both have the slot, and what comes of it will be shared. */
function copySwapPte(pte: SwapPte, vma: Vma, vpn: number): number {
  pte.exclusive = false;
  pte.slot.count += 1;
  vma.process.rssSwap += 1;
  vma.process.ptes.set(vpn, { ...pte });
  return 0;
}

/** copy_present_page(): the child has a page of its own from the start. 0 or -ENOMEM. */
function copyPresentPage(m: Machine, pte: Pte, vma: Vma, vpn: number): number {
  const copied = mapAnonPage(m, vma, vpn, pte.page.content);
  if (copied === null) return -abi.ENOMEM;
  copied.expected = pte.expected;
  return 0;
}

/** copy_present_pte(). */
function copyPresent(pte: Pte, vma: Vma, vpn: number): number {
  if (!isZeroPage(pte.page)) {
    clearFlag(pte.page, abi.PG_ANON_EXCLUSIVE);
    getPage(pte.page);
    pte.page.mapcount += 1;
    addRss(vma.process, pte.page, 1);
  }
  pte.write = false;
  vma.process.ptes.set(vpn, { ...pte, accessed: false });
  return 0;
}

function copyPte(m: Machine, parent: Process, vma: Vma, vpn: number): number {
  const swapped = parent.ptes.swapPte(vpn);
  if (swapped !== undefined) return copySwapPte(swapped, vma, vpn);
  const pte = parent.ptes.get(vpn);
  if (pte === undefined) return 0;
  if (pte.entry) return copyEntry(pte, vma, vpn);
  const mustCopy = has(pte.page, abi.PG_ANON_EXCLUSIVE) && mayBePinned(parent, pte.page);
  return mustCopy ? copyPresentPage(m, pte, vma, vpn) : copyPresent(pte, vma, vpn);
}

/** copy_page_range(): what a fault brings back is left out. */
function copyPtes(m: Machine, parent: Process, vma: Vma): number {
  if (vma.kind !== "anon" || vma.mapping === null) return 0;
  for (let vpn = vma.start; vpn < vma.end; vpn++) {
    const err = copyPte(m, parent, vma, vpn);
    if (err !== 0) return err;
  }
  return 0;
}

/** Returns the child, which has no vCPUs, or -ENOMEM. */
export function fork(m: Machine, parent: Process): Process | number {
  m.cpu = parent.cpu;
  const child = createProcess(m, parent.pages, parent.cpu);
  for (const vma of parent.vmas.filter(({ dontFork }) => !dontFork)) {
    const err = copyPtes(m, parent, addCopy(vma, { process: child, locked: false }));
    if (err === 0) continue;
    munmap(m, child, { start: 0, end: child.pages });
    forgetProcess(m, child);
    return err;
  }
  return child;
}
