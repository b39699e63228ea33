/** What a machine on the timed clock has counted, as results. */
import * as abi from "../../core/abi.ts";
import type { Core } from "../../core/core.ts";
import { errnoName, holderName, mapTable } from "../../core/names.ts";
import type { Placement } from "./jobs.ts";
import type { TimedMachine } from "./machine.ts";
import type { BlameRow, Bucket, HistogramName, MetricName, Metrics, OperationResult } from "./result.ts";

/** Kinds of holders that are pins. */
const pinKinds: ReadonlySet<number> = new Set([
  abi.HOLDER_ASYNC_PF,
  abi.HOLDER_GET,
  abi.HOLDER_PIN,
  abi.HOLDER_LONGTERM,
]);

/** Counters of the kernel, behind the sums of the clock: both in one table of numbers. */
const KERNEL = 1000;

const sources: Readonly<Record<MetricName, number>> = {
  accesses: abi.METRIC_ACCESSES,
  workNs: abi.METRIC_WORK_NS,
  guestNs: abi.METRIC_GUEST_NS,
  haltedNs: abi.METRIC_HALTED_NS,
  stalledNs: abi.METRIC_STALLED_NS,
  waitingNs: abi.METRIC_WAITING_NS,
  exits: abi.METRIC_EXITS,
  faults: abi.METRIC_FAULTS,
  asyncPfs: abi.METRIC_ASYNC_PFS,
  asyncPfReady: abi.METRIC_READY,
  syncFaults: abi.METRIC_SYNC_FAULTS,
  swapIns: KERNEL + abi.PSWPIN,
  swapOuts: KERNEL + abi.PSWPOUT,
  readRequests: abi.METRIC_READ_REQUESTS,
  writeRequests: abi.METRIC_WRITE_REQUESTS,
  scanned: KERNEL + abi.PGSCAN,
  reclaimed: KERNEL + abi.PGSTEAL,
  directReclaims: abi.METRIC_DIRECT_RECLAIMS,
  migrated: KERNEL + abi.PGMIGRATE_SUCCESS,
  migrationFailures: abi.METRIC_MIGRATION_FAILURES,
  pins: abi.METRIC_PINS,
  pinNs: abi.METRIC_PIN_NS,
};

/** A word of a table of u64. */
function sum(core: Core, metric: number): number {
  return core.record(abi.TABLE_METRICS, metric * 8).u64(0);
}

export function eventsOf(core: Core): number {
  return sum(core, abi.METRIC_EVENTS);
}

/** All sums since the start. */
export function metricsOf(core: Core): Metrics {
  const kernel = core.counters();
  return mapTable(sources, (id) => (id < KERNEL ? sum(core, id) : Number(kernel[id - KERNEL] ?? 0n)));
}

/** What has come to them since. */
export function difference(now: Metrics, before: Metrics): Metrics {
  return mapTable(sources, (_, name) => now[name] - before[name]);
}

/** The values that a bucket is for. */
function boundsOf(bucket: number): { from: number; to: number } {
  const half = 2 ** (abi.HISTOGRAM_SHIFT - 1);
  const linear = 2 * half;
  if (bucket < linear) return { from: bucket, to: bucket + 1 };
  const octave = Math.floor((bucket - linear) / half) + 1;
  const within = (bucket - linear) % half;
  return { from: (half + within) * 2 ** octave, to: (half + within + 1) * 2 ** octave };
}

const histograms: Readonly<Record<HistogramName, number>> = {
  faultLatency: abi.HISTOGRAM_FAULT,
  pinHold: abi.HISTOGRAM_PIN,
  migration: abi.HISTOGRAM_MIGRATION,
  stall: abi.HISTOGRAM_STALL,
};

function bucketsOf(core: Core, histogram: number): Bucket[] {
  const words = core.unsignedWords(abi.TABLE_HISTOGRAMS);
  const first = histogram * abi.HISTOGRAM_BUCKETS;
  return [...words.subarray(first, first + abi.HISTOGRAM_BUCKETS)].flatMap((count, bucket) =>
    count === 0 ? [] : [{ ...boundsOf(bucket), count }],
  );
}

export function histogramsOf(core: Core): Record<HistogramName, Bucket[]> {
  return mapTable(histograms, (histogram) => bucketsOf(core, histogram));
}

interface JobRecord {
  readonly state: number;
  readonly startNs: number;
  readonly endNs: number;
  readonly rc: number;
  readonly rounds: number;
  readonly moved: number;
  readonly left: number;
  readonly failedFirst: number;
  readonly pins: number;
}

