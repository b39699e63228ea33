/**
 * What is driven step by step: each migration, and each actor that says so, has isolated one page, and no
 * other page is isolated.
 */
import { INV_LIST, INV_REF, MIGRATION_NONE, PG_ISOLATED, TABLE_MIGRATIONS } from "../abi";
import { actorAt, nrActors } from "../state/actor";
import { machine } from "../state/machine";
import { maxMigrations, migrationAt } from "../state/migration";
import { Page, pageAt } from "../state/page";
import { bad, expectEqual } from "./violation";

/** The migration of a page, 0 if there is none. */
function migrationOf(pfn: i32): i32 {
  for (let id = 1; id <= maxMigrations(); id++) {
    if (migrationAt(id).pfn == pfn) return id;
  }
  return 0;
}

/** How many actors have isolated a page. */
function isolatingActors(pfn: i32): i32 {
  let nr = 0;
  for (let number = 0; number < nrActors(); number++) if (actorAt(number).isolated == pfn) nr += 1;
  return nr;
}

/** The reference that isolation holds of a page is one of a migration, or of an actor. */
export function verifyIsolated(pfn: i32, page: Page): void {
  if (migrationOf(pfn) == 0 && isolatingActors(pfn) != 1)
    bad(INV_REF, pfn, 0, page.refcount - 1, page.refcount);
}

/** Every migration has isolated a page of its own. */
export function verifyMigrations(): void {
  let nr = 0;
  for (let id = 1; id <= maxMigrations(); id++) {
    const migration = migrationAt(id);
    if (migration.step == MIGRATION_NONE) continue;
    nr += 1;
    const page = pageAt(migration.pfn);
    const isolated = (page.flags & PG_ISOLATED) != 0 && migrationOf(migration.pfn) == id;
    if (!isolated) bad(INV_REF, migration.pfn, id, page.refcount + 1, page.refcount);
  }
  expectEqual(INV_LIST, 0, TABLE_MIGRATIONS, nr, machine().stepping);
}
