/**
 * The memory map: one contiguous block, laid out once from the configuration.
 *
 *   0 … __heap_base      static data of the module (messages of assertions)
 *   configPtr            CFG_WORDS words, written by TypeScript before init()
 *   machine, counters …  the TABLE_* regions in their order, each aligned to 64 bytes
 *
 * All state that can change is in the regions, none in globals: the globals below are addresses, derived from
 * the configuration alone (those of check/ are sums of the recount that runs). So a snapshot is one copy and
 * the state hash one pass.
 */
import {
  ACTOR_SIZE,
  APF_SIZE,
  BATCH_SIZE,
  BLAME_ROWS,
  BLAME_SIZE,
  CFG_ACCESSES,
  CFG_ACTORS,
  CFG_APFS,
  CFG_CACHE_SLOTS,
  CFG_CONTENT_BYTES,
  CFG_CPUS,
  CFG_ENTRIES,
  CFG_EVENTS,
  CFG_JOBS,
  CFG_KSM_ITEMS,
  CFG_MAPPINGS,
  CFG_MAX_PFN,
  CFG_MIGRATIONS,
  CFG_PINS,
  CFG_PROCESSES,
  CFG_PTES,
  CFG_QUANTILES,
  CFG_REQUESTS,
  CFG_SWAP_SLOTS,
  CFG_TASKS,
  CFG_TRACE_RECORDS,
  CFG_VCPUS,
  CFG_VMAS,
  CFG_WORDS,
  DEVICE_SIZE,
  HISTOGRAM_BUCKETS,
  JOB_SIZE,
  KSM_ITEM_SIZE,
  MAX_NODES,
  MAX_SWAP_AREAS,
  MAX_ZONES,
  MEMORY_BLOCK_ORDER,
  MIGRATION_SIZE,
  NR_COUNTERS,
  NR_HISTOGRAMS,
  NR_METRICS,
  NR_TABLES,
  PAGEBLOCK_ORDER,
  PAGE_RECORD_SHIFT,
  PIN_SIZE,
  PROCESS_SIZE,
  SWAP_AREA_SIZE,
  SWAP_SLOT_SIZE,
  TABLE_ACCESSES,
  TABLE_ACTORS,
  TABLE_APFS,
  TABLE_BATCHES,
  TABLE_BIOS,
  TABLE_BLAME,
  TABLE_BLAMED,
  TABLE_BLOCKS,
  TABLE_CACHE_SLOTS,
  TABLE_CONTENT,
  TABLE_COUNTERS,
  TABLE_CPUS,
  TABLE_CTXS,
  TABLE_DEVICES,
  TABLE_ENTRIES,
  TABLE_EVENTS,
  TABLE_EXPECTED,
  TABLE_HISTOGRAMS,
  TABLE_JOBS,
  TABLE_KSM_ITEMS,
  TABLE_KWORKERS,
  TABLE_MACHINE,
  TABLE_MAPPINGS,
  TABLE_METRICS,
  TABLE_MIGRATIONS,
  TABLE_NODES,
  TABLE_PAGEBLOCKS,
  TABLE_PAGES,
  TABLE_PINS,
  TABLE_PIN_HASH,
  TABLE_PROCESSES,
  TABLE_PTES,
  TABLE_QUANTILES,
  TABLE_QUEUE,
  TABLE_RECLAIMS,
  TABLE_ROUND,
  TABLE_RUNS,
  TABLE_SCRATCH,
  TABLE_STATUS,
  TABLE_SWAP_AREAS,
  TABLE_SWAP_CONTENT,
  TABLE_SWAP_SLOTS,
  TABLE_TASKS,
  TABLE_THREADS,
  TABLE_TIMED,
  TABLE_TRACE,
  TABLE_VCPUS,
  TABLE_VMAS,
  TABLE_WAITERS,
  TABLE_ZONES,
  TASK_SIZE,
  THREAD_SIZE,
  TRACE_RECORD_SIZE,
  VCPU_SIZE,
  VERIFY_WINDOW,
  VMA_SIZE,
  ZONE_SIZE,
} from "./abi";

