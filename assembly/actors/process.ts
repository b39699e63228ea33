/** The process that has a guest: it unmaps and discards pages, forks and writes. */
import {
  CFG_VMAS,
  OP_DISCARD,
  OP_EXIT,
  OP_EXIT_CHILD,
  OP_FORK,
  OP_UNMAP,
  OP_WRITE,
  OP_WRITE_CHILD,
  PFN_NONE,
  STEP_BLOCKED,
  STEP_TAKEN,
  TRANSITION_COPY_PTE,
  TRANSITION_REMOVE_VMA,
  TRANSITION_WRITE_FAULT,
  TRANSITION_WRITE_STORE,
  TRANSITION_ZAP_PTE,
  TRANSITION_ZAP_RMAP,
} from "../abi";
import { config } from "../arena";
import { access } from "../kernel/fault";
import { dupPte, dupVmas, nextToDup, vmasToCopy } from "../kernel/fork";
import { exitMmap, removeZappedVmas } from "../kernel/mmap";
import { beginZap, endZap } from "../kernel/zap";
import { OPERATION_BITS, endOperation, nextOperation, nextPage, numberOf } from "../state/actor";
import { machine } from "../state/machine";
import { createMm, destroyMm, mmAt } from "../state/mm";
import { findVma, splitAt, vmaAt } from "../state/vma";
import { exitStep } from "./exit";
import { FAULT_ALLOWED, FAULT_FAILED, endFault, faultStep, isBusy } from "./faulter";
import { ProcessActor } from "./process_actor";

// `pc` of what is no write fault; 0 = not begun.
const BEGUN: i32 = 1;
const ZAPPED: i32 = 2; // of munmap(): the PTE is gone

/** Content that a process writes: its own, whatever the others do meanwhile. Above that of the guests. */
const FIRST_STAMP: i32 = 1 << 17;
const STAMPS_PER_ACTOR: i32 = 4;

/** What the next write leaves: by the number of the actor, and by how many operations are left. */
function stampOf(process: ProcessActor): i32 {
  let left = 0;
  for (let script = <u32>process.script; script != 0; script >>= OPERATION_BITS) left += 1;
  return FIRST_STAMP + numberOf(process) * STAMPS_PER_ACTOR + left - 1;
}

/** A write of the process or of its child; the store itself comes with what allows it. */
function writeStep(process: ProcessActor, mm: i32): i32 {
  const vpn = nextPage(process);
  const rc = faultStep(process, mm, vpn, TRANSITION_WRITE_FAULT);
  if (rc != FAULT_ALLOWED && rc != FAULT_FAILED) return rc;
  if (rc == FAULT_ALLOWED) {
    if (process.pc == 0) process.transition = TRANSITION_WRITE_STORE;
    access(mm, vpn, true, stampOf(process));
  }
  endFault(process, mm);
  return STEP_TAKEN;
}

/** VMA records that munmap() of one page of a VMA needs. */
function vmasToSplit(vmaId: i32, vpn: i32): i32 {
  const vma = vmaAt(vmaId);
  return (vma.start < vpn ? 1 : 0) + (vma.end > vpn + 1 ? 1 : 0);
}

function hasVmas(nr: i32): bool {
  return config(CFG_VMAS) - machine().nrVmas >= nr;
}

/** down_write() and all before page_remove_rmap(). */
function beginUnmap(process: ProcessActor, vpn: i32): i32 {
  process.transition = TRANSITION_ZAP_PTE;
  const mm = mmAt(process.mm);
  if (mm.mmapSem != 0) return STEP_BLOCKED;
  const vmaId = findVma(process.mm, vpn);
  if (vmaId == 0 || !hasVmas(vmasToSplit(vmaId, vpn))) {
    endOperation(process); // nothing is mapped there, or -ENOMEM
    return STEP_TAKEN;
  }
  splitAt(process.mm, vpn, vpn + 1);
  mm.mmapSem = -1;
  beginZap(process.mm, vpn);
  process.pc = mm.zapped != PFN_NONE ? BEGUN : ZAPPED;
  return STEP_TAKEN;
}

