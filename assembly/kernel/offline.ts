/** Memory offline and online (mm/memory_hotplug.c, mm/page_isolation.c), in steps: begin, rounds, finish. */
import {
  BLOCK_OFFLINE,
  BLOCK_ONLINE,
  CFG_CPUS,
  CFG_NR_ZONES,
  EBUSY,
  EINVAL,
  FIRST_PFN,
  MEMORY_BLOCK_ORDER,
  MEMORY_BLOCK_PAGES,
  MIGRATE_ISOLATE,
  MIGRATE_MOVABLE,
  MIGRATE_SYNC,
  MR_MEMORY_HOTPLUG,
  PAGEBLOCK_PAGES,
  PFN_NONE,
  PG_BUDDY,
  PG_LRU,
  PG_RESERVED,
  PROBE_LOG_MIGRATION_FAILED,
  PROBE_OFFLINE_ROUNDS,
  ZONE_MOVABLE,
} from "../abi";
import { config } from "../arena";
import { lruAddDrainAll } from "../state/lru_batch";
import { machine } from "../state/machine";
import { blockState, setBlockState, zoneOfBlock } from "../state/memory_block";
import { getPage, pageAt } from "../state/page";
import { addFreeRange, removeFreeRange, setPageblockMigratetype } from "../state/page_alloc";
import { putPage } from "../state/page_free";
import { count } from "../state/vmstat";
import { Zone, pageblockOf, zoneAt } from "../state/zone";
import { isolateLruPage } from "./isolate";
import { migratePages, putbackMovablePages } from "./migrate";
import { clearBlame } from "./migrate_control";
import { append, isolatedPages } from "./migrate_list";
import { profile } from "../state/profile";
import { TARGET_OTHER_NODES, TARGET_PREFERRED } from "./target";

/** has_unmovable_pages() of one pageblock: a page in use that is not on the LRU. */
function hasUnmovablePages(zone: Zone, start: i32): bool {
  const movable = zone.kind == ZONE_MOVABLE;
  const p = profile();
  if (movable && !p.offlineChecksReserved) return false;
  if (p.offlineTrustsMovable && <i32>pageblockOf(start).migratetype == MIGRATE_MOVABLE) return false;
  for (let pfn = start; pfn < start + PAGEBLOCK_PAGES;) {
    const page = pageAt(pfn);
    if ((page.flags & PG_RESERVED) != 0) return true;
    if ((page.flags & PG_BUDDY) != 0) {
      pfn += 1 << page.privateWord;
      continue;
    }
    if (!movable && page.refcount > 0 && (page.flags & PG_LRU) == 0) return true;
    pfn += 1;
  }
  return false;
}

function setBlockMigratetype(start: i32, migratetype: i32): void {
  for (let pfn = start; pfn < start + MEMORY_BLOCK_PAGES; pfn += PAGEBLOCK_PAGES) {
    setPageblockMigratetype(pfn, migratetype);
  }
}

/** True if the host would be left without memory that the kernel can use for itself. */
function isLastNormalMemory(zone: Zone): bool {
  if (zone.kind == ZONE_MOVABLE) return false;
  let left = -MEMORY_BLOCK_PAGES;
  for (let number = 0; number < config(CFG_NR_ZONES); number++) {
    const other = zoneAt(number);
    if (other.kind != ZONE_MOVABLE) left += other.managedPages;
  }
  return left <= 0;
}

/**
 * Starts to take a block offline: checks it and isolates its pageblocks. Returns 0, -EINVAL (not online,
 * holes, several zones, the last normal memory) or -EBUSY (unmovable pages).
 */
export function offlineBegin(block: i32): i32 {
  machine().cpu = 0; // a CPU of node 0 writes "offline"
  if (blockState(block) != BLOCK_ONLINE) return -EINVAL;
  const zone = zoneOfBlock(block);
  if (zone == null || isLastNormalMemory(zone)) return -EINVAL;
  lruAddDrainAll(config(CFG_CPUS));
  const start = block << MEMORY_BLOCK_ORDER;
  for (let pfn = start; pfn < start + MEMORY_BLOCK_PAGES; pfn += PAGEBLOCK_PAGES) {
    if (hasUnmovablePages(zone, pfn)) return -EBUSY;
  }
  setBlockMigratetype(start, MIGRATE_ISOLATE);
  if (profile().lruCacheDisable) machine().lruDisabled += 1;
  return 0;
}

