/**
 * The migration of an ordinary page in one go: one PTE maps it, nobody else refers to it, and nothing has
 * to be waited for. It leaves what unmap_and_move() leaves, without the states in between. Nearly all pages
 * are such ones, and the steps with their questions take twice the time (bench/migrate).
 */
import {
  MAPPING_ANON,
  MAPPING_TAG_MASK,
  NR_ISOLATED_ANON,
  PG_ACTIVE,
  PG_ANON_EXCLUSIVE,
  PG_DIRTY,
  PG_ISOLATED,
  PG_MEMCG,
  PG_SWAPBACKED,
  PROBE_PAGES_COPIED,
  PROBE_PTES_UNMAPPED,
  PROBE_REFCOUNT_CHECK,
  PROBE_REMOVE_MIGRATION_PTE,
  PROBE_TRY_TO_UNMAP,
  PTE_ACCESSED,
  PTE_DIRTY,
  PTE_PRESENT,
  PTE_WRITE,
} from "../abi";
import { copyContent, poisonContent } from "../state/content";
import { giveBackFrame } from "../state/frame_run";
import { lruCacheAdd } from "../state/lru_batch";
import { machine } from "../state/machine";
import { OBJECT_ANON_VMA, mappingAt, objectOf } from "../state/mapping";
import { Page } from "../state/page";
import { makePte, pteAt, setPte } from "../state/pgtable";
import { profile } from "../state/profile";
import { coversIndex, vmaAt } from "../state/vma";
import { count } from "../state/vmstat";
import { CARRIED } from "./move_mapping";

/** Flags that an isolated ordinary page has and may have. Its target gets them, all but PG_isolated. */
const REQUIRED: i32 = PG_ISOLATED | PG_SWAPBACKED;
const ALLOWED: i32 = CARRIED | PG_DIRTY | PG_ACTIVE | PG_ANON_EXCLUSIVE | PG_MEMCG;

/** Number of the one PTE that can map `page`, -1 if it is not so simple. */
function onlyPteOf(page: Page): i32 {
  const word = page.mapping;
  if ((word & MAPPING_TAG_MASK) != MAPPING_ANON) return -1;
  const anonVma = mappingAt(objectOf(word));
  if (anonVma.kind != OBJECT_ANON_VMA) return -1;
  const index = page.index;
  const vma = vmaAt(anonVma.firstVma);
  if (vma.nextInObject != 0 || !coversIndex(vma, index)) return -1;
  return vma.pteOffset + index;
}

/** True if moveOrdinaryPage() does for this isolated page what the attempt step by step would do. */
export function isOrdinary(pfn: i32, page: Page): bool {
  if (page.refcount != 2 || page.mapcount != 1 || (page.flags & ~ALLOWED) != REQUIRED) return false;
  const m = machine();
  if ((m.tracing | m.nrWaiters) != 0) return false;
  const number = onlyPteOf(page);
  return (
    number >= 0 && (pteAt(number) & ~(PTE_WRITE | PTE_DIRTY | PTE_ACCESSED)) == makePte(pfn, PTE_PRESENT)
  );
}

/** Moves an ordinary page to a fresh frame, gives its own back, and puts the target on the LRU. */
export function moveOrdinaryPage(pfn: i32, page: Page, to: i32, newPage: Page): void {
  const number = onlyPteOf(page);
  const pte = pteAt(number);
  setPte(number, makePte(to, PTE_PRESENT | (pte & PTE_WRITE)));
  newPage.flags = (page.flags & ~PG_ISOLATED) | ((pte & PTE_DIRTY) != 0 ? PG_DIRTY : 0);
  newPage.refcount = 1;
  newPage.mapcount = 1;
  newPage.mapping = page.mapping;
  newPage.index = page.index;
  copyContent(pfn, to);
  page.flags = 0;
  page.refcount = 0;
  page.mapcount = 0;
  page.mapping = 0;
  page.index = 0;
  page.privateWord = 0;
  poisonContent(pfn);
  giveBackFrame(pfn);
  lruCacheAdd(to, newPage, profile().lruBatch);
  count(NR_ISOLATED_ANON, -1);
  count(PROBE_TRY_TO_UNMAP, 1);
  count(PROBE_PTES_UNMAPPED, 1);
  count(PROBE_REFCOUNT_CHECK, 1);
  count(PROBE_PAGES_COPIED, 1);
  count(PROBE_REMOVE_MIGRATION_PTE, 1);
}
