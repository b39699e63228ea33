/** A simulated host: its memory, its processes and guests, and what can be done to them. */
import * as abi from "./core/abi.ts";
import { Core, type KernelCrash } from "./core/core.ts";
import { type CounterName, counters, mapTable } from "./core/names.ts";
import { hex } from "./core/hex.ts";
import { SimError } from "./errors.ts";
import { INT_MAX, type HostConfig, configWords, integer, lookUp } from "./host/config.ts";
import { type File, type FileOptions, createFile, filesOf } from "./host/file.ts";
import { checkBlock, checkFrame, checkUsed } from "./host/frames.ts";
import { type Holder, holdersOf } from "./host/holders.ts";
import { Migration, type MigrationOptions } from "./host/migration.ts";
import { type OfflineOptions, type OfflineResult, offlineBlock } from "./host/offline.ts";
import { PageTable } from "./host/pages.ts";
import { type Pin, heldPins, schedule } from "./host/pin.ts";
import { Guest, Process } from "./host/process.ts";
import { type CallResult, callResult } from "./host/region.ts";
import { restoreSnapshot, takeSnapshot } from "./host/snapshot.ts";
import {
  type ReclaimOutcome,
  type SwapDevice,
  type SwapOptions,
  reclaimPage,
  swapDevicesOf,
  swapOn,
} from "./host/swap.ts";
import { type Violation, violationOf } from "./host/violation.ts";
import { type Trace, readTrace, setTracing } from "./host/trace.ts";

/**
 * What asynchronous page faults hold, and what they have left behind. All 0 is right once every fault has
 * completed; before that, `contexts` and `pins` count those of faults still outstanding, too.
 */
export interface Leaks {
  /** Contexts of the RFC that exist; those left after the last completion nobody frees any more. */
  readonly contexts: number;
  /** Work items that never complete. */
  readonly lostFaults: number;
  /** References that work items hold: until their completion, or for ever if they are lost. */
  readonly pins: number;
  /** Pages that the free path found in a bad state and leaked. */
  readonly badPages: number;
}

const flagsFromOutside = {
  locked: abi.PG_LOCKED,
  writeback: abi.PG_WRITEBACK,
  dirty: abi.PG_DIRTY,
} as const;

export type { Violation } from "./host/violation.ts";

export class Host {
  /** The page table, read-only. */
  readonly pages: PageTable;
  readonly #core: Core;
  readonly #words: Int32Array;

  private constructor(core: Core, words: Int32Array) {
    this.#core = core;
    this.#words = words;
    this.pages = new PageTable(core);
  }

  /**
   * Builds a host.
   *
   * @throws {SimError} ERR_ARGUMENT, ERR_RANGE, ERR_UNKNOWN_NAME or ERR_LIMIT naming the field; ERR_MEMORY.
   */
  static async create(config: HostConfig): Promise<Host> {
    const words = configWords(config);
    return new Host(await Core.create(words), words);
  }

  /** Continues from a snapshot. @throws {SimError} ERR_SNAPSHOT, or ERR_ABI_MISMATCH for another build's. */
  static async restore(snapshot: Uint8Array): Promise<Host> {
    const { core, words } = await restoreSnapshot(snapshot);
    return new Host(core, words);
  }

