/** The page table of a process: its PTEs by virtual page. */
import type { Pte, SwapPte } from "./machine.ts";

export class PteTable {
  readonly #ptes: (Pte | SwapPte | undefined)[];

  constructor(pages: number) {
    this.#ptes = Array.from({ length: pages }, () => undefined);
  }

  /** A PTE that maps a page, or a migration entry. */
  get(vpn: number): Pte | undefined {
    const pte = this.#ptes[vpn];
    return pte !== undefined && "page" in pte ? pte : undefined;
  }

  swapPte(vpn: number): SwapPte | undefined {
    const pte = this.#ptes[vpn];
    return pte !== undefined && "slot" in pte ? pte : undefined;
  }

  /** What was last written at this address. */
  expected(vpn: number): number {
    return this.#ptes[vpn]?.expected ?? 0;
  }

  set(vpn: number, pte: Pte | SwapPte): void {
    this.#ptes[vpn] = pte;
  }

  delete(vpn: number): void {
    this.#ptes[vpn] = undefined;
  }

  /** Every PTE, by virtual page. */
  forEach(body: (pte: Pte | SwapPte, vpn: number) => void): void {
    for (let vpn = 0; vpn < this.#ptes.length; vpn++) {
      const pte = this.#ptes[vpn];
      if (pte !== undefined) body(pte, vpn);
    }
  }
}
