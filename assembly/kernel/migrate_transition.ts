/**
 * One attempt to migrate one page, a transition at a time: what __unmap_and_move() and move_to_new_page() do
 * between two points at which another CPU could come.
 */
import {
  EAGAIN,
  ENOMEM,
  HOLDER_MIGRATION_TARGET,
  MIGRATION_CHECKED,
  MIGRATION_COPIED,
  MIGRATION_DISPATCHED,
  MIGRATION_HOLDS,
  MIGRATION_ISOLATED,
  MIGRATION_LOCKED,
  MIGRATION_LOOKED,
  MIGRATION_MOVED,
  MIGRATION_PREPARED,
  MIGRATION_PUT,
  MIGRATION_REPLACED,
  MIGRATION_TARGETED,
  MIGRATION_UNMAPPED,
  MIGRATION_WRITTEN,
  PFN_NONE,
  STEP_BLOCKED,
  STEP_TAKEN,
  TRANSITION_MIGRATE_ALLOCATE,
  TRANSITION_MIGRATE_ANON_VMA,
  TRANSITION_MIGRATE_CALL,
  TRANSITION_MIGRATE_CHECK,
  TRANSITION_MIGRATE_COPY,
  TRANSITION_MIGRATE_DISPATCH,
  TRANSITION_MIGRATE_LOCK,
  TRANSITION_MIGRATE_LOOK,
  TRANSITION_MIGRATE_PREPARE,
  TRANSITION_MIGRATE_PUT,
  TRANSITION_MIGRATE_PUTBACK,
  TRANSITION_MIGRATE_REMAP,
  TRANSITION_MIGRATE_UNLOCK,
  TRANSITION_MIGRATE_UNMAP,
  TRANSITION_MIGRATE_WRITEBACK,
} from "../abi";
import { ctxAt } from "../state/apf";
import { machine } from "../state/machine";
import { Migration } from "../state/migration";
import { Page, pageAt } from "../state/page";
import { putPage } from "../state/page_free";
import { addPin, freePins } from "../state/pins";
import { heldByAsyncPf } from "./held";
import { isMovedByMigratePage } from "./migrate_file";
import {
  beginMove,
  callMigratepage,
  dispatchMove,
  endMove,
  holdAnonVma,
  isOfAsyncPf,
  lockForMigration,
  sleepsForLock,
  sleepsForWriteback,
  unlockMigrated,
  unmapPtes,
  waitForWriteback,
} from "./migrate_page";
import { migratePageCopy, migratePageMoveMapping } from "./move_mapping";
import { callbackCheck, callbackCopy, callbackLook, callbackSpins, rfcMustLock } from "./policy/rfc";
import { allocTarget } from "./target";
import { removeMigrationPtes } from "./unmap";

/** The way back, or out: what is left when the page has moved or cannot be moved. */
function nextAtEnd(migration: Migration): i32 {
  if (migration.locked == 0) return TRANSITION_MIGRATE_PUTBACK;
  const restores = migration.rc != 0 && migration.unmapped != 0;
  return restores ? TRANSITION_MIGRATE_REMAP : TRANSITION_MIGRATE_UNLOCK;
}

/** What move_to_new_page() calls for a mapping. */
function nextOfMapping(word: i32): i32 {
  if (isOfAsyncPf(word)) return rfcMustLock() ? TRANSITION_MIGRATE_CALL : TRANSITION_MIGRATE_LOOK;
  return isMovedByMigratePage(word) ? TRANSITION_MIGRATE_CHECK : TRANSITION_MIGRATE_CALL;
}

/** What comes next in the move. */
function nextOfMove(migration: Migration): i32 {
  const step = migration.step;
  if (step == MIGRATION_UNMAPPED) return TRANSITION_MIGRATE_PREPARE;
  if (step == MIGRATION_PREPARED) return TRANSITION_MIGRATE_DISPATCH;
  if (step == MIGRATION_DISPATCHED) return nextOfMapping(migration.word);
  if (step == MIGRATION_LOOKED) return TRANSITION_MIGRATE_PUT;
  if (step == MIGRATION_PUT) return TRANSITION_MIGRATE_CHECK;
  return step == MIGRATION_COPIED ? TRANSITION_MIGRATE_REMAP : TRANSITION_MIGRATE_COPY;
}

