/**
 * The exports of core.wasm, and nothing else. Ids and pfns are checked by the caller; results are kernel
 * codes.
 */
import {
  ABI_VERSION,
  CFG_CPUS,
  CFG_KERNEL,
  CFG_POLICY,
  CFG_REPAIRS,
  CFG_SEED_HIGH,
  CFG_SEED_LOW,
  FAULT_WAIT,
  HOLDER_LONGTERM,
  PG_RESERVED,
  NR_COUNTERS,
  PG_LOCKED,
  PG_WRITEBACK,
} from "./abi";
import { arenaPtr, arenaEnd, claim, config, configPtr, layOut, tablePtr, tableSize } from "./arena";
import { placeActor, stepActor } from "./actors/actors";
import { brokenIn, describeBroken } from "./check/explored";
import { sectionHash, stateHash } from "./check/hash";
import { verify } from "./check/verify";
import { eventsAddress } from "./clock/explored/events";
import {
  actorIsUnfinished,
  beginSearch,
  continueSearch,
  crashInSearch,
  endSearch,
  searchCuts,
  searchDepth,
  searchEvents,
  searchFrontier,
  searchImageBytes,
  searchStates,
  searchTransitions,
  setAvoided,
  setWalks,
  wasAvoided,
} from "./clock/explored/explored";
import { beginSchedule, brokenByLastStep, restartSchedule, scheduleStep } from "./clock/explored/schedule";
import { independentOf } from "./clock/explored/independence";
import { lastTransition } from "./clock/explored/step";
import { actorOf, parentOf, visitedBytes } from "./clock/explored/visited";
import { accessRange, offlineBlock } from "./clock/straight";
import {
  asyncPfExecute,
  asyncPfStep,
  checkAsyncPfCompletion,
  clearAsyncPfQueue,
  completionStep,
  createVcpu,
  destroyVcpus,
  exitMustWait,
  setupAsyncPf,
  wakeupAll,
} from "./kernel/async_pf";
import { entryVpn, useArrays, useRange } from "./kernel/entries";
import { access } from "./kernel/fault";
import { dupMmap, vmasToCopy } from "./kernel/fork";
import { endPageWriteback, writebackFile } from "./kernel/writeback";
import {
  accessFile,
  createFile,
  isUnmapped,
  removeFile,
  fileMustWait,
  fileMustWaitForSwap,
  truncateFile,
} from "./kernel/filemap";
import { faultinPage, followPage, takePin } from "./kernel/gup";
import { beginMigratePages, endMigratePages, mbind, migrateRange, migrateToNode } from "./kernel/mempolicy";
import { mergeKsm } from "./kernel/ksm";
import {
  migrationFinish,
  migrationIsolate,
  migrationMove,
  migrationStepMove,
  migrationUnmap,
} from "./kernel/migrate_step";
import { faultinLongtermPage } from "./kernel/longterm";
import { clearBlame } from "./kernel/migrate_control";
import { mlock } from "./kernel/mlock";
import { exitMmap, mmapFile, mmapRegion, munmap, setVmaPolicy } from "./kernel/mmap";
import { movePages, queryPages } from "./kernel/move_pages";
import { mprotect } from "./kernel/mprotect";
import { onlineBlock } from "./kernel/offline";
import { unlockPage } from "./kernel/page_lock";
import { pageoutRange } from "./kernel/pageout";
import { initRfc } from "./kernel/policy/rfc";
import { reclaimPage, reclaimZone } from "./kernel/reclaim";
import { endSwapWriteback, swapOff, swapOffMustWait, swapOn } from "./kernel/swapfile";
import { zapRange } from "./kernel/zap";
import { loadProfile } from "./state/profile";
import { foldRange } from "./state/fold";
import { initApfs } from "./state/apf";
import { freeKsmItems, initKsm } from "./state/ksm";
import { lruAddDrainAll } from "./state/lru_batch";
import { machine } from "./state/machine";
import { freeMappings, initMappings } from "./state/mapping";
import { blockState, initMemoryBlocks } from "./state/memory_block";
import { createMm, destroyMm, initMms, mmAt } from "./state/mm";
import { pageAt } from "./state/page";
import { takeFrame } from "./state/page_alloc";
import { freePins, initPins, isFollPin } from "./state/pins";
import { randomBelow } from "./state/prng";
import { releaseGroup } from "./state/release";
import { initTimeline, runDueEvents, schedule, scheduleAfterRounds, spend } from "./state/timeline";
import { VM_DONTCOPY, freeVmas, initVmas, vmaAt } from "./state/vma";
import { counterOf } from "./state/vmstat";
import { initZones, nodeHasMemory, nodeOf, pageblockOf } from "./state/zone";

