/** Mutations of migration: isolation, unmapping, the count check, the move, the way back. */
import { inFile } from "./in-file.mjs";

const isolate = inFile("assembly/kernel/isolate.ts", [
  {
    id: "isolate-without-get",
    what: "isolate_lru_page() takes the page off the LRU without a reference",
    find: "  getPage(page);\n  lruDel(pfn, page);",
    replace: "  lruDel(pfn, page);",
  },
  {
    id: "isolate-not-off-list",
    what: "isolate_lru_page() leaves the page on its list",
    find: "  getPage(page);\n  lruDel(pfn, page);",
    replace: "  getPage(page);",
  },
  {
    id: "isolate-not-counted",
    what: "isolate_lru_page() does not count NR_ISOLATED_ANON up",
    find: "  count(isolatedCounter(page), 1);\n",
    replace: "",
  },
  {
    id: "putback-without-put",
    what: "putback_lru_page() keeps the reference of the isolation",
    find: "  else putOnLru(pfn, page);\n  putPage(page);",
    replace: "  else putOnLru(pfn, page);",
  },
  {
    id: "putback-freed-on-lru",
    what: "putback_lru_page() puts also a page that nobody else has on the LRU",
    find: "  else putOnLru(pfn, page);\n",
    replace: "  putOnLru(pfn, page);\n",
  },
]);

const step = inFile("assembly/kernel/migrate_step.ts", [
  {
    id: "migrate-isolation-not-ended",
    what: "a page is put back without counting NR_ISOLATED_ANON down",
    find: "  endIsolation(page);\n",
    replace: "",
  },
  {
    id: "migrate-not-put-back",
    what: "the old page is not put back after an attempt",
    find: "  putbackLruPage(pfn, page);\n",
    replace: "",
  },
  {
    id: "migrate-retry-keeps-target",
    what: "the target of an attempt that is tried again is not freed",
    find: "  putTarget(migration);\n  migration.target = PFN_NONE;",
    replace: "  migration.target = PFN_NONE;",
  },
]);

const transition = inFile("assembly/kernel/migrate_transition.ts", [
  {
    id: "migrate-no-remap",
    what: "a page that did not move is not mapped again: its migration entries stay",
    find: "    removeMigrationPtes(migration.pfn, migration.pfn);\n",
    replace: "",
  },
  {
    id: "migrate-moves-mapped",
    what: "the move goes on although try_to_unmap() has left a PTE",
    find: "  migration.step = MIGRATION_UNMAPPED;\n  return rc;",
    replace: "  migration.step = MIGRATION_UNMAPPED;\n  return rc == -EAGAIN && page.mapping != 0 ? 0 : rc;",
  },
]);

const page = inFile("assembly/kernel/migrate_page.ts", [
  {
    id: "migrate-lock-stolen",
    what: "__unmap_and_move() takes a page lock that another holds",
    find: "  return (page.flags & PG_LOCKED) != 0 && force && mode != MIGRATE_ASYNC;",
    replace: "  page.flags &= ~PG_LOCKED;\n  return force && mode < 0;",
  },
  {
    id: "migrate-not-locked",
    what: "__unmap_and_move() works on a page that it has not locked",
    find: "  page.flags |= PG_LOCKED;\n  if (rmapPageAnon(page)) prepareChargeMigration(page);",
    replace: "  if (rmapPageAnon(page)) prepareChargeMigration(page);",
  },
  {
    id: "migrate-not-unlocked",
    what: "the old page stays locked after an attempt",
    find: "  dropAnonVma(anonVma);\n  unlockPage(page);",
    replace: "  dropAnonVma(anonVma);",
  },
  {
    id: "migrate-target-not-locked",
    what: "the target is not locked while it becomes the page",
    find: "  newPage.flags |= PG_LOCKED;\n",
    replace: "",
  },
  {
    id: "migrate-target-stays-locked",
    what: "the target is not unlocked after the move",
    find: "  unlockPage(newPage); // a fault may have found it in the swap cache\n",
    replace: "",
  },
  {
    id: "anon-vma-not-put",
    what: "the reference of the anon_vma is not dropped",
    find: "  if (anonVma > NO_ANON_VMA) putMapping(anonVma);",
    replace: "  if (anonVma < NO_ANON_VMA) putMapping(anonVma);",
  },
  {
    id: "migrate-mapping-kept",
    what: "the old page keeps its mapping after the move",
    find: "    if (!pageAnon(page) || profile().clearsAnonMapping) page.mapping = 0;\n",
    replace: "",
  },
  {
    id: "migrate-target-mapping-kept",
    what: "the target of a move that has failed keeps the mapping",
    find: "    newPage.mapping = 0;\n",
    replace: "",
  },
  {
    id: "migrate-entries-kept",
    what: "remove_migration_ptes() is not called after the move",
    find: "    if (unmapped) removeMigrationPtes(pfnOf(page), pfnOf(newPage));\n",
    replace: "",
  },
  {
    id: "migrate-charge-kept",
    what: "the charge does not move with the page",
    find: "    migrateCharge(page, newPage);\n",
    replace: "",
  },
  {
    id: "migrate-during-writeback",
    what: "wait_on_page_writeback() does not wait",
    find: "force && mode == MIGRATE_SYNC && machine().interleaved != 0;",
    replace: "force && mode == MIGRATE_SYNC && machine().interleaved < 0;",
  },
]);

