/**
 * A reclaim that is under way: kswapd's, or that of somebody who needs memory. As shrink_zones() it looks
 * at more and more of each zone's inactive list, up to SWAP_CLUSTER_MAX pages at a time, page by page with
 * the transitions of a reclaimer, and ages the active list where the inactive one is short.
 */
import {
  CFG_NR_ZONES,
  COST_AGE,
  EVENT_JOB,
  EVENT_KWORKER,
  EVENT_RECLAIM,
  EVENT_THREAD,
  LRU_ACTIVE_ANON,
  LRU_INACTIVE_ANON,
  PFN_NONE,
  PGSCAN,
  PGSTEAL,
  PSWPOUT,
  SWAP_CLUSTER_MAX,
  TABLE_RECLAIMS,
  TRANSITION_RECLAIM_ISOLATE,
} from "../../abi";
import { MAX_RECLAIMS, RECLAIM_RECORD_SIZE, config, tablePtr } from "../../arena";
import { Reclaimer, reclaimIsolated, takeIsolated } from "../../actors/reclaimer";
import { DEF_PRIORITY, inactiveIsLow, isolateFrom, shrinkActiveList } from "../../kernel/reclaim";
import { MigrateList, reclaimedPages, splice, takeFirst } from "../../kernel/migrate_list";
import { freeBios } from "../../state/bio";
import { lruAddDrainCpu } from "../../state/lru_batch";
import { machine } from "../../state/machine";
import { poolFree, poolInit, poolNext } from "../../state/pool";
import { hasFreeSlots } from "../../state/swap";
import { count, counterOf } from "../../state/vmstat";
import { lruList, zoneAt } from "../../state/zone";
import { scheduleThread } from "./cpu";
import { scheduleKworker } from "./kworker_state";
import { eventOf, kindOf, numberOf, schedule } from "./queue";
import { threadAt } from "./thread_state";
import { PARKED, costOf, timed } from "./timed_state";
import { kswapdWants } from "./watermarks";

/** As the owner of a reclaim: it belongs to nobody who waits for it. */
export const KSWAPD: i32 = -1;

/** Pages that may be in flight beyond those that are: below that, reclaim waits for the device. */
const MIN_FREE_BIOS: i32 = 256;
/** congestion_wait(): how long it waits where nothing but writes could help, ns. */
const CONGESTION_NS: i64 = 100_000;
const MAX_IDLE_ROUNDS: i32 = 2000;

/** Word 0 of the record is kind: not 0 while it is in use. */
@unmanaged
export class ReclaimRun extends Reclaimer {
  owner: i32;
  wanted: i32; // pages
  freed: i32;
  priority: i32;
  zone: i32; // number
  left: i32; // pages of its list to look at yet
  stolen: i32; // PGSTEAL when the page was taken
  written: i32; // PSWPOUT then
  writes: i32; // pages that are being written since it last waited: they are free soon
  idle: i32; // rounds in which nothing was freed
  head: i32; // of the pages that it has isolated: a MigrateList
  tail: i32;
  nr: i32;

  @inline
  pages(): MigrateList {
    return changetype<MigrateList>(changetype<usize>(this) + offsetof<ReclaimRun>("head"));
  }
}

if (offsetof<ReclaimRun>() > <usize>RECLAIM_RECORD_SIZE) ERROR("size of a reclaim record");

const RECORD: usize = 128;

function runAt(id: i32): ReclaimRun {
  return changetype<ReclaimRun>(tablePtr(TABLE_RECLAIMS) + <usize>id * RECORD);
}

export function initReclaims(): void {
  timed().freeReclaim = poolInit(tablePtr(TABLE_RECLAIMS), RECORD, <i32>MAX_RECLAIMS + 1);
}

/** True if one of `owner` is under way. */
export function isReclaiming(owner: i32): bool {
  if (timed().nrReclaims == 0) return false;
  for (let id = 1; id <= <i32>MAX_RECLAIMS; id++) {
    if (runAt(id).kind != 0 && runAt(id).owner == owner) return true;
  }
  return false;
}

/**
 * Begins to reclaim `wanted` pages. The owner is woken at the end. Returns false if too many do so already.
 */
export function beginReclaim(owner: i32, wanted: i32): bool {
  const t = timed();
  const id = t.freeReclaim;
  if (id == 0 || !hasFreeSlots()) return false;
  t.freeReclaim = poolNext(tablePtr(TABLE_RECLAIMS), RECORD, id);
  t.nrReclaims += 1;
  const run = runAt(id);
  run.kind = 1;
  run.owner = owner;
  run.wanted = wanted;
  run.priority = DEF_PRIORITY + 1;
  run.zone = config(CFG_NR_ZONES);
  schedule(machine().nowNs, eventOf(EVENT_RECLAIM, id));
  return true;
}

