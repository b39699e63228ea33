/** Whether a number from outside names a frame or a memory block. `words` is the configuration. */
import * as abi from "../core/abi.ts";
import type { Core } from "../core/core.ts";
import { SimError } from "../errors.ts";
import { integer } from "./config.ts";
import { PageTable } from "./pages.ts";

function zoneRanges(words: Int32Array): string {
  const ranges = Array.from({ length: words[abi.CFG_NR_ZONES] ?? 0 }, (_, zone) => {
    const at = abi.CFG_ZONES + zone * abi.CFG_ZONE_WORDS;
    return `${words[at + abi.CFG_ZONE_START] ?? 0}…${(words[at + abi.CFG_ZONE_END] ?? 0) - 1}`;
  });
  return ranges.join(", ");
}

/** @throws {SimError} ERR_ARGUMENT if it is none, ERR_RANGE if it lies in no zone. */
export function checkFrame(core: Core, words: Int32Array, pfn: number): void {
  integer("pfn", pfn, abi.FIRST_PFN, (words[abi.CFG_MAX_PFN] ?? 0) - 1);
  if (core.read((exports) => exports.zoneNumberOf(pfn)) < 0) {
    throw new SimError("ERR_RANGE", `pfn: ${pfn} lies in no zone; they are ${zoneRanges(words)}`);
  }
}

/** @throws {SimError} besides, ERR_ARGUMENT if nobody uses the frame. */
export function checkUsed(core: Core, words: Int32Array, pfn: number): void {
  checkFrame(core, words, pfn);
  if (new PageTable(core).refcount(pfn) === 0) throw new SimError("ERR_ARGUMENT", `pfn: ${pfn} is free`);
}

/** @throws {SimError} ERR_ARGUMENT or ERR_RANGE. */
export function checkBlock(words: Int32Array, block: number): void {
  integer("block", block, 0, Math.ceil((words[abi.CFG_MAX_PFN] ?? 0) / abi.MEMORY_BLOCK_PAGES) - 1);
}