const moveMapping = inFile("assembly/kernel/move_mapping.ts", [
  {
    id: "check-off-by-one",
    what: "the count check of an anonymous page allows one reference more",
    find: "  if (word == 0) return page.refcount == 1 ? 0 : -EAGAIN;",
    replace: "  if (word == 0) return page.refcount <= 2 ? 0 : -EAGAIN;",
  },
  {
    id: "check-cached-not-exact",
    what: "the count check of a page in a cache allows any references more",
    find: "  if (page.refcount != expected) return -EAGAIN;",
    replace: "  if (page.refcount < expected) return -EAGAIN;",
  },
  {
    id: "check-refuses-all",
    what: "the count check of an anonymous page refuses one that nobody else has",
    find: "  if (word == 0) return page.refcount == 1 ? 0 : -EAGAIN;",
    replace: "  if (word == 0) return page.refcount == 0 ? 0 : -EAGAIN;",
  },
  {
    id: "copy-no-content",
    what: "migrate_page_copy() copies the flags alone",
    find: "  copyContent(pfnOf(page), pfnOf(newPage));\n",
    replace: "",
  },
  {
    id: "copy-dirty-lost",
    what: "migrate_page_copy() clears the dirty flag and does not set that of the new page",
    find: "    clearPageDirtyForIo(page);\n    newPage.flags |= PG_DIRTY;",
    replace: "    clearPageDirtyForIo(page);",
  },
  {
    id: "copy-uptodate-lost",
    what: "migrate_page_copy() does not carry PG_uptodate",
    find: "export const CARRIED: i32 = PG_ERROR | PG_REFERENCED | PG_UPTODATE | PG_CHECKED",
    replace: "export const CARRIED: i32 = PG_ERROR | PG_REFERENCED | (PG_UPTODATE & 0) | PG_CHECKED",
  },
  {
    id: "move-slot-not-replaced",
    what: "the swap cache still leads to the old page",
    find: "  newPage.privateWord = page.privateWord;\n  slot.pfn = pfnOf(newPage);",
    replace: "  newPage.privateWord = page.privateWord;",
  },
  {
    id: "move-slot-without-get",
    what: "the swap cache gets the new page without a reference",
    find: "  getPage(newPage);\n  newPage.flags |= PG_SWAPCACHE;",
    replace: "  newPage.flags |= PG_SWAPCACHE;",
  },
  {
    id: "move-file-without-get",
    what: "the page cache gets the new page without a reference",
    find: "  getPage(newPage);\n  slot.pfn = pfnOf(newPage);",
    replace: "  slot.pfn = pfnOf(newPage);",
  },
  {
    id: "move-index-lost",
    what: "the target does not get page->index",
    find: "  newPage.index = page.index;\n",
    replace: "",
  },
]);

