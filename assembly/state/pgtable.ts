/** PTEs: 26 bits of pfn or swap slot and 6 of flags; not present and not PROT_NONE means an entry. */
import { PTE_MIGRATION, PTE_PRESENT, PTE_PROTNONE, PTE_SHIFT } from "../abi";
import { ptesPtr } from "../arena";

export function pteAt(number: i32): i32 {
  return load<i32>(ptesPtr + ((<usize>number) << 2));
}

export function setPte(number: i32, pte: i32): void {
  store<i32>(ptesPtr + ((<usize>number) << 2), pte);
}

export function makePte(pfn: i32, flags: i32): i32 {
  return (pfn << PTE_SHIFT) | flags;
}

export function ptePfn(pte: i32): i32 {
  return pte >>> PTE_SHIFT;
}

/** pte_present(): true also for a page made PROT_NONE, which still is in the table with its references. */
export function ptePresent(pte: i32): bool {
  return (pte & (PTE_PRESENT | PTE_PROTNONE)) != 0;
}

export function pteIsMigrationEntry(pte: i32): bool {
  return pte != 0 && !ptePresent(pte) && (pte & PTE_MIGRATION) != 0;
}

/** A PTE that names a slot of swap. */
export function pteIsSwapEntry(pte: i32): bool {
  return pte != 0 && !ptePresent(pte) && (pte & PTE_MIGRATION) == 0;
}
