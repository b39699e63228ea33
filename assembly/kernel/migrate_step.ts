/**
 * One attempt to migrate one page, a step at a time: what migrate_pages() does for it in one pass, cut where
 * other CPUs can come in between. The steps are isolate, unmap, move, finish; finish may come after any of
 * them and backs out what is not done.
 */
import {
  EAGAIN,
  ENOMEM,
  HELD_OTHERWISE,
  MIGRATION_CHECKED,
  MIGRATION_ISOLATED,
  MIGRATION_MOVED,
  MIGRATION_SLEEPS,
  MIGRATION_UNMAPPED,
  PFN_NONE,
  PGMIGRATE_FAIL,
  PGMIGRATE_SUCCESS,
  PROBE_ATTEMPTS,
  STEP_BLOCKED,
  TRANSITION_MIGRATE_PUTBACK,
} from "../abi";
import { Migration, beginMigration, endMigration, findFreeMigration, migrationAt } from "../state/migration";
import { pageAt } from "../state/page";
import { removePin } from "../state/pins";
import { profile } from "../state/profile";
import { count } from "../state/vmstat";
import { endIsolation, isolateLruPage, putbackLruPage } from "./isolate";
import { blame, clearBlame, endPass } from "./migrate_control";
import { sleepsForLock } from "./migrate_page";
import { migrationTransition, nextTransition } from "./migrate_transition";

/** isolate_lru_page(). Returns the migration, or -EBUSY, or 0 when no record is left for it. */
export function migrationIsolate(pfn: i32, node: i32, mode: i32, force: bool): i32 {
  const id = findFreeMigration();
  if (id == 0) return 0;
  const err = isolateLruPage(pfn, pageAt(pfn));
  if (err != 0) return err;
  clearBlame();
  const migration = beginMigration(id, MIGRATION_ISOLATED);
  migration.pfn = pfn;
  migration.node = node;
  migration.mode = mode;
  migration.force = force ? 1 : 0;
  migration.rc = -EAGAIN;
  return id;
}

/**
 * Allocates the target, locks the page and replaces its PTEs. Returns 0 if the move may be tried, the errno
 * of the attempt, or MIGRATION_SLEEPS with nothing changed.
 */
export function migrationUnmap(id: i32): i32 {
  const migration = migrationAt(id);
  if (sleepsForLock(pageAt(migration.pfn), migration.force != 0, migration.mode)) return MIGRATION_SLEEPS;
  while (migration.step != MIGRATION_UNMAPPED) {
    if (migrationTransition(migration) == STEP_BLOCKED) return MIGRATION_SLEEPS;
  }
  return migration.rc;
}

/**
 * The next step of move_to_new_page(), which is one but in the RFC's callback: look, put, check, copy.
 * Returns the result so far; the move has ended when the migration's step is MIGRATION_MOVED.
 */
export function migrationStepMove(id: i32): i32 {
  const migration = migrationAt(id);
  if (migration.rc != 0 || migration.locked == 0) {
    migration.step = MIGRATION_MOVED;
    return migration.rc;
  }
  do migrationTransition(migration);
  while (migration.step > MIGRATION_CHECKED);
  return migration.rc;
}

/** What is left of move_to_new_page(). Returns 0 or the errno of the attempt. */
export function migrationMove(id: i32): i32 {
  const migration = migrationAt(id);
  while (migration.step != MIGRATION_MOVED) migrationStepMove(id);
  return migration.rc;
}

/** The target of an attempt is put back, which frees it if the page has not moved. */
export function putTarget(migration: Migration): void {
  count(PROBE_ATTEMPTS, 1);
  if (migration.target == PFN_NONE) return;
  removePin(migration.targetPin);
  putbackLruPage(migration.target, pageAt(migration.target));
}

/** The next attempt of the same call of migrate_pages() begins: the page has stayed isolated. */
export function migrationRetry(migration: Migration): void {
  putTarget(migration);
  migration.target = PFN_NONE;
  migration.targetPin = 0;
  migration.held = HELD_OTHERWISE;
  migration.step = MIGRATION_ISOLATED;
}

/**
 * Puts page and target back. Counts as a call of migrate_pages() with one pass does. Returns the result of
 * the attempt.
 */
export function migrationPutback(migration: Migration): i32 {
  const pfn = migration.pfn;
  const page = pageAt(pfn);
  const rc = migration.rc;
  if (rc == 0) count(PGMIGRATE_SUCCESS, 1);
  else if (profile().failCountsAgain || (rc != -EAGAIN && rc != -ENOMEM)) count(PGMIGRATE_FAIL, 1);
  if (rc != 0) blame(pfn);
  endIsolation(page);
  putbackLruPage(pfn, page);
  if (rc != -ENOMEM) putTarget(migration);
  endMigration(migration);
  return rc;
}

/**
 * Restores the PTEs of a page that has not moved, unlocks it, and puts page and target back. Returns the
 * result of the attempt.
 */
export function migrationFinish(id: i32): i32 {
  const migration = migrationAt(id);
  if (migration.step != MIGRATION_MOVED && migration.rc == 0) migration.rc = -EAGAIN;
  migration.step = MIGRATION_MOVED;
  while (nextTransition(migration) != TRANSITION_MIGRATE_PUTBACK) migrationTransition(migration);
  const rc = migrationPutback(migration);
  endPass(rc == 0 ? 1 : 0, rc == 0 ? 0 : 1);
  return rc;
}
