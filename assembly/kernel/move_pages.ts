/** move_pages(2) in its two forms: chunks of entries (v3.12), or runs of equal target nodes (6.x). */
import {
  CFG_COST_SYSCALL,
  CFG_CPUS,
  EACCES,
  EEXIST,
  EFAULT,
  ENODEV,
  ENOMEM,
  MIGRATE_SYNC,
  MR_SYSCALL,
  STATUS_UNTOUCHED,
} from "../abi";
import { config } from "../arena";
import { lruAddDrainAll } from "../state/lru_batch";
import { machine } from "../state/machine";
import { mmAt } from "../state/mm";
import { pageAt } from "../state/page";
import { runDueEvents, spend } from "../state/timeline";
import { nodeHasMemory, nodeOf } from "../state/zone";
import { entryNode, entryVpn, fillStatus, setStatus } from "./entries";
import { followPage } from "./gup";
import { isolateLruPage } from "./isolate";
import { migratePages, putbackMovablePages } from "./migrate";
import { clearBlame } from "./migrate_control";
import { append, isolatedPages } from "./migrate_list";
import { profile } from "../state/profile";
import { TARGET_ENTRY, TARGET_NODE } from "./target";

const NO_NODE: i32 = -1;

/** migrate_prep() or lru_cache_disable(). */
export function migratePrep(): void {
  lruAddDrainAll(config(CFG_CPUS));
  if (profile().lruCacheDisable) machine().lruDisabled += 1;
}

/** lru_cache_enable(). */
export function migrateDone(): void {
  if (profile().lruCacheDisable) machine().lruDisabled -= 1;
}

/**
 * Looks the page of an entry up and isolates it. Returns 1 = queued, 0 = on the target already, else the
 * errno for the entry's status.
 */
function addPageForMigration(mm: i32, entry: i32, node: i32, moveAll: bool): i32 {
  const vpn = entryVpn(entry);
  const pfn = vpn < 0 ? -EFAULT : followPage(mm, vpn);
  if (pfn < 0) return pfn;
  if (nodeOf(pfn) == node) return 0;
  const page = pageAt(pfn);
  if (page.mapcount > 1 && !moveAll) return -EACCES;
  const err = isolateLruPage(pfn, page);
  if (err != 0) return err;
  append(isolatedPages(), pfn, page, entry);
  return 1;
}

/** do_move_page_to_node_array() for entries start … end-1. Returns 0 or -ENOMEM. */
function moveChunk(mm: i32, start: i32, end: i32, moveAll: bool): i32 {
  let queued = 0;
  for (let entry = start; entry < end; entry++) {
    const node = entryNode(entry);
    const rc = addPageForMigration(mm, entry, node, moveAll);
    if (rc > 0) queued += 1;
    else setStatus(entry, rc == 0 ? node : rc);
  }
  if (queued == 0) return 0;
  const rc = migratePages(TARGET_ENTRY, NO_NODE, MIGRATE_SYNC, MR_SYSCALL);
  if (rc != 0) putbackMovablePages();
  return rc == -ENOMEM ? -ENOMEM : 0;
}

/** v3.12: a chunk is checked, moved and reported before the next one is read. */
function moveInChunks(mm: i32, nrEntries: i32, moveAll: bool): i32 {
  const chunk = profile().movePagesChunk;
  for (let start = 0; start < nrEntries; start += chunk) {
    const end = min<i32>(start + chunk, nrEntries);
    for (let entry = start; entry < end; entry++) {
      if (!nodeHasMemory(entryNode(entry))) return -ENODEV;
    }
    const err = moveChunk(mm, start, end, moveAll);
    if (err < 0) {
      fillStatus(start, end, STATUS_UNTOUCHED);
      return err;
    }
  }
  return 0;
}

/**
 * move_pages_and_store_status(): flushes the run of entries start … end-1. Returns 0 with their statuses
 * stored, or what ends the call: an errno, or pages that failed plus the entries never reached.
 */
function flushRun(node: i32, start: i32, end: i32, nrEntries: i32): i32 {
  if (isolatedPages().nr == 0) return 0;
  const rc = migratePages(TARGET_NODE, node, MIGRATE_SYNC, MR_SYSCALL);
  if (rc != 0) {
    putbackMovablePages();
    return rc > 0 ? rc + nrEntries - end : rc;
  }
  fillStatus(start, end, node);
  return 0;
}

/** 6.x: do_pages_move(). */
function moveInRuns(mm: i32, nrEntries: i32, moveAll: bool): i32 {
  let current = NO_NODE;
  let start = 0;
  let entry = 0;
  for (; entry < nrEntries; entry++) {
    const node = entryNode(entry);
    if (!nodeHasMemory(node)) {
      flushRun(current, start, entry, nrEntries); // "do not overwrite the existing error"
      return -ENODEV;
    }
    if (current == NO_NODE) {
      current = node;
      start = entry;
    } else if (node != current) {
      const err = flushRun(current, start, entry, nrEntries);
      if (err != 0) return err;
      start = entry;
      current = node;
    }
    const rc = addPageForMigration(mm, entry, current, moveAll);
    if (rc > 0) continue;
    setStatus(entry, rc == 0 ? current : rc == -EEXIST ? -EFAULT : rc);
    const err = flushRun(current, start, entry, nrEntries);
    // This entry is accounted for already.
    if (err != 0) return err > 0 ? err - 1 : err;
    current = NO_NODE;
  }
  return flushRun(current, start, entry, nrEntries);
}

/**
 * move_pages(2) of `nrEntries` entries, see entries.ts. A status that the kernel leaves alone stays
 * STATUS_UNTOUCHED. Returns 0, a negative errno, or on 6.x the number of pages not moved.
 */
export function movePages(mm: i32, nrEntries: i32, moveAll: bool): i32 {
  machine().cpu = mmAt(mm).cpu;
  fillStatus(0, nrEntries, STATUS_UNTOUCHED);
  clearBlame();
  migratePrep();
  spend(config(CFG_COST_SYSCALL));
  runDueEvents();
  const rc =
    profile().movePagesChunk > 0 ? moveInChunks(mm, nrEntries, moveAll) : moveInRuns(mm, nrEntries, moveAll);
  migrateDone();
  return rc;
}

/** move_pages(2) without nodes: where each page is, or why that cannot be said. */
export function queryPages(mm: i32, nrEntries: i32): void {
  for (let entry = 0; entry < nrEntries; entry++) {
    const vpn = entryVpn(entry);
    const pfn = vpn < 0 ? -EFAULT : followPage(mm, vpn);
    setStatus(entry, pfn < 0 ? pfn : nodeOf(pfn));
  }
}
