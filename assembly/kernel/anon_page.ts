/** Fresh pages of private anonymous memory (mm/memory.c, mm/rmap.c). */
import {
  ENOMEM,
  MIGRATE_MOVABLE,
  NR_MLOCK,
  PFN_NONE,
  PG_ACTIVE,
  PG_ANON_EXCLUSIVE,
  PG_MLOCKED,
  PG_SWAPBACKED,
  PG_UPTODATE,
  PROT_WRITE,
  PTE_ACCESSED,
  PTE_DIRTY,
  PTE_WRITE,
} from "../abi";
import { writeContent } from "../state/content";
import { addToUnevictableList } from "../state/lru";
import { lruCacheAdd } from "../state/lru_batch";
import { OBJECT_ANON_VMA, allocMapping, putMapping } from "../state/mapping";
import { chargePage } from "../state/memcg";
import { mmAt } from "../state/mm";
import { Page, pageAt } from "../state/page";
import { allocPages } from "../state/page_alloc";
import { makePte, setPte } from "../state/pgtable";
import { profile } from "../state/profile";
import { VM_LOCKED, Vma, linkToObject, pageIndex, presentBit, pteNumber, vmaAt } from "../state/vma";
import { count } from "../state/vmstat";
import { pageAddNewAnonRmap } from "./rmap";

/** Where the policy of the VMA wants its pages, else the node of the CPU: node 0. */
export function nodeOfVma(vma: Vma): i32 {
  return max<i32>(vma.node, 0);
}

/** A movable frame where the policy of the VMA wants it, or PFN_NONE. */
export function allocPageVma(vma: Vma): i32 {
  return allocPages(nodeOfVma(vma), 0, MIGRATE_MOVABLE, vma.bound != 0);
}

/** mlock_vma_page() or the LRU-add batch: puts a fresh page where the VMA says. */
export function addFreshPageToLru(vma: Vma, pfn: i32, page: Page): void {
  if ((vma.flags & VM_LOCKED) == 0) {
    lruCacheAdd(pfn, page, profile().lruBatch);
    return;
  }
  page.flags |= PG_MLOCKED;
  count(NR_MLOCK, 1);
  addToUnevictableList(pfn, page);
}

/** anon_vma_prepare(): gives the VMA its anon_vma. Returns false when no object is left. */
function anonVmaPrepare(vmaId: i32): bool {
  if (vmaAt(vmaId).object != 0) return true;
  const object = allocMapping(OBJECT_ANON_VMA);
  if (object == 0) return false;
  linkToObject(vmaId, object);
  putMapping(object); // the VMA's reference is the one that counts
  return true;
}

/** A zeroed page for the VMA, charged, that nothing maps yet. Or PFN_NONE. */
export function allocAnonPage(vmaId: i32): i32 {
  if (!anonVmaPrepare(vmaId)) return PFN_NONE;
  const pfn = allocPageVma(vmaAt(vmaId));
  if (pfn == PFN_NONE) return PFN_NONE;
  const page = pageAt(pfn);
  page.flags = PG_UPTODATE;
  chargePage(page);
  writeContent(pfn, 0);
  return pfn;
}

/** Maps such a page at `vpn`, whatever its PTE was, without looking at that. */
export function mapAnonPage(vmaId: i32, vpn: i32, pfn: i32): void {
  const vma = vmaAt(vmaId);
  const page = pageAt(pfn);
  const p = profile();
  page.flags |= PG_SWAPBACKED;
  if (p.faultActivates) page.flags |= PG_ACTIVE;
  if (p.anonExclusive) page.flags |= PG_ANON_EXCLUSIVE;
  pageAddNewAnonRmap(page, vma.object, pageIndex(vma, vpn));
  mmAt(vma.mm).rssAnon += 1;
  addFreshPageToLru(vma, pfn, page);
  const present = presentBit(vma); // fork() copies behind PROT_NONE, too
  const write = (vma.prot & PROT_WRITE) != 0 ? PTE_WRITE | PTE_DIRTY : 0;
  setPte(pteNumber(vma, vpn), makePte(pfn, present | PTE_ACCESSED | write));
}

/** Both at once. Returns 0 or -ENOMEM. */
export function mapNewAnonPage(vmaId: i32, vpn: i32): i32 {
  const pfn = allocAnonPage(vmaId);
  if (pfn == PFN_NONE) return -ENOMEM;
  mapAnonPage(vmaId, vpn, pfn);
  return 0;
}