export const ZONE_RECORD_SIZE: usize = ZONE_SIZE;
export const NODE_RECORD_SIZE: usize = 128;
export const BATCH_RECORD_SIZE: usize = BATCH_SIZE;
export const PROCESS_RECORD_SIZE: usize = PROCESS_SIZE;
export const VMA_RECORD_SIZE: usize = VMA_SIZE;
export const MAPPING_RECORD_SIZE: usize = 32;
export const PIN_RECORD_SIZE: usize = PIN_SIZE;
export const VCPU_RECORD_SIZE: usize = VCPU_SIZE;
export const APF_RECORD_SIZE: usize = APF_SIZE;
export const CTX_RECORD_SIZE: usize = 32;
export const MIGRATION_RECORD_SIZE: usize = MIGRATION_SIZE;
export const KSM_ITEM_RECORD_SIZE: usize = KSM_ITEM_SIZE;
export const ROUND_RECORD_SIZE: usize = 1024;
export const ROUND_BUDGET_OFFSET: usize = 960; // within it: what the clock may spend
export const OFFLINE_RECORD_OFFSET: usize = 992; // within it: the call itself
export const SWAP_AREA_RECORD_SIZE: usize = SWAP_AREA_SIZE;
export const SWAP_SLOT_RECORD_SIZE: usize = SWAP_SLOT_SIZE;
export const EVENT_RECORD_SIZE: usize = 32;
export const MACHINE_RECORD_SIZE: usize = 320;
export const PROFILE_RECORD_SIZE: usize = 192;
export const TIMED_RECORD_SIZE: u64 = 1024;
export const QUEUE_ENTRY_SIZE: u64 = 16;
export const CPU_RECORD_SIZE: u64 = 64;
export const KWORKER_RECORD_SIZE: u64 = 64;
export const RECLAIM_RECORD_SIZE: u64 = 128;
export const MAX_RECLAIMS: u64 = 256; // at one time
export const BIO_RECORD_SIZE: u64 = 32;
export const WAITER_RECORD_SIZE: u64 = 16;
export const WAIT_BUCKETS: u64 = 1024;
export const MIGRATE_LISTS_SIZE: usize = 128;
export const CONTROL_RECORD_SIZE: usize = 32;
export const FRAME_RUNS_SIZE: usize = 32;
export const RMAP_WALK_SIZE: usize = 32;
const MACHINE_SIZE: usize =
  MACHINE_RECORD_SIZE +
  PROFILE_RECORD_SIZE +
  MIGRATE_LISTS_SIZE +
  CONTROL_RECORD_SIZE +
  FRAME_RUNS_SIZE +
  RMAP_WALK_SIZE;
const ALIGNMENT: usize = 64; // a cache line
const WASM_PAGE_SIZE: usize = 65536;

/**
 * Behind the static data and within the first wasm page: a constant, so that the addresses of the tables of
 * fixed size are constants, too (a migrated page takes 0.93 of the time, bench/migrate).
 */
