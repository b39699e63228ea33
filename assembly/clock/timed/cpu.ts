/**
 * Physical CPUs: which vCPU thread runs on each, and who waits for it. A thread stays on its CPU; the
 * others take turns when its slice ends. Kernel threads take no time from them.
 */
import { COST_SWITCH, COST_WAKEUP, EVENT_CPU, EVENT_THREAD, TABLE_CPUS } from "../../abi";
import { CPU_RECORD_SIZE, tablePtr } from "../../arena";
import { machine } from "../../state/machine";
import { NEVER, eventOf, schedule } from "./queue";
import {
  DOES_ENTRY,
  THREAD_GUEST,
  THREAD_KERNEL,
  THREAD_WAITING,
  Thread,
  setState,
  threadAt,
} from "./thread_state";
import { costOf, timed } from "./timed_state";

@unmanaged
export class Cpu {
  current: i32; // vCPU + 1, 0 = idle
  first: i32; // of those that wait: vCPU + 1
  last: i32;
  sliceNs: u64; // when the slice of the current thread began
  endNs: u64; // when it ends, NEVER = nobody waits
  timerNs: u64; // when the event for that comes, at the latest then; 0 = there is none
  // Its pool of kworkers.
  running: i32; // work items that run and do not sleep
  active: i32; // that have begun
  firstWork: i32; // of those that have not
  lastWork: i32;
}

if (offsetof<Cpu>() > <usize>CPU_RECORD_SIZE) ERROR("size of a CPU record");

export function cpuAt(number: i32): Cpu {
  return changetype<Cpu>(tablePtr(TABLE_CPUS) + <usize>number * <usize>CPU_RECORD_SIZE);
}

/** Its next event is at `atNs`; what was scheduled before is out of date. */
export function scheduleThread(thread: Thread, atNs: u64): void {
  thread.serial = schedule(atNs, eventOf(EVENT_THREAD, thread.vcpu));
}

/**
 * The same for something that may be put off or called off before it comes: an event that is in the queue
 * already and comes in time is used again, so that the queue does not fill with those that are out of
 * date.
 */
export function setTimer(thread: Thread, atNs: u64): void {
  thread.dueNs = atNs;
  if (thread.timerNs > atNs) {
    thread.timerNs = atNs;
    thread.timerSerial = schedule(atNs, eventOf(EVENT_THREAD, thread.vcpu));
  }
  thread.serial = thread.timerSerial;
}

/**
 * An event of the thread has come out of the queue. Returns false if it is not for what the thread does
 * now.
 */
export function takeThreadEvent(thread: Thread, serial: u32): bool {
  const isTimer = serial == thread.timerSerial;
  if (isTimer) thread.timerNs = NEVER;
  if (serial != thread.serial) return false;
  if (!isTimer || machine().nowNs >= thread.dueNs) return true;
  setTimer(thread, thread.dueNs);
  return false;
}

/** The current thread has the CPU until the end of its slice, if another one waits. */
function limitSlice(number: i32, cpu: Cpu): void {
  const now = machine().nowNs;
  cpu.endNs = cpu.first == 0 ? NEVER : max<u64>(cpu.sliceNs + <u64>timed().sliceNs, now);
  if (cpu.endNs != NEVER && cpu.timerNs == 0) setSliceTimer(number, cpu);
}

/** One event is in the queue for each CPU; where it comes too early it is scheduled anew. */
function setSliceTimer(number: i32, cpu: Cpu): void {
  cpu.timerNs = cpu.endNs;
  schedule(cpu.endNs, eventOf(EVENT_CPU, number));
}

function dispatch(number: i32, cpu: Cpu, costNs: u64): void {
  const vcpu = cpu.first - 1;
  const thread = threadAt(vcpu);
  cpu.first = thread.nextOnCpu;
  if (cpu.first == 0) cpu.last = 0;
  thread.nextOnCpu = 0;
  cpu.current = vcpu + 1;
  setState(thread, THREAD_KERNEL);
  scheduleThread(thread, machine().nowNs + costNs);
  cpu.sliceNs = machine().nowNs;
  limitSlice(number, cpu);
}

/** A thread that has nothing to wait for but a CPU; what it `does` comes then. */
export function wakeThread(thread: Thread): void {
  setState(thread, THREAD_WAITING);
  const cpu = cpuAt(thread.cpu);
  if (cpu.first == 0) cpu.first = thread.vcpu + 1;
  else threadAt(cpu.last - 1).nextOnCpu = thread.vcpu + 1;
  cpu.last = thread.vcpu + 1;
  thread.serial = 0;
  if (cpu.current == 0) dispatch(thread.cpu, cpu, costOf(COST_WAKEUP));
  else if (cpu.endNs == NEVER) limitSlice(thread.cpu, cpu);
}

/** The thread that runs leaves its CPU for `state`. */
export function leaveCpu(thread: Thread, state: i32): void {
  setState(thread, state);
  thread.serial = 0;
  thread.endsSlice = 0;
  thread.exitNs = NEVER;
  const cpu = cpuAt(thread.cpu);
  assert(cpu.current == thread.vcpu + 1, "leaveCpu: it is not on its CPU");
  cpu.current = 0;
  cpu.endNs = NEVER;
  if (cpu.first != 0) dispatch(thread.cpu, cpu, costOf(COST_SWITCH));
}

/** The thread goes to the end of its CPU's queue, and enters the guest again when its turn comes. */
export function yieldCpu(thread: Thread): void {
  thread.does = DOES_ENTRY;
  leaveCpu(thread, THREAD_WAITING);
  wakeThread(thread);
}

/** The end of a slice may have come: returns the thread that is to leave the guest now, or null. */
export function endSlice(number: i32): Thread | null {
  const cpu = cpuAt(number);
  cpu.timerNs = 0;
  if (cpu.current == 0 || cpu.endNs == NEVER) return null;
  if (machine().nowNs < cpu.endNs) {
    setSliceTimer(number, cpu);
    return null;
  }
  cpu.endNs = NEVER;
  const thread = threadAt(cpu.current - 1);
  thread.endsSlice = 1;
  return thread.state == THREAD_GUEST ? thread : null;
}
