/** KSM: pages of equal content become one. */
import * as abi from "../core/abi.ts";
import type { Core, KernelCrash } from "../core/core.ts";
import { SimError } from "../errors.ts";

/** What a call has merged, as /sys/kernel/mm/ksm counts it for the whole host. */
export interface KsmResult {
  /** Pages that others share from now on. */
  readonly pagesShared: number;
  /** Pages that were given up for one of those, or for one that was shared before. */
  readonly pagesSharing: number;
  /** The crash that stopped the machine in between. */
  readonly crash: KernelCrash | null;
}

/** A virtual page of a process. */
export interface Place {
  readonly mm: number;
  readonly vpn: number;
}

function checkLimit(what: string, limit: string, needed: number, free: number): void {
  if (needed <= free) return;
  throw new SimError("ERR_LIMIT", `mergeKsm: ${needed} ${what}, and limits.${limit} leaves ${free}`);
}

/** Merges the pages of each group. @throws {SimError} ERR_LIMIT; nothing is merged then. */
export function mergeKsm(core: Core, groups: readonly (readonly Place[])[]): KsmResult {
  const places = groups.flat();
  checkLimit("pages", "entries", places.length, core.config(abi.CFG_ENTRIES));
  checkLimit(
    "pages",
    "ksmItems",
    places.length,
    core.read((exports) => exports.freeKsmItems()),
  );
  checkLimit(
    "groups",
    "mappings",
    groups.length,
    core.read((exports) => exports.freeMappings()),
  );
  const words = core.words(abi.TABLE_ENTRIES);
  let entry = 0;
  for (const group of groups) {
    for (const [position, { mm, vpn }] of group.entries()) {
      words[entry * 2] = vpn;
      words[entry * 2 + 1] = position === 0 ? -mm : mm; // see assembly/kernel/ksm.ts
      entry += 1;
    }
  }
  core.run((exports) => {
    exports.mergeKsm(places.length);
  });
  const merged = core.words(abi.TABLE_STATUS).subarray(0, places.length);
  return {
    pagesShared: merged.filter((status) => status === abi.KSM_SHARED).length,
    pagesSharing: merged.filter((status) => status === abi.KSM_SHARING).length,
    crash: core.crash,
  };
}
