/** Mutations of what a process does: faults, copy-on-write, fork(), the end of mappings. */
import { inFile } from "./in-file.mjs";

const gup = inFile("assembly/kernel/gup.ts", [
  {
    id: "gup-without-get",
    what: "get_user_pages() with FOLL_GET takes no reference",
    find: "  getPage(page);\n  if (isFollPin(kind)) {",
    replace: "  if (isFollPin(kind)) {",
  },
  {
    id: "gup-not-touched",
    what: "get_user_pages() does not mark the page as accessed (FOLL_TOUCH)",
    find: "  if (pfn != ZERO_PFN) pageAt(pfn).flags |= PG_REFERENCED;\n",
    replace: "",
  },
]);

const fault = inFile("assembly/kernel/fault.ts", [
  {
    id: "file-fault-without-get",
    what: "a page of a file is mapped without a reference",
    find: "  getPage(page);\n  pageAddRmap(page);",
    replace: "  pageAddRmap(page);",
  },
  {
    id: "file-fault-wrong-class",
    what: "a page of a file is counted in MM_ANONPAGES",
    find: "  mmAt(vma.mm).rssFile += 1;",
    replace: "  mmAt(vma.mm).rssAnon += 1;",
  },
  {
    id: "file-fault-lock-not-tested",
    what: "a page of a file is mapped while it is being read",
    find: "  if ((page.flags & PG_LOCKED) != 0) return lockPageOrRetry(vma.mm, slot.pfn);\n",
    replace: "",
  },
  {
    id: "write-not-dirty",
    what: "a write does not set the dirty bit of its PTE",
    find: "  const pte = pteAt(number) | PTE_DIRTY | PTE_ACCESSED;",
    replace: "  const pte = pteAt(number) | PTE_ACCESSED;",
  },
  {
    id: "entry-wait-without-get",
    what: "migration_entry_wait() of v3.12 takes no reference",
    find: "sleepOnPage(vma.mm, ptePfn(pte), profile().waiterTakesRef)",
    replace: "sleepOnPage(vma.mm, ptePfn(pte), profile().waiterTakesRef && pte == 0)",
  },
]);

const anonPage = inFile("assembly/kernel/anon_page.ts", [
  {
    id: "anon-not-counted",
    what: "a fresh anonymous page is not counted in MM_ANONPAGES",
    find: "  mmAt(vma.mm).rssAnon += 1;\n",
    replace: "",
  },
  {
    id: "anon-not-charged",
    what: "a fresh anonymous page is not charged",
    find: "  chargePage(page);\n  writeContent(pfn, 0);",
    replace: "  writeContent(pfn, 0);",
  },
  {
    id: "anon-not-zeroed",
    what: "a fresh anonymous page is not cleared",
    find: "  chargePage(page);\n  writeContent(pfn, 0);",
    replace: "  chargePage(page);",
  },
]);

const cow = inFile("assembly/kernel/cow.ts", [
  {
    id: "cow-no-copy",
    what: "cow_user_page() copies nothing",
    find: "  if (copy != PFN_NONE) copyContent(pfn, copy);\n",
    replace: "",
  },
  {
    id: "cow-rmap-kept",
    what: "the old page keeps its _mapcount when the copy takes its place",
    find: "  pageRemoveRmap(page);\n",
    replace: "",
  },
  {
    id: "cow-old-not-put",
    what: "the old page keeps the reference of the PTE when the copy takes its place",
    find: "freeSwapCache(page);\n  putPage(page);",
    replace: "freeSwapCache(page);",
  },
  {
    id: "cow-wrong-class",
    what: "the old page is counted out of MM_FILEPAGES",
    find: "  if (pageAnon(page)) mmAt(vma.mm).rssAnon -= 1;",
    replace: "  if (page.mapping == 0) mmAt(vma.mm).rssAnon -= 1;",
  },
  {
    id: "cow-lock-not-tested",
    what: "reuse_swap_page() is asked without the page lock",
    find: "  if ((page.flags & PG_LOCKED) != 0) return lockPageOrRetry(mm, pfn);\n",
    replace: "",
  },
  {
    id: "cow-reuses-shared",
    what: "a write goes to a page that others map, too",
    find: "  return reuseSwapPage(page) ? 1 : 0;",
    replace: "  return reuseSwapPage(page) ? 1 : 1;",
  },
]);

