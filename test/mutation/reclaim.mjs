/** Mutations of reclaim and swap: the look at a page, the swap cache, reading and writing, the page lock. */
import { inFile } from "./in-file.mjs";

const shrinkPage = inFile("assembly/kernel/shrink_page.ts", [
  {
    id: "free-held",
    what: "__remove_mapping() frees a page that somebody else holds",
    find: "  if (word == 0 || page.refcount != 2 || ",
    replace: "  if (word == 0 || page.refcount < 2 || ",
  },
  {
    id: "free-dirty",
    what: "__remove_mapping() frees a page that has become dirty again",
    find: "|| (page.flags & PG_DIRTY) != 0) return RECLAIM_KEPT;",
    replace: ") return RECLAIM_KEPT;",
    survives: "not modelled: only a holder that calls set_page_dirty() could dirty an unmapped, locked page",
  },
  {
    id: "free-not-unlocked",
    what: "a page is freed while it is locked",
    find: "  page.flags &= ~PG_LOCKED;\n  endIsolation(page);",
    replace: "  endIsolation(page);",
  },
  {
    id: "free-isolation-not-ended",
    what: "a page is freed without counting NR_ISOLATED_ANON down",
    find: "  page.flags &= ~PG_LOCKED;\n  endIsolation(page);",
    replace: "  page.flags &= ~PG_LOCKED;",
  },
  {
    id: "free-during-writeback",
    what: "a page that is being written is taken for clean",
    find: "  return (page.flags & (PG_WRITEBACK | PG_DIRTY)) != 0;",
    replace: "  return (page.flags & PG_DIRTY) != 0;",
  },
  {
    id: "shrink-not-unlocked",
    what: "a page that reclaim keeps stays locked",
    find: "  if (found == CULL) tryToFreeSwap(page);\n  unlockPage(page);",
    replace: "  if (found == CULL) tryToFreeSwap(page);",
  },
  {
    id: "pageout-held",
    what: "pageout() writes a page that somebody else holds (is_page_cache_freeable())",
    find: "  if (page.refcount - (pageHasPrivate(page) ? 1 : 0) != 2 || word == 0) return RECLAIM_KEPT;",
    replace: "  if (page.refcount - (pageHasPrivate(page) ? 1 : 0) < 2 || word == 0) return RECLAIM_KEPT;",
  },
]);

const unmapReclaim = inFile("assembly/kernel/unmap_reclaim.ts", [
  {
    id: "reclaim-unmap-incomplete",
    what: "try_to_unmap() says that nobody maps a page of which it has not found a PTE",
    find: "  return page.mapcount == 0 ? UNMAP_SUCCESS : UNMAP_AGAIN;",
    replace: "  return page.mapcount >= 0 ? UNMAP_SUCCESS : UNMAP_AGAIN;",
  },
  {
    id: "reclaim-file-dirty-lost",
    what: "the dirty bit of a PTE of a file is lost when reclaim unmaps it",
    find: "  if ((pte & PTE_DIRTY) != 0) setPageDirty(page);\n",
    replace: "",
    survives: "equivalent: the write fault has marked the page, and writeback makes its PTEs read-only",
  },
]);

const reclaim = inFile("assembly/kernel/reclaim.ts", [
  {
    id: "reclaim-isolation-not-ended",
    what: "a page that reclaim keeps is put back without counting NR_ISOLATED_ANON down",
    find: "  endIsolation(page);\n",
    replace: "",
  },
  {
    id: "reclaim-not-put",
    what: "a page that reclaim keeps is put back with the reference of its isolation",
    find: "  else lruAdd(pfn, page);\n  putPage(page);",
    replace: "  else lruAdd(pfn, page);",
  },
]);

const swapState = inFile("assembly/kernel/swap_state.ts", [
  {
    id: "swap-cache-without-get",
    what: "add_to_swap_cache() takes no reference",
    find: "  getPage(page);\n  page.flags |= PG_SWAPCACHE;",
    replace: "  page.flags |= PG_SWAPCACHE;",
  },
  {
    id: "swap-cache-slot-kept",
    what: "the slot still names the page that has left the swap cache",
    find: "  swapSlotAt(slot).pfn = PFN_NONE;\n",
    replace: "",
  },
  {
    id: "swap-slot-leaked",
    what: "the slot of a page that leaves the swap cache last is not freed",
    find: "  if (page.mapping == 0 || pageAnon(page)) unchargeUncached(page);\n  freeUnusedSlot(slot);",
    replace: "  if (page.mapping == 0 || pageAnon(page)) unchargeUncached(page);",
  },
  {
    id: "swap-added-clean",
    what: "add_to_swap() does not mark the page dirty: it is never written",
    find: "  page.flags |= PG_DIRTY; // the device has nothing of it yet\n",
    replace: "",
  },
  {
    id: "l5-swap-over-context",
    what: "add_to_swap() puts an entry over the pointer to a context of L5",
    find: "  if (isSubstitute(page.mapping) && pageAnon(page)) return false;\n",
    replace: "",
  },
  {
    id: "reuse-ignores-entries",
    what: "reuse_swap_page() counts the PTEs of the page, but not the swap entries of its slot",
    find: "    nr += pageSwapCount(page);\n",
    replace: "",
  },
  {
    id: "swap-not-duplicated",
    what: "swap_duplicate() does not count",
    find: "  swapSlotAt(slot).count += 1;\n",
    replace: "",
  },
  {
    id: "swap-not-freed",
    what: "swap_free() does not count",
    find: "  swapSlotAt(slot).count -= 1;\n",
    replace: "",
  },
  {
    id: "swap-and-cache-not-freed",
    what: "free_swap_and_cache() does not count",
    find: "  slot.count -= 1;\n",
    replace: "",
  },
  {
    id: "swap-freed-locked",
    what: "free_swap_and_cache() takes a page out of the swap cache that is locked or being written",
    find: "  if ((page.flags & (PG_LOCKED | PG_WRITEBACK)) != 0) return;\n",
    replace: "",
  },
  {
    id: "swap-freed-during-writeback",
    what: "try_to_free_swap() frees the slot to which the page is being written",
    find: "  if ((page.flags & (PG_SWAPCACHE | PG_WRITEBACK)) != PG_SWAPCACHE) return false;",
    replace: "  if ((page.flags & PG_SWAPCACHE) != PG_SWAPCACHE) return false;",
  },
]);

