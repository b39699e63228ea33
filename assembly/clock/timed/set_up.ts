/** What a run on the timed clock begins with: the guests' threads and tasks, devices, jobs. */
import { ASYNC_PF_OFF, CFG_CPUS, COST_EXIT, EVENT_JOB } from "../../abi";
import { config } from "../../arena";
import { initBios } from "../../state/bio";
import { machine } from "../../state/machine";
import { random64 } from "../../state/prng";
import { vcpuAt } from "../../state/vcpu";
import { initWaitQueues } from "../../state/wait_queue";
import { cpuAt, wakeThread } from "./cpu";
import { deviceAt } from "./device";
import { quantileAt } from "./draw";
import { jobAt } from "./job_state";
import { NEVER, eventOf, schedule } from "./queue";
import { initReclaims } from "./reclaim_run";
import { NO_TASK, taskAt } from "./task";
import { DOES_ENTRY, THREAD_WAITING, threadAt } from "./thread_state";
import { costOf, timed } from "./timed_state";

/** Begins a run at time 0. Costs and distributions have been set. */
export function beginTimed(sliceNs: u32, tickNs: u32, maxActive: i32, limitPages: i32): void {
  const m = machine();
  const t = timed();
  m.timed = 1;
  m.interleaved = 1;
  m.nowNs = 0;
  t.nextNs = NEVER;
  t.nextRunNs = NEVER;
  t.endNs = NEVER;
  t.sliceNs = sliceNs;
  t.tickNs = tickNs;
  t.maxActive = maxActive;
  t.limitPages = limitPages;
  t.lookaheadNs = costOf(COST_EXIT);
  for (let number = 0; number < config(CFG_CPUS); number++) cpuAt(number).endNs = NEVER;
  initBios();
  initWaitQueues();
  initReclaims();
}

/** A point of a distribution. */
export function setQuantile(number: i32, share: u32, ns: u64): void {
  const quantile = quantileAt(number);
  quantile.share = share;
  quantile.ns = ns;
}

/** What a swap area is on. */
export function setDevice(area: i32, depth: i32, pageNs: u32, read: i32, write: i32): void {
  const device = deviceAt(area);
  device.stream = random64();
  device.depth = depth;
  device.pageNs = pageNs;
  device.read = read;
  device.write = write;
}

/** A vCPU begins to run, with the tasks `firstTask` … `firstTask + nrTasks - 1`, whose records are filled. */
export function startThread(
  vcpu: i32,
  mode: i32,
  tickNs: u32,
  sliceNs: u32,
  firstTask: i32,
  nrTasks: i32,
): void {
  const thread = threadAt(vcpu);
  thread.vcpu = vcpu;
  thread.mm = vcpuAt(vcpu).mm;
  thread.mode = mode;
  thread.cpu = vcpu % config(CFG_CPUS);
  thread.tickNs = tickNs;
  thread.guestSliceNs = sliceNs;
  thread.firstTask = firstTask;
  thread.nrTasks = nrTasks;
  thread.task = NO_TASK;
  thread.exitNs = NEVER;
  thread.timerNs = NEVER;
  thread.taskEndNs = NEVER;
  thread.stallSinceNs = NEVER;
  thread.state = THREAD_WAITING;
  thread.does = DOES_ENTRY;
  assert(mode >= ASYNC_PF_OFF, "startThread: no such mode");
  for (let number = firstTask; number < firstTask + nrTasks; number++) {
    const task = taskAt(number);
    task.vcpu = vcpu;
    task.untilSleep = task.sleepEvery;
    task.faultNs = NEVER;
  }
  wakeThread(thread);
}

/** A job, whose record is filled, begins at `atNs`. */
export function startJob(number: i32, atNs: u64): void {
  const job = jobAt(number);
  if (job.isOperation != 0) timed().operationsLeft += 1;
  schedule(atNs, eventOf(EVENT_JOB, number));
}

/** The run ends at `endNs`, or with its last operation. */
export function setEnd(endNs: u64, withOperations: bool): void {
  const t = timed();
  t.endNs = endNs;
  t.endsWithOperations = withOperations ? 1 : 0;
}

/** Pages are moved transition by transition also where nobody can interfere: for comparison. */
export function moveSlowly(): void {
  timed().wantsSlow = 1;
}

/**
 * A Zipf distribution over `ranks`, as points from `first` on: rank r has a weight of r^-(skew/100). The
 * first ranks have a point each, further ones share one in runs that grow. Returns how many points it has.
 * The power is the module's own and its operations those of IEEE 754, so that the points are the same
 * everywhere.
 */
export function setZipf(first: i32, ranks: i32, skew: i32, maxPoints: i32): i32 {
  const exponent = -(<f64>skew / 100.0);
  let total = 0.0;
  let nr = 0;
  // Twice the same walk: the sum of all weights, then the share of each run.
  for (let round = 0; round < 2; round++) {
    let sum = 0.0;
    nr = 0;
    for (let rank = 0; rank < ranks;) {
      const length = min<i32>(max<i32>(1, rank >> 5), ranks - rank);
      if (round == 1) setQuantile(first + nr, <u32>(sum * 16777216.0), rank);
      const middle = <f64>rank + 0.5 + <f64>length * 0.5;
      const weight = (round == 0 ? 1.0 : 1.0 / total) * <f64>length * Math.pow(middle, exponent);
      sum += weight;
      rank += length;
      nr += 1;
      assert(nr < maxPoints, "setZipf: no room for the points");
    }
    total = sum;
  }
  setQuantile(first + nr, 16777216, ranks);
  return nr + 1;
}
