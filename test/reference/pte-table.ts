/** The page table of a process: its PTEs by virtual page. */
import type { Pte } from "./machine.ts";

export class PteTable {
  readonly #ptes: (Pte | undefined)[];

  constructor(pages: number) {
    this.#ptes = Array.from({ length: pages }, () => undefined);
  }

  get(vpn: number): Pte | undefined {
    return this.#ptes[vpn];
  }

  set(vpn: number, pte: Pte): void {
    this.#ptes[vpn] = pte;
  }

  delete(vpn: number): void {
    this.#ptes[vpn] = undefined;
  }

  /** Every PTE, by virtual page. */
  forEach(body: (pte: Pte, vpn: number) => void): void {
    for (let vpn = 0; vpn < this.#ptes.length; vpn++) {
      const pte = this.#ptes[vpn];
      if (pte !== undefined) body(pte, vpn);
    }
  }
}