const swapIo = inFile("assembly/kernel/swap_io.ts", [
  {
    id: "swap-write-nothing",
    what: "swap_writepage() writes nothing",
    find: "  copyContentToSlot(pfn, number);\n",
    replace: "",
  },
  {
    id: "swap-read-nothing",
    what: "swap_readpage() reads nothing",
    find: "  copyContentFromSlot(slot, pfn);\n",
    replace: "",
  },
  {
    id: "swap-read-not-unlocked",
    what: "end_swap_bio_read() does not unlock the page",
    find: "  page.flags |= PG_UPTODATE;\n  unlockPage(page);",
    replace: "  page.flags |= PG_UPTODATE;",
  },
  {
    id: "swap-read-unlocked",
    what: "the page is not locked while it is being read",
    find: "(isInFlight(slot) ? PG_LOCKED : PG_UPTODATE)",
    replace: "(isInFlight(slot) ? 0 : PG_UPTODATE)",
  },
  {
    id: "readahead-without-get",
    what: "swapin_readahead() returns the page without a reference",
    find: "  if (pfn != PFN_NONE) getPage(pageAt(pfn));\n",
    replace: "",
  },
  {
    id: "readahead-no-drain",
    what: "swapin_readahead() leaves what it has read in the batch (lru_add_drain())",
    find: "  if (clusterMask != 0 || profile().swapinAlwaysDrains) lruAddDrainCpu(m.cpu);\n",
    replace: "",
  },
]);

const swapin = inFile("assembly/kernel/swapin.ts", [
  {
    id: "swapin-lock-not-tested",
    what: "do_swap_page() maps a page that is locked",
    find: "  if ((page.flags & PG_LOCKED) != 0) {\n    putPage(page); // sleeping takes it anew",
    replace: "  if ((page.flags & PG_LOCKED) < 0) {\n    putPage(page); // sleeping takes it anew",
  },
  {
    id: "swapin-entry-not-counted",
    what: "do_swap_page() does not count MM_SWAPENTS down",
    find: "  mm.rssSwap -= 1;\n  const flags",
    replace: "  const flags",
  },
  {
    id: "swapin-slot-kept",
    what: "do_swap_page() does not call swap_free()",
    find: "  swapFree(slot);\n  if (isSwapFull()",
    replace: "  if (isSwapFull()",
  },
  {
    id: "swapin-shared-writable",
    what: "do_swap_page() lets a write go to a page that others have, too",
    find: "  const writable = write && reuseSwapPage(page);",
    replace: "  const writable = write;",
  },
  {
    id: "swapin-without-rmap",
    what: "do_swap_page() maps the page without page_add_anon_rmap()",
    find: "  pageAddAnonRmap(page, vma.object, pageIndex(vma, vpn));\n  chargePage(page); // v3.12",
    replace: "  chargePage(page); // v3.12",
  },
]);

const pageLock = inFile("assembly/kernel/page_lock.ts", [
  {
    id: "trylock-takes-nothing",
    what: "trylock_page() does not set PG_locked",
    find: "  page.flags |= PG_LOCKED;\n  return true;",
    replace: "  return true;",
  },
  {
    id: "trylock-tests-nothing",
    what: "trylock_page() takes a lock that another holds",
    find: "  if ((page.flags & PG_LOCKED) != 0) return false;\n",
    replace: "",
  },
  {
    id: "waiter-not-woken",
    what: "unlock_page() leaves those who sleep with their references",
    find: "  if ((m.nrWaiters | m.nrParked) == 0) return;",
    replace: "  if ((m.nrWaiters | m.nrParked) >= 0) return;",
  },
  {
    id: "waiter-without-get",
    what: "a fault that sleeps on a page has no reference of it",
    find: "    getPage(page);\n    addPin(HOLDER_MIGRATION_WAITER",
    replace: "    addPin(HOLDER_MIGRATION_WAITER",
  },
]);

const writeback = inFile("assembly/kernel/writeback.ts", [
  {
    id: "writeback-never-ends",
    what: "end_page_writeback() does not clear PG_writeback",
    find: "  page.flags &= ~(PG_WRITEBACK | PG_RECLAIM);",
    replace: "  page.flags &= ~PG_RECLAIM;",
  },
  {
    id: "writeback-rotates-twice",
    what: "rotate_reclaimable_page() adds the page to its list without taking it off",
    find: "  lruDel(pfn, page);\n  page.flags &= ~PG_ACTIVE;",
    replace: "  page.flags &= ~PG_ACTIVE;",
  },
]);

export const reclaimMutations = [
  ...shrinkPage,
  ...unmapReclaim,
  ...reclaim,
  ...swapState,
  ...swapIo,
  ...swapin,
  ...pageLock,
  ...writeback,
];
