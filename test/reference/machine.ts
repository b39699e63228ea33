/** The objects that the slow model is made of. Numbers mean what assembly/abi.ts says. */
import * as abi from "../../assembly/abi.ts";
import type { FileSystem } from "./file-system.ts";
import { type Profile, profiles } from "./profile.ts";
import type { PteTable } from "./pte-table.ts";
import type { SwapArea, SwapSlot } from "./swap-area.ts";

/** page->mapping. */
export interface MappingWord {
  mapping: Mapping | null;
  /** PAGE_MAPPING_ANON is set in it. */
  anon: boolean;
  /** PAGE_MAPPING_KSM is set in it. */
  ksm: boolean;
}

export interface Page extends MappingWord {
  readonly pfn: number;
  readonly zone: Zone | null;
  flags: number;
  refcount: number;
  mapcount: number;
  index: number;
  /** Of a page in the swap cache its slot, unless the RFC has put a context over it. */
  private: Context | SwapSlot | null;
  /** Of the free block that begins here, while PG_BUDDY is set. */
  order: number;
  /** Stamp of the write that the content is of, 0 for zeros. */
  content: number;
}

/** An anon_vma, an address_space, or a stable node of KSM. */
export interface Mapping {
  readonly id: number;
  readonly kind: "anon_vma" | "shmem" | "file" | "apf_mapping" | "ksm" | "swap";
  /** Of an address_space. */
  readonly fs: FileSystem | null;
  /** Pages of an address_space, also those that are not cached. */
  size: number;
  /** VMAs, migrations and places of KSM pages that keep it; a file keeps itself. */
  refs: number;
  vmas: Vma[];
  /** Page cache: page and expected content by index. */
  readonly cache: Map<number, { page: Page; expected: number }>;
  /** By index what a device has of pages that are not cached. */
  readonly stored: Map<number, number>;
  /** Of what lies in memory alone: by index the slots that pages were swapped out to. */
  readonly swapped: Map<number, { slot: SwapSlot; expected: number }>;
  /** Of a stable node: where its page was merged. */
  readonly items: { readonly anonVma: Mapping; readonly index: number }[];
}

export interface Pte {
  page: Page;
  /** Migration entry. */
  entry: boolean;
  protNone: boolean;
  write: boolean;
  dirty: boolean;
  accessed: boolean;
  /** Of a migration entry: the page was exclusive. */
  exclusive: boolean;
  /** What was last written through it. */
  expected: number;
}

/** What is left of a PTE whose page was swapped out. */
export interface SwapPte {
  readonly slot: SwapSlot;
  /** The page was exclusive. */
  exclusive: boolean;
  readonly expected: number;
}

export interface Vma {
  readonly process: Process;
  start: number;
  end: number;
  readonly kind: "anon" | "shmem" | "file";
  prot: number;
  locked: boolean;
  /** MADV_DONTFORK. */
  readonly dontFork: boolean;
  node: number;
  bound: boolean;
  /** Index in the mapping of the page at `start`. */
  pgoff: number;
  mapping: Mapping | null;
}

export interface Process {
  readonly id: number;
  readonly firstPte: number;
  readonly pages: number;
  readonly cpu: number;
  vmas: Vma[];
  readonly ptes: PteTable;
  rssAnon: number;
  rssFile: number;
  rssSwap: number;
  /** MMF_HAS_PINNED. */
  hasPinned: boolean;
  readonly vcpus: Vcpu[];
}

export interface Pin {
  readonly id: number;
  readonly kind: number;
  page: Page;
  readonly group: number;
  readonly owner: number;
  readonly token: number;
}

export interface Vcpu {
  readonly id: number;
  readonly process: Process;
  queue: Work[];
  done: Work[];
  nextToken: number;
  halted: boolean;
  notPresent: number;
  ready: number;
  kvmRefs: number;
}

