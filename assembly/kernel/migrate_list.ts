/**
 * The lists that migrate_pages() and reclaim work on: isolated pages linked by `next`. The other word of the
 * list node belongs to the caller: of a page that is to move the number of its entry, under which v3.12
 * reports its result.
 */
import { PFN_NONE } from "../abi";
import { MIGRATE_LISTS_SIZE, migrateListsPtr } from "../arena";
import { Page, pageAt } from "../state/page";

@unmanaged
export class MigrateList {
  head: i32;
  tail: i32;
  nr: i32;
}

const NR_LISTS: usize = 7;
const LIST_STRIDE: usize = 16;
if (NR_LISTS * LIST_STRIDE > MIGRATE_LISTS_SIZE || offsetof<MigrateList>() > LIST_STRIDE)
  ERROR("migrate lists");

function listNumber(number: usize): MigrateList {
  return changetype<MigrateList>(migrateListsPtr + number * LIST_STRIDE);
}

/** What callers isolate onto. */
export function isolatedPages(): MigrateList {
  return listNumber(0);
}

/** The pages of one batch. */
export function batchPages(): MigrateList {
  return listNumber(1);
}

/** Pages that failed for good; they go back to the caller's list (6.x). */
export function failedPages(): MigrateList {
  return listNumber(2);
}

/** Unmapped pages whose move is to be tried, and in step with them their targets (6.12). */
export function unmappedPages(): MigrateList {
  return listNumber(3);
}

export function targetPages(): MigrateList {
  return listNumber(4);
}

/** Pages that the asynchronous stage of a batch left (6.12). */
export function retriedPages(): MigrateList {
  return listNumber(5);
}

/** What reclaim has isolated. */
export function reclaimedPages(): MigrateList {
  return listNumber(6);
}

export function append(list: MigrateList, pfn: i32, page: Page, entry: i32): void {
  page.next = PFN_NONE;
  page.prev = entry;
  if (list.tail == PFN_NONE) list.head = pfn;
  else pageAt(list.tail).next = pfn;
  list.tail = pfn;
  list.nr += 1;
}

/** Unlinks the page behind `before` (PFN_NONE: the first one). */
export function unlink(list: MigrateList, before: i32, page: Page): void {
  const next = page.next;
  if (before == PFN_NONE) list.head = next;
  else pageAt(before).next = next;
  if (next == PFN_NONE) list.tail = before;
  page.next = PFN_NONE;
  page.prev = 0;
  list.nr -= 1;
}

/** Unlinks the first page of a list that has one. Returns its pfn. */
export function takeFirst(list: MigrateList): i32 {
  const pfn = list.head;
  unlink(list, PFN_NONE, pageAt(pfn));
  return pfn;
}

/** Moves the first `nr` pages of `from` to the end of `to`. */
export function moveFirst(from: MigrateList, to: MigrateList, nr: i32): void {
  for (let i = 0; i < nr && from.head != PFN_NONE; i++) {
    const pfn = from.head;
    const page = pageAt(pfn);
    const entry = page.prev;
    unlink(from, PFN_NONE, page);
    append(to, pfn, page, entry);
  }
}

/** Moves all of `from` to the end of `to` (list_splice_tail_init()). */
export function splice(from: MigrateList, to: MigrateList): void {
  if (from.head == PFN_NONE) return;
  if (to.tail == PFN_NONE) to.head = from.head;
  else pageAt(to.tail).next = from.head;
  to.tail = from.tail;
  to.nr += from.nr;
  from.head = PFN_NONE;
  from.tail = PFN_NONE;
  from.nr = 0;
}
