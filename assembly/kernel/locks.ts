/**
 * Locks of an address_space, as far as their state decides what happens: an object that nobody initialised,
 * or that is not an address_space at all, stops the machine here. Nothing else runs on the straight clock, so
 * an initialised lock is always free.
 */
import {
  CFG_RODATA,
  CRASH_LOCKUP,
  CRASH_OOPS,
  FN_ASYNC_PF_MIGRATEPAGE,
  FN_MUTEX_LOCK,
  FN_MUTEX_LOCK_SLOWPATH,
  FN_RAW_SPIN_LOCK,
  INV_LOCK,
  MAPPING_TAG_MASK,
} from "../abi";
import { config } from "../arena";
import { crash } from "../state/crash";
import {
  AS_LOCKS_INITIALISED,
  AS_WRITABLE,
  OBJECT_ADDRESS_SPACE,
  mappingAt,
  objectOf,
} from "../state/mapping";

/**
 * True if taking a lock of this object faults, because the object lies in memory that is really read-only.
 */
function readOnly(flags: i32): bool {
  return (flags & AS_WRITABLE) == 0 && config(CFG_RODATA) != 0;
}

/**
 * mutex_lock(&mapping->i_mmap_mutex). An all-zero mutex counts as locked: the decrement faults if the object
 * is read-only, else the slow path links the task into a list of NULL pointers.
 */
export function lockMmapMutex(word: i32, pfn: i32, caller: i32, caller2: i32): void {
  const flags = mappingAt(objectOf(word)).flags;
  if ((flags & AS_LOCKS_INITIALISED) != 0) return;
  if (readOnly(flags)) crash(CRASH_OOPS, FN_MUTEX_LOCK, caller, pfn, INV_LOCK, caller2);
  crash(CRASH_OOPS, FN_MUTEX_LOCK_SLOWPATH, FN_MUTEX_LOCK, pfn, INV_LOCK, caller);
}

/**
 * spin_lock_irq(&mapping->tree_lock). Of a word that still has its tag the lock word lies inside another
 * object: the bytes of a pointer there look like a held ticket lock, and the CPU spins for ever with
 * interrupts off. Only the RFC's callback hands on a tagged word.
 */
export function lockTree(word: i32, pfn: i32, fn: i32, caller: i32): void {
  const isAddressSpace =
    (word & MAPPING_TAG_MASK) == 0 && mappingAt(objectOf(word)).kind == OBJECT_ADDRESS_SPACE;
  if (!isAddressSpace) crash(CRASH_LOCKUP, fn, caller, pfn, INV_LOCK, FN_ASYNC_PF_MIGRATEPAGE);
}

/** spin_lock(&mapping->private_lock). An all-zero spinlock is free, but taking it writes to the object. */
export function lockPrivate(word: i32, pfn: i32, caller: i32, caller2: i32): void {
  if (readOnly(mappingAt(objectOf(word)).flags))
    crash(CRASH_OOPS, FN_RAW_SPIN_LOCK, caller, pfn, INV_LOCK, caller2);
}
