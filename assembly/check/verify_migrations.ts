/**
 * What is driven step by step: each migration, and each actor that says so, has isolated one page, and no
 * other page is isolated.
 */
import {
  APF_FREE,
  INV_LIST,
  INV_REF,
  MIGRATION_CHECKED,
  MIGRATION_NONE,
  MIGRATION_PUT,
  MIGRATION_REPLACED,
  PG_ISOLATED,
  TABLE_MIGRATIONS,
} from "../abi";
import { actorAt, nrActors } from "../state/actor";
import { apfAt } from "../state/apf";
import { machine } from "../state/machine";
import { maxMigrations, migrationAt } from "../state/migration";
import { Page, pageAt } from "../state/page";
import { pinAt } from "../state/pins";
import { addRefs } from "./tally";
import { bad, expectEqual } from "./violation";

/** The migration of a page, 0 if there is none. */
function migrationOf(pfn: i32): i32 {
  for (let id = 1; id <= maxMigrations(); id++) {
    if (migrationAt(id).pfn == pfn) return id;
  }
  return 0;
}

/** What the cache has for a page that is in it by its flag: by now its target, or the page itself. */
export function replacementOf(pfn: i32): i32 {
  const migration = migrationAt(migrationOf(pfn));
  return migration.step == MIGRATION_REPLACED ? migration.target : pfn;
}

/**
 * Between its put and its copy the RFC's callback has given up a reference whose work item does not know of
 * that yet.
 */
export function countGivenUp(): void {
  for (let id = 1; id <= maxMigrations(); id++) {
    const migration = migrationAt(id);
    if (migration.step != MIGRATION_PUT && migration.step != MIGRATION_CHECKED) continue;
    const apf = apfAt(migration.apf);
    const holds = apf.state != APF_FREE && apf.pin != 0 && pinAt(apf.pin).pfn == migration.pfn;
    if (holds) addRefs(migration.pfn, -1);
  }
}

/** How many actors have isolated a page. */
function isolatingActors(pfn: i32): i32 {
  let nr = 0;
  for (let number = 0; number < nrActors(); number++) if (actorAt(number).isolated == pfn) nr += 1;
  return nr;
}

/**
 * The reference that isolation holds of a page is one of a migration, or of an actor. On the timed clock
 * it may be on a list of pages that somebody works on: there the sums alone are compared.
 */
export function verifyIsolated(pfn: i32, page: Page): void {
  if (machine().timed != 0) return;
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
