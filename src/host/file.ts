/** Files: their pages in the page cache, whoever maps them. */
import * as abi from "../core/abi.ts";
import type { Core, KernelCrash } from "../core/core.ts";
import { type Errno, type FileKind, errnoName, fileKinds } from "../core/names.ts";
import { SimError } from "../errors.ts";
import { integer, lookUp } from "./config.ts";

export interface FileOptions {
  /**
   * What the file system does with its pages. tmpfs: in memory; plain: no private data, so that a page moves
   * as it is; buffered: buffer heads, which go along (block devices, ext2 … ext4); no-migratepage: a dirty
   * page is written out first; no-writepage: it cannot be; io-error: as no-migratepage, and every write
   * fails. Default: plain.
   */
  readonly kind?: FileKind;
  /** Size. */
  readonly pages: number;
}

/** Pages of a file: from `start`, `count` of them. Default: all. */
export interface FileRange {
  readonly start?: number;
  readonly count?: number;
}

export interface FileResult {
  readonly errno: Errno | null;
  readonly crash: KernelCrash | null;
}

/** Field of a record of TABLE_MAPPINGS. */
function field(core: Core, id: number, offset: number): number {
  return core.words(abi.TABLE_MAPPINGS)[(id * abi.MAPPING_SIZE + offset) >> 2] ?? 0;
}

function isFile(core: Core, id: number): boolean {
  return (field(core, id, abi.MAPPING_FLAGS) & abi.MAPPING_FLAG_FILE) !== 0;
}

export class File {
  /** Its address_space. */
  readonly id: number;
  readonly #core: Core;
  readonly #serial: number;

  /** Files come from Host.createFile() and Host.files(). */
  constructor(core: Core, id: number) {
    this.#core = core;
    this.id = id;
    this.#serial = field(core, id, abi.MAPPING_SERIAL);
  }

  /** Size in pages: as created, or as truncated since. */
  get pages(): number {
    this.check();
    return field(this.#core, this.id, abi.MAPPING_NR_SLOTS);
  }

  /**
   * read(2): brings pages into the page cache, missing ones on `node` (default 0), then on its fallbacks.
   * ENOMEM leaves what was read before.
   */
  read(options: FileRange & { readonly node?: number } = {}): FileResult {
    return this.#access(options, false);
  }

  /** write(2): as read(), and leaves the pages dirty with new content. */
  write(options: FileRange & { readonly node?: number } = {}): FileResult {
    return this.#access(options, true);
  }

  /** fsync(2): writes dirty pages back and waits. A file in memory (tmpfs) stays as it is. */
  sync(range: FileRange = {}): KernelCrash | null {
    return this.#writeback(range, true);
  }

  /**
   * Starts writing dirty pages back: they are clean, and under writeback until somebody waits for them, as a
   * forced synchronous migration, sync() or truncate() does.
   */
  startWriteback(range: FileRange = {}): KernelCrash | null {
    return this.#writeback(range, false);
  }

  /**
   * truncate(2) to a smaller size: pages behind it are unmapped everywhere and leave the page cache.
   *
   * @throws {SimError} ERR_ARGUMENT if it would have to wait for a page that is locked, as by a migration
   * that is driven step by step. So do read(), write(), sync() and startWriteback().
   */
  truncate(pages: number): KernelCrash | null {
    integer("pages", pages, 0, this.pages);
    this.#mustNotWait("truncate", pages, this.pages);
    this.#core.run((core) => core.truncateFile(this.id, pages));
    return this.#core.crash;
  }

  /**
   * Removes the file with its pages.
   *
   * @throws {SimError} ERR_ARGUMENT while it is mapped, or if it would have to wait as truncate() would.
   */
  remove(): KernelCrash | null {
    this.check();
    if (!this.#core.read((core) => core.isUnmapped(this.id))) {
      throw new SimError("ERR_ARGUMENT", `remove: file ${this.id} is mapped`);
    }
    this.#mustNotWait("remove", 0, this.pages);
    this.#core.run((core) => core.removeFile(this.id));
    return this.#core.crash;
  }

  /** The pfn of a page in the page cache, null if it is not there. */
  pfnOf(index: number): number | null {
    integer("page index", index, 0, this.pages - 1);
    const slot = field(this.#core, this.id, abi.MAPPING_FIRST_SLOT) + index;
    const pfn = this.#core.words(abi.TABLE_CACHE_SLOTS)[slot * 2] ?? abi.PFN_NONE;
    return pfn > abi.PFN_NONE ? pfn : null; // below: its slot of swap
  }

  /** @throws {SimError} ERR_ARGUMENT if the file has been removed, or is one of another host than `core`. */
  check(core: Core = this.#core): void {
    if (core !== this.#core) throw new SimError("ERR_ARGUMENT", `file ${this.id} belongs to another host`);
    if (isFile(core, this.id) && field(core, this.id, abi.MAPPING_SERIAL) === this.#serial) return;
    throw new SimError("ERR_ARGUMENT", `file ${this.id} has been removed`);
  }

  #access(options: FileRange & { readonly node?: number }, write: boolean): FileResult {
    const [start, end] = this.#range(options);
    const node = integer("node", options.node ?? 0, 0, this.#core.config(abi.CFG_NR_NODES) - 1);
    const call = write ? "write" : "read";
    if (write) this.#mustNotWait(call, start, end);
    if (this.#core.read((core) => core.fileMustWaitForSwap(this.id, start, end))) this.#refuse(call);
    const rc = this.#core.run((core) => core.accessFile(this.id, start, end, node, write));
    return { errno: errnoName(rc ?? 0), crash: this.#core.crash };
  }

  #writeback(range: FileRange, wait: boolean): KernelCrash | null {
    const [start, end] = this.#range(range);
    this.#mustNotWait("writeback", start, end);
    this.#core.run((core) => core.writebackFile(this.id, start, end, wait));
    return this.#core.crash;
  }

  #range(range: FileRange): [number, number] {
    const { pages } = this;
    const start = integer("range.start", range.start ?? 0, 0, pages);
    const count = integer("range.count", range.count ?? pages - start, 0, pages - start);
    return [start, start + count];
  }

  #mustNotWait(call: string, start: number, end: number): void {
    if (this.#core.read((core) => core.fileMustWait(this.id, start, end))) this.#refuse(call);
  }

  #refuse(call: string): never {
    throw new SimError(
      "ERR_ARGUMENT",
      `${call}: a page of file ${this.id} is being migrated or locked; finish that first`,
    );
  }
}

/** @throws {SimError} ERR_LIMIT if no object, or too few cache slots, are left. */
export function createFile(core: Core, options: FileOptions): File {
  const kind = lookUp("kind", fileKinds, options.kind ?? "plain");
  const pages = integer("pages", options.pages, 1, core.config(abi.CFG_CACHE_SLOTS));
  const id = core.run((exports) => exports.createFile(kind, pages)) ?? 0;
  if (id === 0) {
    throw new SimError(
      "ERR_LIMIT",
      `createFile: no object is left, or fewer than ${pages} page-cache slots behind the last file`,
    );
  }
  return new File(core, id);
}

/** The files that exist, by id. */
export function filesOf(core: Core): File[] {
  const nr = core.config(abi.CFG_MAPPINGS);
  const ids = Array.from({ length: nr }, (_, i) => i + 1).filter((id) => isFile(core, id));
  return ids.map((id) => new File(core, id));
}
