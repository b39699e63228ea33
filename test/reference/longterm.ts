/** FOLL_LONGTERM: what may not stay where it is for long is moved out of the way before it is pinned. */
import * as abi from "../../assembly/abi.ts";
import { isIsolatedPageblock } from "./buddy.ts";
import { tracksDirtyPages } from "./file-system.ts";
import { faultInForGup } from "./gup-page.ts";
import { drainAll, isolate } from "./lru.ts";
import { type Machine, type Page, type Process, type Vma, count, has, zoneOf } from "./machine.ts";
import { migratePages } from "./migrate.ts";
import { findVma } from "./process.ts";

/** A device could write to the page without the file system's knowing. */
function isRefused(m: Machine, vma: Vma | undefined): boolean {
  if (!m.profile.longtermNeedsUntracked || vma?.kind !== "file") return false;
  const fs = vma.mapping?.fs ?? null;
  return fs !== null && tracksDirtyPages(fs);
}

function mayStay(m: Machine, page: Page): boolean {
  return zoneOf(page).kind !== abi.ZONE_MOVABLE && !isIsolatedPageblock(m, page.pfn);
}

/** Lets go of the page and moves it. Another one that has it isolated is waited for. */
function moveOut(m: Machine, page: Page, follPin: boolean): number | "sleeps" {
  if (!has(page, abi.PG_LRU)) drainAll(m);
  if (isolate(m, page) !== 0) return "sleeps";
  if (follPin) {
    count(m, abi.NR_FOLL_PIN_ACQUIRED, 1);
    count(m, abi.NR_FOLL_PIN_RELEASED, 1);
  }
  const { node } = zoneOf(page);
  const job = { mode: abi.MIGRATE_SYNC, where: () => ({ unmovableNear: node }) };
  return migratePages(m, job, [{ page, entry: 0 }]).rc === 0 ? 0 : -abi.ENOMEM;
}

/** As faultInForGup() for writing, of a page that may be held for long. */
export function faultInForLong(
  m: Machine,
  process: Process,
  vpn: number,
  { follPin }: { readonly follPin: boolean },
): Page | number | "sleeps" {
  if (isRefused(m, findVma(process, vpn))) return -abi.EFAULT;
  for (;;) {
    const page = faultInForGup(m, process, vpn, true);
    if (page === "sleeps" || typeof page === "number" || mayStay(m, page)) return page;
    const rc = moveOut(m, page, follPin);
    if (rc !== 0) return rc;
  }
}