/** struct kvm_async_pf. */
export interface Work {
  readonly vcpu: Vcpu;
  readonly gfn: number;
  readonly token: number;
  state: "queued" | "begun" | "has page" | "done" | "lost" | "freed";
  /** The page whose lock the worker waits for. */
  sleepsOn: Page | null;
  page: Page | null;
  pin: Pin | null;
  context: Context | null;
  readonly broadcast: boolean;
}

/** The RFC's struct kvm_apf_ctx. */
export interface Context {
  readonly id: number;
  alive: boolean;
  original: MappingWord;
  owners: Work[];
}

export interface Zone {
  readonly node: number;
  readonly kind: number;
  readonly start: number;
  readonly end: number;
  managedPages: number;
  /** First pages of free blocks by order, in front the one that is handed out next. */
  readonly free: { movable: Page[]; unmovable: Page[]; isolated: Page[] }[];
  /** By LRU_*, newest first. */
  readonly lru: Page[][];
}

export interface ZoneConfig {
  readonly kind: "dma32" | "normal" | "movable";
  readonly pages: number;
  readonly online?: boolean;
}

export interface Config {
  readonly kernel: keyof typeof profiles;
  readonly policy: "pin" | "rfc" | "drop-get" | "longterm";
  readonly repairs?: readonly string[];
  readonly nodes: readonly { readonly zones: readonly ZoneConfig[]; readonly cpus?: boolean }[];
  readonly cpus?: number;
  readonly contentBytes?: number;
  readonly debugRodata?: boolean;
  readonly limits?: { readonly swapSlots?: number };
  readonly costs: {
    readonly syscallNs: number;
    readonly movedPageNs: number;
    readonly failedAttemptNs: number;
    readonly offlineRoundNs: number;
    readonly faultNs: number;
  };
}

export interface CrashRecord {
  readonly kind: number;
  /** FN_* of the function and its callers, innermost first. */
  readonly trace: readonly number[];
  readonly pfn: number;
  readonly invariant: number;
}

/** Thrown where the simulated kernel stops. */
export class Crash extends Error {
  readonly record: CrashRecord;

  constructor(record: CrashRecord) {
    super("the simulated kernel has crashed");
    this.record = record;
  }
}

/** Numbers from 1; the one that was given back last is given out first. */
export class Ids {
  #free: number[] = [];
  #next = 1;

  take(): number {
    return this.#free.pop() ?? this.#next++;
  }

  giveBack(id: number): void {
    this.#free.push(id);
  }
}

export interface Machine {
  readonly config: Config;
  readonly profile: Profile;
  readonly pages: Page[];
  readonly zones: Zone[];
  /** By first pfn / 512: the type of a pageblock; movable is all the rest. */
  readonly isolatedPageblocks: Set<number>;
  readonly unmovablePageblocks: Set<number>;
  readonly onlineBlocks: Set<number>;
  readonly offlineBlocks: Set<number>;
  readonly counters: number[];
  readonly batches: Page[][];
  processes: Process[];
  vcpus: Vcpu[];
  pins: Pin[];
  events: { readonly atNs: number; readonly group: number }[];
  contexts: Context[];
  /** Frames that the free path found in a bad state, and leaked. */
  readonly badPages: Page[];
  /** What the last migrating call left. */
  blamed: Page[];
  readonly apfMapping: Mapping | null;
  /** By id. */
  swapAreas: SwapArea[];
  /** Reads from swap take 2^n slots at once. */
  pageCluster: number;
  /** By id. */
  readonly mappings: Map<number, Mapping>;
  readonly mappingIds: Ids;
  readonly processIds: Ids;
  readonly contextIds: Ids;
  readonly pinIds: Ids;
  nowNs: number;
  cpu: number;
  lastStamp: number;
  lastGroup: number;
  lruBatchesDisabled: number;
  contextFailures: number;
  crash: CrashRecord | null;
}

const zoneKinds = { dma32: abi.ZONE_DMA32, normal: abi.ZONE_NORMAL, movable: abi.ZONE_MOVABLE } as const;