/** What a migration that is under way does next: TRANSITION_*. */
export function nextTransition(migration: Migration): i32 {
  const step = migration.step;
  if (step == MIGRATION_ISOLATED) return TRANSITION_MIGRATE_ALLOCATE;
  if (step == MIGRATION_TARGETED) return TRANSITION_MIGRATE_LOCK;
  if (step == MIGRATION_LOCKED) return TRANSITION_MIGRATE_WRITEBACK;
  if (step == MIGRATION_WRITTEN) return TRANSITION_MIGRATE_ANON_VMA;
  if (step == MIGRATION_HOLDS) return TRANSITION_MIGRATE_UNMAP;
  if (step == MIGRATION_MOVED || migration.rc != 0 || migration.locked == 0) return nextAtEnd(migration);
  return nextOfMove(migration);
}

/** Allocates the target. A page that its owners have dropped is not even locked, and counts as moved. */
function allocate(migration: Migration, page: Page): i32 {
  // Without a record for its holder the target cannot be had either.
  const to = freePins() > 0 ? allocTarget(migration.targetKind, migration.node, migration.pfn, 0) : PFN_NONE;
  if (to == PFN_NONE) return -ENOMEM;
  migration.target = to;
  migration.targetPin = addPin(HOLDER_MIGRATION_TARGET, to, 0, 0, 0);
  migration.step = page.refcount == 1 ? MIGRATION_UNMAPPED : MIGRATION_TARGETED;
  return 0;
}

function lock(migration: Migration, page: Page): i32 {
  const rc = lockForMigration(page, migration.force != 0, migration.mode);
  if (rc != 0) return rc;
  migration.locked = 1;
  migration.step = MIGRATION_LOCKED;
  return 0;
}

function hold(migration: Migration, page: Page): i32 {
  const anonVma = holdAnonVma(page);
  if (anonVma == -EAGAIN) return -EAGAIN;
  migration.anonVma = anonVma;
  migration.step = MIGRATION_HOLDS;
  return 0;
}

function unmap(migration: Migration, page: Page): i32 {
  const m = machine();
  const mapcount = page.mapcount;
  m.unmapped = 0;
  const rc = unmapPtes(migration.pfn, page, migration.anonVma);
  migration.unmapped = m.unmapped;
  if (rc != 0 && page.mapcount == mapcount) migration.held = heldByAsyncPf(migration.pfn, page);
  migration.step = MIGRATION_UNMAPPED;
  return rc;
}

/** A transition up to the unmapped page. Returns 0 or the errno of the attempt. */
function unmapTransition(migration: Migration, page: Page, transition: i32): i32 {
  if (transition == TRANSITION_MIGRATE_ALLOCATE) return allocate(migration, page);
  if (transition == TRANSITION_MIGRATE_LOCK) return lock(migration, page);
  if (transition == TRANSITION_MIGRATE_ANON_VMA) return hold(migration, page);
  if (transition == TRANSITION_MIGRATE_UNMAP) return unmap(migration, page);
  migration.step = MIGRATION_WRITTEN;
  return waitForWriteback(page, migration.force != 0, migration.mode);
}

/** What is left of move_to_new_page() when migratepage has returned. */
function endOfMove(migration: Migration, newPage: Page, page: Page, rc: i32): void {
  if (rc == -EAGAIN) migration.held = heldByAsyncPf(migration.pfn, page);
  migration.step = MIGRATION_MOVED;
  migration.rc = rc;
  migration.word = 0;
  migration.ctx = 0;
  migration.apf = 0;
  endMove(newPage, page, migration.unmapped != 0, rc);
}

