/**
 * What wakes a vCPU thread, or makes it leave the guest: completions, interrupts, and the process it
 * belongs to.
 */
import { COST_KICK, HISTOGRAM_STALL } from "../../abi";
import { machine } from "../../state/machine";
import { profile } from "../../state/profile";
import { vcpuAt } from "../../state/vcpu";
import { wakeThread } from "./cpu";
import { requestExit } from "./guest";
import { record } from "./metrics";
import { NEVER } from "./queue";
import {
  DOES_ENTRY,
  THREAD_ENDED,
  THREAD_GUEST,
  THREAD_HALTED,
  THREAD_NONE,
  THREAD_PAUSED,
  THREAD_SLEEPING,
  THREAD_STALLED,
  Thread,
  WANTS_END,
  WANTS_NOTHING,
  WANTS_PAUSE,
  setState,
  threadAt,
} from "./thread_state";
import { costOf, timed } from "./timed_state";

/** The next timer interrupt of a CPU: those of different CPUs do not come at the same time. */
export function nextTick(thread: Thread): u64 {
  const now = machine().nowNs;
  const tick = <u64>timed().tickNs;
  const phase = (<u64>thread.cpu * 7919 * 1000) % tick;
  return ((now + tick - phase) / tick) * tick + phase;
}

/** The end of a wait in a fault or in APF_HALT. */
export function endStall(thread: Thread): void {
  if (thread.stallSinceNs != NEVER) record(HISTOGRAM_STALL, machine().nowNs - thread.stallSinceNs);
  thread.stallSinceNs = NEVER;
}

/** What the thread slept on is there: it goes on when a CPU is free. */
export function wakeSleeper(thread: Thread): void {
  if (thread.state != THREAD_SLEEPING) return;
  vcpuAt(thread.vcpu).sleepsOn = 0;
  endStall(thread);
  wakeThread(thread);
}

/** A completion is there: wakes the vCPU if it halts; in the guest it goes on unless the kernel kicks it. */
export function completionReady(vcpuId: i32): void {
  const thread = threadAt(vcpuId);
  if (thread.state == THREAD_GUEST) {
    const kicked = profile().finishedWorkKicks;
    requestExit(thread, kicked ? machine().nowNs + <u64>costOf(COST_KICK) : nextTick(thread));
  } else if (thread.state == THREAD_HALTED || thread.state == THREAD_STALLED) {
    if (thread.state == THREAD_STALLED) endStall(thread);
    thread.does = DOES_ENTRY;
    wakeThread(thread);
  }
}

/** An interrupt for a vCPU: one that halts looks again what it can run. */
export function interrupt(thread: Thread): void {
  if (thread.state != THREAD_HALTED) return;
  thread.does = DOES_ENTRY;
  wakeThread(thread);
}

/** The vCPU returns to the VMM, and stays there. */
export function pauseThread(thread: Thread): void {
  if (thread.wants == WANTS_END) return;
  thread.wants = WANTS_PAUSE;
  if (thread.state == THREAD_GUEST) {
    requestExit(thread, machine().nowNs);
  } else if (thread.state == THREAD_HALTED || thread.state == THREAD_STALLED) {
    if (thread.state == THREAD_STALLED) endStall(thread);
    thread.does = DOES_ENTRY;
    thread.serial = 0;
    setState(thread, THREAD_PAUSED);
  }
}

/** The VMM calls KVM_RUN again. */
export function resumeThread(thread: Thread): void {
  if (thread.wants == WANTS_END) return;
  thread.wants = WANTS_NOTHING;
  if (thread.state == THREAD_PAUSED) wakeThread(thread);
}

/** SIGKILL. One that sleeps in a fault or runs in the kernel ends when that is over. */
export function killThread(thread: Thread): void {
  thread.wants = WANTS_END;
  if (thread.state == THREAD_GUEST) {
    requestExit(thread, machine().nowNs);
  } else if (
    thread.state == THREAD_HALTED ||
    thread.state == THREAD_STALLED ||
    thread.state == THREAD_PAUSED
  ) {
    thread.does = DOES_ENTRY;
    wakeThread(thread);
  }
}

/** True if a thread has ended, or there never was one. */
export function hasEnded(thread: Thread): bool {
  return thread.state == THREAD_ENDED || thread.state == THREAD_NONE;
}