export {
  actorIsUnfinished,
  actorOf,
  beginSchedule,
  beginSearch,
  brokenByLastStep,
  brokenIn,
  continueSearch,
  crashInSearch,
  endSearch,
  eventsAddress,
  parentOf,
  placeActor,
  restartSchedule,
  scheduleStep,
  searchCuts,
  searchDepth,
  searchEvents,
  searchFrontier,
  searchImageBytes,
  searchStates,
  searchTransitions,
  setAvoided,
  setWalks,
  stepActor,
  visitedBytes,
  wasAvoided,
  access,
  accessFile,
  accessRange,
  asyncPfExecute,
  asyncPfStep,
  blockState,
  checkAsyncPfCompletion,
  clearAsyncPfQueue,
  completionStep,
  createFile,
  createMm,
  createVcpu,
  describeBroken,
  destroyMm,
  endSwapWriteback,
  exitMustWait,
  fileMustWait,
  fileMustWaitForSwap,
  faultinPage,
  followPage,
  freeKsmItems,
  freeMappings,
  freePins,
  freeVmas,
  independentOf,
  isUnmapped,
  lastTransition,
  layOut,
  mbind,
  mergeKsm,
  beginMigratePages,
  endMigratePages,
  migrateRange,
  migrateToNode,
  migrationFinish,
  migrationIsolate,
  migrationMove,
  migrationStepMove,
  migrationUnmap,
  mmapFile,
  mmapRegion,
  movePages,
  mprotect,
  munmap,
  nodeHasMemory,
  nodeOf,
  offlineBlock,
  onlineBlock,
  pageoutRange,
  queryPages,
  randomBelow,
  reclaimPage,
  reclaimZone,
  releaseGroup,
  removeFile,
  schedule,
  scheduleAfterRounds,
  sectionHash,
  setVmaPolicy,
  setupAsyncPf,
  stateHash,
  swapOff,
  swapOffMustWait,
  swapOn,
  tablePtr,
  tableSize,
  truncateFile,
  useArrays,
  useRange,
  verify,
  vmasToCopy,
  wakeupAll,
  writebackFile,
  zapRange,
};

export * from "./clock/timed/exports";

/** swap_setup(): the kernel's choice for machines of 16 MiB or more. */
const DEFAULT_PAGE_CLUSTER: i32 = 3;

/** Number of the zone that a frame belongs to, -1 for a hole. */
export function zoneNumberOf(pfn: i32): i32 {
  return <i32>pageblockOf(pfn).zone - 1;
}

/** Version of the numbers both sides share; compared at instantiation. */
export function abiVersion(): i32 {
  return ABI_VERSION;
}

/** Where CFG_WORDS configuration words are written before layOut() and init(). */
export function configAddress(): usize {
  return configPtr;
}

/** First byte of the arena, which a snapshot copies up to arenaLimit(). */
export function arenaAddress(): usize {
  return arenaPtr;
}

export function arenaLimit(): usize {
  return arenaEnd;
}

/** Checksum of the configuration and the arena, for snapshots. */
export function arenaChecksum(): u64 {
  return foldRange(0, configPtr, (arenaEnd - configPtr) & ~3);
}

/**
 * Claims the memory that layOut() computed and builds the machine. Returns false if the memory is not to be
 * had.
 */
export function init(): bool {
  if (!claim()) return false;
  const m = machine();
  m.prng = ((<u64>(<u32>config(CFG_SEED_HIGH))) << 32) | <u64>(<u32>config(CFG_SEED_LOW));
  loadProfile(config(CFG_KERNEL));
  initTimeline();
  initMms();
  initVmas();
  initMappings();
  initKsm();
  initPins();
  initApfs();
  initZones();
  initMemoryBlocks();
  initRfc();
  m.pageCluster = DEFAULT_PAGE_CLUSTER;
  return true;
}

/** vm.page-cluster: reads from swap take 2^cluster slots at once. */
export function setPageCluster(cluster: i32): void {
  machine().pageCluster = cluster;
}

