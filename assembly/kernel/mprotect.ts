/** mprotect() (mm/mprotect.c). */
import { PG_ANON_EXCLUSIVE, PROT_WRITE, PTE_DIRTY, PTE_PRESENT, PTE_PROTNONE, PTE_WRITE } from "../abi";
import { mmAt } from "../state/mm";
import { pteAt, pteIsMigrationEntry, pteIsSwapEntry, ptePfn, setPte } from "../state/pgtable";
import { pageAnon, pageAt } from "../state/page";
import { profile } from "../state/profile";
import { Vma, isSharedMapping, presentBit, pteNumber, splitAt, vmaAt } from "../state/vma";

/**
 * can_change_pte_writable(): whether a PTE may be written to again without a fault. In a shared mapping it
 * has to be dirty; in a private one v3.12 leaves all to the fault, 6.x those whose page is not exclusive.
 */
function becomesWritable(vma: Vma, pte: i32): bool {
  const dirty = (pte & PTE_DIRTY) != 0;
  if (isSharedMapping(vma)) return dirty;
  const page = pageAt(ptePfn(pte));
  const exclusive = pageAnon(page) && (page.flags & PG_ANON_EXCLUSIVE) != 0;
  return exclusive && (dirty || profile().protectUpgradesClean);
}

function protectPte(vma: Vma, number: i32, prot: i32): void {
  const pte = pteAt(number);
  if (pte == 0 || pteIsSwapEntry(pte)) return;
  if (pteIsMigrationEntry(pte)) {
    if ((prot & PROT_WRITE) == 0) setPte(number, pte & ~PTE_WRITE);
    return;
  }
  let next = pte & ~(PTE_PRESENT | PTE_PROTNONE | PTE_WRITE);
  next |= presentBit(vma);
  if ((prot & PROT_WRITE) != 0 && becomesWritable(vma, pte)) next |= PTE_WRITE;
  setPte(number, next);
}

export function mprotect(mm: i32, start: i32, end: i32, prot: i32): void {
  splitAt(mm, start, end);
  for (let id = mmAt(mm).firstVma; id != 0; id = vmaAt(id).nextVma) {
    const vma = vmaAt(id);
    if (vma.start < start || vma.end > end) continue;
    vma.prot = prot;
    for (let vpn = vma.start; vpn < vma.end; vpn++) protectPte(vma, pteNumber(vma, vpn), prot);
  }
}
