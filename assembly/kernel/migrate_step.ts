/**
 * One attempt to migrate one page, a step at a time: what migrate_pages() does for it in one pass, cut where
 * other CPUs can come in between. The steps are isolate, unmap, move, finish; finish may come after any of
 * them and backs out what is not done.
 */
import {
  EAGAIN,
  ENOMEM,
  HOLDER_MIGRATION_TARGET,
  MIGRATE_ASYNC,
  MIGRATION_CHECKED,
  MIGRATION_ISOLATED,
  MIGRATION_LOOKED,
  MIGRATION_MOVED,
  MIGRATION_PUT,
  MIGRATION_SLEEPS,
  MIGRATION_UNMAPPED,
  PFN_NONE,
  PGMIGRATE_FAIL,
  PGMIGRATE_SUCCESS,
  PG_LOCKED,
  PROBE_ATTEMPTS,
} from "../abi";
import { ctxAt } from "../state/apf";
import { machine } from "../state/machine";
import { Migration, beginMigration, endMigration, findFreeMigration, migrationAt } from "../state/migration";
import { Page, pageAt } from "../state/page";
import { putPage } from "../state/page_free";
import { addPin, freePins, removePin } from "../state/pins";
import { profile } from "../state/profile";
import { count } from "../state/vmstat";
import { endIsolation, isolateLruPage, putbackLruPage } from "./isolate";
import { blame, clearBlame, endPass } from "./migrate_control";
import {
  beginMove,
  callMigratepage,
  endMove,
  finishStep,
  isOfAsyncPf,
  lockForMigration,
  unmapStep,
} from "./migrate_page";
import { callbackCheck, callbackCopy, callbackLook, rfcMustLock } from "./policy/rfc";
import { TARGET_NODE, allocTarget } from "./target";

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
  const page = pageAt(migration.pfn);
  const mode = migration.mode;
  const force = migration.force != 0;
  if ((page.flags & PG_LOCKED) != 0 && force && mode != MIGRATE_ASYNC) return MIGRATION_SLEEPS;
  migration.step = MIGRATION_UNMAPPED;
  // Without a record for its holder the target cannot be had either.
  const to = freePins() > 0 ? allocTarget(TARGET_NODE, migration.node, migration.pfn, 0) : PFN_NONE;
  if (to == PFN_NONE) {
    migration.rc = -ENOMEM;
    return -ENOMEM;
  }
  migration.target = to;
  migration.targetPin = addPin(HOLDER_MIGRATION_TARGET, to, 0, 0, 0);
  // Dropped by its owners: it is not even locked, and counts as moved.
  migration.rc = 0;
  if (page.refcount == 1) return 0;
  migration.rc = lockForMigration(page, force, mode);
  if (migration.rc != 0) return migration.rc;
  migration.locked = 1;
  migration.rc = unmapStep(migration.pfn, page, force, mode);
  const m = machine();
  migration.anonVma = m.anonVma;
  migration.unmapped = m.unmapped;
  return migration.rc;
}

/** move_to_new_page() up to the first point at which the RFC's callback can meet the end of its work item. */
function beginSteppedMove(migration: Migration, newPage: Page, page: Page): void {
  const word = beginMove(newPage, page);
  if (isOfAsyncPf(word) && !rfcMustLock()) {
    migration.ctx = callbackLook(page);
    migration.apf = ctxAt(migration.ctx).context;
    migration.step = MIGRATION_LOOKED;
    return;
  }
  endSteppedMove(migration, newPage, page, callMigratepage(word, newPage, page, migration.mode));
}

function endSteppedMove(migration: Migration, newPage: Page, page: Page, rc: i32): void {
  migration.step = MIGRATION_MOVED;
  migration.rc = rc;
  migration.ctx = 0;
  migration.apf = 0;
  endMove(newPage, page, migration.unmapped != 0, rc);
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
  const page = pageAt(migration.pfn);
  const newPage = pageAt(migration.target);
  if (migration.step == MIGRATION_UNMAPPED) {
    beginSteppedMove(migration, newPage, page);
  } else if (migration.step == MIGRATION_LOOKED) {
    putPage(page);
    migration.step = MIGRATION_PUT;
  } else if (migration.step == MIGRATION_PUT) {
    const rc = callbackCheck(migration.ctx, newPage, page);
    if (rc == 0) migration.step = MIGRATION_CHECKED;
    else endSteppedMove(migration, newPage, page, rc);
  } else {
    callbackCopy(migration.ctx, migration.apf, newPage, page);
    endSteppedMove(migration, newPage, page, 0);
  }
  return migration.rc;
}

/** What is left of move_to_new_page(). Returns 0 or the errno of the attempt. */
export function migrationMove(id: i32): i32 {
  const migration = migrationAt(id);
  while (migration.step != MIGRATION_MOVED) migrationStepMove(id);
  return migration.rc;
}

/**
 * Restores the PTEs of a page that has not moved, unlocks it, and puts page and target back. Counts as a call
 * of migrate_pages() with one pass does. Returns the result of the attempt.
 */
export function migrationFinish(id: i32): i32 {
  const migration = migrationAt(id);
  const pfn = migration.pfn;
  const to = migration.target;
  const page = pageAt(pfn);
  if (migration.step != MIGRATION_MOVED && migration.rc == 0) migration.rc = -EAGAIN;
  const rc = migration.rc;
  if (migration.locked != 0) finishStep(pfn, page, migration.anonVma, rc == 0, migration.unmapped != 0);
  if (rc == 0) count(PGMIGRATE_SUCCESS, 1);
  else if (profile().failCountsAgain || (rc != -EAGAIN && rc != -ENOMEM)) count(PGMIGRATE_FAIL, 1);
  if (rc != -ENOMEM) count(PROBE_ATTEMPTS, 1);
  if (rc != 0) blame(pfn);
  if (migration.targetPin != 0) removePin(migration.targetPin);
  endMigration(migration);
  endIsolation(page);
  putbackLruPage(pfn, page);
  if (to != PFN_NONE) putbackLruPage(to, pageAt(to));
  endPass(rc == 0 ? 1 : 0, rc == 0 ? 0 : 1);
  return rc;
}
