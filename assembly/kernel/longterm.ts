/** FOLL_LONGTERM: a page is moved to where it may stay before it is pinned for long (mm/gup.c of 6.x). */
import {
  CFG_CPUS,
  EFAULT,
  ENOMEM,
  FAULT_WAIT,
  MIGRATE_ISOLATE,
  MIGRATE_SYNC,
  MR_LONGTERM_PIN,
  NR_FOLL_PIN_ACQUIRED,
  NR_FOLL_PIN_RELEASED,
  PG_LRU,
  VMA_FILE,
  ZERO_PFN,
  ZONE_MOVABLE,
} from "../abi";
import { config } from "../arena";
import { lruAddDrainAll } from "../state/lru_batch";
import { AS_SHMEM, mappingAt } from "../state/mapping";
import { pageAt } from "../state/page";
import { profile } from "../state/profile";
import { findVma, vmaAt } from "../state/vma";
import { count } from "../state/vmstat";
import { pageblockOf, zoneOf } from "../state/zone";
import { faultinPage } from "./gup";
import { isolateLruPage } from "./isolate";
import { migratePages, putbackMovablePages } from "./migrate";
import { append, isolatedPages } from "./migrate_list";
import { TARGET_UNMOVABLE } from "./target";

const NO_NODE: i32 = -1;

/** vma_needs_dirty_tracking(): a file that is written back, whose pages a device must not dirty unnoticed. */
function isDirtyTracked(vmaId: i32): bool {
  if (vmaId == 0 || vmaAt(vmaId).kind != VMA_FILE) return false;
  return (mappingAt(vmaAt(vmaId).object).flags & AS_SHMEM) == 0;
}

/** is_longterm_pinnable_page(): false in ZONE_MOVABLE, and in a block that is being taken offline. */
function isLongtermPinnable(pfn: i32): bool {
  if (pfn == ZERO_PFN) return true;
  return zoneOf(pfn).kind != ZONE_MOVABLE && <i32>pageblockOf(pfn).migratetype != MIGRATE_ISOLATE;
}

/**
 * check_and_migrate_movable_pages() of one page, pinned by `follPin` or not: lets go of it and moves it out.
 * Returns 0 if it has moved, -ENOMEM if it has not, or -FAULT_WAIT while somebody else has it isolated.
 */
function migrateUnpinnable(pfn: i32, follPin: bool): i32 {
  const page = pageAt(pfn);
  if ((page.flags & PG_LRU) == 0) lruAddDrainAll(config(CFG_CPUS));
  if (isolateLruPage(pfn, page) != 0) return -FAULT_WAIT;
  if (follPin) {
    count(NR_FOLL_PIN_ACQUIRED, 1);
    count(NR_FOLL_PIN_RELEASED, 1);
  }
  append(isolatedPages(), pfn, page, 0);
  if (migratePages(TARGET_UNMOVABLE, NO_NODE, MIGRATE_SYNC, MR_LONGTERM_PIN) == 0) return 0;
  putbackMovablePages();
  return -ENOMEM;
}

/**
 * As faultinPage(), for a reference that may be held for long: the page is moved out of ZONE_MOVABLE first,
 * and -ENOMEM says that this could not be done.
 */
export function faultinLongtermPage(mm: i32, vpn: i32, follPin: bool): i32 {
  if (profile().longtermNeedsUntracked && isDirtyTracked(findVma(mm, vpn))) return -EFAULT;
  while (true) {
    const pfn = faultinPage(mm, vpn, true);
    if (pfn <= 0 || isLongtermPinnable(pfn)) return pfn;
    const err = migrateUnpinnable(pfn, follPin);
    if (err != 0) return err;
  }
}