/** The count check, in the RFC's callback as posted or in migrate_page(). */
function check(migration: Migration, newPage: Page, page: Page): void {
  const ofCallback = migration.step == MIGRATION_PUT;
  const rc = ofCallback
    ? callbackCheck(migration.ctx, newPage, page)
    : migratePageMoveMapping(migration.word, newPage, page);
  if (rc != 0) endOfMove(migration, newPage, page, rc);
  else migration.step = ofCallback ? MIGRATION_CHECKED : MIGRATION_REPLACED;
}

function copy(migration: Migration, newPage: Page, page: Page): void {
  if (migration.step == MIGRATION_CHECKED) callbackCopy(migration.ctx, migration.apf, newPage, page);
  else migratePageCopy(newPage, page);
  migration.step = MIGRATION_COPIED;
}

/** Any other migratepage, whose locks let nobody come between check and copy. */
function call(migration: Migration, newPage: Page, page: Page): void {
  const rc = callMigratepage(migration.word, newPage, page, migration.mode);
  if (rc != 0) endOfMove(migration, newPage, page, rc);
  else migration.step = MIGRATION_COPIED;
}

/** `c = page_private(page), apf = c->context`. */
function look(migration: Migration, page: Page): void {
  migration.ctx = callbackLook(page);
  migration.apf = ctxAt(migration.ctx).context;
  migration.step = MIGRATION_LOOKED;
}

/** A transition of move_to_new_page(). */
function moveTransition(migration: Migration, page: Page, transition: i32): void {
  const newPage = pageAt(migration.target);
  if (transition == TRANSITION_MIGRATE_PREPARE) {
    beginMove(newPage, page);
    migration.step = MIGRATION_PREPARED;
  } else if (transition == TRANSITION_MIGRATE_DISPATCH) {
    migration.word = dispatchMove(page);
    migration.step = MIGRATION_DISPATCHED;
  } else if (transition == TRANSITION_MIGRATE_LOOK) {
    look(migration, page);
  } else if (transition == TRANSITION_MIGRATE_PUT) {
    putPage(page);
    migration.step = MIGRATION_PUT;
  } else if (transition == TRANSITION_MIGRATE_CHECK) {
    check(migration, newPage, page);
  } else if (transition == TRANSITION_MIGRATE_COPY) {
    copy(migration, newPage, page);
  } else if (transition == TRANSITION_MIGRATE_CALL) {
    call(migration, newPage, page);
  } else {
    endOfMove(migration, newPage, page, 0);
  }
}

/** Restores the PTEs of a page that has not moved, or unlocks it. */
function endTransition(migration: Migration, page: Page, transition: i32): void {
  if (transition == TRANSITION_MIGRATE_REMAP) {
    removeMigrationPtes(migration.pfn, migration.pfn);
    migration.unmapped = 0;
    return;
  }
  unlockMigrated(page, migration.anonVma);
  migration.anonVma = 0;
  migration.locked = 0;
}

/** True if it waits: for the page lock, where actors run the end of writeback, or the vCPU's lock. */
function sleeps(migration: Migration, page: Page, transition: i32): bool {
  const force = migration.force != 0;
  if (transition == TRANSITION_MIGRATE_LOCK) return sleepsForLock(page, force, migration.mode);
  if (migration.step == MIGRATION_CHECKED) return callbackSpins(migration.apf);
  return transition == TRANSITION_MIGRATE_WRITEBACK && sleepsForWriteback(page, force, migration.mode);
}

/**
 * Takes the next transition of an attempt, all but that which puts the pages back. Returns STEP_TAKEN, or
 * STEP_BLOCKED with nothing changed. `rc` is the result so far.
 */
export function migrationTransition(migration: Migration): i32 {
  const page = pageAt(migration.pfn);
  const transition = nextTransition(migration);
  if (sleeps(migration, page, transition)) return STEP_BLOCKED;
  if (transition <= TRANSITION_MIGRATE_UNMAP) {
    migration.rc = unmapTransition(migration, page, transition);
    if (migration.rc != 0) migration.step = MIGRATION_UNMAPPED;
  } else if (migration.step != MIGRATION_MOVED && migration.rc == 0) {
    moveTransition(migration, page, transition);
  } else {
    endTransition(migration, page, transition);
  }
  return STEP_TAKEN;
}