/** munmap() of one page. */
function unmapStep(process: ProcessActor): i32 {
  const vpn = nextPage(process);
  if (process.pc == 0) return beginUnmap(process, vpn);
  if (process.pc == BEGUN) {
    process.transition = TRANSITION_ZAP_RMAP;
    endZap(process.mm);
    process.pc = ZAPPED;
  } else {
    process.transition = TRANSITION_REMOVE_VMA;
    removeZappedVmas(process.mm, vpn, vpn + 1);
    mmAt(process.mm).mmapSem = 0;
    endOperation(process);
  }
  return STEP_TAKEN;
}

/** MADV_DONTNEED of one page. */
function discardStep(process: ProcessActor): i32 {
  const vpn = nextPage(process);
  const mm = mmAt(process.mm);
  if (process.pc != 0) {
    process.transition = TRANSITION_ZAP_RMAP;
    endZap(process.mm);
    mm.mmapSem -= 1;
    endOperation(process);
    return STEP_TAKEN;
  }
  process.transition = TRANSITION_ZAP_PTE;
  if (mm.mmapSem < 0 || mm.zapped != PFN_NONE) return STEP_BLOCKED;
  if (findVma(process.mm, vpn) != 0) beginZap(process.mm, vpn);
  if (mm.zapped == PFN_NONE) {
    endOperation(process);
  } else {
    mm.mmapSem += 1;
    process.pc = BEGUN;
  }
  return STEP_TAKEN;
}

/** A child without PTEs. Returns false if there is no room for one. */
function createChild(process: ProcessActor): bool {
  if (!hasVmas(vmasToCopy(process.mm))) return false;
  const parent = mmAt(process.mm);
  const child = createMm(parent.nrPages, parent.cpu);
  if (child == 0) return false;
  process.child = child;
  dupVmas(process.mm, child);
  return true;
}

/** dup_mmap() has failed: mmput() of the child. */
function dropChild(process: ProcessActor): void {
  exitMmap(process.child);
  destroyMm(process.child);
  process.child = 0;
}

/** fork(): a PTE at a time, under mmap_sem. */
function forkStep(process: ProcessActor): i32 {
  process.transition = TRANSITION_COPY_PTE;
  const parent = mmAt(process.mm);
  if (process.pc == 0) {
    if (parent.mmapSem != 0) return STEP_BLOCKED;
    if (!createChild(process)) {
      endOperation(process);
      return STEP_TAKEN;
    }
    parent.mmapSem = -1;
    process.pc = BEGUN;
  }
  const vpn = nextToDup(process.mm, process.cursor);
  const err = vpn < 0 ? 0 : dupPte(process.mm, process.child, vpn);
  if (err != 0) dropChild(process);
  process.cursor = vpn + 1;
  if (vpn < 0 || err != 0 || nextToDup(process.mm, process.cursor) < 0) {
    parent.mmapSem = 0;
    process.cursor = 0;
    endOperation(process);
  }
  return STEP_TAKEN;
}

/** Its child, or by `options` the one that it had at the start. */
function childOf(process: ProcessActor): i32 {
  return process.child != 0 ? process.child : process.options;
}

function stepWith(process: ProcessActor, operation: i32, mm: i32): i32 {
  if (operation == OP_UNMAP) return unmapStep(process);
  if (operation == OP_DISCARD) return discardStep(process);
  if (operation == OP_FORK) return forkStep(process);
  if (operation == OP_WRITE || operation == OP_WRITE_CHILD) return writeStep(process, mm);
  assert(operation == OP_EXIT || operation == OP_EXIT_CHILD, "processStep: no such operation");
  return exitStep(process, mm);
}

/** The next transition of a process. What an address space that is gone cannot do any more is left out. */
export function processStep(process: ProcessActor): i32 {
  if (process.ended != 0) return STEP_BLOCKED;
  const operation = nextOperation(process);
  const isOfChild = operation == OP_WRITE_CHILD || operation == OP_EXIT_CHILD;
  const mm = isOfChild ? childOf(process) : process.mm;
  if (!isBusy(process) && (mm == 0 || mmAt(mm).exiting != 0)) {
    endOperation(process);
    return STEP_TAKEN;
  }
  return stepWith(process, operation, mm);
}
