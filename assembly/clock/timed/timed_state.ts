/** The scalars of the timed clock, and what a transition costs on it. */
import { NR_COSTS, TABLE_TIMED } from "../../abi";
import { TIMED_RECORD_SIZE, tablePtr } from "../../arena";

@unmanaged
export class Timed {
  nextNs: u64; // of the first event in the queue
  nextRunNs: u64; // of the first access of a vCPU in guest mode
  pinsSinceNs: u64; // up to when the hold times of pins have been added up
  endNs: u64; // of the run
  nrEvents: i32;
  serial: u32;
  poppedSerial: u32;
  nrRuns: i32;
  otherPins: i32; // held by pinners
  limitPages: i32; // that may be charged, 0 = no limit
  operationsLeft: i32; // operations that have not ended
  endsWithOperations: i32; // the run ends with the last of them
  hasEnded: i32;
  tickNs: u32; // of the host
  sliceNs: u32; // of a physical CPU
  maxActive: i32; // work items that have begun, for each CPU
  syncNs: u32; // that the CPU has spent on I/O in the present step
  offliner: i32; // job that takes memory offline, 0 = none; others wait
  nrBlamed: i32; // rows
  freeReclaim: i32;
  nrReclaims: i32;
  lookaheadNs: u32; // from an access that faults to the first thing that another CPU can see of it
  wantsSlow: i32; // every page that moves is moved transition by transition, also where nobody can interfere
}

const COSTS_OFFSET: usize = 256;
if (offsetof<Timed>() > COSTS_OFFSET) ERROR("record of the timed clock");
if (COSTS_OFFSET + <usize>NR_COSTS * 4 > <usize>TIMED_RECORD_SIZE) ERROR("costs of the timed clock");

export function timed(): Timed {
  return changetype<Timed>(tablePtr(TABLE_TIMED));
}

/** What a TRANSITION_* or COST_* takes, in ns. */
export function costOf(what: i32): u32 {
  assert(what >= 0 && what < NR_COSTS, "costOf: no such cost");
  return load<u32>(tablePtr(TABLE_TIMED) + COSTS_OFFSET + ((<usize>what) << 2));
}

export function setCost(what: i32, ns: u32): void {
  store<u32>(tablePtr(TABLE_TIMED) + COSTS_OFFSET + ((<usize>what) << 2), ns);
}

/** A step has ended in a wait: its actor goes on when it is woken. Beside how long steps take. */
export const PARKED: i64 = -1;

/** The key under which one waits for mmap_sem of an address space: no pfn. */
export function semKey(mm: i32): i32 {
  return -mm;
}
