/** The scalars of the simulated machine: simulated time, the crash record, pools, the random numbers. */
import {
  MACHINE_BAD_EXPECTED,
  MACHINE_BAD_FOUND,
  MACHINE_BAD_OBJECT,
  MACHINE_BAD_PFN,
  MACHINE_CRASH_CALLER,
  MACHINE_CRASH_CALLER2,
  MACHINE_CRASH_FUNCTION,
  MACHINE_CRASH_INVARIANT,
  MACHINE_CRASH_KIND,
  MACHINE_CRASH_PFN,
  MACHINE_FIRST_MM,
  MACHINE_GUP_ERRNO,
  MACHINE_NOW_NS,
  MACHINE_NR_BAD_PAGES,
  MACHINE_NR_BLAMED,
  MACHINE_NR_CTXS,
  MACHINE_NR_PROCESSES,
  MACHINE_NR_TRACE,
  MACHINE_OFFLINE_ENDING,
  MACHINE_SUBSTITUTE_WORD,
} from "../abi";
import { MACHINE_RECORD_SIZE, machinePtr } from "../arena";

@unmanaged
export class Machine {
  nowNs: u64; // simulated time since init()
  nextEventNs: u64; // earliest scheduled event, u64.MAX_VALUE if none
  prng: u64;

  crashKind: i32;
  crashFunction: i32;
  crashCaller: i32;
  crashCaller2: i32;
  crashPfn: i32;
  crashInvariant: i32;

  anonVma: i32; // anon_vma that the present attempt holds
  unmapped: i32; // it has called try_to_unmap()
  signalPending: i32;
  lruDisabled: i32; // lru_cache_disable() depth: batches are drained at once
  pinGroup: i32; // last group number given out
  writeStamp: i32; // last stamp a guest write left in its page
  substituteWord: i32; // mapping word of the RFC's apf_mapping without tag, -1 under other policies
  ctxAllocFailures: i32; // so many of the next context allocations fail
  cpu: i32; // the CPU that runs the present operation

  // verify()'s first violation.
  badInvariant: i32;
  badPfn: i32;
  badObject: i32;
  badExpected: i64;
  badFound: i64;

  // Free lists of the record pools, see pool.ts.
  freeProcess: i32;
  freeVma: i32;
  freeMapping: i32;
  freePin: i32;
  freeApf: i32;
  freeCtx: i32;
  nrProcesses: i32;
  nrVmas: i32;
  nrMappings: i32;
  nrPins: i32;
  nrApfs: i32;
  nrCtxs: i32;
  nrEvents: i32;
  nrTrace: i32; // records written to the trace ring; above its size: how many were lost
  tracing: i32;
  stepping: i32; // migrations that are driven step by step
  offlineEnding: i32; // OFFLINE_*: how the last offline ended
  rangeEntries: i32; // move_pages entries are a range, see kernel/entries.ts
  rangeVpn: i32;
  rangeNode: i32;
  nrWaiters: i32; // faults that sleep on a migration entry
  nrBlamed: i32; // pfns noted in TABLE_BLAME
  firstMm: i32; // address spaces by PTE address
  nrBadPages: i32; // pages leaked in a bad state by the free path
  gupErrno: i32; // why the last pinPages() stopped before its end
  firstBadPfn: i32;
  mmSerial: i32; // of the last address space, file or swap area that was created
  nrAsyncPfPins: i32; // pins that work items of async_pf hold
  freeKsmItem: i32; // free list, see pool.ts
  nrKsmItems: i32;
  nowait: i32; // faults give up at a page lock: FAULT_FLAG_RETRY_NOWAIT
  lockTaken: i32; // page whose lock the present transition has taken and released, 0 = none
  interleaved: i32; // actors are between two steps: a locked page may have entries, reads take time
  pageCluster: i32; // vm.page-cluster: 2^n slots are read at once
  timed: i32; // the timed clock runs: sleepers are woken, I/O is queued
  nrParked: i32; // who sleep on page locks, with records in the wait queues
  firstWoken: i32; // of them those that are to be woken now
  lastWoken: i32;
  freeWaiter: i32;
  firstSubmitted: i32; // pages handed to a swap device that have not been put into a request yet: bios
  lastSubmitted: i32;
  freeBio: i32;
  nrBios: i32;
  semWriter: i32; // address space whose mmap_sem a writer waits for: readers queue behind it
}

if (offsetof<Machine>() > MACHINE_RECORD_SIZE) ERROR("size of the machine record");
if (offsetof<Machine>("nowNs") != MACHINE_NOW_NS) ERROR("Machine record");
if (offsetof<Machine>("crashKind") != MACHINE_CRASH_KIND) ERROR("Machine record");
if (offsetof<Machine>("crashFunction") != MACHINE_CRASH_FUNCTION) ERROR("Machine record");
if (offsetof<Machine>("crashCaller") != MACHINE_CRASH_CALLER) ERROR("Machine record");
if (offsetof<Machine>("crashCaller2") != MACHINE_CRASH_CALLER2) ERROR("Machine record");
if (offsetof<Machine>("crashPfn") != MACHINE_CRASH_PFN) ERROR("Machine record");
if (offsetof<Machine>("crashInvariant") != MACHINE_CRASH_INVARIANT) ERROR("Machine record");
if (offsetof<Machine>("substituteWord") != MACHINE_SUBSTITUTE_WORD) ERROR("Machine record");
if (offsetof<Machine>("badPfn") != MACHINE_BAD_PFN) ERROR("Machine record");
if (offsetof<Machine>("badObject") != MACHINE_BAD_OBJECT) ERROR("Machine record");
if (offsetof<Machine>("badExpected") != MACHINE_BAD_EXPECTED) ERROR("Machine record");
if (offsetof<Machine>("badFound") != MACHINE_BAD_FOUND) ERROR("Machine record");
if (offsetof<Machine>("nrProcesses") != MACHINE_NR_PROCESSES) ERROR("Machine record");
if (offsetof<Machine>("nrCtxs") != MACHINE_NR_CTXS) ERROR("Machine record");
if (offsetof<Machine>("nrTrace") != MACHINE_NR_TRACE) ERROR("Machine record");
if (offsetof<Machine>("offlineEnding") != MACHINE_OFFLINE_ENDING) ERROR("Machine record");
if (offsetof<Machine>("nrBlamed") != MACHINE_NR_BLAMED) ERROR("Machine record");
if (offsetof<Machine>("firstMm") != MACHINE_FIRST_MM) ERROR("Machine record");
if (offsetof<Machine>("nrBadPages") != MACHINE_NR_BAD_PAGES) ERROR("Machine record");
if (offsetof<Machine>("gupErrno") != MACHINE_GUP_ERRNO) ERROR("Machine record");

/** Nothing is under way: no page is locked, and no PTE a migration entry. */
export function atRest(): bool {
  const m = machine();
  return (m.stepping | m.interleaved) == 0;
}

export function machine(): Machine {
  return changetype<Machine>(machinePtr);
}
