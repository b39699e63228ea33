/** swapon(), swapoff(), and the answers of devices. */
import * as abi from "../../assembly/abi.ts";
import { mapAnonPage, newPte, wherePagesGo } from "./anon-page.ts";
import { getPage, putPage } from "./lru.ts";
import { type Machine, type SwapPte, type Vma, has, setFlag } from "./machine.ts";
import { charge } from "./memcg.ts";
import { addAnonRmap } from "./rmap.ts";
import { bringBack } from "./shmem-swap.ts";
import { type SwapArea, removeArea } from "./swap-area.ts";
import { dropEntry, tryToFreeSwap } from "./swap-cache.ts";
import { isOfAnotherPlace } from "./swap-in.ts";
import { readAhead } from "./swap-io.ts";
import { endPageWriteback } from "./writeback.ts";

/** What was written to the device is there. */
export function endWriteback(m: Machine, { slots }: SwapArea): void {
  for (const { page } of slots) {
    if (page !== null && has(page, abi.PG_WRITEBACK)) endPageWriteback(m, page);
  }
}

/** unuse_pte(): the page is mapped again, old and read-only. False: no memory. */
function unusePte(m: Machine, vma: Vma, vpn: number, { slot, exclusive, expected }: SwapPte): boolean {
  const { process } = vma;
  if (slot.page !== null) getPage(slot.page);
  const page = slot.page ?? readAhead(m, slot, wherePagesGo(vma));
  if (page === null) return false;
  const protNone = vma.prot === abi.PROT_NONE;
  if (isOfAnotherPlace(page, vma, vpn)) {
    const copy = mapAnonPage(m, vma, vpn, page.content);
    if (copy !== null) {
      setFlag(copy.page, abi.PG_DIRTY);
      Object.assign(copy, { write: false, dirty: false, accessed: false });
    }
    putPage(m, page);
    if (copy === null) return false;
  } else {
    charge(m, page);
    process.rssAnon += 1;
    if (exclusive && !page.ksm) setFlag(page, abi.PG_ANON_EXCLUSIVE);
    process.ptes.set(vpn, newPte(page, { accessed: false, protNone, expected }));
    addAnonRmap(m, page, vma, vpn);
  }
  process.rssSwap -= 1;
  dropEntry(slot);
  return true;
}

function unuseVma(m: Machine, vma: Vma, area: SwapArea): boolean {
  m.cpu = vma.process.cpu;
  for (let vpn = vma.start; vpn < vma.end; vpn++) {
    const entry = vma.process.ptes.swapPte(vpn);
    if (entry?.slot.area === area && !unusePte(m, vma, vpn, entry)) return false;
  }
  return true;
}

/** Files in memory, and shared anonymous memory. */
function unuseShared(m: Machine, area: SwapArea): boolean {
  for (const id of [...m.mappings.keys()].toSorted((a, b) => a - b)) {
    const mapping = m.mappings.get(id);
    if (mapping === undefined) continue;
    for (const [index, { slot }] of [...mapping.swapped].toSorted(([a], [b]) => a - b)) {
      if (slot.area !== area) continue;
      if (bringBack(m, mapping, index, { preferred: 0 }) !== "back") return false;
    }
  }
  return true;
}

/** swapoff() would sleep on the lock of a page. */
export function swapOffMustWait({ slots }: SwapArea): boolean {
  return slots.some(({ page }) => page !== null && has(page, abi.PG_LOCKED));
}

/** 0, or -ENOMEM with the area still on. */
export function swapOff(m: Machine, area: SwapArea): number {
  endWriteback(m, area);
  for (const process of m.processes) {
    for (const vma of process.vmas) if (!unuseVma(m, vma, area)) return -abi.ENOMEM;
  }
  if (!unuseShared(m, area)) return -abi.ENOMEM;
  for (const { page } of area.slots) if (page !== null) tryToFreeSwap(m, page);
  removeArea(m, area);
  return 0;
}
