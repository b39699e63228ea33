/** struct page: what a pfn holds. The table is indexed by pfn; see abi.ts for the fields. */
import {
  FN_GET_PAGE,
  GUP_PIN_COUNTING_BIAS,
  CRASH_BUG,
  INV_REF,
  MAPPING_ANON,
  MAPPING_KSM,
  MAPPING_TAG_MASK,
  PAGE_FLAGS,
  PAGE_INDEX,
  PAGE_MAPCOUNT,
  PAGE_MAPPING,
  PAGE_NEXT,
  PAGE_PREV,
  PAGE_PRIVATE,
  PAGE_RECORD_SHIFT,
  PAGE_RECORD_SIZE,
  PAGE_REFCOUNT,
  PG_PRIVATE,
  PG_PRIVATE_2,
} from "../abi";
import { pagesPtr } from "../arena";
import { crash } from "./crash";

@unmanaged
export class Page {
  flags: i32;
  refcount: i32;
  mapcount: i32;
  mapping: i32;
  index: i32;
  privateWord: i32;
  next: i32;
  prev: i32;
}

if (offsetof<Page>() != PAGE_RECORD_SIZE || PAGE_RECORD_SIZE != 1 << PAGE_RECORD_SHIFT)
  ERROR("size of struct page");
if (offsetof<Page>("flags") != PAGE_FLAGS || offsetof<Page>("refcount") != PAGE_REFCOUNT)
  ERROR("struct page");
if (offsetof<Page>("mapcount") != PAGE_MAPCOUNT || offsetof<Page>("mapping") != PAGE_MAPPING)
  ERROR("struct page");
if (offsetof<Page>("index") != PAGE_INDEX || offsetof<Page>("privateWord") != PAGE_PRIVATE)
  ERROR("struct page");
if (offsetof<Page>("next") != PAGE_NEXT || offsetof<Page>("prev") != PAGE_PREV) ERROR("struct page");

export function pageAt(pfn: i32): Page {
  return changetype<Page>(pagesPtr + ((<usize>pfn) << PAGE_RECORD_SHIFT));
}

export function pfnOf(page: Page): i32 {
  return <i32>((changetype<usize>(page) - pagesPtr) >> PAGE_RECORD_SHIFT);
}

/** PageAnon(): tests the tag in `mapping`, nothing else. */
export function pageAnon(page: Page): bool {
  return (page.mapping & MAPPING_ANON) != 0;
}

export function pageKsm(page: Page): bool {
  return (page.mapping & MAPPING_TAG_MASK) == MAPPING_KSM;
}

/** page_has_private(): the two flags decide, never the value of the private word. */
export function pageHasPrivate(page: Page): bool {
  return (page.flags & (PG_PRIVATE | PG_PRIVATE_2)) != 0;
}

/** page_maybe_dma_pinned(): by its count alone, so that many ordinary references look like a FOLL_PIN. */
export function maybePinned(page: Page): bool {
  return page.refcount >= GUP_PIN_COUNTING_BIAS;
}

/** get_page(): one more reference. The page must have one already. */
export function getPage(page: Page): void {
  if (page.refcount <= 0) crash(CRASH_BUG, FN_GET_PAGE, 0, pfnOf(page), INV_REF);
  page.refcount += 1;
}
