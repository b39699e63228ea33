/**
 * Kworkers of the system workqueue. Each CPU has a pool of them: a work item begins when no other one of the
 * pool runs, and one that sleeps lets the next one begin; so many may have begun at one time.
 */
import { APF_QUEUED, COST_WAKEUP, EVENT_KWORKER, HISTOGRAM_PIN, METRIC_PINS, STEP_BLOCKED } from "../../abi";
import { KWORKER_RECORD_SIZE } from "../../arena";
import { isBeforeGup, workerStep } from "../../actors/worker";
import { apfAt } from "../../state/apf";
import { machine } from "../../state/machine";
import { mmAt } from "../../state/mm";
import { parkOn, wakeUpPage } from "../../state/wait_queue";
import { vcpuAt } from "../../state/vcpu";
import { Cpu, cpuAt } from "./cpu";
import { Kworker, kworkerAt, scheduleKworker } from "./kworker_state";
import { addTo, record } from "./metrics";
import { makeRoomFor } from "./pressure";
import { eventOf } from "./queue";
import { completionReady } from "./thread_wake";
import { PARKED, costOf, semKey, timed } from "./timed_state";

const NS_PER_US: u64 = 1000;
const MAX_RETRIES: i32 = 16;

function begin(cpu: Cpu, item: i32): void {
  cpu.running += 1;
  cpu.active += 1;
  scheduleKworker(item, machine().nowNs + <u64>costOf(COST_WAKEUP));
}

/** Begins what the pool lets begin. Items that have been cancelled meanwhile are left out. */
function beginNext(cpu: Cpu): void {
  while (cpu.running == 0 && cpu.active < timed().maxActive && cpu.firstWork != 0) {
    const item = cpu.firstWork;
    const kworker = kworkerAt(item);
    cpu.firstWork = kworker.nextWork;
    if (cpu.firstWork == 0) cpu.lastWork = 0;
    kworker.nextWork = 0;
    if (apfAt(item).state == APF_QUEUED && kworker.item == item) begin(cpu, item);
  }
}

/** schedule_work() for a new work item, on the CPU of its vCPU. */
export function queueWork(item: i32, number: i32): void {
  const apf = apfAt(item);
  const kworker = kworkerAt(item);
  memory.fill(changetype<usize>(kworker), 0, <usize>KWORKER_RECORD_SIZE);
  kworker.vcpu = apf.vcpu;
  kworker.mm = apf.mm;
  kworker.item = item;
  kworker.cpu = number;
  const cpu = cpuAt(number);
  if (cpu.firstWork == 0) cpu.firstWork = item;
  else kworkerAt(cpu.lastWork).nextWork = item;
  cpu.lastWork = item;
  beginNext(cpu);
}

/** The worker sleeps: the next item may begin. */
function sleepOn(kworker: Kworker, key: i32): i64 {
  parkOn(key, eventOf(EVENT_KWORKER, kworker.item));
  const cpu = cpuAt(kworker.cpu);
  cpu.running -= 1;
  beginNext(cpu);
  return PARKED;
}

/** What a worker slept on is there. */
export function wakeKworker(item: i32): void {
  cpuAt(kworkerAt(item).cpu).running += 1;
  scheduleKworker(item, machine().nowNs + <u64>costOf(COST_WAKEUP));
}

function end(kworker: Kworker): i64 {
  const cpu = cpuAt(kworker.cpu);
  cpu.running -= 1;
  cpu.active -= 1;
  beginNext(cpu);
  return PARKED;
}

/** Why the next step waits: the page whose lock it needs, mmap_sem, or for a moment the lock of the vCPU. */
function waitFor(kworker: Kworker): i64 {
  const apf = apfAt(kworker.item);
  if (apf.sleepsOn != 0) return sleepOn(kworker, apf.sleepsOn);
  if (isBeforeGup(apf)) return sleepOn(kworker, semKey(kworker.mm));
  if (vcpuAt(apf.vcpu).locked == 0 && apf.workerPage != 0) return sleepOn(kworker, apf.workerPage);
  return <i64>costOf(COST_WAKEUP);
}

/** up_read(): a writer may have waited for it. */
export function afterUpRead(mm: i32): void {
  if (machine().semWriter == mm && mmAt(mm).mmapSem == 0) wakeUpPage(semKey(mm));
}

function notePin(kworker: Kworker, item: i32): void {
  if (kworker.pinnedAtUs != 0 || apfAt(item).pin == 0) return;
  kworker.pinnedAtUs = max<u32>(<u32>(machine().nowNs / NS_PER_US), 1);
  addTo(METRIC_PINS, 1);
}

/** The next transition of a work item. Returns how long it takes, or PARKED. */
export function kworkerStep(item: i32): i64 {
  const kworker = kworkerAt(item);
  if (apfAt(item).state != APF_QUEUED || kworker.item != item) return end(kworker); // cancelled
  const apf = apfAt(item);
  if (isBeforeGup(apf) && apf.sleepsOn == 0 && kworker.pc < MAX_RETRIES) {
    if (makeRoomFor(eventOf(EVENT_KWORKER, item), kworker.mm, apf.gfn, false)) {
      kworker.pc += 1; // times that it has made room
      return PARKED;
    }
  }
  if (workerStep(kworker) == STEP_BLOCKED) return waitFor(kworker);
  notePin(kworker, item);
  if (kworker.holdsSem == 0) afterUpRead(kworker.mm);
  const cost = <i64>costOf(kworker.transition);
  if (kworker.item != 0) return cost;
  end(kworker);
  completionReady(kworker.vcpu);
  return PARKED;
}

/** A work item has been ended in its vCPU thread: its reference, if it had one, has been put. */
export function endPinHold(item: i32): void {
  const since = kworkerAt(item).pinnedAtUs;
  if (since != 0) record(HISTOGRAM_PIN, machine().nowNs - <u64>since * NS_PER_US);
  kworkerAt(item).pinnedAtUs = 0;
}
