/** mbind(2) and migrate_pages(2): migration by memory policy (mm/mempolicy.c). */
import {
  CFG_COST_SYSCALL,
  EINVAL,
  EIO,
  MIGRATE_ASYNC,
  MIGRATE_SYNC,
  MIGRATE_SYNC_LIGHT,
  MR_COMPACTION,
  MR_MEMPOLICY_MBIND,
  MR_NUMA_MISPLACED,
  MR_SYSCALL,
} from "../abi";
import { config } from "../arena";
import { machine } from "../state/machine";
import { mmAt } from "../state/mm";
import { pageAt } from "../state/page";
import { runDueEvents, spend } from "../state/timeline";
import { splitAt, vmaAt } from "../state/vma";
import { nodeHasMemory, nodeOf } from "../state/zone";
import { followPage } from "./gup";
import { isolateLruPage } from "./isolate";
import { migratePages, putbackMovablePages } from "./migrate";
import { clearBlame } from "./migrate_control";
import { append, isolatedPages } from "./migrate_list";
import { migrateDone, migratePrep } from "./move_pages";
import { TARGET_NODE } from "./target";

/**
 * queue_pages_range(): isolates the pages of start … end-1 that lie on `node`, or with `invert` on any other.
 * Pages that several processes map are left out unless `moveAll`. Returns how many were misplaced.
 */
function queuePagesRange(mm: i32, start: i32, end: i32, node: i32, invert: bool, moveAll: bool): i32 {
  let misplaced = 0;
  for (let id = mmAt(mm).firstVma; id != 0; id = vmaAt(id).nextVma) {
    const vma = vmaAt(id);
    const to = min<i32>(end, vma.end);
    for (let vpn = max<i32>(start, vma.start); vpn < to; vpn++) {
      const pfn = followPage(mm, vpn);
      if (pfn < 0 || (nodeOf(pfn) == node) == invert) continue;
      misplaced += 1;
      const page = pageAt(pfn);
      if (page.mapcount > 1 && !moveAll) continue;
      if (isolateLruPage(pfn, page) == 0) append(isolatedPages(), pfn, page, 0);
    }
  }
  return misplaced;
}

/** Moves what was queued; returns how many pages stayed, or -ENOMEM. */
function migrateQueued(node: i32, reason: i32): i32 {
  if (isolatedPages().nr == 0) return 0;
  const rc = migratePages(TARGET_NODE, node, MIGRATE_SYNC, reason);
  if (rc != 0) putbackMovablePages();
  return rc;
}

/**
 * mbind(MPOL_BIND) of virtual pages start … end-1 to `node`. Returns 0, -EINVAL for a node without memory, or
 * with `strict` -EIO when anything stayed.
 */
export function mbind(mm: i32, start: i32, end: i32, node: i32, move: bool, strict: bool): i32 {
  machine().cpu = mmAt(mm).cpu;
  clearBlame();
  spend(config(CFG_COST_SYSCALL));
  runDueEvents();
  if (!nodeHasMemory(node)) return -EINVAL;
  if (move) migratePrep();
  splitAt(mm, start, end);
  for (let id = mmAt(mm).firstVma; id != 0; id = vmaAt(id).nextVma) {
    const vma = vmaAt(id);
    if (vma.start < start || vma.end > end) continue;
    vma.node = node;
    vma.bound = 1;
  }
  let left = 0;
  if (move) {
    const misplaced = queuePagesRange(mm, start, end, node, true, false);
    const queued = isolatedPages().nr;
    left = migrateQueued(node, MR_MEMPOLICY_MBIND);
    if (left >= 0) left += misplaced - queued;
    migrateDone();
  } else if (strict) {
    left = countMisplaced(mm, start, end, node);
  }
  return strict && left != 0 ? -EIO : 0;
}

function countMisplaced(mm: i32, start: i32, end: i32, node: i32): i32 {
  let nr = 0;
  for (let vpn = start; vpn < end; vpn++) {
    const pfn = followPage(mm, vpn);
    if (pfn >= 0 && nodeOf(pfn) != node) nr += 1;
  }
  return nr;
}

/**
 * One pair of nodes of migrate_pages(2) by a privileged caller. Returns how many pages stayed, or -ENOMEM.
 */
export function migrateToNode(mm: i32, from: i32, to: i32): i32 {
  machine().cpu = mmAt(mm).cpu;
  queuePagesRange(mm, 0, mmAt(mm).nrPages, from, false, true);
  return migrateQueued(to, MR_SYSCALL);
}

/**
 * migrate_pages() of the pages of virtual pages start … end-1 that lie on other nodes, in any mode: ASYNC as
 * NUMA balancing calls it, SYNC_LIGHT as compaction does, SYNC as the system calls do. Unlike those it drains
 * no LRU batch first. Returns how many pages did not move, or -ENOMEM.
 */
export function migrateRange(mm: i32, start: i32, end: i32, node: i32, mode: i32): i32 {
  machine().cpu = mmAt(mm).cpu;
  clearBlame();
  queuePagesRange(mm, start, end, node, true, true);
  if (isolatedPages().nr == 0) return 0;
  const reason =
    mode == MIGRATE_ASYNC ? MR_NUMA_MISPLACED : mode == MIGRATE_SYNC_LIGHT ? MR_COMPACTION : MR_SYSCALL;
  const rc = migratePages(TARGET_NODE, node, mode, reason);
  if (rc != 0) putbackMovablePages();
  return rc;
}

/** Begins and ends a migrate_pages(2) call, around its pairs of nodes. */
export function beginMigratePages(): void {
  clearBlame();
  spend(config(CFG_COST_SYSCALL));
  runDueEvents();
  migratePrep();
}

export function endMigratePages(): void {
  migrateDone();
}