/** A number for a group of pins that are released together. */
export function newGroup(): i32 {
  const m = machine();
  m.pinGroup += 1;
  return m.pinGroup;
}

/**
 * GUP of the pages of `nrEntries` entries one by one, as pins of one group: HOLDER_GET, HOLDER_PIN or
 * HOLDER_LONGTERM. Only HOLDER_GET may be without `write`: a FOLL_PIN of 6.x would have to unshare the page.
 * Stops at the first page that cannot be had, and notes why. Returns how many are pinned.
 */
export function pinPages(mm: i32, nrEntries: i32, kind: i32, write: bool, group: i32): i32 {
  const m = machine();
  useArrays();
  clearBlame();
  m.cpu = mmAt(mm).cpu;
  m.gupErrno = 0;
  if (isFollPin(kind)) mmAt(mm).hasPinned = 1;
  for (let entry = 0; entry < nrEntries; entry++) {
    const vpn = entryVpn(entry);
    const pfn = kind == HOLDER_LONGTERM ? faultinLongtermPage(mm, vpn, true) : faultinPage(mm, vpn, write);
    if (pfn <= 0) {
      m.gupErrno = pfn == -FAULT_WAIT ? 0 : pfn;
      return entry;
    }
    takePin(kind, pfn, group, mm, 0);
  }
  return nrEntries;
}

/**
 * exit(): the memory goes first, then, with the last file, the vCPUs of a guest. The rss counters stay to
 * be read until destroyMm().
 */
export function exitProcess(mm: i32): void {
  exitMmap(mm);
  destroyVcpus(mm);
}

/** fork(): returns the child, 0 if no address space is left for it, or -ENOMEM. It has no vCPUs. */
export function forkProcess(parent: i32): i32 {
  const child = createMm(mmAt(parent).nrPages, mmAt(parent).cpu);
  if (child == 0) return 0;
  const err = dupMmap(parent, child);
  if (err == 0) return child;
  exitMmap(child);
  destroyMm(child);
  return err;
}

/** madvise(MADV_DONTFORK) for a whole VMA. */
export function setVmaDontCopy(vmaId: i32): void {
  vmaAt(vmaId).flags |= VM_DONTCOPY;
}

export function lruAddDrain(): void {
  lruAddDrainAll(config(CFG_CPUS));
}

export function mlockRange(mm: i32, start: i32, end: i32): void {
  mlock(mm, start, end, config(CFG_CPUS));
}

/** Another pin policy from now on; false while contexts of the RFC exist, which no other frees. */
export function setPolicy(policy: i32, repairs: i32): bool {
  if (machine().nrCtxs != 0) return false;
  store<i32>(configPtr + CFG_POLICY * 4, policy);
  store<i32>(configPtr + CFG_REPAIRS * 4, repairs);
  initRfc();
  return true;
}

/** Lets simulated time pass, with what becomes due in it. */
export function wait(ns: u64): void {
  spend(ns);
  runDueEvents();
}

/** The next so many context allocations of the RFC's worker fail. */
export function failCtxAllocations(nr: i32): void {
  machine().ctxAllocFailures = nr;
}

export function setTracing(on: bool): void {
  const m = machine();
  m.tracing = on ? 1 : 0;
  m.nrTrace = 0;
}

/**
 * Sets or clears flags of a page from outside, as another subsystem would: PG_LOCKED, PG_WRITEBACK, PG_DIRTY.
 */
export function setPageFlags(pfn: i32, flags: i32, on: bool): void {
  const page = pageAt(pfn);
  if (!on && (flags & page.flags & PG_LOCKED) != 0) unlockPage(page);
  if (!on && (flags & page.flags & PG_WRITEBACK) != 0) endPageWriteback(pfn, page);
  page.flags = on ? page.flags | flags : page.flags & ~flags;
}

/** Value of a counter. */
export function counter(id: i32): i64 {
  return id < NR_COUNTERS ? counterOf(id) : 0;
}

/**
 * Makes a free frame one that the kernel took at boot, before there were zones: reserved, and unknown to the
 * allocator. Returns false if it is not free.
 */
export function reserveFrame(pfn: i32): bool {
  if (!takeFrame(pfn)) return false;
  const page = pageAt(pfn);
  page.flags = PG_RESERVED;
  page.refcount = 1;
  return true;
}
