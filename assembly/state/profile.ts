/**
 * Kernel profiles: the points in which kernel versions differ, as data. Code reads a field; it never asks for
 * a version. Sources: mm/ of v3.11/v3.12-rc, 6.1.192 and 6.12.117 (gup.c, ksm.c, memcontrol.c, memory.c,
 * memory_hotplug.c, mempolicy.c, migrate.c, rmap.c, swap.c, swapfile.c, vmscan.c), and recordings of them.
 */
import { EFAULT, ENOENT, KERNEL_V3_12, KERNEL_V6_1 } from "../abi";
import { PROFILE_RECORD_SIZE, profilePtr } from "../arena";

@unmanaged
export class Profile {
  lruBatch: i32; // PAGEVEC_SIZE: pages of an LRU-add batch
  lruCacheDisable: bool; // batches are switched off during a migration, not only drained before it
  faultActivates: bool; // an anonymous fault puts the page on the active list
  anonExclusive: bool; // PG_anon_exclusive, and pinned exclusive pages are not unmapped
  protectUpgradesClean: bool; // mprotect() makes also a clean PTE of an exclusive page writable
  workHoldsMmUsers: bool; // work of async_pf keeps the address space until its worker has run (6.1)
  workerHoldsMmUsers: bool; // its worker does while it gets the page, and gets none of a dead process (6.12)
  finishedWorkKicks: bool; // the first finished item makes a running vCPU leave the guest
  waiterTakesRef: bool; // a fault that waits on a migration entry holds the old page

  unmapsUnmapped: bool; // try_to_unmap() is called for a page that nobody maps, too
  unmappedAnonRetries: bool; // an unmapped anonymous page outside the swap cache is refused with -EAGAIN

  nrPasses: i32; // attempts per page and call
  firstForcedPass: i32; // passes from here on sleep for the page lock, where the mode allows
  batchPages: i32; // pages of one migrate_pages_batch(), 0 = the whole list
  splitPhases: bool; // a batch is unmapped as a whole before it is moved, targets are kept
  asyncPasses: i32; // of splitPhases: move passes of the batch before it goes page by page
  longtermNeedsUntracked: bool; // no FOLL_LONGTERM for writing in file mappings that track dirty pages
  buffersCheckFirst: bool; // buffer_migrate_page() counts references itself before the usual check
  checkAtMoveEntry: bool; // the recorded "refcount check" is the entry of move_to_new_folio()
  failCountsAgain: bool; // PGMIGRATE_FAIL and nr_failed count pages left with -EAGAIN
  failureStaysOnList: bool; // permanent failures are left to the caller, not put back inside
  clearsAnonMapping: bool; // page->mapping of a moved anonymous page is cleared
  ksmDirties: bool; // a page that KSM merges others with is dirty from then on (4.5)

  chargeEndsWithMapping: bool; // of an anonymous page; a page of a file is uncharged when it leaves the cache

  unmapsToSwap: bool; // migration leaves swap entries of a page in the swap cache, not migration entries
  swapinAlwaysDrains: bool; // the CPU's LRU batch is drained after a read from swap, whatever was read
  swapinBypassesCache: bool; // a slot that one PTE has is read past the swap cache from a synchronous device
  cowFreesSwapCache: bool; // the old page of a copy leaves the swap cache if nothing maps it any more

  reclaimTestsCongestion: bool; // follows page_mapping() to the backing device of every page it looks at
  reclaimActivates: bool; // what cannot be reclaimed now goes to the active list, else back to its own
  reclaimMindsPins: bool; // a page that may be FOLL_PINned is left alone
  youngStopsUnmap: bool; // a PTE that was accessed since makes try_to_unmap() of reclaim fail
  referencedAnonActivates: bool; // one access since the last look makes an anonymous page active
  rotatesActive: bool; // a page that reclaim waited for becomes inactive when its writeback ends

  movePagesChunk: i32; // entries of one migrate_pages() call of move_pages(2), 0 = runs instead
  statusZeroPage: i32; // move_pages(2) status of the zero page
  statusUntouched: i32; // of an anonymous page never touched
  protNoneMoves: bool; // a populated PROT_NONE page can be looked up

  offlineBatch: i32; // pages of one do_migrate_range(), 0 = to the end of the block
  offlineTimeoutNs: u64; // 0 = none
  offlineRetries: i32; // rounds that may fail with an error, 0 = no limit
  offlinePrefersOtherNodes: bool; // targets of offlined pages
  offlineTrustsMovable: bool; // a pageblock of type MOVABLE is taken to have no unmovable page
  offlineChecksReserved: bool; // a reserved page makes even a movable block unmovable
}

if (offsetof<Profile>() > PROFILE_RECORD_SIZE) ERROR("size of the profile");

export function profile(): Profile {
  return changetype<Profile>(profilePtr);
}

/** v3.12, the base of the RFC. */
function loadV3(p: Profile): void {
  p.lruBatch = 14;
  p.faultActivates = true;
  p.waiterTakesRef = true;
  p.unmapsUnmapped = true;
  p.unmappedAnonRetries = true;
  p.nrPasses = 10;
  p.firstForcedPass = 3;
  p.clearsAnonMapping = true;
  p.chargeEndsWithMapping = true;
  p.unmapsToSwap = true;
  p.swapinAlwaysDrains = true;
  p.reclaimTestsCongestion = true;
  p.youngStopsUnmap = true;
  p.referencedAnonActivates = true;
  p.movePagesChunk = 169; // descriptors of 24 bytes in one page, less one for the end mark
  p.statusZeroPage = -ENOENT;
  p.statusUntouched = -ENOENT;
  p.protNoneMoves = true;
  p.offlineBatch = 256; // NR_OFFLINE_AT_ONCE_PAGES
  p.offlineTimeoutNs = 120_000_000_000;
  p.offlineRetries = 5;
  p.offlineTrustsMovable = true;
}

/** What 6.1.y and 6.12 have in common. */
function loadV6(p: Profile): void {
  p.lruCacheDisable = true;
  p.anonExclusive = true;
  p.nrPasses = 10;
  p.batchPages = 512; // HPAGE_PMD_NR
  p.failCountsAgain = true;
  p.failureStaysOnList = true;
  p.buffersCheckFirst = true;
  p.swapinBypassesCache = true;
  p.cowFreesSwapCache = true;
  p.reclaimActivates = true;
  p.reclaimMindsPins = true;
  p.rotatesActive = true;
  p.ksmDirties = true;
  p.finishedWorkKicks = true;
  p.statusZeroPage = -EFAULT;
  p.offlinePrefersOtherNodes = true;
  p.offlineChecksReserved = true;
}

export function loadProfile(kernel: i32): void {
  const p = profile();
  if (kernel == KERNEL_V3_12) {
    loadV3(p);
    return;
  }
  loadV6(p);
  if (kernel == KERNEL_V6_1) {
    p.lruBatch = 15;
    p.workHoldsMmUsers = true;
    p.firstForcedPass = 3;
    p.statusUntouched = -EFAULT;
  } else {
    p.lruBatch = 31;
    p.workerHoldsMmUsers = true;
    p.faultActivates = true;
    p.protectUpgradesClean = true;
    p.splitPhases = true;
    p.asyncPasses = 3; // NR_MAX_MIGRATE_ASYNC_RETRY
    p.checkAtMoveEntry = true;
    p.longtermNeedsUntracked = true;
    p.statusUntouched = -ENOENT;
    p.protNoneMoves = true;
  }
}
