/** A mapped region of a process, and what can be done with its pages. Indexes count pages from its start. */
import * as abi from "../core/abi.ts";
import type { Core, Exports, KernelCrash } from "../core/core.ts";
import {
  type Errno,
  type MigrationMode,
  type Protection,
  errnoName,
  migrationModes,
  protections,
} from "../core/names.ts";
import { SimError } from "../errors.ts";
import { INT_MAX, INT_MIN, integer, lookUp } from "./config.ts";
import { type Blame, blame } from "./holders.ts";
import { type KsmResult, type Place, mergeKsm } from "./ksm.ts";
import { Life } from "./life.ts";
import { Pin } from "./pin.ts";
import { checkSplits } from "./vmas.ts";

/** Pages of a region: from `start`, `count` of them. Default: all. */
export interface Range {
  readonly start?: number;
  readonly count?: number;
}

/** What a system call returned. */
export interface CallResult {
  /** 0, a positive number where the call has one, or −1 with `errno` set. */
  readonly ret: number;
  readonly errno: Errno | null;
  /** The crash that stopped the machine meanwhile; `ret` and `errno` mean nothing then. */
  readonly crash: KernelCrash | null;
}

/** What a call that migrates pages returned, and what kept the pages that it left. */
export interface MigrationResult extends CallResult {
  readonly blame: Blame;
}

export interface MovePagesResult extends MigrationResult {
  /**
   * Per entry: node or negative errno, null where the kernel wrote nothing. Empty if the statuses were not
   * kept.
   */
  readonly status: readonly (number | null)[];
}

/** What MADV_PAGEOUT did. */
export interface PageoutResult extends CallResult {
  /** Pages whose frames were freed. Others may have been swapped out and wait for the device. */
  readonly freed: number;
}

/** A page by its index, or one of another region, of any process. */
export type KsmPage = number | { readonly region: Region; readonly index: number };

export interface TouchOptions extends Range {
  /**
   * What a write leaves in each page: pages that were written with one number are equal, 0 fills them with
   * zeros. An integer from 0 to 2^31 - 2. Default: what no other page has. A host without contentBytes keeps
   * none.
   */
  readonly content?: number;
}

/** One access or a run of them. */
export interface TouchResult {
  /** How many faulted; 0 with an `errno`, also if some faulted before the access that failed. */
  readonly faults: number;
  /** The last one sleeps on a migration entry; nothing behind it was touched. */
  readonly sleeps: boolean;
  readonly errno: Errno | null;
  readonly crash: KernelCrash | null;
}

export function callResult(core: Core, rc: number | undefined): CallResult {
  if (rc === undefined) return { ret: -1, errno: null, crash: core.crash };
  return { ret: rc < 0 ? -1 : rc, errno: errnoName(rc), crash: null };
}

const accessKinds = { read: 0, write: 1 } as const;
const pinKinds = { get: abi.HOLDER_GET, pin: abi.HOLDER_PIN, longterm: abi.HOLDER_LONGTERM } as const;

export class Region {
  /** First virtual page within the process. */
  readonly start: number;
  readonly pages: number;
  readonly #core: Core;
  readonly #mm: number;
  readonly #life: Life;

  /** Regions come from Process.map() and Process.regions(). */
  constructor(core: Core, mm: number, start: number, pages: number) {
    this.#core = core;
    this.#mm = mm;
    this.#life = new Life(core, mm);
    this.start = start;
    this.pages = pages;
  }

  /**
   * Reads or writes pages in order. Stops at the first error.
   *
   * @throws {SimError} ERR_ARGUMENT for the content of a read.
   */
  touch(kind: "read" | "write", options: TouchOptions = {}): TouchResult {
    const write = lookUp("touch", accessKinds, kind) === accessKinds.write;
    if (!write && options.content !== undefined) {
      throw new SimError("ERR_ARGUMENT", "content: a read leaves none");
    }
    const content =
      options.content === undefined ? abi.NEW_CONTENT : -integer("content", options.content, 0, INT_MAX - 1);
    const [from, to] = this.#range(options);
    const faults = this.#core.run((core) => core.accessRange(this.#mm, from, to, write, content));
    const sleeps = faults !== undefined && faults > 0 && (faults & abi.ACCESS_SLEEPS) !== 0;
    return {
      faults: Math.max(faults ?? 0, 0) & ~abi.ACCESS_SLEEPS,
      sleeps,
      errno: errnoName(faults ?? 0),
      crash: this.#core.crash,
    };
  }

