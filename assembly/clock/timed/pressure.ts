/** Memory pressure: when room has to be made, and by whom. */
import { MEMCG_CHARGED, METRIC_DIRECT_RECLAIMS, PFN_NONE, SWAP_CLUSTER_MAX } from "../../abi";
import { profile } from "../../state/profile";
import { pteAt, pteIsSwapEntry, ptePfn } from "../../state/pgtable";
import { swapSlotAt } from "../../state/swap";
import { findVma, pteNumber, vmaAt } from "../../state/vma";
import { counterOf } from "../../state/vmstat";
import { addTo } from "./metrics";
import { KSWAPD, beginReclaim, isReclaiming } from "./reclaim_run";
import { timed } from "./timed_state";
import { freeFrames, minFreePages } from "./watermarks";

/** Pages above what may be charged, once one more is. */
function excess(): i32 {
  const limit = timed().limitPages;
  return limit == 0 ? 0 : <i32>counterOf(MEMCG_CHARGED) + 1 - limit;
}

/** True if a fault that may not wait gets its page without charging it: v3.12 charges what is mapped. */
function chargesLater(mm: i32, vpn: i32, nowait: bool): bool {
  if (!nowait || !profile().chargeEndsWithMapping) return false;
  const vmaId = findVma(mm, vpn);
  if (vmaId == 0) return false;
  const pte = pteAt(pteNumber(vmaAt(vmaId), vpn));
  return pteIsSwapEntry(pte) && swapSlotAt(ptePfn(pte)).pfn == PFN_NONE;
}

/** Wakes kswapd below the low watermark. */
function wakeKswapd(free: i32, low: i32): void {
  if (free >= low || isReclaiming(KSWAPD)) return;
  beginReclaim(KSWAPD, low + (low >> 2) - free);
}

/**
 * Before a page of `mm` is faulted in: makes room for it if there is none, and wakes `owner` when that is
 * done. Returns false if there is room.
 */
export function makeRoomFor(owner: i32, mm: i32, vpn: i32, nowait: bool): bool {
  const over = chargesLater(mm, vpn, nowait) ? 0 : excess();
  const free = freeFrames();
  const low = minFreePages();
  wakeKswapd(free, low + (low >> 2));
  if (over <= 0 && free > low) return false;
  if (!beginReclaim(owner, max<i32>(over, SWAP_CLUSTER_MAX))) return false;
  addTo(METRIC_DIRECT_RECLAIMS, 1);
  return true;
}

/** The limit of what may be charged has changed: what is above it goes. */
export function shrinkToLimit(owner: i32): bool {
  const over = excess() - 1;
  return over > 0 && beginReclaim(owner, over);
}