function makeZone(config: ZoneConfig, node: number, start: number): Zone {
  return {
    node,
    kind: zoneKinds[config.kind],
    start,
    end: start + config.pages,
    managedPages: 0,
    free: Array.from({ length: abi.NR_ORDERS }, () => ({ movable: [], unmovable: [], isolated: [] })),
    lru: Array.from({ length: abi.NR_LRU_LISTS }, () => []),
  };
}

function makeZones(config: Config): Zone[] {
  const zones: Zone[] = [];
  let next = 0;
  config.nodes.forEach((node, id) => {
    for (const zone of node.zones) {
      zones.push(makeZone(zone, id, next));
      next += zone.pages;
    }
  });
  return zones;
}

function makePages(zones: readonly Zone[]): Page[] {
  return zones.flatMap((zone) =>
    Array.from({ length: zone.end - zone.start }, (_, i) => ({
      pfn: zone.start + i,
      zone,
      flags: 0,
      refcount: 0,
      mapcount: 0,
      mapping: null,
      anon: false,
      ksm: false,
      index: 0,
      private: null,
      order: 0,
      content: 0,
    })),
  );
}

/** A machine of which no frame has been given to the allocator yet. */
export function makeMachine(config: Config): Machine {
  const zones = makeZones(config);
  const mappingIds = new Ids();
  const apfMapping: Mapping | null =
    config.policy === "rfc"
      ? {
          id: mappingIds.take(),
          kind: "apf_mapping",
          fs: null,
          size: 0,
          refs: 1,
          vmas: [],
          cache: new Map(),
          stored: new Map(),
          swapped: new Map(),
          items: [],
        }
      : null;
  return {
    config,
    profile: profiles[config.kernel],
    pages: makePages(zones),
    zones,
    isolatedPageblocks: new Set(),
    unmovablePageblocks: new Set(),
    onlineBlocks: new Set(),
    offlineBlocks: new Set(),
    counters: Array.from({ length: abi.NR_COUNTERS }, () => 0),
    batches: Array.from({ length: config.cpus ?? 1 }, () => []),
    processes: [],
    vcpus: [],
    pins: [],
    events: [],
    contexts: [],
    badPages: [],
    blamed: [],
    apfMapping,
    swapAreas: [],
    pageCluster: 3,
    mappings: new Map(apfMapping === null ? [] : [[apfMapping.id, apfMapping]]),
    mappingIds,
    processIds: new Ids(),
    contextIds: new Ids(),
    pinIds: new Ids(),
    nowNs: 0,
    cpu: 0,
    lastStamp: 0,
    lastGroup: 0,
    lruBatchesDisabled: 0,
    contextFailures: 0,
    crash: null,
  };
}

export function count(m: Machine, counter: number, n: number): void {
  m.counters[counter] = (m.counters[counter] ?? 0) + n;
}

export function has(page: Page, flag: number): boolean {
  return (page.flags & flag) !== 0;
}

export function setFlag(page: Page, flag: number): void {
  page.flags |= flag;
}

export function clearFlag(page: Page, flag: number): void {
  page.flags &= ~flag;
}

export function pageAt(m: Machine, pfn: number): Page {
  const page = m.pages[pfn];
  if (page === undefined) throw new Error(`there is no page ${pfn}`);
  return page;
}

export function zoneOf(page: Page): Zone {
  if (page.zone === null) throw new Error(`page ${page.pfn} is in no zone`);
  return page.zone;
}

/** The element at `index`, which exists. */
export function at<T>(list: readonly T[], index: number): T {
  const found = list[index];
  if (found === undefined) throw new Error(`the list has ${list.length} elements, none at ${index}`);
  return found;
}

export function removeFrom<T>(list: T[], element: T): void {
  const position = list.indexOf(element);
  if (position < 0) throw new Error("not on this list");
  list.splice(position, 1);
}
