/** Where migrated pages go: the get_new_page() callbacks of migrate_pages()'s callers. */
import { MIGRATE_MOVABLE, MIGRATE_UNMOVABLE, PFN_NONE, PROBE_TARGETS } from "../abi";
import { closeFrameRuns, takeFrameFor } from "../state/frame_run";
import { allocPages, allocPagesElsewhere } from "../state/page_alloc";
import { count } from "../state/vmstat";
import { nodeOf } from "../state/zone";
import { entryNode } from "./entries";

export const TARGET_NODE: i32 = 0; // that node and no other: move_pages(2), migrate_pages(2), MPOL_BIND
export const TARGET_PREFERRED: i32 = 1; // that node, then its fallbacks
export const TARGET_OTHER_NODES: i32 = 2; // any node but the page's own, that one last
export const TARGET_ENTRY: i32 = 3; // the node that the page's entry of move_pages(2) names
export const TARGET_UNMOVABLE: i32 = 4; // not ZONE_MOVABLE; the page's own node, then its fallbacks

function allocFor(kind: i32, node: i32, fromPfn: i32, entry: i32): i32 {
  if (kind == TARGET_OTHER_NODES) return allocPagesElsewhere(nodeOf(fromPfn), 0, MIGRATE_MOVABLE);
  if (kind == TARGET_ENTRY) return allocPages(entryNode(entry), 0, MIGRATE_MOVABLE, true);
  if (kind == TARGET_UNMOVABLE) return allocPages(nodeOf(fromPfn), 0, MIGRATE_UNMOVABLE, false);
  return allocPages(node, 0, MIGRATE_MOVABLE, kind == TARGET_NODE);
}

/** Allocates the target of one attempt for the page of `entry`. Returns PFN_NONE when there is none. */
export function allocTarget(kind: i32, node: i32, fromPfn: i32, entry: i32): i32 {
  closeFrameRuns();
  const to = allocFor(kind, node, fromPfn, entry);
  if (to != PFN_NONE) count(PROBE_TARGETS, 1);
  return to;
}

/** As allocTarget(), for moveOrdinaryPage(): out of a run of frames if one node alone will do. */
export function takeTarget(kind: i32, node: i32, fromPfn: i32, entry: i32): i32 {
  if (kind != TARGET_NODE && kind != TARGET_ENTRY) return allocTarget(kind, node, fromPfn, entry);
  const to = takeFrameFor(fromPfn, kind == TARGET_ENTRY ? entryNode(entry) : node);
  if (to == PFN_NONE) return allocTarget(kind, node, fromPfn, entry);
  count(PROBE_TARGETS, 1);
  return to;
}
