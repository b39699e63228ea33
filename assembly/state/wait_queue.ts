/**
 * Who sleeps on which page: wait_on_page_bit() and wake_up_page(). On the timed clock alone; on the other
 * two a sleeper is asked again, or there is none.
 */
import { CFG_APFS, CFG_JOBS, CFG_VCPUS, TABLE_WAITERS } from "../abi";
import { MAX_RECLAIMS, WAITER_RECORD_SIZE, WAIT_BUCKETS, config, tablePtr } from "../arena";
import { machine } from "./machine";
import { poolFree, poolInit, poolNext } from "./pool";

@unmanaged
class Waiter {
  sleeper: i32; // EVENT_* with its number, 0 = free
  next: i32;
  pfn: i32;
}

if (offsetof<Waiter>() > <usize>WAITER_RECORD_SIZE) ERROR("size of a waiter record");

const BUCKET_MASK: i32 = <i32>WAIT_BUCKETS - 1;

function records(): usize {
  return tablePtr(TABLE_WAITERS) + <usize>WAIT_BUCKETS * 4;
}

function waiterAt(id: i32): Waiter {
  return changetype<Waiter>(records() + <usize>id * <usize>WAITER_RECORD_SIZE);
}

function bucketOf(pfn: i32): usize {
  return tablePtr(TABLE_WAITERS) + ((<usize>(pfn & BUCKET_MASK)) << 2);
}

export function initWaitQueues(): void {
  const nr = config(CFG_VCPUS) + config(CFG_APFS) + config(CFG_JOBS) + <i32>MAX_RECLAIMS + 2;
  machine().freeWaiter = poolInit(records(), <usize>WAITER_RECORD_SIZE, nr);
}

/** Somebody sleeps until wakeUpPage(); of those that sleep on a page the first is woken first. */
export function parkOn(pfn: i32, sleeper: i32): void {
  const m = machine();
  const id = m.freeWaiter;
  assert(id != 0, "parkOn: no record left");
  m.freeWaiter = poolNext(records(), <usize>WAITER_RECORD_SIZE, id);
  const waiter = waiterAt(id);
  waiter.sleeper = sleeper;
  waiter.pfn = pfn;
  waiter.next = 0;
  m.nrParked += 1;
  const bucket = bucketOf(pfn);
  let last = load<i32>(bucket);
  if (last == 0) {
    store<i32>(bucket, id);
    return;
  }
  while (waiterAt(last).next != 0) last = waiterAt(last).next;
  waiterAt(last).next = id;
}

/** wake_up_page(): all who sleep on a page are to be woken. */
export function wakeUpPage(pfn: i32): void {
  const m = machine();
  if (m.nrParked == 0) return;
  const bucket = bucketOf(pfn);
  let before = 0;
  let id = load<i32>(bucket);
  while (id != 0) {
    const waiter = waiterAt(id);
    const next = waiter.next;
    if (waiter.pfn != pfn) {
      before = id;
    } else {
      if (before == 0) store<i32>(bucket, next);
      else waiterAt(before).next = next;
      waiter.next = 0;
      if (m.firstWoken == 0) m.firstWoken = id;
      else waiterAt(m.lastWoken).next = id;
      m.lastWoken = id;
    }
    id = next;
  }
}

/** The next one who is to be woken, 0 if there is none. */
export function takeWoken(): i32 {
  const m = machine();
  const id = m.firstWoken;
  if (id == 0) return 0;
  const sleeper = waiterAt(id).sleeper;
  m.firstWoken = waiterAt(id).next;
  m.freeWaiter = poolFree(records(), <usize>WAITER_RECORD_SIZE, id, m.freeWaiter);
  m.nrParked -= 1;
  return sleeper;
}
