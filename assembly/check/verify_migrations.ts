/** Migrations that are driven step by step: each has isolated one page, and no other page is isolated. */
import { INV_LIST, INV_REF, MAX_MIGRATIONS, MIGRATION_NONE, PG_ISOLATED, TABLE_MIGRATIONS } from "../abi";
import { machine } from "../state/machine";
import { migrationAt } from "../state/migration";
import { Page, pageAt } from "../state/page";
import { bad, expectEqual } from "./violation";

/** The migration of a page, 0 if there is none. */
function migrationOf(pfn: i32): i32 {
  for (let id = 1; id <= MAX_MIGRATIONS; id++) {
    if (migrationAt(id).pfn == pfn) return id;
  }
  return 0;
}

/** The reference that isolation holds of a page is one of a migration. */
export function verifyIsolated(pfn: i32, page: Page): void {
  if (migrationOf(pfn) == 0) bad(INV_REF, pfn, 0, page.refcount - 1, page.refcount);
}

/** Every migration has isolated a page of its own. */
export function verifyMigrations(): void {
  let nr = 0;
  for (let id = 1; id <= MAX_MIGRATIONS; id++) {
    const migration = migrationAt(id);
    if (migration.step == MIGRATION_NONE) continue;
    nr += 1;
    const page = pageAt(migration.pfn);
    const isolated = (page.flags & PG_ISOLATED) != 0 && migrationOf(migration.pfn) == id;
    if (!isolated) bad(INV_REF, migration.pfn, id, page.refcount + 1, page.refcount);
  }
  expectEqual(INV_LIST, 0, TABLE_MIGRATIONS, nr, machine().stepping);
}
