/** A write fault of a thread, also within get_user_pages(), cut where another CPU can come between. */
import {
  ACTOR_SIZE,
  FAULT_NONE,
  FAULT_WAIT,
  HOLDER_FAULT,
  PFN_NONE,
  PG_LOCKED,
  PG_SWAPCACHE,
  PTE_PRESENT,
  PTE_WRITE,
  STEP_BLOCKED,
  STEP_TAKEN,
  TRANSITION_PIN_COPY,
  TRANSITION_PIN_FAULT,
  TRANSITION_PIN_INSTALL,
  TRANSITION_PIN_SLEEP,
  TRANSITION_PIN_TEST,
  TRANSITION_WRITE_COPY,
  TRANSITION_WRITE_FAULT,
  TRANSITION_WRITE_INSTALL,
  TRANSITION_WRITE_SLEEP,
  TRANSITION_WRITE_TEST,
  VMA_ANON,
  ZERO_PFN,
} from "../abi";
import { copyForWrite, installCopy, reuseForWrite, writableInPlace } from "../kernel/cow";
import { checkWrite, faultBeforeWp, faultIn } from "../kernel/fault";
import { awaitedPfn } from "../kernel/gup";
import { Actor, endOperation } from "../state/actor";
import { machine } from "../state/machine";
import { unchargePage } from "../state/memcg";
import { mmAt } from "../state/mm";
import { getPage, pageAt } from "../state/page";
import { pteAt, pteIsSwapEntry, ptePfn } from "../state/pgtable";
import { addPin, freePins, nextPinOf, pinAt } from "../state/pins";
import { releasePin } from "../state/release";
import { swapSlotAt } from "../state/swap";
import { findVma, pteNumber, vmaAt } from "../state/vma";

@unmanaged
export class Faulter extends Actor {
  sleepsOn: i32; // page whose lock the fault waits for, 0 = none
  pte: i32; // PTE of the page that is being copied, as it was when that began
  copy: i32; // the copy that is to be installed, 0 = none
}

if (offsetof<Faulter>() > <usize>ACTOR_SIZE) ERROR("size of a faulter's record");

// `pc` within a fault. From the first one on mmap_sem is held for reading.
const FAULTS: i32 = 1;
const COPIES: i32 = 2;
const INSTALLS: i32 = 3;

// Results of faultStep() beside STEP_*; other numbers than FAULT_*.
export const FAULT_ALLOWED: i32 = 4; // the PTE allows the write now
export const FAULT_FAILED: i32 = 5; // -EFAULT or -ENOMEM

// From TRANSITION_WRITE_FAULT or TRANSITION_PIN_FAULT to the others of the same fault.
const TEST: i32 = TRANSITION_WRITE_TEST - TRANSITION_WRITE_FAULT;
const COPY: i32 = TRANSITION_WRITE_COPY - TRANSITION_WRITE_FAULT;
const INSTALL: i32 = TRANSITION_WRITE_INSTALL - TRANSITION_WRITE_FAULT;
const SLEEP: i32 = TRANSITION_WRITE_SLEEP - TRANSITION_WRITE_FAULT;

if (TRANSITION_PIN_TEST - TRANSITION_PIN_FAULT != TEST) ERROR("order of TRANSITION_PIN_*");
if (TRANSITION_PIN_COPY - TRANSITION_PIN_FAULT != COPY) ERROR("order of TRANSITION_PIN_*");
if (TRANSITION_PIN_INSTALL - TRANSITION_PIN_FAULT != INSTALL) ERROR("order of TRANSITION_PIN_*");
if (TRANSITION_PIN_SLEEP - TRANSITION_PIN_FAULT != SLEEP) ERROR("order of TRANSITION_PIN_*");

/** True while the actor is inside an operation. */
export function isBusy(actor: Faulter): bool {
  return (actor.pc | actor.sleepsOn) != 0;
}

/** The end of an operation that was a write fault; up_read(). */
export function endFault(actor: Faulter, mm: i32): void {
  if (actor.pc != 0) mmAt(mm).mmapSem -= 1;
  actor.sleepsOn = PFN_NONE;
  endOperation(actor);
}

function isLocked(pfn: i32): bool {
  return pfn != PFN_NONE && (pageAt(pfn).flags & PG_LOCKED) != 0;
}

/** The RFC has put a pointer over the swap entry: the fault is given up, and taken again, for ever. */
function neverEnds(pte: i32): bool {
  if (!pteIsSwapEntry(pte)) return false;
  const pfn = swapSlotAt(ptePfn(pte)).pfn;
  if (pfn == PFN_NONE || isLocked(pfn)) return false;
  const page = pageAt(pfn);
  return (page.flags & PG_SWAPCACHE) != 0 && page.privateWord != ptePfn(pte);
}

/** Notes that the fault holds a reference, which it has taken or got from the allocator. */
function hold(mm: i32, pfn: i32): void {
  addPin(HOLDER_FAULT, pfn, 0, mm, 0);
}

/** Drops a reference of the fault. Those of other faults of the same address space are like it. */
function drop(mm: i32, pfn: i32): void {
  let id = nextPinOf(pfn, 0);
  while (pinAt(id).kind != HOLDER_FAULT || pinAt(id).owner != mm) id = nextPinOf(pfn, id);
  releasePin(id);
}

