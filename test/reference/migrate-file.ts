/** The migratepage operations of file systems, and what is done for those that have none. */
import * as abi from "../../assembly/abi.ts";
import { putPage } from "./lru.ts";
import { type Machine, type Mapping, type Page, has, setFlag } from "./machine.ts";
import { expectedRefs, migratePage } from "./move-mapping.ts";
import { clearPageDirtyForIo } from "./rmap.ts";
import { removeMigrationPtes } from "./unmap.ts";

/** The buffer heads and their reference go along. */
function bufferMigratePage(m: Machine, mapping: Mapping, page: Page, to: Page): number {
  if (!has(page, abi.PG_PRIVATE)) return migratePage(m, mapping, page, to);
  if (m.profile.countsBeforeBuffers && page.refcount !== expectedRefs(page)) return -abi.EAGAIN;
  const rc = migratePage(m, mapping, page, to);
  if (rc !== 0) return rc;
  setFlag(to, abi.PG_PRIVATE);
  to.refcount += 1;
  putPage(m, page);
  return 0;
}

/** writeout(): the attempt has failed, but a later one may find the page clean. */
function writeOut(m: Machine, { fs }: Mapping, page: Page): number {
  if (fs?.writepage === "none") return -abi.EINVAL;
  clearPageDirtyForIo(m, page);
  removeMigrationPtes(m, page, page);
  if (fs?.writepage === "fails") return -abi.EIO;
  if (!m.profile.unmapsBatchFirst) setFlag(page, abi.PG_WRITEBACK);
  return -abi.EAGAIN;
}

function fallbackMigratePage(
  m: Machine,
  mapping: Mapping,
  pages: { readonly page: Page; readonly to: Page },
  mode: number,
): number {
  const { page, to } = pages;
  if (!has(page, abi.PG_DIRTY)) return migratePage(m, mapping, page, to);
  return mode === abi.MIGRATE_SYNC ? writeOut(m, mapping, page) : -abi.EBUSY;
}

/** Calls the operation of the page's address_space; null: anonymous memory. */
export function migrateByMapping(
  m: Machine,
  mapping: Mapping | null,
  pages: { readonly page: Page; readonly to: Page },
  mode: number,
): number {
  const { page, to } = pages;
  if (mapping?.fs?.migratepage === "buffer_migrate_page") return bufferMigratePage(m, mapping, page, to);
  if (mapping?.fs?.migratepage === "none") return fallbackMigratePage(m, mapping, pages, mode);
  return migratePage(m, mapping, page, to);
}