/** The owner goes on. */
function wakeOwner(owner: i32): void {
  const now = machine().nowNs;
  const kind = kindOf(owner);
  if (kind == EVENT_THREAD) scheduleThread(threadAt(numberOf(owner)), now);
  else if (kind == EVENT_KWORKER) scheduleKworker(numberOf(owner), now);
  else if (kind == EVENT_JOB) schedule(now, owner);
}

function end(id: i32, run: ReclaimRun): i64 {
  const t = timed();
  const owner = run.owner;
  t.freeReclaim = poolFree(tablePtr(TABLE_RECLAIMS), RECORD, id, t.freeReclaim);
  t.nrReclaims -= 1;
  if (owner != KSWAPD) wakeOwner(owner);
  return PARKED;
}

/** What is being written is free soon: it waits, and looks again from the start. */
function waitForWrites(id: i32, run: ReclaimRun): i64 {
  run.idle += 1;
  run.priority = DEF_PRIORITY + 1;
  run.zone = config(CFG_NR_ZONES);
  run.left = 0;
  run.writes = 0;
  const hopeless = machine().nrBios == 0 || run.idle >= MAX_IDLE_ROUNDS;
  return hopeless ? end(id, run) : CONGESTION_NS;
}

/** The next zone, and after the last one the next priority. Returns how long that takes, or PARKED. */
function nextZone(id: i32, run: ReclaimRun): i64 {
  run.zone += 1;
  if (run.zone >= config(CFG_NR_ZONES)) {
    if (run.owner == KSWAPD) run.wanted = run.freed + kswapdWants();
    if (run.freed >= run.wanted) return end(id, run);
    run.zone = 0;
    run.priority -= 1;
    if (run.priority < 0) {
      if (run.freed == 0) return waitForWrites(id, run);
      if (run.owner != KSWAPD) return end(id, run);
      run.priority = DEF_PRIORITY;
    }
    lruAddDrainCpu(machine().cpu);
  }
  const zone = zoneAt(run.zone);
  const inactive = lruList(zone, LRU_INACTIVE_ANON);
  run.left = inactive.nr >> max<i32>(run.priority, 0);
  if (lruList(zone, LRU_ACTIVE_ANON).nr == 0 || !inactiveIsLow(zone, LRU_ACTIVE_ANON)) return 0;
  shrinkActiveList(zone, LRU_ACTIVE_ANON, SWAP_CLUSTER_MAX);
  return <i64>costOf(COST_AGE) * SWAP_CLUSTER_MAX;
}

/** Takes pages off the zone's list. */
function isolate(run: ReclaimRun): i64 {
  const nr = min<i32>(run.left, SWAP_CLUSTER_MAX);
  isolateFrom(zoneAt(run.zone), LRU_INACTIVE_ANON, nr);
  run.left -= nr;
  count(PGSCAN, reclaimedPages().nr);
  const taken = reclaimedPages().nr;
  if (taken == 0) run.left = 0;
  splice(reclaimedPages(), run.pages());
  return <i64>costOf(TRANSITION_RECLAIM_ISOLATE) * taken;
}

/** The next transition of a reclaim. Returns how long it takes, or PARKED at its end. */
export function reclaimStep(id: i32): i64 {
  const run = runAt(id);
  machine().cpu = 0;
  if (run.isolated == PFN_NONE && run.nr > 0) {
    if (freeBios() < MIN_FREE_BIOS) return CONGESTION_NS;
    takeIsolated(run, takeFirst(run.pages()));
    run.stolen = <i32>counterOf(PGSTEAL);
    run.written = <i32>counterOf(PSWPOUT);
  }
  if (run.isolated != PFN_NONE) {
    reclaimIsolated(run);
    const cost = <i64>costOf(run.transition);
    if (run.isolated == PFN_NONE) {
      run.ended = 0;
      if (<i32>counterOf(PGSTEAL) != run.stolen) run.freed += 1;
      else if (<i32>counterOf(PSWPOUT) != run.written) run.writes += 1;
    }
    return cost;
  }
  if (run.freed < run.wanted) {
    if (run.freed + run.writes >= run.wanted) return waitForWrites(id, run);
    if (run.left > 0) return isolate(run);
  }
  return nextZone(id, run);
}