/** scan_movable_pages(): the first LRU page from `pfn` on, PFN_NONE if there is none before `end`. */
export function scanMovablePages(pfn: i32, end: i32): i32 {
  while (pfn < end) {
    const page = pageAt(pfn);
    if ((page.flags & PG_LRU) != 0) return pfn;
    pfn += (page.flags & PG_BUDDY) != 0 ? 1 << page.privateWord : 1;
  }
  return PFN_NONE;
}

/**
 * Isolates LRU pages from `pfn` on, as many as the profile takes at once. Returns true if a page in use could
 * not be isolated; v3.12 then puts everything back.
 */
function isolateRange(pfn: i32, end: i32): bool {
  const batch = profile().offlineBatch;
  const list = isolatedPages();
  let stuck = false;
  for (; pfn < end; pfn++) {
    if (batch > 0 && list.nr >= batch) break;
    const page = pageAt(pfn);
    if (page.refcount == 0) {
      // The others of a free block are not in use either.
      if ((page.flags & PG_BUDDY) != 0) pfn += (1 << page.privateWord) - 1;
      continue;
    }
    getPage(page);
    const err = isolateLruPage(pfn, page);
    putPage(page);
    if (err == 0) append(list, pfn, page, 0);
    else stuck = true;
    if (stuck && batch > 0) return true;
  }
  return stuck;
}

/** Where the pages of a round may go: TARGET_*. */
export function offlineTarget(): i32 {
  return profile().offlinePrefersOtherNodes ? TARGET_OTHER_NODES : TARGET_PREFERRED;
}

/**
 * do_migrate_range() up to the migration: isolates what one round is to move. Returns 0, or -EBUSY if the
 * round has come to nothing because a page in use could not be isolated.
 */
export function offlineIsolate(pfn: i32, end: i32): i32 {
  count(PROBE_OFFLINE_ROUNDS, 1);
  clearBlame();
  const stuck = isolateRange(pfn, end);
  if (!stuck || profile().offlineBatch == 0) return 0;
  putbackMovablePages();
  return -EBUSY;
}

/**
 * do_migrate_range(): one round. Returns the number of pages it could not move, or -EBUSY or -ENOMEM where
 * the profile lets them count against the retries.
 */
export function offlineRound(pfn: i32, end: i32): i32 {
  const err = offlineIsolate(pfn, end);
  if (err != 0 || isolatedPages().nr == 0) return err;
  const rc = migratePages(offlineTarget(), 0, MIGRATE_SYNC, MR_MEMORY_HOTPLUG);
  if (rc != 0) {
    count(PROBE_LOG_MIGRATION_FAILED, isolatedPages().nr);
    putbackMovablePages();
  }
  return rc;
}

/** test_pages_isolated(): everything in the block is free. */
export function testPagesIsolated(start: i32): bool {
  for (let pfn = start; pfn < start + MEMORY_BLOCK_PAGES;) {
    const page = pageAt(pfn);
    if ((page.flags & PG_BUDDY) == 0) return false;
    pfn += 1 << page.privateWord;
  }
  return true;
}

/** Ends the operation: on success the block leaves the allocator, else its pageblocks are movable again. */
export function offlineEnd(block: i32, success: bool): void {
  const start = block << MEMORY_BLOCK_ORDER;
  if (profile().lruCacheDisable) machine().lruDisabled -= 1;
  if (!success) {
    setBlockMigratetype(start, MIGRATE_MOVABLE);
    return;
  }
  removeFreeRange(changetype<Zone>(zoneOfBlock(block)), start, start + MEMORY_BLOCK_PAGES);
  setBlockState(block, BLOCK_OFFLINE);
}

/** online_pages(): hands a block that is offline to the allocator of its zone. Returns 0 or -EINVAL. */
export function onlineBlock(block: i32): i32 {
  if (blockState(block) != BLOCK_OFFLINE) return -EINVAL;
  const zone = zoneOfBlock(block);
  if (zone == null) return -EINVAL;
  const start = block << MEMORY_BLOCK_ORDER;
  addFreeRange(zone, max<i32>(start, FIRST_PFN), start + MEMORY_BLOCK_PAGES);
  setBlockState(block, BLOCK_ONLINE);
  return 0;
}
