/**
 * __offline_pages() of v3.12 and offline_pages() of 6.x: the loop around the rounds, a turn at a time, so
 * that whoever drives it can let other things happen between two turns.
 */
import {
  CFG_COST_ROUND,
  CFG_CPUS,
  EAGAIN,
  EBUSY,
  EINTR,
  MEMORY_BLOCK_ORDER,
  MEMORY_BLOCK_PAGES,
  PFN_NONE,
  TABLE_ROUND,
} from "../abi";
import { OFFLINE_RECORD_OFFSET, ROUND_RECORD_SIZE, config, tablePtr } from "../arena";
import { lruAddDrainAll } from "../state/lru_batch";
import { machine } from "../state/machine";
import { profile } from "../state/profile";
import { spend } from "../state/timeline";
import { clearBlame } from "./migrate_control";
import { offlineBegin, offlineEnd, offlineRound, scanMovablePages, testPagesIsolated } from "./offline";

/** The loop goes on; everything else that a function here returns is the value of the call. */
export const OFFLINE_GO_ON: i32 = 1;

@unmanaged
class OfflineCall {
  expireNs: u64; // u64.MAX_VALUE: the kernel has no limit
  block: i32;
  pfn: i32; // where the next scan begins
  retriesLeft: i32;
  drain: i32; // v3.12: drain LRU batches before the next scan
}

if (OFFLINE_RECORD_OFFSET + offsetof<OfflineCall>() > ROUND_RECORD_SIZE) ERROR("round region too small");

function call(): OfflineCall {
  return changetype<OfflineCall>(tablePtr(TABLE_ROUND) + OFFLINE_RECORD_OFFSET);
}

/** Starts the call. Returns OFFLINE_GO_ON, -EINVAL or -EBUSY. A signal sent before is not for it. */
export function offlineStart(block: i32): i32 {
  const m = machine();
  m.signalPending = 0;
  clearBlame();
  const err = offlineBegin(block);
  if (err != 0) return err;
  const p = profile();
  const c = call();
  c.block = block;
  c.expireNs = p.offlineTimeoutNs > 0 ? m.nowNs + p.offlineTimeoutNs : u64.MAX_VALUE;
  c.pfn = block << MEMORY_BLOCK_ORDER;
  c.retriesLeft = p.offlineRetries;
  c.drain = 0;
  return OFFLINE_GO_ON;
}

/** When the kernel itself gives up, u64.MAX_VALUE if never. */
export function offlineExpiry(): u64 {
  return call().expireNs;
}

/** Rounds that may fail with an error still. */
export function offlineRetriesLeft(): i32 {
  return call().retriesLeft;
}

/** Ends the call with `rc`; the block stays online unless that is 0. */
export function offlineLeave(rc: i32): i32 {
  machine().signalPending = 0;
  offlineEnd(call().block, rc == 0);
  return rc;
}

/** 4a. The time limit, then a pending signal. Returns OFFLINE_GO_ON, -EAGAIN or -EINTR. */
export function offlineMayGoOn(): i32 {
  const m = machine();
  if (m.nowNs > call().expireNs) return offlineLeave(-EAGAIN);
  return m.signalPending != 0 ? offlineLeave(-EINTR) : OFFLINE_GO_ON;
}

/** 5. Nothing on the LRU is left in the block: the end, or on 6.x once more from the start. */
export function offlineAllMoved(): i32 {
  const start = call().block << MEMORY_BLOCK_ORDER;
  lruAddDrainAll(config(CFG_CPUS));
  if (testPagesIsolated(start)) return offlineLeave(0);
  if (profile().offlineBatch > 0) return offlineLeave(-EBUSY);
  call().pfn = start;
  return OFFLINE_GO_ON;
}

/** 4b. and 4c. Drains and scans. Returns the first page that is to move, PFN_NONE if there is none. */
export function offlineScan(): i32 {
  const c = call();
  // v3.12 begins each scan anew; 6.x goes on where it found a page.
  if (profile().offlineBatch > 0) {
    c.pfn = c.block << MEMORY_BLOCK_ORDER;
    if (c.drain != 0) lruAddDrainAll(config(CFG_CPUS));
    c.drain = 1;
  }
  c.pfn = scanMovablePages(c.pfn, offlineBlockEnd());
  return c.pfn;
}

/** Behind the last frame of the block. */
export function offlineBlockEnd(): i32 {
  return (call().block << MEMORY_BLOCK_ORDER) + MEMORY_BLOCK_PAGES;
}

/** What a round has returned. Returns OFFLINE_GO_ON, or what ends the call. */
export function offlineSettle(rc: i32): i32 {
  if (rc >= 0 || profile().offlineRetries == 0) return OFFLINE_GO_ON;
  const c = call();
  c.retriesLeft -= 1;
  return c.retriesLeft == 0 ? offlineLeave(rc) : OFFLINE_GO_ON;
}

/** 4b.–4d. Drains, scans and migrates once. Returns OFFLINE_GO_ON, or what ends the call. */
export function offlineTurn(): i32 {
  const pfn = offlineScan();
  let rc = 0;
  if (pfn == PFN_NONE) {
    const done = offlineAllMoved();
    if (done != OFFLINE_GO_ON) return done;
  } else {
    rc = offlineRound(pfn, offlineBlockEnd());
  }
  spend(config(CFG_COST_ROUND));
  return offlineSettle(rc);
}