function readJob(core: Core, number: number): JobRecord {
  const view = core.record(abi.TABLE_JOBS, number * abi.JOB_SIZE);
  return {
    state: view.i32(abi.JOB_STATE),
    startNs: view.u64(abi.JOB_START_NS),
    endNs: view.u64(abi.JOB_END_NS),
    rc: view.i32(abi.JOB_RC),
    rounds: view.i32(abi.JOB_ROUNDS),
    moved: view.i32(abi.JOB_MOVED),
    left: view.i32(abi.JOB_LEFT),
    failedFirst: view.i32(abi.JOB_FAILED_FIRST),
    pins: view.i32(abi.JOB_PINS_AT_START),
  };
}

/** One operation; of one with several threads what they did together. */
function operationResult(
  core: Core,
  operation: NonNullable<Placement["operation"]>,
  numbers: number[],
): OperationResult {
  const jobs = numbers.map((number) => readJob(core, number));
  const ended = jobs.every(({ state }) => state === abi.JOB_ENDED || state === abi.JOB_GAVE_UP);
  const gaveUp = jobs.some(({ state }) => state === abi.JOB_GAVE_UP);
  const total = (of: (job: JobRecord) => number): number => jobs.reduce((all, job) => all + of(job), 0);
  const rc = jobs.find((job) => job.rc !== 0)?.rc ?? 0;
  const isOffline = operation.do === "offline";
  return {
    name: operation.name,
    do: operation.do,
    atNs: operation.atNs,
    durationNs: ended
      ? Math.max(...jobs.map(({ endNs }) => endNs)) - Math.min(...jobs.map(({ startNs }) => startNs))
      : null,
    ret: ended ? rc : null,
    errno: ended && rc < 0 ? errnoName(rc) : null,
    ending: ended ? (gaveUp ? "gave-up" : "returned") : "unfinished",
    rounds: total((job) => job.rounds),
    // While an offline runs, its record has the pages that the block had at the start.
    pagesMoved: isOffline && !ended ? 0 : total((job) => job.moved),
    pagesLeft: isOffline && !ended ? total((job) => job.moved) : total((job) => job.left),
    cleanAtOnce: isOffline && ended && rc === 0 && total((job) => job.failedFirst) === 0,
    pinsAtStart: total((job) => job.pins),
  };
}

export function operationsOf({ core, scenario, jobs }: TimedMachine): OperationResult[] {
  return scenario.operations.map((operation) => {
    const numbers = jobs.flatMap((job, number) => (job.operation === operation ? [number] : []));
    return operationResult(core, operation, numbers);
  });
}

/** Who has kept pages from moving, for longest first. */
export function blameOf({ core, guests }: TimedMachine): BlameRow[] {
  const rows: BlameRow[] = [];
  for (let number = 0; number < abi.BLAME_ROWS; number++) {
    const view = core.record(abi.TABLE_BLAMED, number * abi.BLAME_SIZE);
    const pages = view.i32(abi.BLAME_PAGES);
    if (pages === 0) break;
    const kind = view.i32(abi.BLAME_KIND);
    const owner = view.i32(abi.BLAME_OWNER);
    const isAsyncPf = kind === abi.HOLDER_ASYNC_PF;
    const placed = guests.find(({ guest, mm, firstVcpu }) =>
      isAsyncPf ? owner >= firstVcpu && owner < firstVcpu + guest.vcpus : mm === owner,
    );
    rows.push({
      kind: kind === abi.HOLDER_NONE ? "other" : holderName(kind),
      guest: placed?.guest.name ?? null,
      vcpu: isAsyncPf ? owner - (placed?.firstVcpu ?? 0) : null,
      pages,
      blockedNs: view.u64(abi.BLAME_BLOCKED_NS),
      longestNs: view.u64(abi.BLAME_LONGEST_NS),
    });
  }
  return rows.toSorted((a, b) => b.blockedNs - a.blockedNs);
}

/** Pins of async_pf and of pinners that are held now. */
export function pinsNow(core: Core): number {
  const words = core.words(abi.TABLE_PINS);
  let nr = 0;
  for (let at = abi.PIN_SIZE >> 2; at < words.length; at += abi.PIN_SIZE >> 2) {
    if (pinKinds.has(words[at + (abi.PIN_KIND >> 2)] ?? 0)) nr += 1;
  }
  return nr;
}
