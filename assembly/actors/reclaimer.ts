/**
 * Reclaim of one page after the other: shrink_page_list(), cut where another CPU can come between. What a
 * kernel keeps in locals is in the record, as old as it is.
 */
import {
  ACTOR_SIZE,
  OP_RECLAIM,
  PFN_NONE,
  PGSTEAL,
  PG_DIRTY,
  PG_WRITEBACK,
  RECLAIM_ACTIVATED,
  RECLAIM_FREED,
  STEP_BLOCKED,
  STEP_TAKEN,
  TRANSITION_RECLAIM_FREE,
  TRANSITION_RECLAIM_ISOLATE,
  TRANSITION_RECLAIM_LOCK,
  TRANSITION_RECLAIM_PUTBACK,
  TRANSITION_RECLAIM_READ,
  TRANSITION_RECLAIM_REFERENCES,
  TRANSITION_RECLAIM_RELOCK,
  TRANSITION_RECLAIM_REREAD,
  TRANSITION_RECLAIM_SLOT,
  TRANSITION_RECLAIM_TEST,
  TRANSITION_RECLAIM_UNLOCK,
  TRANSITION_RECLAIM_UNMAP,
  TRANSITION_RECLAIM_WRITE,
} from "../abi";
import { pageMapping } from "../kernel/dirty";
import { entryPfn } from "../kernel/gup";
import { trylockPage, unlockPage } from "../kernel/page_lock";
import { isolateForReclaim, putback } from "../kernel/reclaim";
import {
  CULL,
  MAY_RECLAIM,
  WRITTEN,
  checkMapping,
  checkReferences,
  freePage,
  giveSlot,
  isStillDirty,
  isUnevictable,
  keepWriteback,
  mayBePinned,
  needsSlot,
  needsUnmapping,
  readMapping,
  unlockShrunk,
  unmap,
  writeDirty,
} from "../kernel/shrink_page";
import { Actor, endOperation, nextOperation, nextPage } from "../state/actor";
import { Page, pageAt } from "../state/page";
import { lruAddDrainCpu } from "../state/lru_batch";
import { machine } from "../state/machine";
import { findVma } from "../state/vma";
import { count } from "../state/vmstat";

/** Its `pc` is the transition that is next, TRANSITION_RECLAIM_*. */
@unmanaged
export class Reclaimer extends Actor {
  word: i32; // `mapping`, as it was read
  found: i32; // what becomes of the page that it is about to unlock
}

if (offsetof<Reclaimer>() > <usize>ACTOR_SIZE) ERROR("size of a reclaimer's record");

/** The page is not looked at any more: the next one is. */
function end(reclaimer: Reclaimer): void {
  reclaimer.isolated = PFN_NONE;
  reclaimer.word = 0;
  reclaimer.found = 0;
  endOperation(reclaimer);
}

/** Goes on to `next` with a page that may still be reclaimed, else to unlock it. */
function goOn(reclaimer: Reclaimer, found: i32, next: i32): void {
  reclaimer.found = found == MAY_RECLAIM ? 0 : found;
  reclaimer.pc = found == MAY_RECLAIM ? next : TRANSITION_RECLAIM_UNLOCK;
}

/** The page that the virtual page of the operation has, PFN_NONE if there is none. */
function pageOfOperation(reclaimer: Reclaimer): i32 {
  const vpn = nextPage(reclaimer);
  return findVma(reclaimer.mm, vpn) == 0 ? PFN_NONE : entryPfn(reclaimer.mm, vpn);
}

/** shrink_inactive_list() empties the LRU batch of its CPU before it takes pages off the list. */
function isolate(reclaimer: Reclaimer): void {
  lruAddDrainCpu(machine().cpu);
  const pfn = pageOfOperation(reclaimer);
  if (pfn == PFN_NONE || !isolateForReclaim(pfn, pageAt(pfn))) {
    end(reclaimer);
    return;
  }
  reclaimer.isolated = pfn;
  reclaimer.pc = TRANSITION_RECLAIM_LOCK;
}

function read(reclaimer: Reclaimer, pfn: i32, page: Page): void {
  let found = CULL;
  if (!isUnevictable(page)) {
    reclaimer.word = readMapping(pfn, page);
    found = (page.flags & PG_WRITEBACK) != 0 ? keepWriteback(page) : MAY_RECLAIM;
  }
  goOn(reclaimer, found, TRANSITION_RECLAIM_REFERENCES);
}

