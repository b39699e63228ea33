/** The end of a page's life: the last reference is dropped and the frame goes back to the buddy allocator. */
import {
  CFG_DEBUG_VM,
  CRASH_BUG,
  FN_PUT_PAGE,
  INV_REF,
  MAPPING_ANON,
  PG_ACTIVE,
  PG_HWPOISON,
  PG_LOCKED,
  PG_LRU,
  PG_MEMCG,
  PG_MLOCKED,
  PG_PRIVATE,
  PG_PRIVATE_2,
  PG_RESERVED,
  PG_SWAPCACHE,
  PG_UNEVICTABLE,
  PG_WRITEBACK,
} from "../abi";
import { config } from "../arena";
import { poisonContent } from "./content";
import { crash } from "./crash";
import { freeKsmNode } from "./ksm";
import { lruDel } from "./lru";
import { machine } from "./machine";
import { objectOf } from "./mapping";
import { unchargePage } from "./memcg";
import { Page, pageKsm, pfnOf } from "./page";
import { freePages } from "./page_alloc";
import { profile } from "./profile";

/** Flags that no page may have when it is freed (PAGE_FLAGS_CHECK_AT_FREE). */
const FLAGS_CHECKED_AT_FREE: i32 =
  PG_LRU |
  PG_LOCKED |
  PG_PRIVATE |
  PG_PRIVATE_2 |
  PG_WRITEBACK |
  PG_RESERVED |
  PG_SWAPCACHE |
  PG_ACTIVE |
  PG_UNEVICTABLE |
  PG_MLOCKED |
  PG_HWPOISON;

/** Of a page that is charged still: 6.x uncharges it now; for v3.12 it is bad, if the kernel looks at all. */
function staysCharged(page: Page): bool {
  if (profile().chargeEndsWithMapping) return config(CFG_DEBUG_VM) != 0;
  unchargePage(page);
  return false;
}

/**
 * free_pages_prepare() and free_one_page() for a page whose count has reached 0. A page in a bad state is
 * reported ("Bad page state") and leaked, not freed; verify() names the first one.
 */
export function releasePage(pfn: i32, page: Page): void {
  let flags = page.flags;
  if ((flags & PG_LRU) != 0) {
    lruDel(pfn, page);
    flags &= ~(PG_LRU | PG_ACTIVE | PG_UNEVICTABLE); // __page_cache_release(), del_page_from_lru_list()
    page.flags = flags;
  }
  if ((page.mapping & MAPPING_ANON) != 0) {
    if (pageKsm(page)) freeKsmNode(objectOf(page.mapping));
    page.mapping = 0;
  }
  if (
    ((flags & PG_MEMCG) != 0 && staysCharged(page)) ||
    page.mapcount != 0 ||
    page.mapping != 0 ||
    page.refcount != 0 ||
    (flags & FLAGS_CHECKED_AT_FREE) != 0
  ) {
    const m = machine();
    if (m.nrBadPages == 0) m.firstBadPfn = pfn;
    m.nrBadPages += 1;
    return;
  }
  page.flags = 0;
  page.index = 0;
  page.privateWord = 0;
  poisonContent(pfn);
  freePages(pfn, 0);
}

/** put_page(): drops a reference; the last one frees the page. */
export function putPage(page: Page): void {
  const refcount = page.refcount - 1;
  if (refcount < 0) crash(CRASH_BUG, FN_PUT_PAGE, 0, pfnOf(page), INV_REF);
  page.refcount = refcount;
  if (refcount == 0) releasePage(pfnOf(page), page);
}
