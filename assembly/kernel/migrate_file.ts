/** The migratepage operations of file systems, and what is done for those that have none (mm/migrate.c). */
import { EAGAIN, EBUSY, EINVAL, EIO, MIGRATE_SYNC, PG_DIRTY, PG_PRIVATE, PG_WRITEBACK } from "../abi";
import {
  AS_EIO,
  AS_WRITEPAGE,
  MIGRATEPAGE_BUFFER,
  MIGRATEPAGE_GENERIC,
  MIGRATEPAGE_NONE,
  mappingAt,
  objectOf,
} from "../state/mapping";
import { Page, pageHasPrivate, pfnOf } from "../state/page";
import { profile } from "../state/profile";
import { putPage } from "../state/page_free";
import { expectedRefs, migratePage } from "./move_mapping";
import { removeMigrationPtes } from "./unmap";

/** buffer_migrate_page(): the buffer heads, and their reference, go along. */
function bufferMigratePage(word: i32, newPage: Page, page: Page): i32 {
  if (!pageHasPrivate(page)) return migratePage(word, newPage, page);
  if (profile().buffersCheckFirst && page.refcount != expectedRefs(word, page)) return -EAGAIN;
  const head = page.privateWord;
  const rc = migratePage(word, newPage, page);
  if (rc != 0) return rc;
  newPage.flags |= PG_PRIVATE;
  newPage.privateWord = head;
  newPage.refcount += 1;
  putPage(page);
  return 0;
}

/** writeout(): starts to write a dirty page, so that a later attempt finds it clean. Never 0. */
function writeout(word: i32, page: Page): i32 {
  const mapping = mappingAt(objectOf(word));
  if ((mapping.flags & AS_WRITEPAGE) == 0) return -EINVAL;
  const pfn = pfnOf(page);
  page.flags &= ~PG_DIRTY; // clear_page_dirty_for_io(); no PTE is left that could be dirty
  removeMigrationPtes(pfn, pfn);
  if ((mapping.flags & AS_EIO) != 0) return -EIO;
  // A batch of 6.12 does not look at writeback again before the next attempt: there the I/O has ended by
  // then.
  if (!profile().splitPhases) page.flags |= PG_WRITEBACK;
  return -EAGAIN;
}

/** fallback_migrate_page(): a clean page without private data can be moved like any other. */
function fallbackMigratePage(word: i32, newPage: Page, page: Page, mode: i32): i32 {
  if ((page.flags & PG_DIRTY) != 0) return mode == MIGRATE_SYNC ? writeout(word, page) : -EBUSY;
  return migratePage(word, newPage, page);
}

function operationOf(word: i32): i32 {
  return word == 0 ? 0 : <i32>mappingAt(objectOf(word)).migratepage;
}

/** True if the page is moved by migrate_page(), which holds no spinlock between check and copy. */
export function isMovedByMigratePage(word: i32): bool {
  const operation = operationOf(word);
  return operation == 0 || operation == MIGRATEPAGE_GENERIC;
}

/** Calls the operation that the page's address_space has. Returns 0 or the errno of the attempt. */
export function migrateByMapping(word: i32, newPage: Page, page: Page, mode: i32): i32 {
  const operation = operationOf(word);
  if (operation == MIGRATEPAGE_BUFFER) return bufferMigratePage(word, newPage, page);
  if (operation == MIGRATEPAGE_NONE) return fallbackMigratePage(word, newPage, page, mode);
  return migratePage(word, newPage, page);
}
