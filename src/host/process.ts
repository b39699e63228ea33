/** Processes, and guests: processes with vCPUs. */
import * as abi from "../core/abi.ts";
import type { Core, KernelCrash } from "../core/core.ts";
import {
  type Errno,
  type Protection,
  type RegionKind,
  errnoName,
  protections,
  regionKinds,
} from "../core/names.ts";
import { SimError } from "../errors.ts";
import { INT_MAX, INT_MIN, integer, lookUp } from "./config.ts";
import type { File } from "./file.ts";
import { blame, noBlame } from "./holders.ts";
import { Life } from "./life.ts";
import { type MigrationResult, Region, callResult } from "./region.ts";
import { Vcpu } from "./vcpu.ts";
import { vmasOf } from "./vmas.ts";

export interface RegionOptions {
  /** anon: private anonymous memory; shmem: shared anonymous memory; vdso: a kernel page. Default: anon. */
  readonly kind?: RegionKind;
  /** A file to be mapped, shared, from page `offset` (default 0) on; not together with `kind`. */
  readonly file?: File;
  readonly offset?: number;
  readonly pages: number;
  /** First virtual page. Default: the first gap that is large enough. */
  readonly at?: number;
  /** Node that its pages are allocated on. Default: that of the CPU, then its fallbacks. */
  readonly node?: number;
  /** MPOL_BIND: no other node will do. */
  readonly bind?: boolean;
  readonly prot?: Protection;
  /** MADV_DONTFORK: children do not inherit it. */
  readonly dontFork?: boolean;
}

export interface ForkResult {
  /** The child, a process without vCPUs. Null with an `errno`, or after a crash. */
  readonly child: Process | null;
  readonly errno: Errno | null;
  readonly crash: KernelCrash | null;
}

/** Resident pages by class, as the kernel has counted them. */
export interface Rss {
  readonly file: number;
  readonly anon: number;
  readonly swap: number;
}

export class Process {
  readonly id: number;
  /** Virtual pages of its address space. */
  readonly pages: number;
  protected readonly core: Core;
  readonly #life: Life;

  /** Processes come from Host.createProcess(), createGuest() and processes(). */
  constructor(core: Core, id: number) {
    this.core = core;
    this.id = id;
    this.#life = new Life(core, id);
    this.pages = this.#field(abi.PROCESS_NR_PAGES);
  }

  /**
   * mmap(). Nothing is touched yet, but a vDSO is mapped at once.
   *
   * @throws {SimError} ERR_LIMIT if there is no gap, VMA, object or page-cache slot for it.
   */
  map(options: RegionOptions): Region {
    const pages = integer("pages", options.pages, 1, this.pages);
    const kind = lookUp("kind", regionKinds, options.kind ?? "anon");
    const offset = this.#offset(options);
    const prot = lookUp("prot", protections, options.prot ?? "read-write");
    const node =
      options.node === undefined
        ? -1
        : integer("node", options.node, 0, this.core.config(abi.CFG_NR_NODES) - 1);
    this.#life.check();
    const start = this.#place(pages, options.at);
    const vma = this.core.run((core) => {
      if (core.freeVmas() < 1) return 0;
      const end = start + pages;
      const { file } = options;
      const id =
        file === undefined
          ? core.mmapRegion(this.id, start, end, kind, prot)
          : core.mmapFile(this.id, start, end, file.id, offset, prot);
      if (id === 0) return 0;
      core.setVmaPolicy(id, node, options.bind ?? false);
      if (options.dontFork === true) core.setVmaDontCopy(id);
      return id;
    });
    if (vma === 0) {
      throw new SimError(
        "ERR_LIMIT",
        `map: no VMA, object, page-cache slot or frame is left for ${pages} pages`,
      );
    }
    return new Region(this.core, this.id, start, pages);
  }

  /** The regions that are mapped now, by address; a region that was split counts as several. */
  regions(): Region[] {
    this.#life.check();
    return vmasOf(this.core, this.id).map(
      ([start, end]) => new Region(this.core, this.id, start, end - start),
    );
  }

  /** A copy of the raw PTEs, by virtual page (PTE_* of the ABI). */
  ptes(): Int32Array {
    this.#life.check();
    const first = this.#field(abi.PROCESS_FIRST_PTE);
    return this.core.words(abi.TABLE_PTES).slice(first, first + this.pages);
  }

  get rss(): Rss {
    this.#life.check();
    return {
      file: this.#field(abi.PROCESS_RSS_FILE),
      anon: this.#field(abi.PROCESS_RSS_ANON),
      swap: this.#field(abi.PROCESS_RSS_SWAP),
    };
  }

