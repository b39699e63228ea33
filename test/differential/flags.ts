/** Page flags that are set from outside, on a host and in the reference model. */
import * as abi from "../../assembly/abi.ts";
import type { Host } from "../../src/index.ts";
import { type Machine, type Page, clearFlag, has, setFlag } from "../reference/machine.ts";
import { unlockPage } from "../reference/page-lock.ts";
import { run } from "../reference/state.ts";
import { endPageWriteback } from "../reference/writeback.ts";
import type { Operation } from "./operations.ts";
import { type RegionPair, pageBehind } from "./regions.ts";

type Flag = Omit<Extract<Operation, { readonly op: "flag" }>, "op" | "region">;

const pageFlags = { locked: abi.PG_LOCKED, writeback: abi.PG_WRITEBACK, dirty: abi.PG_DIRTY } as const;

/** Nothing but the page has what was written to it. */
function isOnlyCopy(page: Page): boolean {
  const isShmem = has(page, abi.PG_SWAPBACKED) && !page.anon;
  return has(page, abi.PG_DIRTY) && (isShmem || has(page, abi.PG_SWAPCACHE));
}

function clear(m: Machine, page: Page, flag: Flag["flag"]): void {
  if (flag === "locked") unlockPage(m, page);
  else if (flag === "writeback" && has(page, abi.PG_WRITEBACK)) endPageWriteback(m, page);
  else clearFlag(page, pageFlags[flag]);
}

export function changeFlag(host: Host, m: Machine, region: RegionPair, { index, flag, on }: Flag): void {
  const page = pageBehind(region, index % region.core.pages);
  if (page === null || page.pfn < abi.FIRST_PFN) return;
  if (flag === "dirty" && !on && isOnlyCopy(page)) return;
  host.setPageFlag(page.pfn, flag, on);
  if (on) setFlag(page, pageFlags[flag]);
  else run(m, () => clear(m, page, flag));
}
