/** Who holds references of a page, and so who kept it from being moved. */
import * as abi from "../core/abi.ts";
import type { Core } from "../core/core.ts";
import { type HolderKind, holderName } from "../core/names.ts";

export interface Holder {
  readonly kind: HolderKind;
  /** References that it counts. */
  readonly refs: number;
  /** vCPU of an asynchronous page fault. */
  readonly vcpu?: number;
  /** Token of an asynchronous page fault. */
  readonly token?: number;
  /** Process that holds a pin. */
  readonly process?: number;
}

/** Equal holders of the pages that a call left. */
export interface HolderCount {
  readonly kind: HolderKind;
  readonly vcpu: number | null;
  /** How many there are; a FOLL_PIN, 1024 references, is one. */
  readonly count: number;
}

/** What the last migrating call left where it was. */
export interface Blame {
  /** Pages that did not move, as pfns; at most limits.entries of them are listed. */
  readonly pages: readonly number[];
  readonly nrPages: number;
  /** Pins, asynchronous page faults and faults that wait, over all listed pages, when the call returned. */
  readonly holders: readonly HolderCount[];
}

/** Field of record `id` in a table of records. */
function field(words: Int32Array, size: number, id: number, offset: number): number {
  return words[(id * size + offset) >> 2] ?? 0;
}

function isFollPin(kind: number): boolean {
  return kind === abi.HOLDER_PIN || kind === abi.HOLDER_LONGTERM;
}

/** Pins by pfn. */
function pinsByPfn(core: Core): Map<number, Holder[]> {
  const words = core.words(abi.TABLE_PINS);
  const found = new Map<number, Holder[]>();
  for (let id = 1; id * abi.PIN_SIZE < words.byteLength; id++) {
    const kind = field(words, abi.PIN_SIZE, id, abi.PIN_KIND);
    if (kind === abi.HOLDER_NONE) continue;
    const owner = field(words, abi.PIN_SIZE, id, abi.PIN_OWNER);
    const holder: Holder =
      kind === abi.HOLDER_ASYNC_PF
        ? {
            kind: holderName(kind),
            refs: 1,
            vcpu: owner,
            token: field(words, abi.PIN_SIZE, id, abi.PIN_TOKEN),
          }
        : {
            kind: holderName(kind),
            refs: isFollPin(kind) ? abi.GUP_PIN_COUNTING_BIAS : 1,
            process: owner,
          };
    const pfn = field(words, abi.PIN_SIZE, id, abi.PIN_PFN);
    const holders = found.get(pfn);
    if (holders) holders.push(holder);
    else found.set(pfn, [holder]);
  }
  return found;
}

function batchRefs(core: Core, pfn: number): number {
  const words = core.words(abi.TABLE_BATCHES);
  let refs = 0;
  for (let batch = 0; batch < words.length; batch += abi.BATCH_SIZE / 4) {
    const nr = words[batch] ?? 0;
    for (let i = 1; i <= nr; i++) if (words[batch + i] === pfn) refs += 1;
  }
  return refs;
}

/** Every holder of a page. Their references add up to its refcount. */
export function holdersOf(core: Core, pfn: number): Holder[] {
  const page = core.words(abi.TABLE_PAGES).subarray(pfn * 8, pfn * 8 + 8);
  const flags = page[abi.PAGE_FLAGS >> 2] ?? 0;
  const mapping = page[abi.PAGE_MAPPING >> 2] ?? 0;
  const mapcount = page[abi.PAGE_MAPCOUNT >> 2] ?? 0;
  const holders: Holder[] = [];
  if (mapcount > 0) holders.push({ kind: "pte", refs: mapcount });
  if (inPageCache(core, pfn, mapping)) holders.push({ kind: "page-cache", refs: 1 });
  if ((flags & abi.PG_SWAPCACHE) !== 0) holders.push({ kind: "swap-cache", refs: 1 });
  if ((flags & abi.PG_PRIVATE) !== 0) holders.push({ kind: "buffers", refs: 1 });
  const waiting = batchRefs(core, pfn);
  if (waiting > 0) holders.push({ kind: "lru-batch", refs: waiting });
  if ((flags & abi.PG_ISOLATED) !== 0) holders.push({ kind: "isolation", refs: 1 });
  return [...holders, ...(pinsByPfn(core).get(pfn) ?? [])];
}

function inPageCache(core: Core, pfn: number, mapping: number): boolean {
  if (mapping === 0 || (mapping & abi.MAPPING_TAG_MASK) !== 0) return false;
  const slots = core.words(abi.TABLE_CACHE_SLOTS);
  for (let slot = 0; slot < slots.length; slot += 2) if (slots[slot] === pfn) return true;
  return false;
}

/** Nothing was left. */
export const noBlame: Blame = { pages: [], nrPages: 0, holders: [] };

/**
 * What the last migrating call left, and who holds references of those pages now that migration cannot
 * account for: the records of TABLE_PINS, that is pins, asynchronous page faults, and faults that wait for a
 * migration entry. PTEs, the page cache and isolation it can account for. LRU batches are left out: putting a
 * page back puts it into one, so that a reference of theirs says nothing of the cause.
 */
export function blame(core: Core): Blame {
  const nrPages = core.machineField(abi.MACHINE_NR_BLAMED);
  if (nrPages === 0) return noBlame;
  const pages = Array.from(core.words(abi.TABLE_BLAME).subarray(0, nrPages));
  const pins = pinsByPfn(core);
  const counts = new Map<string, HolderCount>();
  const add = (kind: HolderKind, vcpu: number | null): void => {
    const key = `${kind} ${vcpu}`;
    counts.set(key, { kind, vcpu, count: (counts.get(key)?.count ?? 0) + 1 });
  };
  for (const pfn of pages) {
    for (const holder of pins.get(pfn) ?? []) add(holder.kind, holder.vcpu ?? null);
  }
  return { pages, nrPages, holders: [...counts.values()] };
}