  /** munmap(). @throws {SimError} ERR_LIMIT if a VMA has to be split and no record is left. */
  unmap(range: Range = {}): KernelCrash | null {
    return this.#change(range, (core, from, to) => core.munmap(this.#mm, from, to));
  }

  /** MADV_DONTNEED: the mapping stays, the pages go. */
  discard(range: Range = {}): KernelCrash | null {
    const [from, to] = this.#range(range);
    if (from < to) this.#core.run((core) => core.zapRange(this.#mm, from, to));
    return this.#core.crash;
  }

  /**
   * MADV_PAGEOUT: reclaims the pages that this process alone maps, whether or not they were accessed. EINVAL
   * if memory in the range is mlocked. v3.12 does not have the call (it came with 5.4); there it is what
   * reclaim does when it comes to these pages and none was accessed.
   */
  pageout(range: Range = {}): PageoutResult {
    const [from, to] = this.#range(range);
    const rc = this.#core.run((core) => core.pageoutRange(this.#mm, from, to));
    const freed = Math.max(rc ?? 0, 0);
    return { ...callResult(this.#core, rc === undefined ? rc : rc - freed), freed };
  }

  /** mprotect(). @throws {SimError} ERR_LIMIT if a VMA has to be split and no record is left. */
  protect(prot: Protection, range: Range = {}): KernelCrash | null {
    const value = lookUp("prot", protections, prot);
    return this.#change(range, (core, from, to) => core.mprotect(this.#mm, from, to, value));
  }

  /** mlock(). @throws {SimError} ERR_LIMIT if a VMA has to be split and no record is left. */
  mlock(range: Range = {}): KernelCrash | null {
    return this.#change(range, (core, from, to) => core.mlockRange(this.#mm, from, to));
  }

  /**
   * Pins pages by their indexes: `get` is get_user_pages() with FOLL_GET (one reference), `pin` is
   * pin_user_pages() (1024 references), `longterm` the same with FOLL_LONGTERM, which moves a page out of
   * ZONE_MOVABLE first, or fails with ENOMEM if that cannot be done. Each page is a call of its own, as for
   * buffers that are registered one by one; they are faulted in, in order, up to the first that cannot be
   * had: Pin.pages says how many are pinned. Released together by Pin.release(). Only `get` may be for
   * reading, as vmsplice(2) takes it: a page that a fork shares, or the zero page, is held as it is.
   *
   * @throws {SimError} ERR_LIMIT if fewer pins are left; nothing is pinned then. ERR_ARGUMENT for `pin` or
   *   `longterm` for reading.
   */
  pin(
    indexes: readonly number[],
    kind: keyof typeof pinKinds = "get",
    access: keyof typeof accessKinds = "write",
  ): Pin {
    const holder = lookUp("pin", pinKinds, kind);
    const write = lookUp("access", accessKinds, access) === accessKinds.write;
    if (!write && kind !== "get") throw new SimError("ERR_ARGUMENT", `pin: ${kind} is for writing`);
    for (const index of indexes) this.#vpn(index);
    const free = this.#core.read((core) => core.freePins());
    if (indexes.length > free) {
      throw new SimError("ERR_LIMIT", `pin: ${indexes.length} pages, and limits.pins leaves ${free}`);
    }
    const nr = this.#writeEntries({ node: 0, entries: indexes });
    const pinned = this.#core.run((core) => {
      const group = core.newGroup();
      return { group, pages: core.pinPages(this.#mm, nr, holder, write, group) };
    });
    if (pinned === undefined) return new Pin(this.#core, 0, 0);
    const errno = errnoName(this.#core.words(abi.TABLE_MACHINE)[abi.MACHINE_GUP_ERRNO >> 2] ?? 0);
    return new Pin(this.#core, pinned.group, pinned.pages, { errno, blame: blame(this.#core) });
  }

  /**
   * Merges pages as ksmd does once it has found them equal (mm/ksm.c), without being asked to by
   * madvise(MADV_MERGEABLE). Each group lists pages that are said to be equal: by their index, or in other
   * regions of the host. The first that can be merged is the one that stays, unless the group has one that
   * KSM shares already. Left as they are: pages whose content differs from that one's (compared if the host
   * has contentBytes), pages that are not private anonymous memory, locked ones, and such with a reference
   * that no PTE explains, as a pin. A write to a shared page, or a reference for writing, makes a copy.
   *
   * @throws {SimError} ERR_LIMIT for more pages than limits.entries, or than limits.ksmItems leaves, or more
   *   groups than limits.mappings leaves; ERR_ARGUMENT for a page of another host. Nothing is merged then.
   */
  mergeKsm(groups: readonly (readonly KsmPage[])[]): KsmResult {
    this.#life.check();
    const places = groups.map((group) => group.map((page) => this.#placeOf(page)));
    return mergeKsm(this.#core, places);
  }

  /**
   * move_pages(2). `entries` are indexes in the order of the array, −1 for an address in no mapping; default:
   * every page once. `node` is one for all entries or one each. Statuses are kept up to limits.entries.
   *
   * @throws {SimError} ERR_LIMIT if a list of entries is longer than limits.entries.
   */
  movePages(options: {
    readonly node: number | readonly number[];
    readonly entries?: readonly number[];
    readonly moveAll?: boolean;
  }): MovePagesResult {
    const { node, entries, moveAll = false } = options;
    if (typeof node === "number") integer("node", node, INT_MIN, INT_MAX);
    this.#life.check();
    const plainRange = entries === undefined && typeof node === "number" && this.pages > this.#capacity();
    const nr = plainRange ? this.pages : this.#writeEntries(options);
    const rc = this.#core.run((core) => {
      if (plainRange) core.useRange(this.start, node);
      else core.useArrays();
      return core.movePages(this.#mm, nr, moveAll);
    });
    const status = plainRange ? [] : this.#statuses(nr);
    return { ...callResult(this.#core, rc), status, blame: blame(this.#core) };
  }

  /** move_pages(2) without nodes: the node of each entry, or why it cannot be said, as a negative errno. */
  where(entries?: readonly number[]): number[] {
    const nr = this.#writeEntries({ node: 0, ...(entries && { entries }) });
    this.#core.read((core) => {
      core.useArrays();
      core.queryPages(this.#mm, nr);
    });
    return this.#statuses(nr).map((status) => status ?? 0);
  }

  /**
   * mbind(MPOL_BIND). Without `move` only the policy changes.
   *
   * @throws {SimError} ERR_LIMIT if a VMA, mapped over the ends of the region since, has to be split and no
   *   record is left.
   */
  mbind(options: {
    readonly node: number;
    readonly move?: boolean;
    readonly strict?: boolean;
  }): MigrationResult {
    const { node, move = false, strict = false } = options;
    integer("node", node, INT_MIN, INT_MAX);
    this.#life.check();
    const end = this.start + this.pages;
    // A node without memory is refused before anything is split.
    const accepted = this.#core.read((core) => core.nodeHasMemory(node));
    if (accepted) checkSplits(this.#core, this.#mm, this.start, end);
    const rc = this.#core.run((core) => core.mbind(this.#mm, this.start, end, node, move, strict));
    return { ...callResult(this.#core, rc), blame: blame(this.#core) };
  }

  /**
   * migrate_pages() of the pages that lie on other nodes than `node`, in any mode: async as NUMA balancing
   * calls it, sync-light as compaction does. No LRU batch is drained first. `ret` is how many pages stayed.
   */
  migrate(options: { readonly node: number; readonly mode: MigrationMode } & Range): MigrationResult {
    const mode = lookUp("mode", migrationModes, options.mode);
    integer("node", options.node, 0, this.#core.config(abi.CFG_NR_NODES) - 1);
    if (!this.#core.read((core) => core.nodeHasMemory(options.node))) {
      throw new SimError("ERR_RANGE", `node: ${options.node} is no node with memory`);
    }
    const [from, to] = this.#range(options);
    const rc = this.#core.run((core) => core.migrateRange(this.#mm, from, to, options.node, mode));
    return { ...callResult(this.#core, rc), blame: blame(this.#core) };
  }

  /** The pfn behind a page, or a negative errno if none can be looked up. */
  pfnOf(index: number): number {
    const vpn = this.#vpn(index);
    return this.#core.read((core) => core.followPage(this.#mm, vpn));
  }

  /** The frame that the PTE of a page maps, the zero page too, as pagemap shows it. Null if it maps none. */
  frameOf(index: number): number | null {
    const pte = this.#pte(index);
    return (pte & (abi.PTE_PRESENT | abi.PTE_PROTNONE)) === 0 ? null : pte >>> abi.PTE_SHIFT;
  }

  /** The slot that the PTE of a page names, if the page is swapped out. Null if it is not. */
  swapSlotOf(index: number): number | null {
    const pte = this.#pte(index);
    const isEntry = pte !== 0 && (pte & (abi.PTE_PRESENT | abi.PTE_PROTNONE | abi.PTE_MIGRATION)) === 0;
    return isEntry ? pte >>> abi.PTE_SHIFT : null;
  }

  #pte(index: number): number {
    const vpn = this.#vpn(index);
    const process = (this.#mm * abi.PROCESS_SIZE + abi.PROCESS_FIRST_PTE) >> 2;
    const firstPte = this.#core.words(abi.TABLE_PROCESSES)[process] ?? 0;
    return this.#core.words(abi.TABLE_PTES)[firstPte + vpn] ?? 0;
  }

  /** Entries that one call may have. */
  #capacity(): number {
    return this.#core.words(abi.TABLE_STATUS).length;
  }

  #placeOf(page: KsmPage): Place {
    const { region, index } = typeof page === "number" ? { region: this, index: page } : page;
    if (region.#core !== this.#core) throw new SimError("ERR_ARGUMENT", "mergeKsm: a page of another host");
    return { mm: region.#mm, vpn: region.#vpn(index) };
  }

  #vpn(index: number): number {
    this.#life.check();
    return this.start + integer("page index", index, 0, this.pages - 1);
  }

  #range(range: Range): [number, number] {
    this.#life.check();
    const start = integer("range.start", range.start ?? 0, 0, this.pages);
    const count = integer("range.count", range.count ?? this.pages - start, 0, this.pages - start);
    return [this.start + start, this.start + start + count];
  }

  #change(range: Range, body: (core: Exports, from: number, to: number) => void): KernelCrash | null {
    const [from, to] = this.#range(range);
    if (from === to) return null;
    checkSplits(this.#core, this.#mm, from, to);
    this.#core.run((core) => {
      body(core, from, to);
    });
    return this.#core.crash;
  }

  /** Fills TABLE_ENTRIES; returns how many entries there are. */
  #writeEntries(options: {
    readonly node: number | readonly number[];
    readonly entries?: readonly number[];
  }): number {
    const capacity = this.#capacity();
    const nr = options.entries?.length ?? this.pages;
    if (nr > capacity) {
      throw new SimError("ERR_LIMIT", `entries: ${nr}, and limits.entries is ${capacity}`);
    }
    const nodes = options.node;
    for (const node of typeof nodes === "number" ? [nodes] : nodes) integer("node", node, INT_MIN, INT_MAX);
    if (typeof nodes !== "number" && nodes.length !== nr) {
      throw new SimError("ERR_ARGUMENT", `node: ${nodes.length} nodes for ${nr} entries`);
    }
    const words = this.#core.words(abi.TABLE_ENTRIES);
    for (let entry = 0; entry < nr; entry++) {
      const index = options.entries?.[entry] ?? entry;
      words[entry * 2] = index === -1 ? -1 : this.#vpn(index);
      words[entry * 2 + 1] = typeof nodes === "number" ? nodes : (nodes[entry] ?? 0);
    }
    return nr;
  }

  #statuses(nr: number): (number | null)[] {
    const words = this.#core.words(abi.TABLE_STATUS).subarray(0, nr);
    return Array.from(words, (status) => (status === abi.STATUS_UNTOUCHED ? null : status));
  }
}
