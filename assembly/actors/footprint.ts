/**
 * What the next step of an actor reads and writes, as far as it is known to be little: sets of things, one
 * bit each. What is not named here may touch everything. Counts of references of the process and of the VM
 * are no things: they only go up and down.
 */
import {
  ACTOR_ENTRY,
  ACTOR_WORKER,
  TRANSITION_ENTRY_FREE,
  TRANSITION_ENTRY_READ,
  TRANSITION_ENTRY_RESTORE,
  TRANSITION_ENTRY_TAKE,
  TRANSITION_ENTRY_TEST,
  TRANSITION_WORKER_ALLOC,
  TRANSITION_WORKER_FINISH,
  TRANSITION_WORKER_POINT,
  TRANSITION_WORKER_READ,
  TRANSITION_WORKER_TEST,
} from "../abi";
import { actorAt } from "../state/actor";
import { apfAt } from "../state/apf";
import { vcpuAt } from "../state/vcpu";
import { nextEntryTransition } from "./entry";
import { Worker, nextWorkerTransition, workerItem } from "./worker";

const EVERYTHING: u64 = u64.MAX_VALUE;
const CONTEXTS: u64 = 1 << 15; // all contexts of the RFC, and their free list
const FIRST_PAGE: i32 = 16;

/** A vCPU with its queue and its work items. */
function vcpuBit(vcpu: i32): u64 {
  return (<u64>1) << vcpu;
}

/** The record of a page; frames beyond the first 48 share a bit. */
function pageBit(pfn: i32): u64 {
  return pfn == 0 ? 0 : (<u64>1) << (FIRST_PAGE + min<i32>(pfn, 63 - FIRST_PAGE));
}

function workerReads(worker: Worker): u64 {
  const page = pageBit(apfAt(workerItem(worker)).workerPage);
  switch (nextWorkerTransition(worker)) {
    case TRANSITION_WORKER_TEST:
    case TRANSITION_WORKER_READ:
      return page;
    case TRANSITION_WORKER_ALLOC:
    case TRANSITION_WORKER_POINT:
    case TRANSITION_WORKER_FINISH:
      return 0;
    default:
      return EVERYTHING;
  }
}

function workerWrites(worker: Worker): u64 {
  const own = vcpuBit(worker.vcpu);
  switch (nextWorkerTransition(worker)) {
    case TRANSITION_WORKER_TEST:
    case TRANSITION_WORKER_FINISH:
      return own;
    case TRANSITION_WORKER_ALLOC:
    case TRANSITION_WORKER_READ:
      return own | CONTEXTS;
    case TRANSITION_WORKER_POINT:
      return own | pageBit(apfAt(workerItem(worker)).workerPage);
    default:
      return EVERYTHING;
  }
}

function entryPageBit(vcpuId: i32): u64 {
  const item = vcpuAt(vcpuId).completing;
  return item == 0 ? 0 : pageBit(apfAt(item).page);
}

function entryReads(vcpuId: i32): u64 {
  switch (nextEntryTransition(vcpuId)) {
    case TRANSITION_ENTRY_TAKE:
    case TRANSITION_ENTRY_FREE:
      return 0;
    case TRANSITION_ENTRY_TEST:
    case TRANSITION_ENTRY_READ:
      return entryPageBit(vcpuId);
    case TRANSITION_ENTRY_RESTORE:
      return CONTEXTS;
    default:
      return EVERYTHING;
  }
}

function entryWrites(vcpuId: i32): u64 {
  const own = vcpuBit(vcpuId);
  switch (nextEntryTransition(vcpuId)) {
    case TRANSITION_ENTRY_TAKE:
    case TRANSITION_ENTRY_TEST:
    case TRANSITION_ENTRY_READ:
      return own;
    case TRANSITION_ENTRY_RESTORE:
      return own | entryPageBit(vcpuId);
    case TRANSITION_ENTRY_FREE:
      return own | CONTEXTS;
    default:
      return EVERYTHING;
  }
}

/** What the next step of an actor reads, beside what it writes. */
export function readsOf(number: i32): u64 {
  const actor = actorAt(number);
  if (actor.kind == ACTOR_WORKER) return workerReads(changetype<Worker>(actor));
  return actor.kind == ACTOR_ENTRY ? entryReads(actor.vcpu) : EVERYTHING;
}

/** What the next step of an actor writes. */
export function writesOf(number: i32): u64 {
  const actor = actorAt(number);
  if (actor.kind == ACTOR_WORKER) return workerWrites(changetype<Worker>(actor));
  return actor.kind == ACTOR_ENTRY ? entryWrites(actor.vcpu) : EVERYTHING;
}
