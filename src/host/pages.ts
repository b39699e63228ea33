/** Read-only views of the page table: fields by pfn, without a call into wasm. */
import * as abi from "../core/abi.ts";
import type { Core } from "../core/core.ts";
import { type PageFlag, flagNames } from "../core/names.ts";
import { integer } from "./config.ts";

/** struct page of one pfn, as a plain object. */
export interface PageInfo {
  readonly pfn: number;
  /** Null for a frame of a hole. */
  readonly node: number | null;
  readonly flags: readonly PageFlag[];
  readonly refcount: number;
  readonly mapcount: number;
  /** The tagged word: object id << 2 | tag. */
  readonly mapping: number;
  readonly index: number;
  readonly private: number;
}

export class PageTable {
  /** Frames, pfn 0 and holes included. */
  readonly length: number;
  readonly #core: Core;

  constructor(core: Core) {
    this.#core = core;
    this.length = core.words(abi.TABLE_PAGES).length / 8;
  }

  flags(pfn: number): number {
    return this.#field(pfn, abi.PAGE_FLAGS);
  }

  refcount(pfn: number): number {
    return this.#field(pfn, abi.PAGE_REFCOUNT);
  }

  mapcount(pfn: number): number {
    return this.#field(pfn, abi.PAGE_MAPCOUNT);
  }

  /** Everything about one page. @throws {SimError} ERR_RANGE for a pfn outside the table. */
  at(pfn: number): PageInfo {
    const flags = this.flags(pfn);
    const inZone = this.#core.read((core) => core.zoneNumberOf(pfn)) >= 0;
    return {
      pfn,
      node: inZone ? this.#core.read((core) => core.nodeOf(pfn)) : null,
      flags: flagNames(flags),
      refcount: this.refcount(pfn),
      mapcount: this.mapcount(pfn),
      mapping: this.#field(pfn, abi.PAGE_MAPPING),
      index: this.#field(pfn, abi.PAGE_INDEX),
      private: this.#field(pfn, abi.PAGE_PRIVATE),
    };
  }

  /** A copy of the raw records of a range: eight i32 a page (PAGE_* of the ABI). */
  copy(start: number, count: number): Int32Array {
    integer("start", start, 0, this.length - 1);
    integer("count", count, 0, this.length - start);
    return this.#core.words(abi.TABLE_PAGES).slice(start * 8, (start + count) * 8);
  }

  #field(pfn: number, offset: number): number {
    integer("pfn", pfn, 1, this.length - 1);
    return this.#core.words(abi.TABLE_PAGES)[pfn * 8 + (offset >> 2)] ?? 0;
  }
}
