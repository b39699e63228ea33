/** Swap devices, and what reclaim does at somebody's wish. */
import * as abi from "../core/abi.ts";
import type { Core, KernelCrash } from "../core/core.ts";
import { SimError } from "../errors.ts";
import { integer } from "./config.ts";
import { type CallResult, callResult } from "./region.ts";

export interface SwapOptions {
  /** Pages that it holds. */
  readonly pages: number;
  /**
   * I/O has ended when it returns, as on zram or brd (SWP_SYNCHRONOUS_IO): on 6.x a page that one process
   * has is read back past the swap cache. Default: false; a page that is written out stays under writeback
   * until endWriteback(), and in the swap cache until reclaim comes to it again.
   */
  readonly synchronous?: boolean;
}

/**
 * What became of a page that reclaim looked at: freed, made active, or kept for now. That is also what
 * happens to a page on no LRU list (in a batch of a CPU until drainLru(), or isolated), and to one under
 * writeback.
 */
export type ReclaimOutcome = "kept" | "activated" | "freed";

const outcomes: readonly ReclaimOutcome[] = ["kept", "activated", "freed"];

/** Field of a record of TABLE_SWAP_AREAS. */
function field(core: Core, id: number, offset: number): number {
  return core.words(abi.TABLE_SWAP_AREAS)[(id * abi.SWAP_AREA_SIZE + offset) >> 2] ?? 0;
}

/** Its properties and methods throw ERR_ARGUMENT once the device is off. */
export class SwapDevice {
  readonly id: number;
  readonly #core: Core;
  readonly #serial: number;

  /** Devices come from Host.swapOn() and Host.swapDevices(). */
  constructor(core: Core, id: number) {
    this.#core = core;
    this.id = id;
    this.#serial = field(core, id, abi.SWAP_AREA_LIVE);
  }

  /** Pages that it holds. */
  get pages(): number {
    this.#check();
    return field(this.#core, this.id, abi.SWAP_AREA_END) - field(this.#core, this.id, abi.SWAP_AREA_FIRST);
  }

  /** Slots in use: of pages that are swapped out, or still in the swap cache. */
  get usedPages(): number {
    this.#check();
    return field(this.#core, this.id, abi.SWAP_AREA_USED);
  }

  /** The device has answered: no page of it is under writeback any more. */
  endWriteback(): KernelCrash | null {
    this.#check();
    this.#core.run((core) => core.endSwapWriteback(this.id));
    return this.#core.crash;
  }

  /**
   * swapoff(): reads back what is in use. ENOMEM leaves the device on, with what was read back mapped.
   *
   * @throws {SimError} ERR_ARGUMENT if a page of it is locked, for which the kernel would wait.
   */
  off(): CallResult {
    this.#check();
    if (this.#core.read((core) => core.swapOffMustWait(this.id))) {
      throw new SimError("ERR_ARGUMENT", `swapoff: a page of device ${this.id} is locked; finish that first`);
    }
    return callResult(
      this.#core,
      this.#core.run((core) => core.swapOff(this.id)),
    );
  }

  #check(): void {
    if (field(this.#core, this.id, abi.SWAP_AREA_LIVE) === this.#serial) return;
    throw new SimError("ERR_ARGUMENT", `swap device ${this.id} is off`);
  }
}

/** @throws {SimError} ERR_LIMIT if limits.swapSlots, or MAX_SWAP_AREAS devices, are used up. */
export function swapOn(core: Core, options: SwapOptions): SwapDevice {
  const limit = core.config(abi.CFG_SWAP_SLOTS);
  if (limit === 0) throw new SimError("ERR_LIMIT", "swapOn: limits.swapSlots is 0");
  const pages = integer("pages", options.pages, 1, limit);
  const id = core.run((exports) => exports.swapOn(pages, options.synchronous ?? false)) ?? 0;
  if (id !== 0) return new SwapDevice(core, id);
  throw new SimError(
    "ERR_LIMIT",
    `swapOn: ${abi.MAX_SWAP_AREAS} devices are on, or fewer than ${pages} of limits.swapSlots, ${limit}, ` +
      "are left behind the last one",
  );
}

/** The devices that are on, in the order in which their slots are used. */
export function swapDevicesOf(core: Core): SwapDevice[] {
  const ids = Array.from({ length: abi.MAX_SWAP_AREAS }, (_, i) => i + 1);
  return ids.filter((id) => field(core, id, abi.SWAP_AREA_LIVE) !== 0).map((id) => new SwapDevice(core, id));
}

/** Reclaim's look at one page. Null after a crash. */
export function reclaimPage(core: Core, pfn: number): ReclaimOutcome | null {
  const outcome = core.run((exports) => exports.reclaimPage(pfn));
  return outcome === undefined ? null : (outcomes[outcome] ?? null);
}
