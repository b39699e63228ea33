/** Frames taken and given back in runs, as the core does for ordinary pages (assembly/state/frame_run.ts). */
import { PAGEBLOCK_ORDER, PFN_NONE } from "../../assembly/abi.ts";
import type { TwinMemory } from "./memory.ts";

export class TwinFrameRuns {
  readonly #memory: TwinMemory;
  #zone = -1;
  #next = 0;
  #end = 0;
  #freed = 0;
  #nrFreed = 0;

  constructor(memory: TwinMemory) {
    this.#memory = memory;
  }

  /** The frame that allocPage() would take, with no reference yet; PFN_NONE in the zone of `from` itself. */
  take(from: number, zone: number): number {
    if (zone !== this.#zone || this.#next === this.#end) {
      this.close();
      const block = this.#memory.takeBlock(zone);
      if (block.pfn === PFN_NONE) return PFN_NONE;
      this.#zone = zone;
      this.#next = block.pfn;
      this.#end = block.pfn + (1 << block.order);
    }
    if (this.#memory.zoneOfBlock[from >> PAGEBLOCK_ORDER] === zone) return PFN_NONE;
    this.#next += 1;
    return this.#next - 1;
  }

  /** Frees a frame whose record is clear already, when the run ends. */
  giveBack(pfn: number): void {
    if (pfn !== this.#freed + this.#nrFreed) {
      this.#closeFreed();
      this.#freed = pfn;
    }
    this.#nrFreed += 1;
  }

  /** Before anything else is allocated or freed. */
  close(): void {
    if (this.#zone >= 0) this.#memory.returnBlocks(this.#zone, this.#next, this.#end);
    this.#zone = -1;
    this.#closeFreed();
  }

  #closeFreed(): void {
    const end = this.#freed + this.#nrFreed;
    for (let pfn = this.#freed; pfn < end;) {
      let order = Math.min(PAGEBLOCK_ORDER, 31 - Math.clz32(pfn & -pfn));
      while (pfn + (1 << order) > end) order -= 1;
      this.#memory.freePages(pfn, order);
      pfn += 1 << order;
    }
    this.#nrFreed = 0;
  }
}
