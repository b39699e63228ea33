/**
 * vCPUs in guest mode, by the time of their next access: a heap. Of two at the same time the lower number
 * comes first, however often each has been put back, so that it does not matter where a run is cut into
 * slices.
 */
import { TABLE_RUNS } from "../../abi";
import { QUEUE_ENTRY_SIZE, tablePtr, tableSize } from "../../arena";
import { NEVER } from "./queue";
import { timed } from "./timed_state";

@unmanaged
class Run {
  atNs: u64;
  vcpu: i32;
  stay: u32; // which stay of the vCPU in guest mode it is: one that has left it behind does not run on
}

if (offsetof<Run>() != <usize>QUEUE_ENTRY_SIZE) ERROR("size of an entry of the runs");

const ENTRY: usize = 16;

function runAt(heap: usize, position: i32): Run {
  return changetype<Run>(heap + <usize>position * ENTRY);
}

function isBefore(run: Run, atNs: u64, vcpu: i32): bool {
  return run.atNs < atNs || (run.atNs == atNs && run.vcpu < vcpu);
}

function set(run: Run, atNs: u64, vcpu: i32, stay: u32): void {
  run.atNs = atNs;
  run.vcpu = vcpu;
  run.stay = stay;
}

function noteFirst(heap: usize): void {
  const t = timed();
  t.nextRunNs = t.nrRuns > 0 ? runAt(heap, 0).atNs : NEVER;
}

/** Moves a gap towards the start, as far as the entry that is to fill it may go. Returns where it is then. */
function moveUp(heap: usize, from: i32, atNs: u64, vcpu: i32): i32 {
  let position = from;
  while (position > 0) {
    const parent = (position - 1) >> 1;
    const above = runAt(heap, parent);
    if (isBefore(above, atNs, vcpu)) break;
    set(runAt(heap, position), above.atNs, above.vcpu, above.stay);
    position = parent;
  }
  return position;
}

/** As moveUp(), towards the end. */
function moveDown(heap: usize, from: i32, atNs: u64, vcpu: i32): i32 {
  const nr = timed().nrRuns;
  let position = from;
  while (true) {
    let child = position * 2 + 1;
    if (child >= nr) return position;
    if (child + 1 < nr && isBefore(runAt(heap, child + 1), runAt(heap, child).atNs, runAt(heap, child).vcpu))
      child += 1;
    const least = runAt(heap, child);
    if (!isBefore(least, atNs, vcpu)) return position;
    set(runAt(heap, position), least.atNs, least.vcpu, least.stay);
    position = child;
  }
}

/** Where the vCPU's entry is, of an earlier stay perhaps; behind the last one if it has none. */
function positionOf(heap: usize, vcpu: i32): i32 {
  const nr = timed().nrRuns;
  let position = 0;
  while (position < nr && runAt(heap, position).vcpu != vcpu) position += 1;
  return position;
}

/** The vCPU's next access is due at `atNs`, and no other one. */
export function addRun(atNs: u64, vcpu: i32, stay: u32): void {
  const t = timed();
  const heap = tablePtr(TABLE_RUNS);
  let position = positionOf(heap, vcpu);
  assert(<usize>(position + 1) * ENTRY <= tableSize(TABLE_RUNS), "addRun: the table is full");
  if (position == t.nrRuns) t.nrRuns = position + 1;
  position = moveDown(heap, moveUp(heap, position, atNs, vcpu), atNs, vcpu);
  set(runAt(heap, position), atNs, vcpu, stay);
  noteFirst(heap);
}

/** The vCPU whose access is due first, and which stay of it. There must be one. */
export function firstRunner(): i32 {
  return runAt(tablePtr(TABLE_RUNS), 0).vcpu;
}

export function firstStay(): u32 {
  return runAt(tablePtr(TABLE_RUNS), 0).stay;
}

/** When the first access of another vCPU than the first is due. */
export function secondRunNs(): u64 {
  const heap = tablePtr(TABLE_RUNS);
  const nr = timed().nrRuns;
  let atNs = nr > 1 ? runAt(heap, 1).atNs : NEVER;
  if (nr > 2) atNs = min<u64>(atNs, runAt(heap, 2).atNs);
  return atNs;
}

/** Puts the first entry where it belongs by its new time, or takes it out (NEVER). */
export function replaceFirst(atNs: u64): void {
  const t = timed();
  const heap = tablePtr(TABLE_RUNS);
  let vcpu = runAt(heap, 0).vcpu;
  let stay = runAt(heap, 0).stay;
  if (atNs == NEVER) {
    t.nrRuns -= 1;
    const last = runAt(heap, t.nrRuns);
    atNs = last.atNs;
    vcpu = last.vcpu;
    stay = last.stay;
    set(last, 0, 0, 0); // what lies behind the end is no state
  }
  if (t.nrRuns > 0) set(runAt(heap, moveDown(heap, 0, atNs, vcpu)), atNs, vcpu, stay);
  noteFirst(heap);
}
