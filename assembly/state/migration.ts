/** Migrations of one page each that are driven step by step: what an attempt keeps between its steps. */
import { CFG_MIGRATIONS, MIGRATION_NONE, MIGRATION_STEP, TABLE_MIGRATIONS } from "../abi";
import { MIGRATION_RECORD_SIZE, config, tablePtr } from "../arena";
import { machine } from "./machine";

@unmanaged
export class Migration {
  step: i32; // MIGRATION_*, how far it is
  pfn: i32;
  target: i32; // pfn, 0 = not allocated
  targetPin: i32; // our record of the allocator's reference of the target
  node: i32;
  mode: i32; // MIGRATE_*
  force: i32; // it may sleep for the page lock, where the mode allows
  locked: i32; // it holds the page lock
  anonVma: i32; // anon_vma that it holds, 0 = none, below 0: nothing has to be mapped again
  unmapped: i32; // it has called try_to_unmap(), and PTEs may have to be restored
  rc: i32; // result so far
  ctx: i32; // within the RFC's callback: its context
  apf: i32; // and the work item that this named
  word: i32; // within the move: page_mapping() as it was read
  held: i32; // HELD_*: what has kept the page from moving
  targetKind: i32; // TARGET_*: where its target may lie
}

if (offsetof<Migration>() > MIGRATION_RECORD_SIZE) ERROR("size of a migration record");
if (offsetof<Migration>("step") != MIGRATION_STEP) ERROR("Migration record");

/** How many can be under way at one time; records have ids from 1. */
export function maxMigrations(): i32 {
  return config(CFG_MIGRATIONS);
}

export function migrationAt(id: i32): Migration {
  return changetype<Migration>(tablePtr(TABLE_MIGRATIONS) + <usize>id * MIGRATION_RECORD_SIZE);
}

/** The first free record, 0 if none is left. */
export function findFreeMigration(): i32 {
  for (let id = 1; id <= maxMigrations(); id++) {
    if (migrationAt(id).step == MIGRATION_NONE) return id;
  }
  return 0;
}

/** True if a page is the target of an attempt that is under way. */
export function isMigrationTarget(pfn: i32): bool {
  for (let id = 1; id <= maxMigrations(); id++) {
    if (migrationAt(id).target == pfn) return true;
  }
  return false;
}

/** How many attempts that are under way hold a target. */
export function nrTargets(): i32 {
  let nr = 0;
  for (let id = 1; id <= maxMigrations(); id++) if (migrationAt(id).targetPin != 0) nr += 1;
  return nr;
}

export function beginMigration(id: i32, step: i32): Migration {
  const migration = migrationAt(id);
  migration.step = step;
  machine().stepping += 1;
  return migration;
}

export function endMigration(migration: Migration): void {
  memory.fill(changetype<usize>(migration), 0, offsetof<Migration>());
  machine().stepping -= 1;
}