function write(reclaimer: Reclaimer, pfn: i32, page: Page): void {
  let found = MAY_RECLAIM;
  if (mayBePinned(page)) found = RECLAIM_ACTIVATED;
  else if ((page.flags & PG_DIRTY) != 0) found = writeDirty(pfn, page, reclaimer.word);
  if (found == WRITTEN) {
    unlockPage(page); // swap_writepage() has
    reclaimer.pc = TRANSITION_RECLAIM_RELOCK;
  } else {
    goOn(reclaimer, found, TRANSITION_RECLAIM_FREE);
  }
}

/** A page whose write has ended meanwhile may be freed at once, unless another has it now. */
function relock(reclaimer: Reclaimer, page: Page): void {
  if (isStillDirty(page) || !trylockPage(page)) {
    reclaimer.pc = TRANSITION_RECLAIM_PUTBACK;
    return;
  }
  reclaimer.word = pageMapping(page);
  reclaimer.pc = TRANSITION_RECLAIM_FREE;
}

function free(reclaimer: Reclaimer, pfn: i32, page: Page): void {
  checkMapping(pfn, page, reclaimer.word);
  const found = freePage(pfn, page, reclaimer.word);
  if (found == RECLAIM_FREED) {
    count(PGSTEAL, 1);
    end(reclaimer);
  } else {
    goOn(reclaimer, found, 0);
  }
}

/** Begins with a page that has been isolated otherwise than by its virtual page. */
export function takeIsolated(reclaimer: Reclaimer, pfn: i32): void {
  reclaimer.isolated = pfn;
  reclaimer.pc = TRANSITION_RECLAIM_LOCK;
}

/** The next transition with the page that has been isolated; when none is left `isolated` is PFN_NONE. */
export function reclaimIsolated(reclaimer: Reclaimer): void {
  reclaimer.transition = reclaimer.pc;
  stepWith(reclaimer, reclaimer.isolated, pageAt(reclaimer.isolated));
}

/** The next transition with the page that has been isolated. */
function stepWith(reclaimer: Reclaimer, pfn: i32, page: Page): void {
  switch (reclaimer.pc) {
    case TRANSITION_RECLAIM_LOCK:
      reclaimer.pc = trylockPage(page) ? TRANSITION_RECLAIM_READ : TRANSITION_RECLAIM_PUTBACK;
      break;
    case TRANSITION_RECLAIM_READ:
      read(reclaimer, pfn, page);
      break;
    case TRANSITION_RECLAIM_REFERENCES:
      goOn(reclaimer, checkReferences(pfn, page), TRANSITION_RECLAIM_TEST);
      break;
    case TRANSITION_RECLAIM_TEST:
      reclaimer.pc = needsSlot(page) ? TRANSITION_RECLAIM_SLOT : TRANSITION_RECLAIM_UNMAP;
      break;
    case TRANSITION_RECLAIM_SLOT:
      goOn(reclaimer, giveSlot(pfn, page), TRANSITION_RECLAIM_REREAD);
      break;
    case TRANSITION_RECLAIM_REREAD:
      reclaimer.word = pageMapping(page);
      reclaimer.pc = TRANSITION_RECLAIM_UNMAP;
      break;
    case TRANSITION_RECLAIM_UNMAP:
      goOn(
        reclaimer,
        needsUnmapping(page, reclaimer.word) ? unmap(pfn, page) : MAY_RECLAIM,
        TRANSITION_RECLAIM_WRITE,
      );
      break;
    case TRANSITION_RECLAIM_WRITE:
      write(reclaimer, pfn, page);
      break;
    case TRANSITION_RECLAIM_RELOCK:
      relock(reclaimer, page);
      break;
    case TRANSITION_RECLAIM_FREE:
      free(reclaimer, pfn, page);
      break;
    case TRANSITION_RECLAIM_UNLOCK:
      unlockShrunk(page, reclaimer.found);
      reclaimer.pc = TRANSITION_RECLAIM_PUTBACK;
      break;
    default:
      putback(pfn, page);
      end(reclaimer);
  }
}

/** The next transition of the look at one page. It waits for nothing. */
export function reclaimerStep(reclaimer: Reclaimer): i32 {
  reclaimer.transition = reclaimer.pc == 0 ? TRANSITION_RECLAIM_ISOLATE : reclaimer.pc;
  if (reclaimer.ended != 0) return STEP_BLOCKED;
  assert(nextOperation(reclaimer) == OP_RECLAIM, "reclaimerStep: no such operation");
  if (reclaimer.pc == 0) isolate(reclaimer);
  else stepWith(reclaimer, reclaimer.isolated, pageAt(reclaimer.isolated));
  return STEP_TAKEN;
}