/** Goes to sleep. A fault of the task itself drops mmap_sem for a page of the swap cache, GUP does not. */
function sleep(actor: Faulter, mm: i32, vpn: i32, first: i32): i32 {
  actor.transition = first + SLEEP;
  actor.sleepsOn = awaitedPfn(mm, vpn);
  const pte = pteAt(pteNumber(vmaAt(findVma(mm, vpn)), vpn));
  if (first == TRANSITION_WRITE_FAULT && pteIsSwapEntry(pte)) {
    mmAt(mm).mmapSem -= 1;
    actor.pc = 0;
  }
  return STEP_TAKEN;
}

/** PageAnon(), trylock_page() and reuse_swap_page(); the copy that may follow needs the old page. */
function testStep(actor: Faulter, mm: i32, number: i32): i32 {
  const pte = pteAt(number);
  const pfn = ptePfn(pte);
  const page = pageAt(pfn);
  const inPlace = writableInPlace(mm, pfn, page);
  if (inPlace == FAULT_WAIT) return FAULT_WAIT;
  if (inPlace != 0) {
    reuseForWrite(number);
    return FAULT_ALLOWED;
  }
  if (freePins() == 0) return FAULT_FAILED; // without a record for its holder the reference cannot be had
  getPage(page);
  hold(mm, pfn);
  actor.pte = pte;
  actor.pc = COPIES;
  return STEP_TAKEN;
}

/** The old page is not needed any more; the fault is over, or starts anew. */
function dropOld(actor: Faulter, mm: i32): void {
  drop(mm, ptePfn(actor.pte));
  actor.pte = 0;
  actor.copy = PFN_NONE;
  actor.pc = FAULTS;
}

function copyStep(actor: Faulter, mm: i32, vpn: i32): i32 {
  const copy = freePins() == 0 ? PFN_NONE : copyForWrite(findVma(mm, vpn), ptePfn(actor.pte));
  if (copy == PFN_NONE) {
    dropOld(actor, mm);
    return FAULT_FAILED;
  }
  hold(mm, copy);
  actor.copy = copy;
  actor.pc = INSTALLS;
  return STEP_TAKEN;
}

/** The copy takes the place of the page, unless pte_same() finds that the PTE has changed. */
function installStep(actor: Faulter, mm: i32, vpn: i32): i32 {
  const vmaId = findVma(mm, vpn);
  const isSame = pteAt(pteNumber(vmaAt(vmaId), vpn)) == actor.pte;
  const copy = pageAt(actor.copy);
  if (isSame) {
    getPage(copy); // the reference of the PTE, in the place of the allocator's
    installCopy(vmaId, vpn, ptePfn(actor.pte), actor.copy);
  } else {
    unchargePage(copy);
  }
  drop(mm, actor.copy);
  dropOld(actor, mm);
  return isSame ? FAULT_ALLOWED : STEP_TAKEN;
}

/** do_wp_page() up to the copy, or what maps a page. Returns what faultStep() does, or FAULT_WAIT. */
function handleFault(actor: Faulter, mm: i32, vpn: i32, first: i32): i32 {
  const vmaId = findVma(mm, vpn);
  const number = pteNumber(vmaAt(vmaId), vpn);
  const pte = pteAt(number);
  const isMapped = (pte & PTE_PRESENT) != 0 && ptePfn(pte) != ZERO_PFN;
  if (isMapped && vmaAt(vmaId).kind == VMA_ANON) {
    actor.transition = first + TEST;
    return testStep(actor, mm, number);
  }
  const rc = isMapped ? faultIn(mm, vpn, true) : faultBeforeWp(vmaId, vpn);
  if (rc < 0) return FAULT_FAILED;
  if (rc == FAULT_WAIT) return FAULT_WAIT;
  return (pteAt(number) & PTE_WRITE) != 0 ? FAULT_ALLOWED : STEP_TAKEN;
}

/** The fault from its beginning, with mmap_sem. */
function beginStep(actor: Faulter, mm: i32, vpn: i32, first: i32): i32 {
  if (neverEnds(pteAt(pteNumber(vmaAt(findVma(mm, vpn)), vpn)))) return STEP_BLOCKED;
  machine().cpu = mmAt(mm).cpu;
  if (actor.pc == 0) mmAt(mm).mmapSem += 1;
  actor.pc = FAULTS;
  actor.sleepsOn = PFN_NONE;
  const rc = handleFault(actor, mm, vpn, first);
  return rc == FAULT_WAIT ? sleep(actor, mm, vpn, first) : rc;
}

/**
 * The next transition of a write of `mm` to virtual page `vpn`; `first` is TRANSITION_WRITE_FAULT or, within
 * get_user_pages(), TRANSITION_PIN_FAULT. Returns STEP_TAKEN when more is to come, STEP_BLOCKED,
 * FAULT_ALLOWED or FAULT_FAILED; after these two endFault() is due.
 */
export function faultStep(actor: Faulter, mm: i32, vpn: i32, first: i32): i32 {
  if (actor.pc == COPIES) {
    actor.transition = first + COPY;
    machine().cpu = mmAt(mm).cpu;
    return copyStep(actor, mm, vpn);
  }
  if (actor.pc == INSTALLS) {
    actor.transition = first + INSTALL;
    machine().cpu = mmAt(mm).cpu;
    return installStep(actor, mm, vpn);
  }
  actor.transition = first;
  if (isLocked(actor.sleepsOn)) return STEP_BLOCKED;
  const needed = checkWrite(mm, vpn);
  const takesSem = actor.pc == 0 && (needed != FAULT_NONE || first == TRANSITION_PIN_FAULT);
  if (takesSem && mmAt(mm).mmapSem < 0) return STEP_BLOCKED;
  if (needed < 0) return FAULT_FAILED;
  return needed == FAULT_NONE ? FAULT_ALLOWED : beginStep(actor, mm, vpn, first);
}
