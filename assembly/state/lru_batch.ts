/**
 * Per-CPU LRU-add batches (pagevecs): pages wait in them, with a reference and without PG_lru, to be put on a
 * list.
 */
import { PG_ACTIVE } from "../abi";
import { BATCH_RECORD_SIZE, batchesPtr } from "../arena";
import { closeFrameRuns } from "./frame_run";
import { lruAdd } from "./lru";
import { machine } from "./machine";
import { Page, getPage, pageAt } from "./page";
import { releasePage } from "./page_free";

const BATCH_PAGES: usize = 4; // offset of the pfns behind their number

/** How many pages wait in the batch of `cpu`. */
export function batchLength(cpu: i32): i32 {
  return load<i32>(batchesPtr + <usize>cpu * BATCH_RECORD_SIZE);
}

export function batchPfn(cpu: i32, position: i32): i32 {
  return load<i32>(batchesPtr + <usize>cpu * BATCH_RECORD_SIZE + BATCH_PAGES + ((<usize>position) << 2));
}

/** Puts the waiting pages of `cpu` on their lists and drops the batch's references (lru_add_drain_cpu()). */
export function lruAddDrainCpu(cpu: i32): void {
  const batch = batchesPtr + <usize>cpu * BATCH_RECORD_SIZE;
  const nr = load<i32>(batch);
  store<i32>(batch, 0);
  for (let i: usize = 0; i < <usize>nr; i++) {
    const pfn = load<i32>(batch + BATCH_PAGES + (i << 2));
    const page = pageAt(pfn);
    page.refcount -= 1;
    if (page.refcount > 0) {
      lruAdd(pfn, page);
    } else {
      page.flags &= ~PG_ACTIVE;
      closeFrameRuns();
      releasePage(pfn, page);
    }
  }
}

export function lruAddDrainAll(nrCpus: i32): void {
  for (let cpu = 0; cpu < nrCpus; cpu++) lruAddDrainCpu(cpu);
}

/** lru_cache_add(): queues the page on the present CPU; a full batch of `batchSize` is drained. */
export function lruCacheAdd(pfn: i32, page: Page, batchSize: i32): void {
  const m = machine();
  const batch = batchesPtr + <usize>m.cpu * BATCH_RECORD_SIZE;
  const nr = load<i32>(batch);
  getPage(page);
  store<i32>(batch + BATCH_PAGES + ((<usize>nr) << 2), pfn);
  store<i32>(batch, nr + 1);
  if (nr + 1 >= batchSize || m.lruDisabled > 0) lruAddDrainCpu(m.cpu);
}
