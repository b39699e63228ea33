/**
 * mm/rmap.c: who maps a page. All functions here look at the page through rmapMapping(), the one place where
 * a repaired RFC can show them the word that it replaced.
 */
import { MAPPING_ANON, MAPPING_TAG_MASK, MAPPING_TAG_SHIFT, NR_ANON_PAGES, NR_FILE_MAPPED } from "../abi";
import { OBJECT_ANON_VMA, isSubstitute, mappingAt, objectOf } from "../state/mapping";
import { unchargeUnmapped } from "../state/memcg";
import { Page, pageAnon } from "../state/page";
import { count } from "../state/vmstat";
import { substituteRmapMapping } from "./policy/substitute";

/** page->mapping as reverse-map operations see it. */
export function rmapMapping(page: Page): i32 {
  const word = page.mapping;
  return isSubstitute(word) ? substituteRmapMapping(page, word) : word;
}

/** PageAnon() inside mm/rmap.c. */
export function rmapPageAnon(page: Page): bool {
  return (rmapMapping(page) & MAPPING_ANON) != 0;
}

/** page_add_new_anon_rmap(): the first PTE of a fresh anonymous page. */
export function pageAddNewAnonRmap(page: Page, anonVma: i32, index: i32): void {
  page.mapcount = 1;
  page.mapping = (anonVma << MAPPING_TAG_SHIFT) | MAPPING_ANON;
  page.index = index;
  count(NR_ANON_PAGES, 1);
}

/** page_add_anon_rmap() of a page that may come from swap: its first PTE makes it anonymous (again). */
export function pageAddAnonRmap(page: Page, anonVma: i32, index: i32): void {
  if (page.mapcount == 0 && !pageAnon(page)) {
    page.mapping = (anonVma << MAPPING_TAG_SHIFT) | MAPPING_ANON;
    page.index = index;
  }
  pageAddRmap(page);
}

/** page_add_anon_rmap() or page_add_file_rmap(), whichever the tag says. */
export function pageAddRmap(page: Page): void {
  page.mapcount += 1;
  if (page.mapcount == 1) count(rmapPageAnon(page) ? NR_ANON_PAGES : NR_FILE_MAPPED, 1);
}

/** page_remove_rmap(): one PTE less; counter and charge go by what the tag says at this moment. */
export function pageRemoveRmap(page: Page): void {
  page.mapcount -= 1;
  if (page.mapcount != 0) return;
  const anon = rmapPageAnon(page);
  count(anon ? NR_ANON_PAGES : NR_FILE_MAPPED, -1);
  if (anon) unchargeUnmapped(page);
}

/**
 * page_get_anon_vma(): takes a reference of the anon_vma of a page that is still mapped. Returns its object
 * id, or 0: the tag is not exactly ANON, or nobody maps the page.
 */
export function pageGetAnonVma(page: Page): i32 {
  const word = rmapMapping(page);
  if ((word & MAPPING_TAG_MASK) != MAPPING_ANON || page.mapcount == 0) return 0;
  const object = objectOf(word);
  const anonVma = mappingAt(object);
  if (anonVma.kind != OBJECT_ANON_VMA) return 0;
  anonVma.refcount += 1;
  return object;
}