export const configPtr: usize = 0x8000;
const directoryPtr: usize = (configPtr + <usize>CFG_WORDS * 4 + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
export const arenaPtr: usize = (directoryPtr + <usize>NR_TABLES * 8 + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
export let arenaEnd: usize = arenaPtr; // of the state, without the scratch memory behind it

// The addresses that hot loops use; the other tables go through tablePtr().
// The first ones have a fixed size, so theirs are constants: a load less wherever they are used.
// The machine's region holds its record, the profile, and what migrate_pages() works with.
export const machinePtr: usize = arenaPtr;
export const profilePtr: usize = machinePtr + MACHINE_RECORD_SIZE;
export const migrateListsPtr: usize = profilePtr + PROFILE_RECORD_SIZE;
export const controlPtr: usize = migrateListsPtr + MIGRATE_LISTS_SIZE;
export const frameRunsPtr: usize = controlPtr + CONTROL_RECORD_SIZE;
export const rmapWalkPtr: usize = frameRunsPtr + FRAME_RUNS_SIZE;
export const countersPtr: usize = machinePtr + ((MACHINE_SIZE + ALIGNMENT - 1) & ~(ALIGNMENT - 1));
export const zonesPtr: usize = countersPtr + ((<usize>NR_COUNTERS * 8 + ALIGNMENT - 1) & ~(ALIGNMENT - 1));
export const nodesPtr: usize = zonesPtr + <usize>MAX_ZONES * ZONE_RECORD_SIZE;
export const swapAreasPtr: usize = nodesPtr + <usize>MAX_NODES * NODE_RECORD_SIZE;
export const batchesPtr: usize =
  swapAreasPtr + ((<usize>(MAX_SWAP_AREAS + 1) * SWAP_AREA_RECORD_SIZE + ALIGNMENT - 1) & ~(ALIGNMENT - 1));
export let pageblocksPtr: usize = 0;
export let ptesPtr: usize = 0;
export let pagesPtr: usize = 0;
export let contentPtr: usize = 0;
export let expectedPtr: usize = 0;
export let mappingsPtr: usize = 0;
export let vmasPtr: usize = 0;
export let swapSlotsPtr: usize = 0;
export let swapContentPtr: usize = 0;

/** A word of the configuration. */
export function config(word: i32): i32 {
  return load<i32>(configPtr + ((<usize>word) << 2));
}

/** Address of a TABLE_* region. */
export function tablePtr(table: i32): usize {
  return load<u32>(directoryPtr + ((<usize>table) << 3));
}

/** Size of a TABLE_* region in bytes. */
export function tableSize(table: i32): usize {
  return load<u32>(directoryPtr + ((<usize>table) << 3) + 4);
}

/** Hash buckets for `pins` records: a power of two, at least as many. */
export function pinHashBuckets(): i32 {
  const pins = config(CFG_PINS);
  return pins < 2 ? 2 : 1 << (32 - clz(pins - 1));
}

let cursor: u64 = 0;

function place(table: i32, size: u64): void {
  const entry = directoryPtr + ((<usize>table) << 3);
  store<u32>(entry, <u32>cursor);
  store<u32>(entry, <u32>size, 4);
  cursor = (cursor + size + ALIGNMENT - 1) & ~(<u64>ALIGNMENT - 1);
}

/** What the timed clock has: nothing of it unless there may be tasks or jobs. */
function placeTimed(vcpus: u64, apfs: u64): void {
  const tasks = <u64>config(CFG_TASKS);
  const jobs = <u64>config(CFG_JOBS);
  const any: u64 = tasks + jobs > 0 ? 1 : 0;
  const cpus = <u64>config(CFG_CPUS);
  const requests = <u64>config(CFG_REQUESTS);
  const sleepers = vcpus + apfs + jobs + MAX_RECLAIMS;
  place(TABLE_TIMED, any * TIMED_RECORD_SIZE);
  // A vCPU may leave events behind that are of no use any more, and so may a CPU.
  const events =
    vcpus * 8 + cpus * 8 + apfs * 2 + jobs + tasks + requests + <u64>config(CFG_PINS) + MAX_RECLAIMS;
  place(TABLE_QUEUE, any * events * QUEUE_ENTRY_SIZE);
  place(TABLE_RUNS, any * vcpus * QUEUE_ENTRY_SIZE);
  place(TABLE_THREADS, any * vcpus * THREAD_SIZE);
  place(TABLE_TASKS, (tasks + any) * TASK_SIZE);
  place(TABLE_CPUS, any * cpus * CPU_RECORD_SIZE);
  place(TABLE_KWORKERS, any * (apfs + 1) * KWORKER_RECORD_SIZE);
  place(TABLE_JOBS, jobs * JOB_SIZE);
  place(TABLE_RECLAIMS, any * (MAX_RECLAIMS + 1) * RECLAIM_RECORD_SIZE);
  place(TABLE_DEVICES, any * (MAX_SWAP_AREAS + 1) * DEVICE_SIZE);
  place(TABLE_BIOS, (requests + any) * BIO_RECORD_SIZE);
  place(TABLE_WAITERS, any * (WAIT_BUCKETS * 4 + (sleepers + 1) * WAITER_RECORD_SIZE));
  place(TABLE_QUANTILES, <u64>config(CFG_QUANTILES) * 16);
  place(TABLE_ACCESSES, <u64>config(CFG_ACCESSES) * 4);
  place(TABLE_METRICS, any * NR_METRICS * 8);
  place(TABLE_HISTOGRAMS, any * NR_HISTOGRAMS * HISTOGRAM_BUCKETS * 4);
  place(TABLE_BLAMED, any * BLAME_ROWS * BLAME_SIZE);
}

/**
 * Lays the regions out and returns how many bytes of memory they need, without touching them.
 * The caller compares that with what one memory can hold before it calls claim().
 */
export function layOut(): u64 {
  const maxPfn = <u64>config(CFG_MAX_PFN);
  const contentBytes = <u64>config(CFG_CONTENT_BYTES);
  const ptes = <u64>config(CFG_PTES);
  const vcpus = <u64>config(CFG_VCPUS) + 1;
  const apfs = <u64>config(CFG_APFS);
  assert(__heap_base <= configPtr, "layOut: the static data has outgrown its place");
  cursor = arenaPtr;
  place(TABLE_MACHINE, MACHINE_SIZE);
  place(TABLE_COUNTERS, NR_COUNTERS * 8);
  place(TABLE_ZONES, <u64>MAX_ZONES * ZONE_RECORD_SIZE);
  place(TABLE_NODES, <u64>MAX_NODES * NODE_RECORD_SIZE);
  place(TABLE_SWAP_AREAS, <u64>(MAX_SWAP_AREAS + 1) * SWAP_AREA_RECORD_SIZE);
  place(TABLE_BATCHES, <u64>config(CFG_CPUS) * BATCH_RECORD_SIZE);
  place(TABLE_PAGEBLOCKS, ((maxPfn >> PAGEBLOCK_ORDER) + 1) * 4);
  place(TABLE_BLOCKS, (maxPfn >> MEMORY_BLOCK_ORDER) + 1);
  place(TABLE_PROCESSES, (<u64>config(CFG_PROCESSES) + 1) * PROCESS_RECORD_SIZE);
  place(TABLE_VMAS, (<u64>config(CFG_VMAS) + 1) * VMA_RECORD_SIZE);
  place(TABLE_MAPPINGS, (<u64>config(CFG_MAPPINGS) + 1) * MAPPING_RECORD_SIZE);
  place(TABLE_CACHE_SLOTS, <u64>config(CFG_CACHE_SLOTS) * 8);
  place(TABLE_PINS, (<u64>config(CFG_PINS) + 1) * PIN_RECORD_SIZE);
  place(TABLE_PIN_HASH, <u64>pinHashBuckets() * 4);
  place(TABLE_VCPUS, vcpus * VCPU_RECORD_SIZE);
  place(TABLE_APFS, (apfs + 1) * APF_RECORD_SIZE);
  place(TABLE_CTXS, (apfs * 2 + 1) * CTX_RECORD_SIZE);
  place(TABLE_MIGRATIONS, (<u64>config(CFG_MIGRATIONS) + 1) * MIGRATION_RECORD_SIZE);
  place(TABLE_ACTORS, <u64>config(CFG_ACTORS) * ACTOR_SIZE);
  placeTimed(vcpus, apfs);
  const slots = <u64>config(CFG_SWAP_SLOTS) + 1;
  place(TABLE_SWAP_SLOTS, slots * SWAP_SLOT_RECORD_SIZE);
  place(TABLE_KSM_ITEMS, (<u64>config(CFG_KSM_ITEMS) + 1) * KSM_ITEM_RECORD_SIZE);
  place(TABLE_EVENTS, (<u64>config(CFG_EVENTS) + 1) * EVENT_RECORD_SIZE);
  place(TABLE_TRACE, <u64>config(CFG_TRACE_RECORDS) * TRACE_RECORD_SIZE);
  place(TABLE_ENTRIES, <u64>config(CFG_ENTRIES) * 8);
  place(TABLE_STATUS, <u64>config(CFG_ENTRIES) * 4);
  place(TABLE_BLAME, <u64>config(CFG_ENTRIES) * 4);
  place(TABLE_ROUND, ROUND_RECORD_SIZE);
  place(TABLE_PTES, ptes * 4);
  place(TABLE_EXPECTED, contentBytes == 0 ? 0 : ptes * 4);
  place(TABLE_PAGES, maxPfn << PAGE_RECORD_SHIFT);
  place(TABLE_CONTENT, contentBytes * maxPfn);
  place(TABLE_SWAP_CONTENT, contentBytes * slots);
  // No state: verify() fills it anew.
  place(TABLE_SCRATCH, min<u64>(maxPfn, VERIFY_WINDOW) * 8);
  return cursor;
}

/**
 * Grows the memory to what layOut() computed. The wasm engine hands it out zeroed. Returns false if it
 * cannot.
 */
export function claim(): bool {
  const wanted = <usize>((cursor + WASM_PAGE_SIZE - 1) / WASM_PAGE_SIZE);
  const present = <usize>memory.size();
  if (wanted > present && memory.grow(<i32>(wanted - present)) < 0) return false;
  arenaEnd = tablePtr(TABLE_SCRATCH);
  assert(machinePtr == tablePtr(TABLE_MACHINE), "claim: machinePtr");
  assert(countersPtr == tablePtr(TABLE_COUNTERS), "claim: countersPtr");
  assert(zonesPtr == tablePtr(TABLE_ZONES), "claim: zonesPtr");
  assert(swapAreasPtr == tablePtr(TABLE_SWAP_AREAS), "claim: swapAreasPtr");
  assert(batchesPtr == tablePtr(TABLE_BATCHES), "claim: batchesPtr");
  pageblocksPtr = tablePtr(TABLE_PAGEBLOCKS);
  ptesPtr = tablePtr(TABLE_PTES);
  pagesPtr = tablePtr(TABLE_PAGES);
  contentPtr = tablePtr(TABLE_CONTENT);
  expectedPtr = tablePtr(TABLE_EXPECTED);
  mappingsPtr = tablePtr(TABLE_MAPPINGS);
  vmasPtr = tablePtr(TABLE_VMAS);
  swapSlotsPtr = tablePtr(TABLE_SWAP_SLOTS);
  swapContentPtr = tablePtr(TABLE_SWAP_CONTENT);
  return true;
}
