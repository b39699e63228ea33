/** The swap device, and that of files: reads and writes that are in flight end, in any order. */
import {
  CFG_MAX_PFN,
  FIRST_PFN,
  PG_BUDDY,
  PG_LOCKED,
  PG_UPTODATE,
  PG_WRITEBACK,
  STEP_BLOCKED,
  STEP_TAKEN,
  TRANSITION_IO_READ,
  TRANSITION_IO_WRITE,
} from "../abi";
import { config } from "../arena";
import { endRead } from "../kernel/swap_io";
import { endPageWriteback } from "../kernel/writeback";
import { Actor } from "../state/actor";
import { isMigrationTarget } from "../state/migration";
import { pageAt } from "../state/page";

/** options: which of the pages in flight, by pfn, 0 is the first. */
function pageInFlight(io: Actor): i32 {
  let position = io.options;
  for (let pfn = FIRST_PFN; pfn < config(CFG_MAX_PFN); pfn++) {
    const flags = pageAt(pfn).flags;
    const awaited = (flags & (PG_LOCKED | PG_UPTODATE | PG_BUDDY)) == PG_LOCKED;
    const reads = awaited && !isMigrationTarget(pfn); // which is filled by the copy
    if ((!reads && (flags & PG_WRITEBACK) == 0) || position-- > 0) continue;
    return pfn;
  }
  return 0;
}

export function ioHasWork(io: Actor): bool {
  return pageInFlight(io) != 0;
}

export function ioStep(io: Actor): i32 {
  const pfn = pageInFlight(io);
  if (pfn == 0) return STEP_BLOCKED;
  const page = pageAt(pfn);
  const writes = (page.flags & PG_WRITEBACK) != 0;
  io.transition = writes ? TRANSITION_IO_WRITE : TRANSITION_IO_READ;
  if (writes) endPageWriteback(pfn, page);
  else endRead(page);
  return STEP_TAKEN;
}