  /**
   * migrate_pages(2) by a privileged caller: pages on `from[i]` go to `to[i]`. Returns in `ret` how many
   * stayed.
   */
  migratePages(from: readonly number[], to: readonly number[]): MigrationResult {
    if (from.length !== to.length) {
      throw new SimError(
        "ERR_ARGUMENT",
        `migratePages: ${from.length} nodes to leave, ${to.length} to go to`,
      );
    }
    this.#life.check();
    for (const node of [...from, ...to]) integer("node", node, INT_MIN, INT_MAX);
    let begun = false;
    const rc = this.core.run((core) => {
      if (!to.every((node) => core.nodeHasMemory(node))) return -abi.EINVAL;
      begun = true;
      core.beginMigratePages();
      let left = 0;
      for (const [i, node] of from.entries()) {
        const one = core.migrateToNode(this.id, node, to[i] ?? node);
        if (one < 0) {
          left = one;
          break;
        }
        left += one;
      }
      core.endMigratePages();
      return left;
    });
    // What is noted is of the call before, until a call begins.
    return { ...callResult(this.core, rc), blame: begun ? blame(this.core) : noBlame };
  }

  /**
   * fork(): pages of private mappings are shared until one side writes to them, shared mappings are the same
   * memory. On 6.x a page that may be pinned (FOLL_PIN) is copied at once; ENOMEM if no frame is left for it.
   *
   * @throws {SimError} ERR_LIMIT if there is no address space for the child, or too few VMAs.
   */
  fork(): ForkResult {
    this.#life.check();
    const needed = this.core.read((core) => core.vmasToCopy(this.id));
    const free = this.core.read((core) => core.freeVmas());
    if (needed > free)
      throw new SimError("ERR_LIMIT", `fork: ${needed} VMAs, and limits.vmas leaves ${free}`);
    const child = this.core.run((core) => core.forkProcess(this.id));
    if (child === 0) {
      throw new SimError("ERR_LIMIT", `fork: no process, or no gap of ${this.pages} PTEs, is left`);
    }
    if (child === undefined || child < 0) {
      return { child: null, errno: errnoName(child ?? 0), crash: this.core.crash };
    }
    return { child: new Process(this.core, child), errno: null, crash: null };
  }

  /**
   * exit(): unmaps everything. The rss counters that the kernel has left then are its "Bad rss-counter state"
   * message; all 0 is right. Null after a crash.
   *
   * @throws {SimError} ERR_ARGUMENT if it would have to wait for a migration that is driven step by step.
   */
  exit(): { readonly badRss: Rss | null; readonly crash: KernelCrash | null } {
    this.#life.check();
    if (this.core.read((core) => core.exitMustWait(this.id))) {
      throw new SimError(
        "ERR_ARGUMENT",
        "exit: an asynchronous page fault waits for a page that is being migrated; finish that first",
      );
    }
    const done = this.core.run((core) => {
      core.exitProcess(this.id);
      return true;
    });
    if (!done) return { badRss: null, crash: this.core.crash };
    const rss = this.rss;
    this.core.run((core) => core.destroyMm(this.id));
    return { badRss: rss.file === 0 && rss.anon === 0 && rss.swap === 0 ? null : rss, crash: null };
  }

  #field(offset: number): number {
    return this.core.words(abi.TABLE_PROCESSES)[(this.id * abi.PROCESS_SIZE + offset) >> 2] ?? 0;
  }

  /** First page of the file that is mapped, 0 without one. Pages behind its end are EFAULT when touched. */
  #offset({ file, offset, kind }: RegionOptions): number {
    if (file === undefined) {
      if (offset !== undefined) throw new SimError("ERR_ARGUMENT", "offset: there is no file");
      return 0;
    }
    file.check(this.core);
    if (file.pages === 0) throw new SimError("ERR_ARGUMENT", "file: it has been truncated to nothing");
    if (kind !== undefined) throw new SimError("ERR_ARGUMENT", `kind: ${kind} memory is no file`);
    return integer("offset", offset ?? 0, 0, file.pages - 1);
  }

  /** First virtual page of a gap of `pages`, or `at` if that is one. */
  #place(pages: number, at: number | undefined): number {
    const vmas = vmasOf(this.core, this.id);
    if (at !== undefined) {
      integer("at", at, 0, this.pages - pages);
      if (vmas.some(([start, end]) => start < at + pages && at < end)) {
        throw new SimError("ERR_ARGUMENT", `at: virtual pages ${at}…${at + pages - 1} are mapped in part`);
      }
      return at;
    }
    let gap = 0;
    for (const [start, end] of vmas) {
      if (start - gap >= pages) return gap;
      gap = end;
    }
    if (this.pages - gap >= pages) return gap;
    throw new SimError("ERR_LIMIT", `map: no gap of ${pages} pages among the ${this.pages} of the process`);
  }
}

export class Guest extends Process {
  readonly vcpus: readonly Vcpu[];

  constructor(core: Core, id: number, vcpus: readonly number[]) {
    super(core, id);
    this.vcpus = vcpus.map((vcpu) => new Vcpu(core, vcpu, id));
  }
}
