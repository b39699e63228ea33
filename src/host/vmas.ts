/** The VMAs of a process, and what cutting them takes. */
import * as abi from "../core/abi.ts";
import type { Core } from "../core/core.ts";
import { SimError } from "../errors.ts";

/** First and last virtual page + 1 of each VMA of a process, by address. */
export function vmasOf(core: Core, mm: number): [number, number][] {
  const words = core.words(abi.TABLE_VMAS);
  const at = (id: number, offset: number): number => words[(id * abi.VMA_SIZE + offset) >> 2] ?? 0;
  const first = core.words(abi.TABLE_PROCESSES)[(mm * abi.PROCESS_SIZE + abi.PROCESS_FIRST_VMA) >> 2] ?? 0;
  const found: [number, number][] = [];
  for (let id = first; id !== 0; id = at(id, abi.VMA_NEXT)) {
    found.push([at(id, abi.VMA_START), at(id, abi.VMA_END)]);
  }
  return found;
}

/**
 * Sees to it that virtual pages from … to-1 can be cut out of the VMAs they lie in: that takes a record for
 * each end which lies inside a VMA.
 *
 * @throws {SimError} ERR_LIMIT if fewer are left.
 */
export function checkSplits(core: Core, mm: number, from: number, to: number): void {
  const vmas = vmasOf(core, mm);
  const cuts = [from, to].filter((vpn) => vmas.some(([start, end]) => start < vpn && vpn < end)).length;
  if (cuts === 0) return;
  const free = core.read((exports) => exports.freeVmas());
  if (cuts <= free) return;
  throw new SimError(
    "ERR_LIMIT",
    `limits.vmas: splitting takes ${cuts} more VMAs, and ${core.config(abi.CFG_VMAS)} leave ${free}`,
  );
}
