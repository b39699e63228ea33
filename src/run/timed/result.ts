/**
 * What a run of a scenario under one policy with one seed has given. All of it follows from the arguments.
 */
import type { KernelCrash } from "../../core/core.ts";
import type { Errno, HolderKind } from "../../core/names.ts";
import type { Violation } from "../../host/violation.ts";
import type { PolicyVariant } from "../../scenario/variant.ts";

/** Sums over a run, or over an interval of one. Units are in the names; without one they are numbers. */
export const metricNames = [
  "accesses", // of guest tasks
  "workNs", // CPU time that tasks without accesses have had
  "guestNs", // vCPU time in guest mode
  "haltedNs", // vCPU time without a task that could run
  "stalledNs", // vCPU time in which a task could have run: sleeping in a fault, halted by APF_HALT, paused
  "waitingNs", // vCPU time waiting for a physical CPU
  "exits", // VM exits
  "faults", // exits because of a page
  "asyncPfs", // of them asynchronous: "page not present"
  "asyncPfReady", // "page ready"
  "syncFaults", // faults in which a vCPU thread slept
  "swapIns", // pages
  "swapOuts",
  "readRequests", // of swap devices
  "writeRequests",
  "scanned", // pages that reclaim has looked at
  "reclaimed",
  "directReclaims", // times that somebody who needed memory had to make room
  "migrated", // pages
  "migrationFailures", // attempts that failed
  "pins", // taken by async_pf and by pinners
  "pinNs", // sum of their hold times so far: mean number of pins = pinNs / time
] as const;
export type MetricName = (typeof metricNames)[number];
export type Metrics = Readonly<Record<MetricName, number>>;

/** Distributions of durations in ns. */
export const histogramNames = [
  "faultLatency", // of a task: from an access to when it can go on
  "pinHold", // of async_pf: from GUP to put_page()
  "migration", // of a page that moved: from the first attempt to the end of the last
  "stall", // of a vCPU: one sleep in a fault, or one halt by APF_HALT
] as const;
export type HistogramName = (typeof histogramNames)[number];

/** A histogram as the core has counted it: how many values lie in from … to-1. */
export interface Bucket {
  readonly from: number;
  readonly to: number;
  readonly count: number;
}

export interface OperationResult {
  readonly name: string;
  readonly do: string;
  /** When it was to begin. */
  readonly atNs: number;
  /** Null while it has not ended. */
  readonly durationNs: number | null;
  /** Return value of the kernel; null while there is none. */
  readonly ret: number | null;
  readonly errno: Errno | null;
  /** Why it ended: the kernel returned, or the caller's patience was at its end; or the run was. */
  readonly ending: "returned" | "gave-up" | "unfinished";
  /** Of an offline: rounds. Of move-pages: calls. */
  readonly rounds: number;
  readonly pagesMoved: number;
  readonly pagesLeft: number;
  /** Of an offline: true if the first attempt at every page moved it. */
  readonly cleanAtOnce: boolean;
  /** Pins in the block when the operation began. */
  readonly pinsAtStart: number;
}

/** Who has kept pages from moving. */
export interface BlameRow {
  readonly kind: HolderKind | "other";
  /** Name of the guest, null if the holder is none. */
  readonly guest: string | null;
  /** Of async_pf: number of the vCPU within its guest. */
  readonly vcpu: number | null;
  /** Pages times how often each was newly held. */
  readonly pages: number;
  /** From the first failed attempt to the last for each page and holder, summed up and at most. */
  readonly blockedNs: number;
  readonly longestNs: number;
}

export interface Interval {
  readonly endNs: number;
  readonly metrics: Metrics;
  /** At its end. */
  readonly pinsNow: number;
  readonly freePages: number;
}

export interface TimedRun extends PolicyVariant {
  readonly seed: number;
  readonly stateHash: string;
  /** Simulated time when it ended. */
  readonly endNs: number;
  /** Transitions and ends of I/O. */
  readonly events: number;
  readonly metrics: Metrics;
  readonly histograms: Readonly<Record<HistogramName, readonly Bucket[]>>;
  readonly operations: readonly OperationResult[];
  readonly blame: readonly BlameRow[];
  readonly intervals: readonly Interval[];
  readonly crash: KernelCrash | null;
  readonly violation: Violation | null;
}