const faulter = inFile("assembly/actors/faulter.ts", [
  {
    id: "cow-pte-not-rechecked",
    what: "the copy is installed without pte_same()",
    find: "  const isSame = pteAt(pteNumber(vmaAt(vmaId), vpn)) == actor.pte;",
    replace: "  const isSame = pteAt(pteNumber(vmaAt(vmaId), vpn)) != 0 || actor.pte != 0;",
  },
]);

const fork = inFile("assembly/kernel/fork.ts", [
  {
    id: "fork-parent-writable",
    what: "fork() leaves the PTE of the parent writable",
    find: "  setPte(from, pte & ~(PTE_WRITE | PTE_KVM));",
    replace: "  setPte(from, pte & ~PTE_KVM);",
  },
  {
    id: "fork-without-get",
    what: "fork() gives the child a PTE without a reference",
    find: "    getPage(page);\n",
    replace: "",
  },
  {
    id: "fork-without-rmap",
    what: "fork() gives the child a PTE without page_dup_rmap()",
    find: "    pageAddRmap(page);\n",
    replace: "",
  },
  {
    id: "fork-wrong-class",
    what: "fork() counts every page of the child in MM_FILEPAGES",
    find: "  if (pageAnon(page)) mm.rssAnon += 1;",
    replace: "  if (page.mapping == 0) mm.rssAnon += 1;",
  },
  {
    id: "fork-entry-not-duplicated",
    what: "fork() copies a swap entry without swap_duplicate()",
    find: "  swapDuplicate(ptePfn(entry));\n",
    replace: "",
  },
  {
    id: "fork-entry-keeps-write",
    what: "fork() copies a migration entry that allows writes as it is",
    find: "  const shared = entry & ~(PTE_WRITE | PTE_EXCLUSIVE);",
    replace: "  const shared = entry & ~PTE_EXCLUSIVE;",
  },
]);

const zap = inFile("assembly/kernel/zap.ts", [
  {
    id: "zap-pte-kept",
    what: "zap_pte_range() leaves the PTE",
    find: "  setPte(number, 0);\n",
    replace: "",
  },
  {
    id: "zap-put-first",
    what: "zap_pte_range() puts the page before page_remove_rmap()",
    find: "  pageRemoveRmap(page);\n  if (special) {",
    replace: "  putPage(page);\n  pageRemoveRmap(page);\n  page.refcount += 1;\n  if (special) {",
  },
  {
    id: "zap-without-put",
    what: "zap_pte_range() keeps the reference of the PTE",
    find: "    freeSwapCache(page);\n  }\n  putPage(page);",
    replace: "    freeSwapCache(page);\n  }",
  },
  {
    id: "zap-dirty-lost",
    what: "zap_pte_range() drops the dirty bit of a PTE of a file",
    find: "    if ((pte & PTE_DIRTY) != 0) setPageDirty(page);\n",
    replace: "",
  },
  {
    id: "zap-swap-entry-kept",
    what: "zap_pte_range() does not give the swap entry back",
    find: "    freeSwapAndCache(pfn);\n",
    replace: "",
  },
  {
    id: "zap-swap-not-counted",
    what: "zap_pte_range() does not count MM_SWAPENTS down",
    find: "    mm.rssSwap -= 1;\n",
    replace: "",
  },
  {
    id: "zap-entry-wrong-class",
    what: "zap_pte_range() counts the page of a migration entry out of MM_FILEPAGES",
    find: "  munlockEntry(vma, pfn, page);\n  if (pageAnon(page)) mm.rssAnon -= 1;",
    replace: "  munlockEntry(vma, pfn, page);\n  if (page.mapping == 0) mm.rssAnon -= 1;",
  },
]);

export const processMutations = [...gup, ...fault, ...anonPage, ...cow, ...faulter, ...fork, ...zap];
