/** shrink_page_list() for one page that is isolated. */
import * as abi from "../../assembly/abi.ts";
import { endIsolation, releasePage } from "./lru.ts";
import { type Machine, type Mapping, type Page, Crash, clearFlag, count, has, setFlag } from "./machine.ts";
import { unchargeUncached } from "./memcg.ts";
import { freeBuffers } from "./page-cache.ts";
import { unlockPage } from "./page-lock.ts";
import { mlockPage } from "./process.ts";
import { pageReferenced } from "./referenced.ts";
import { clearPageDirtyForIo, pageMapping, repaired } from "./rmap.ts";
import { writeShmemPage } from "./shmem-swap.ts";
import { isSwapFull } from "./swap-area.ts";
import { addToSwap, forgetSwapCache, tryToFreeSwap } from "./swap-cache.ts";
import { writeToSwap } from "./swap-io.ts";
import { unmapForReclaim } from "./unmap-reclaim.ts";

/** cull: it is mlocked. */
export type Outcome = "kept" | "activated" | "cull" | "freed";

function checkReferences(m: Machine, page: Page): Outcome | "reclaim" {
  const young = pageReferenced(m, page, true);
  const flagged = has(page, abi.PG_REFERENCED);
  const ofFile = !has(page, abi.PG_SWAPBACKED);
  clearFlag(page, abi.PG_REFERENCED);
  if (young === "locked VMA") return m.profile.activatesWhatMustWait ? "activated" : "reclaim";
  if (young === 0) return "reclaim";
  if (!ofFile && m.profile.oneAccessActivatesAnon) return "activated";
  setFlag(page, abi.PG_REFERENCED);
  return flagged || young > 1 ? "activated" : "kept";
}

function later(m: Machine): Outcome {
  return m.profile.activatesWhatMustWait ? "activated" : "kept";
}

function mayBePinned(m: Machine, page: Page): boolean {
  return m.profile.reclaimMindsPins && page.refcount >= abi.GUP_PIN_COUNTING_BIAS;
}

function testCongestion(m: Machine, page: Page, mapping: Mapping | null): void {
  if (!m.profile.testsCongestion || mapping === null || mapping !== m.apfMapping) return;
  if (repaired(m, "L2")) return;
  throw new Crash({
    kind: abi.CRASH_OOPS,
    trace: [abi.FN_SHRINK_PAGE_LIST],
    pfn: page.pfn,
    invariant: abi.INV_NULL,
  });
}

/** Null: nothing maps it any more. */
function unmap(m: Machine, page: Page): Outcome | null {
  switch (unmapForReclaim(m, page)) {
    case "success":
      return null;
    case "mlock":
      mlockPage(m, page);
      return "cull";
    case "again":
      return later(m);
    case "fail":
      return "activated";
    default:
      throw new Error("a result without a case");
  }
}

/** Writes a dirty page that nobody maps. Null: it is clean. */
function pageout(m: Machine, page: Page, mapping: Mapping | null): Outcome | null {
  if (page.refcount - (has(page, abi.PG_PRIVATE) ? 1 : 0) !== 2 || mapping === null) return "kept";
  if (mapping.kind === "swap") {
    clearPageDirtyForIo(m, page);
    setFlag(page, abi.PG_RECLAIM);
    writeToSwap(m, page);
  } else if (mapping.fs?.inMemory !== true || !writeShmemPage(m, mapping, page)) {
    return "activated";
  }
  if (!has(page, abi.PG_WRITEBACK)) clearFlag(page, abi.PG_RECLAIM);
  return has(page, abi.PG_WRITEBACK | abi.PG_DIRTY) ? "kept" : null;
}

/** __delete_from_page_cache(); the substitute of the RFC has no pages, and loses one all the same. */
function deleteFromPageCache(m: Machine, page: Page, mapping: Mapping): void {
  const cached = mapping.cache.get(page.index);
  if (cached?.page === page) {
    mapping.cache.delete(page.index);
    if (cached.expected !== 0) mapping.stored.set(page.index, cached.expected);
  }
  page.mapping = null;
  page.anon = false;
  count(m, abi.NR_FILE_PAGES, -1);
  if (has(page, abi.PG_SWAPBACKED)) count(m, abi.NR_SHMEM, -1);
  unchargeUncached(m, page);
}

/** __remove_mapping(): nobody has it but isolation and the cache. */
function free(m: Machine, page: Page, mapping: Mapping | null): Outcome {
  if (mapping === null || page.refcount !== 2 || has(page, abi.PG_DIRTY)) return "kept";
  page.refcount = 0;
  if (mapping.kind === "swap") forgetSwapCache(m, page);
  else deleteFromPageCache(m, page, mapping);
  clearFlag(page, abi.PG_LOCKED);
  endIsolation(m, page);
  releasePage(m, page);
  return "freed";
}

/** A dirty page of a file is left to the flusher threads. */
function writeOut(m: Machine, page: Page): Outcome | null {
  if (!has(page, abi.PG_SWAPBACKED)) {
    setFlag(page, abi.PG_RECLAIM);
    return later(m);
  }
  return pageout(m, page, pageMapping(m, page));
}

function shrinkLocked(m: Machine, page: Page, ignoreReferences: boolean): Outcome {
  if (has(page, abi.PG_MLOCKED)) return "cull";
  testCongestion(m, page, pageMapping(m, page));
  if (has(page, abi.PG_WRITEBACK)) {
    setFlag(page, abi.PG_RECLAIM);
    return later(m);
  }
  const references = ignoreReferences ? "reclaim" : checkReferences(m, page);
  if (references !== "reclaim") return references;
  if (page.anon && !has(page, abi.PG_SWAPCACHE)) {
    if (mayBePinned(m, page)) return "kept";
    if (!addToSwap(m, page)) return "activated";
  }
  const mapped = page.mapcount > 0 && pageMapping(m, page) !== null ? unmap(m, page) : null;
  if (mapped !== null) return mapped;
  if (mayBePinned(m, page)) return "activated";
  const dirty = has(page, abi.PG_DIRTY) ? writeOut(m, page) : null;
  if (dirty !== null) return dirty;
  freeBuffers(m, page);
  return free(m, page, pageMapping(m, page));
}

export function shrinkPage(m: Machine, page: Page, ignoreReferences: boolean): Outcome {
  if (has(page, abi.PG_LOCKED)) return "kept";
  setFlag(page, abi.PG_LOCKED);
  const outcome = shrinkLocked(m, page, ignoreReferences);
  if (outcome === "freed") return outcome;
  if (outcome === "cull" || (outcome === "activated" && isSwapFull(m))) tryToFreeSwap(m, page);
  if (outcome === "activated") {
    setFlag(page, abi.PG_ACTIVE);
    count(m, abi.PGACTIVATE, 1);
  }
  unlockPage(m, page);
  return outcome;
}