  /** Everything that is state, as bytes. */
  snapshot(): Uint8Array {
    return takeSnapshot(this.#core, this.#words);
  }

  /** The crash that stopped the machine, null while it runs. */
  get crash(): KernelCrash | null {
    return this.#core.crash;
  }

  /** Simulated time in ns. */
  get nowNs(): number {
    return this.#core.nowNs;
  }

  /** Memory of the core in bytes. */
  get memoryBytes(): number {
    return this.#core.memoryBytes;
  }

  /** A new, empty address space. @throws {SimError} ERR_LIMIT if no record or no run of PTEs is left. */
  createProcess(options: { readonly pages: number; readonly cpu?: number }): Process {
    return new Process(this.#core, this.#createMm(options.pages, options.cpu ?? 0));
  }

  /** A guest: an address space that is its memory, with vCPUs. */
  createGuest(options: { readonly pages: number; readonly vcpus: number; readonly cpu?: number }): Guest {
    integer("vcpus", options.vcpus, 0, this.#words[abi.CFG_VCPUS] ?? 0);
    const free = this.#vcpusOf(0).length;
    if (options.vcpus > free) {
      throw new SimError("ERR_LIMIT", `vcpus: ${options.vcpus}, and limits.vcpus leaves ${free}`);
    }
    const id = this.#createMm(options.pages, options.cpu ?? 0);
    const vcpus = Array.from(
      { length: options.vcpus },
      () => this.#core.run((core) => core.createVcpu(id)) ?? -1,
    );
    return new Guest(this.#core, id, vcpus);
  }

  /** A file, with nothing of it in memory. @throws {SimError} ERR_LIMIT if limits.cacheSlots are used up. */
  createFile(options: FileOptions): File {
    return createFile(this.#core, options);
  }

  files(): File[] {
    return filesOf(this.#core);
  }

  /**
   * swapon(): memory can be swapped out from now on. There are at most 4 devices; one takes its slots behind
   * those of the last one that is on.
   *
   * @throws {SimError} ERR_RANGE or ERR_LIMIT: limits.swapSlots are for all devices together.
   */
  swapOn(options: SwapOptions): SwapDevice {
    return swapOn(this.#core, options);
  }

  swapDevices(): SwapDevice[] {
    return swapDevicesOf(this.#core);
  }

  /**
   * vm.page-cluster: a read from swap takes the aligned 2^cluster slots around it. As booted: 3.
   *
   * @throws {SimError} ERR_RANGE above 6.
   */
  setPageCluster(cluster: number): void {
    integer("cluster", cluster, 0, abi.MAX_PAGE_CLUSTER);
    this.#core.run((core) => core.setPageCluster(cluster));
  }

  /**
   * Reclaim's look at one page, as if its turn had come on the inactive list: an accessed page stays, an
   * anonymous one is swapped out, a clean one of a file dropped. Null after a crash.
   *
   * @throws {SimError} ERR_RANGE for a pfn in no zone, ERR_ARGUMENT if the page is free.
   */
  reclaimPage(pfn: number): ReclaimOutcome | null {
    checkUsed(this.#core, this.#words, pfn);
    return reclaimPage(this.#core, pfn);
  }

  /**
   * Reclaims about `pages` pages of a zone (its number in the order of the configuration) from its LRU lists,
   * ageing them. Returns how many were freed, fewer if no more can be; 0 after a crash.
   *
   * @throws {SimError} ERR_RANGE for a zone that does not exist.
   */
  reclaim(options: { readonly zone: number; readonly pages: number }): number {
    const zone = integer("zone", options.zone, 0, (this.#words[abi.CFG_NR_ZONES] ?? 0) - 1);
    const pages = integer("pages", options.pages, 1, INT_MAX);
    return this.#core.run((core) => core.reclaimZone(zone, pages)) ?? 0;
  }

  /** The processes that exist, by the address of their PTEs; guests among them have their vCPUs. */
  processes(): (Process | Guest)[] {
    const words = this.#core.words(abi.TABLE_PROCESSES);
    const found: (Process | Guest)[] = [];
    const at = (id: number, offset: number): number => words[(id * abi.PROCESS_SIZE + offset) >> 2] ?? 0;
    for (let id = this.#core.machineField(abi.MACHINE_FIRST_MM); id !== 0; id = at(id, abi.PROCESS_NEXT)) {
      const vcpus = this.#vcpusOf(id);
      found.push(vcpus.length > 0 ? new Guest(this.#core, id, vcpus) : new Process(this.#core, id));
    }
    return found;
  }

  /** The pins that are held, one for each call of Region.pin(), in that order: also after restore(). */
  pins(): Pin[] {
    return heldPins(this.#core);
  }

  /**
   * Takes a memory block (128 MiB, pfn / 32768) offline.
   *
   * @throws {SimError} ERR_RANGE if the number is not one of a block.
   */
  offline(block: number, options: OfflineOptions = {}): OfflineResult {
    checkBlock(this.#words, block);
    return offlineBlock(this.#core, block, options);
  }

  /**
   * The migration of one page, to be driven step by step. Nothing happens before its first step.
   *
   * @throws {SimError} ERR_RANGE for a pfn in no zone, or a node that does not exist.
   */
  migration(pfn: number, options: MigrationOptions): Migration {
    checkFrame(this.#core, this.#words, pfn);
    integer("node", options.node, 0, (this.#words[abi.CFG_NR_NODES] ?? 0) - 1);
    return new Migration(this.#core, pfn, options);
  }

  /**
   * Makes a free frame one that the kernel took at boot, before there were zones: reserved, never freed, and
   * unknown to the allocator, also in ZONE_MOVABLE.
   *
   * @throws {SimError} ERR_ARGUMENT if the frame is in use.
   */
  reserveFrame(pfn: number): void {
    checkFrame(this.#core, this.#words, pfn);
    if (this.#core.run((core) => core.reserveFrame(pfn)) === false) {
      throw new SimError("ERR_ARGUMENT", `pfn: ${pfn} is not free`);
    }
  }

  /** Takes a memory block online again, into the zone that its frames belong to. */
  online(block: number): CallResult {
    checkBlock(this.#words, block);
    return callResult(
      this.#core,
      this.#core.run((core) => core.onlineBlock(block)),
    );
  }

  /** State of a memory block. */
  blockState(block: number): "absent" | "offline" | "online" {
    const names = ["absent", "offline", "online"] as const;
    integer("block", block, 0, INT_MAX);
    return names[this.#core.read((core) => core.blockState(block))] ?? "absent";
  }

  /** Sends a signal to whoever takes memory offline at a point in simulated time. */
  signalAt(ns: number): void {
    schedule(this.#core, abi.EVENT_SIGNAL, 0, { atNs: ns });
  }

  /** Sends it after so many rounds of the next offline; an offline that ends before forgets it. */
  signalAfterRounds(rounds: number): void {
    schedule(this.#core, abi.EVENT_SIGNAL, 0, { afterRounds: rounds });
  }

  /** Lets simulated time pass. */
  wait(ns: number): void {
    const whole = BigInt(integer("ns", ns, 0, Number.MAX_SAFE_INTEGER));
    this.#core.run((core) => core.wait(whole));
  }

  /** lru_add_drain_all(). */
  drainLru(): void {
    this.#core.run((core) => core.lruAddDrain());
  }

  /**
   * Sets or clears a page flag from outside, as another subsystem would.
   *
   * @throws {SimError} ERR_ARGUMENT if the page is free.
   */
  setPageFlag(pfn: number, flag: "locked" | "writeback" | "dirty", on: boolean): void {
    checkUsed(this.#core, this.#words, pfn);
    const bits = lookUp("flag", flagsFromOutside, flag);
    this.#core.run((core) => core.setPageFlags(pfn, bits, on));
  }

  /** Lets the next so many context allocations of the RFC's worker fail. */
  failContextAllocations(count: number): void {
    integer("count", count, 0, 1_000_000);
    this.#core.run((core) => core.failCtxAllocations(count));
  }

  /** A number in 0 … bound−1 from the host's own random numbers. */
  random(bound: number): number {
    integer("bound", bound, 1, 2 ** 31 - 1);
    return this.#core.run((core) => core.randomBelow(bound)) ?? 0;
  }

  /** Items of /proc/vmstat and probe counts. */
  counters(): Record<CounterName, number> {
    const words = this.#core.counters();
    return mapTable(counters, (id) => Number(words[id] ?? 0n));
  }

  /** Free frames of each zone, in the order of the configuration. */
  freePages(): number[] {
    const words = this.#core.words(abi.TABLE_ZONES);
    const nrZones = this.#words[abi.CFG_NR_ZONES] ?? 0;
    return Array.from(
      { length: nrZones },
      (_, zone) => words[(zone * abi.ZONE_SIZE + abi.ZONE_FREE_PAGES) >> 2] ?? 0,
    );
  }

  /** Who holds references of a page. */
  holders(pfn: number): Holder[] {
    integer("pfn", pfn, 1, this.pages.length - 1);
    return holdersOf(this.#core, pfn);
  }

  /** What asynchronous page faults hold and have left behind. */
  leaks(): Leaks {
    const vcpus = this.processes().flatMap((process) => (process instanceof Guest ? process.vcpus : []));
    const faults = vcpus.flatMap((vcpu) => vcpu.asyncPfs());
    return {
      contexts: this.#core.machineField(abi.MACHINE_NR_CTXS),
      lostFaults: faults.filter((fault) => fault.state === "lost").length,
      pins: faults.filter((fault) => fault.pfn !== null).length,
      badPages: this.#core.machineField(abi.MACHINE_NR_BAD_PAGES),
    };
  }

  /** Recounts everything and names the first invariant that does not hold. Null: all hold. */
  verify(): Violation | null {
    return violationOf(this.#core);
  }

  /** Hash of the whole state, 16 hexadecimal digits. */
  stateHash(): string {
    return hex(this.#core.read((core) => core.stateHash()));
  }

  /** Hash of one section of the state (SECTION_* of the ABI). */
  sectionHash(section: number): string {
    integer("section", section, 0, abi.NR_SECTIONS - 1);
    return hex(this.#core.read((core) => core.sectionHash(section)));
  }

  /** Starts tracing with an empty ring. */
  startTrace(): void {
    setTracing(this.#core, true);
  }

  /** Stops tracing and returns what was seen. */
  stopTrace(): Trace {
    const seen = readTrace(this.#core);
    setTracing(this.#core, false);
    return seen;
  }

  #createMm(pages: number, cpu: number): number {
    integer("pages", pages, 1, this.#words[abi.CFG_PTES] ?? 0);
    integer("cpu", cpu, 0, (this.#words[abi.CFG_CPUS] ?? 1) - 1);
    const id = this.#core.run((core) => core.createMm(pages, cpu)) ?? 0;
    if (id === 0) throw new SimError("ERR_LIMIT", `pages: no record or no run of ${pages} PTEs is left`);
    return id;
  }

  #vcpusOf(mm: number): number[] {
    const words = this.#core.words(abi.TABLE_VCPUS);
    const nr = this.#words[abi.CFG_VCPUS] ?? 0;
    return Array.from({ length: nr }, (_, id) => id).filter((id) => words[(id * abi.VCPU_SIZE) >> 2] === mm);
  }
}