const unmap = inFile("assembly/kernel/unmap.ts", [
  {
    id: "entry-loses-write",
    what: "a migration entry does not remember that the PTE allowed writes",
    find: "  let entry = PTE_MIGRATION | (pte & PTE_WRITE);",
    replace: "  let entry = PTE_MIGRATION | (pte & PTE_WRITE & 0);",
  },
  {
    id: "entry-always-writable",
    what: "remove_migration_pte() makes the PTE writable whatever the entry was",
    find: "makePte(pfn, present | (entry & PTE_WRITE))",
    replace: "makePte(pfn, present | PTE_WRITE)",
  },
  {
    id: "remap-without-get",
    what: "remove_migration_pte() maps the page without a reference",
    find: "  getPage(page);\n  const present = presentBit(vma);",
    replace: "  const present = presentBit(vma);",
  },
  {
    id: "remap-without-rmap",
    what: "remove_migration_pte() maps the page without page_add_anon_rmap()",
    find: "  pageAddRmap(page);\n",
    replace: "",
  },
  {
    id: "unmap-dirty-lost",
    what: "try_to_unmap_one() drops the dirty bit of the PTE that becomes a migration entry",
    find: "  if ((pte & PTE_DIRTY) != 0) setPageDirty(page);\n  let entry",
    replace: "  let entry",
  },
  {
    id: "unmap-without-put",
    what: "try_to_unmap_one() keeps the reference of the PTE",
    find: "  pageRemoveRmap(page);\n  putPage(page);\n",
    replace: "  pageRemoveRmap(page);\n",
  },
  {
    id: "unmap-put-first",
    what: "try_to_unmap_one() puts the page before page_remove_rmap()",
    find: "  pageRemoveRmap(page);\n  putPage(page);\n",
    replace: "  putPage(page);\n  pageRemoveRmap(page);\n",
    survives: "equivalent: isolation holds a reference, and both happen within one transition",
  },
  {
    id: "unmap-swap-dirty-lost",
    what: "try_to_unmap_one() drops the dirty bit of the PTE that becomes a swap entry",
    find: "  if ((pte & PTE_DIRTY) != 0) setPageDirty(page);\n  const slot",
    replace: "  const slot",
  },
  {
    id: "unmap-slot-not-duplicated",
    what: "the PTE becomes a swap entry without swap_duplicate()",
    find: "  if (!swapDuplicate(slot)) return false;\n",
    replace: "",
  },
  {
    id: "unmap-swap-not-counted",
    what: "the PTE becomes a swap entry that MM_SWAPENTS does not count",
    find: "  mm.rssSwap += 1;\n",
    replace: "",
  },
]);

const rmap = inFile("assembly/kernel/rmap.ts", [
  {
    id: "rmap-add-not-counted",
    what: "page_add_anon_rmap() does not count NR_ANON_PAGES",
    find: "  if (page.mapcount == 1) count(",
    replace: "  if (page.mapcount == 0) count(",
  },
  {
    id: "rmap-remove-wrong-class",
    what: "page_remove_rmap() counts every page as one of a file",
    find: "  count(anon ? NR_ANON_PAGES : NR_FILE_MAPPED, -1);",
    replace: "  count(NR_FILE_MAPPED, -1);",
  },
  {
    id: "anon-vma-not-taken",
    what: "page_get_anon_vma() takes no reference",
    find: "  anonVma.refcount += 1;\n",
    replace: "",
  },
  {
    id: "anon-vma-of-unmapped",
    what: "page_get_anon_vma() takes the anon_vma also of a page that nobody maps",
    find: " != MAPPING_ANON || page.mapcount == 0) return 0;",
    replace: " != MAPPING_ANON) return 0;",
  },
  {
    id: "rmap-overwrites-mapping",
    what: "page_add_anon_rmap() sets the mapping of a page that is anonymous already",
    find: "  if (page.mapcount == 0 && !pageAnon(page)) {",
    replace: "  if (page.mapcount == 0) {",
  },
]);

const lists = [
  ...inFile("assembly/kernel/migrate.ts", [
    {
      id: "list-target-not-put",
      what: "unmap_and_move() leaves the target in limbo",
      find: "  putbackLruPage(to, newPage);\n  return rc;",
      replace: "  return rc;",
    },
  ]),
  ...inFile("assembly/kernel/migrate_batch.ts", [
    {
      id: "batch-undo-forgotten",
      what: "migrate_folio_undo_src() forgets that PTEs were removed",
      find: "      newPage.privateWord = (m.anonVma << 1) | m.unmapped;",
      replace: "      newPage.privateWord = m.anonVma << 1;",
    },
  ]),
  ...inFile("assembly/kernel/migrate_list.ts", [
    {
      id: "list-tail-stale",
      what: "unlinking the last page of a list leaves the tail at it",
      find: "  if (next == PFN_NONE) list.tail = before;\n",
      replace: "",
    },
  ]),
];

export const migrateMutations = [
  ...isolate,
  ...step,
  ...transition,
  ...page,
  ...moveMapping,
  ...unmap,
  ...rmap,
  ...lists,
];
