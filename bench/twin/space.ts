/** The one address space of the twin: a VMA from virtual page 0, and its anon_vma. */
import { EFAULT } from "../../assembly/abi.ts";

interface TwinVma {
  readonly start: number;
  readonly end: number;
  readonly pteOffset: number;
  readonly next: TwinVma | null;
}

export class TwinSpace {
  node = 0;
  rssAnon = 0;
  rssSwap = 0;
  #vmas: TwinVma | null = null;
  #anonVma = 0;
  #anonVmaRefs = 0;
  readonly #freeObject: number;

  /** `freeObject` is what the core gives its first anonymous fault. */
  constructor(freeObject: number) {
    this.#freeObject = freeObject;
  }

  get pages(): number {
    return this.#vmas?.end ?? 0;
  }

  map(pages: number, node: number): void {
    this.#vmas = { start: 0, end: pages, pteOffset: 0, next: null };
    this.node = node;
  }

  unmap(): void {
    this.#vmas = null;
    this.#anonVma = 0;
    this.#anonVmaRefs = 0;
  }

  /** find_vma(), and the PTE of `vpn` in it; negative if nothing is mapped there. */
  pteNumber(vpn: number): number {
    for (let vma = this.#vmas; vma !== null; vma = vma.next) {
      if (vpn < vma.start) break;
      if (vpn < vma.end) return vma.pteOffset + vpn;
    }
    return -EFAULT;
  }

  anonVmaPrepare(): number {
    if (this.#anonVma === 0) {
      this.#anonVma = this.#freeObject;
      this.#anonVmaRefs = 1;
    }
    return this.#anonVma;
  }

  /** page_get_anon_vma(). */
  getAnonVma(object: number): boolean {
    if (object !== this.#anonVma) return false;
    this.#anonVmaRefs += 1;
    return true;
  }

  putAnonVma(): void {
    this.#anonVmaRefs -= 1;
    if (this.#anonVmaRefs < 1) throw new Error("twin: the anon_vma is gone");
  }

  /** The rmap walk: the PTE of page `index` in each VMA of an anon_vma; here there is one. */
  pteOfIndex(object: number, index: number): number {
    return object === this.#anonVma ? this.pteNumber(index) : -1;
  }
}
