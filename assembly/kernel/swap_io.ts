/** Reading and writing pages of swap (mm/page_io.c, mm/swap_state.c). */
import {
  MIGRATE_MOVABLE,
  PFN_NONE,
  PG_LOCKED,
  PG_RECLAIM,
  PG_SWAPBACKED,
  PG_UPTODATE,
  PG_WRITEBACK,
  PSWPIN,
  PSWPOUT,
} from "../abi";
import { submitBio } from "../state/bio";
import { copyContentFromSlot, copyContentToSlot } from "../state/content";
import { lruAddDrainCpu, lruCacheAdd } from "../state/lru_batch";
import { machine } from "../state/machine";
import { chargePage } from "../state/memcg";
import { Page, getPage, pageAt } from "../state/page";
import { allocPages } from "../state/page_alloc";
import { putPage } from "../state/page_free";
import { profile } from "../state/profile";
import { areaOfSlot, swapAreaAt, swapSlotAt } from "../state/swap";
import { count } from "../state/vmstat";
import { unlockPage } from "./page_lock";
import { addToSwapCache, tryToFreeSwap } from "./swap_state";

/**
 * swap_writepage() of a page that was dirty and is clean now. On a synchronous device the write has ended
 * when it returns, else the page is under writeback until endPageWriteback().
 */
export function swapWritepage(pfn: i32, page: Page): void {
  if (tryToFreeSwap(page)) return;
  const number = page.privateWord;
  copyContentToSlot(pfn, number);
  swapSlotAt(number).written = 1;
  count(PSWPOUT, 1);
  submitBio(pfn, number, true);
  if (swapAreaAt(areaOfSlot(number)).synchronous != 0) page.flags &= ~PG_RECLAIM;
  else page.flags |= PG_WRITEBACK;
}

/** True if a read of this slot takes time, after which endRead() is called: where actors run. */
function isInFlight(slot: i32): bool {
  return machine().interleaved != 0 && swapAreaAt(areaOfSlot(slot)).synchronous == 0;
}

/** end_swap_bio_read() and its like for files: the content is there, and the page unlocked. */
export function endRead(page: Page): void {
  page.flags |= PG_UPTODATE;
  unlockPage(page);
}

/** A frame with what the device has in a slot, swap-backed and on its way to the LRU; or PFN_NONE. */
function readFrame(slot: i32, node: i32, bound: bool): i32 {
  const pfn = allocPages(node, 0, MIGRATE_MOVABLE, bound);
  if (pfn == PFN_NONE) return PFN_NONE;
  const page = pageAt(pfn);
  page.flags = PG_SWAPBACKED | (isInFlight(slot) ? PG_LOCKED : PG_UPTODATE);
  assert(swapSlotAt(slot).written != 0, "readFrame: the device has nothing in this slot");
  if (!profile().chargeEndsWithMapping) chargePage(page); // mem_cgroup_swapin_charge_folio()
  copyContentFromSlot(slot, pfn);
  count(PSWPIN, 1);
  submitBio(pfn, slot, false);
  return pfn;
}

/** read_swap_cache_async(), up to the end of the I/O unless that takes time. Nothing without memory. */
function readSwapCache(slot: i32, node: i32, bound: bool): void {
  const pfn = readFrame(slot, node, bound);
  if (pfn == PFN_NONE) return;
  const page = pageAt(pfn);
  addToSwapCache(pfn, page, slot);
  lruCacheAdd(pfn, page, profile().lruBatch);
  putPage(page);
}

/** Reads a slot into a page that is not in the swap cache, for the caller (SWP_SYNCHRONOUS_IO). */
export function readWithoutCache(slot: i32, node: i32, bound: bool): i32 {
  const pfn = readFrame(slot, node, bound);
  if (pfn != PFN_NONE) lruCacheAdd(pfn, pageAt(pfn), profile().lruBatch);
  return pfn;
}

/** Reads what is used of the aligned cluster around `slot`, and not in the swap cache. */
function readCluster(slot: i32, node: i32, bound: bool, clusterMask: i32): void {
  const area = swapAreaAt(areaOfSlot(slot));
  const offset = slot - area.first + 1; // within the device, whose header is at 0
  const first = area.first - 1 + max<i32>(1, offset & ~clusterMask);
  const end = min<i32>(area.end, area.first + (offset | clusterMask));
  for (let number = first; number < end; number++) {
    const record = swapSlotAt(number);
    if (record.count > 0 && record.pfn == PFN_NONE) readSwapCache(number, node, bound);
  }
}

/**
 * swapin_readahead(): reads a slot and its cluster into the swap cache, to frames on `node`. Returns the pfn
 * of the page of `slot`, of which the caller gets a reference, or PFN_NONE without memory.
 */
export function swapinReadahead(slot: i32, node: i32, bound: bool): i32 {
  const m = machine();
  const clusterMask = (1 << m.pageCluster) - 1;
  readCluster(slot, node, bound, clusterMask);
  // Pages read ahead are pushed to the LRU; 6.x returns before that where there are none.
  if (clusterMask != 0 || profile().swapinAlwaysDrains) lruAddDrainCpu(m.cpu);
  // Pushing pages may have freed one.
  if (swapSlotAt(slot).pfn == PFN_NONE) readSwapCache(slot, node, bound);
  const pfn = swapSlotAt(slot).pfn;
  if (pfn != PFN_NONE) getPage(pageAt(pfn));
  return pfn;
}
