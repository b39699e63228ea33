/**
 * Frames taken and given back in runs, without a list operation for each. Closed runs leave the free lists
 * that single frames would have left, as long as nobody else has looked at these: both are closed before
 * anything else is allocated or freed. At most one of each is open, in different zones.
 */
import { MAX_ORDER, MIGRATE_MOVABLE, PAGEBLOCK_ORDER, PFN_NONE, PGALLOC } from "../abi";
import { FRAME_RUNS_SIZE, frameRunsPtr } from "../arena";
import { pageAt } from "./page";
import { freePages, markFree, takeBlock } from "./page_alloc";
import { listAddHead } from "./list";
import { count } from "./vmstat";
import { freeList, pageblockOf, zoneOf, zonelistEntry, zonelistLength } from "./zone";

@unmanaged
class FrameRuns {
  node: i32; // that frames are being taken from
  taken: i32; // first frame of that run, PFN_NONE if none is open
  next: i32; // not taken yet
  end: i32;
  freed: i32; // first frame of the run that is being given back
  nrFreed: i32; // 0 if none is open
}

if (offsetof<FrameRuns>() > FRAME_RUNS_SIZE) ERROR("size of the frame runs");

function runs(): FrameRuns {
  return changetype<FrameRuns>(frameRunsPtr);
}

/** Opens a run in the zone that the next single frame on `node` would come from: its smallest free block. */
function openTaken(r: FrameRuns, node: i32): bool {
  for (let i = 0; i < zonelistLength(node, true); i++) {
    const zone = zonelistEntry(node, i);
    if (zone.freePages == 0) continue;
    for (let order = 0; order <= MAX_ORDER; order++) {
      const pfn = freeList(zone, order, MIGRATE_MOVABLE).head;
      if (pfn == PFN_NONE) continue;
      takeBlock(zone, pfn, order, MIGRATE_MOVABLE);
      r.node = node;
      r.taken = pfn;
      r.next = pfn;
      r.end = pfn + (1 << order);
      return true;
    }
    return false; // a single frame would be borrowed from another type
  }
  return false;
}

/** Closes the run of taken frames: what is left of the block goes back, in the largest aligned parts. */
function closeTaken(r: FrameRuns): void {
  if (r.taken == PFN_NONE) return;
  const zone = zoneOf(r.taken);
  const nr = r.next - r.taken;
  zone.freePages -= nr;
  count(PGALLOC, nr);
  for (let pfn = r.next; pfn < r.end;) {
    let order = ctz(pfn);
    while (pfn + (1 << order) > r.end) order -= 1;
    const page = pageAt(pfn);
    markFree(page, order);
    listAddHead(freeList(zone, order, MIGRATE_MOVABLE), pfn, page);
    pfn += 1 << order;
  }
  r.taken = PFN_NONE;
}

/** Closes the run of freed frames: a pageblock or an aligned part of one at a time. */
function closeFreed(r: FrameRuns): void {
  const end = r.freed + r.nrFreed;
  for (let pfn = r.freed; pfn < end;) {
    let order = min<i32>(PAGEBLOCK_ORDER, ctz(pfn));
    while (pfn + (1 << order) > end) order -= 1;
    freePages(pfn, order);
    pfn += 1 << order;
  }
  r.nrFreed = 0;
}

/** Before anything else than the functions here allocates or frees. */
export function closeFrameRuns(): void {
  const r = runs();
  closeTaken(r);
  closeFreed(r);
}

/**
 * The movable frame that alloc_pages() would take on `node` for the content of `from`, with no reference yet.
 * Returns PFN_NONE where that has to be asked frame by frame: in the zone of `from` itself, and when memory
 * is borrowed or falls short.
 */
export function takeFrameFor(from: i32, node: i32): i32 {
  const r = runs();
  if (r.taken == PFN_NONE || r.node != node || r.next == r.end) {
    closeFrameRuns();
    if (!openTaken(r, node)) return PFN_NONE;
  }
  const pfn = r.next;
  if (pageblockOf(pfn).zone == pageblockOf(from).zone) return PFN_NONE;
  r.next = pfn + 1;
  return pfn;
}

/** free_pages() of a frame whose record is clear already, in its own time: closeFrameRuns(). */
export function giveBackFrame(pfn: i32): void {
  const r = runs();
  if (pfn != r.freed + r.nrFreed) {
    closeFreed(r);
    r.freed = pfn;
  }
  r.nrFreed += 1;
}
