/** The sets of what is broken that the core returns: what each bit is called, and which field is wrong. */
import * as abi from "../../core/abi.ts";
import { type CounterName, type Invariant, counters, invariantName, nameIn } from "../../core/names.ts";

export interface Broken {
  readonly invariant: Invariant;
  /** The field, counter or object that is wrong. */
  readonly field: string;
}

const fields: Readonly<Record<Invariant, string>> = {
  "INV-REF": "page->_count",
  "INV-MAPC": "page->_mapcount",
  "INV-TAG": "page->mapping",
  "INV-PRIV": "page->private",
  "INV-RSS": "mm->rss_stat",
  "INV-VMSTAT": "vmstat",
  "INV-ENTRY": "page lock",
  "INV-CTX": "kvm_apf_ctx",
  "INV-OWN": "apf->page",
  "INV-LOCK": "lock",
  "INV-UAF": "freed object",
  "INV-NULL": "pointer",
  "INV-FREE": "page->flags",
  "INV-LIVE": "work item",
  "INV-DATA": "content",
  "INV-LIST": "list",
  "INV-PTE": "PTE",
  "INV-MOVE": "page->_count",
};

const unlocked: Readonly<Record<number, Broken>> = {
  [abi.BROKEN_UNLOCKED_MAPPING]: { invariant: "INV-LOCK", field: "page->mapping" },
  [abi.BROKEN_UNLOCKED_PRIVATE]: { invariant: "INV-LOCK", field: "page->private" },
  [abi.BROKEN_DANGLING]: { invariant: "INV-CTX", field: "page->private" },
};

/** The counter that a bit stands for. */
export function counterOfBit(bit: number): CounterName | undefined {
  const isCounter = bit >= abi.BROKEN_COUNTERS && bit < abi.BROKEN_UNLOCKED_MAPPING;
  return isCounter ? nameIn(counters, bit - abi.BROKEN_COUNTERS + abi.NR_ANON_PAGES) : undefined;
}

/** What a bit of a set stands for. */
export function brokenOf(bit: number): Broken {
  const counter = counterOfBit(bit);
  if (counter !== undefined) return { invariant: "INV-VMSTAT", field: counter };
  const special = unlocked[bit];
  if (special !== undefined) return special;
  const invariant = invariantName(bit);
  return { invariant, field: fields[invariant] };
}

/** The bits of a set, lowest first. */
export function bitsOf(set: bigint): number[] {
  return Array.from({ length: 64 }, (_, bit) => bit).filter((bit) => ((set >> BigInt(bit)) & 1n) === 1n);
}

/** The field that a crash over an invariant is about. */
export function crashField(invariant: Invariant): string {
  return fields[invariant];
}
