/**
 * A task in move_pages(2), or in an offliner: migrate_pages() for the page of one virtual page at a time,
 * which stays isolated from its first attempt to the last.
 */
import {
  ACTOR_SIZE,
  CFG_CPUS,
  EAGAIN,
  ENOENT,
  HELD_BY_DONE_ASYNC_PF,
  HELD_OTHERWISE,
  MIGRATOR_ATTEMPTS,
  MIGRATOR_FORCE,
  MIGRATOR_MODE_SHIFT,
  PFN_NONE,
  STEP_BLOCKED,
  STEP_TAKEN,
  TRANSITION_MIGRATE_ISOLATE,
  TRANSITION_MIGRATE_PUTBACK,
} from "../abi";
import { config } from "../arena";
import { entryPfn, followPage } from "../kernel/gup";
import { migrationIsolate, migrationPutback, migrationRetry } from "../kernel/migrate_step";
import { migrationTransition, nextTransition } from "../kernel/migrate_transition";
import { Actor, endOperation, nextPage } from "../state/actor";
import { lruAddDrainAll } from "../state/lru_batch";
import { machine } from "../state/machine";
import { migrationAt } from "../state/migration";
import { mmAt } from "../state/mm";
import { pteAt, pteIsSwapEntry } from "../state/pgtable";
import { findVma, pteNumber, vmaAt } from "../state/vma";
import { nodeOf } from "../state/zone";

@unmanaged
export class Migrator extends Actor {
  tried: i32; // attempts of the present call
  migration: i32; // its record, 0 = none is under way
  rc: i32; // result of the last call for its page, 0 or a negative errno
  held: i32; // HELD_*: what has kept that page from moving
}

if (offsetof<Migrator>() > <usize>ACTOR_SIZE) ERROR("size of a migrator's record");

const MODE_MASK: i32 = 3;

/** How many attempts a call makes as long as they end with -EAGAIN. */
function maxAttempts(migrator: Migrator): i32 {
  return max<i32>(migrator.options & MIGRATOR_ATTEMPTS, 1);
}

/**
 * The page that is mapped at `vpn`, as move_pages(2) finds it, or the one that the swap cache has for the
 * entry there, as an offliner finds it by its pfn. -ENOENT if there is none.
 */
function findPage(mm: i32, vpn: i32): i32 {
  const vmaId = mmAt(mm).live != 0 ? findVma(mm, vpn) : 0;
  if (vmaId == 0) return -ENOENT;
  const isSwapped = pteIsSwapEntry(pteAt(pteNumber(vmaAt(vmaId), vpn)));
  const pfn = isSwapped ? entryPfn(mm, vpn) : followPage(mm, vpn);
  return pfn > 0 ? pfn : -ENOENT;
}

/** Begins a call: the LRU batches are drained, the page is looked up and isolated. */
function begin(migrator: Migrator): i32 {
  migrator.transition = TRANSITION_MIGRATE_ISOLATE;
  if (migrator.ended != 0 || mmAt(migrator.mm).mmapSem < 0) return STEP_BLOCKED;
  migrator.tried = 0;
  migrator.held = HELD_OTHERWISE;
  migrator.heldByAsyncPf = PFN_NONE;
  lruAddDrainAll(config(CFG_CPUS));
  const pfn = findPage(migrator.mm, nextPage(migrator));
  const mode = (migrator.options >> MIGRATOR_MODE_SHIFT) & MODE_MASK;
  const force = (migrator.options & MIGRATOR_FORCE) != 0;
  const id = pfn < 0 ? pfn : migrationIsolate(pfn, nodeOf(pfn), mode, force);
  assert(id != 0, "begin: no record is left for the migration");
  if (id > 0) {
    migrator.migration = id;
  } else {
    migrator.rc = id;
    endOperation(migrator);
  }
  return STEP_TAKEN;
}

/** The end of an attempt, and of the call unless the page is to be tried again. */
function putback(migrator: Migrator): void {
  const migration = migrationAt(migrator.migration);
  machine().cpu = mmAt(migrator.mm).cpu;
  migrator.tried += 1;
  if (migration.rc == -EAGAIN && migrator.tried < maxAttempts(migrator)) {
    migrationRetry(migration);
    return;
  }
  // A worker or a completion that is under way may be in the way of any policy, but not for long.
  migrator.heldByAsyncPf = migration.held == HELD_BY_DONE_ASYNC_PF ? migration.pfn : PFN_NONE;
  migrator.held = migration.held;
  migrator.rc = migrationPutback(migration);
  migrator.migration = 0;
  endOperation(migrator);
}

/** The next step of a call of migrate_pages() for one page. */
export function migratorStep(migrator: Migrator): i32 {
  if (migrator.migration == 0) return begin(migrator);
  const migration = migrationAt(migrator.migration);
  migrator.transition = nextTransition(migration);
  if (migrator.transition != TRANSITION_MIGRATE_PUTBACK) return migrationTransition(migration);
  putback(migrator);
  return STEP_TAKEN;
}
