/**
 * KSM (mm/ksm.c): a stable node for each page that processes share because its content is the same, and an
 * rmap item for each place where it was merged. A node lies in the table of mappings, since page->mapping
 * names it; it goes with its page, and the items with it.
 */
import {
  CFG_KSM_ITEMS,
  KSM_ITEM_ANON_VMA,
  KSM_ITEM_INDEX,
  KSM_ITEM_NEXT,
  KSM_ITEM_SIZE,
  MAPPING_KSM,
  MAPPING_TAG_SHIFT,
  TABLE_KSM_ITEMS,
} from "../abi";
import { KSM_ITEM_RECORD_SIZE, config, tablePtr } from "../arena";
import { machine } from "./machine";
import { OBJECT_KSM_NODE, allocMapping, mappingAt, objectOf, putMapping } from "./mapping";
import { Page, pageKsm, pfnOf } from "./page";
import { poolFree, poolInit, poolNext } from "./pool";

/** struct rmap_item of the stable tree. */
@unmanaged
export class KsmItem {
  node: i32; // 0 = free
  next: i32; // of the node
  anonVma: i32; // which it holds
  index: i32; // of the page in that
}

if (offsetof<KsmItem>() != KSM_ITEM_RECORD_SIZE || KSM_ITEM_RECORD_SIZE != KSM_ITEM_SIZE)
  ERROR("size of an rmap item");
if (offsetof<KsmItem>("next") != KSM_ITEM_NEXT) ERROR("KsmItem record");
if (offsetof<KsmItem>("anonVma") != KSM_ITEM_ANON_VMA) ERROR("KsmItem record");
if (offsetof<KsmItem>("index") != KSM_ITEM_INDEX) ERROR("KsmItem record");

export function ksmItemAt(id: i32): KsmItem {
  return changetype<KsmItem>(tablePtr(TABLE_KSM_ITEMS) + <usize>id * KSM_ITEM_RECORD_SIZE);
}

export function initKsm(): void {
  machine().freeKsmItem = poolInit(
    tablePtr(TABLE_KSM_ITEMS),
    KSM_ITEM_RECORD_SIZE,
    config(CFG_KSM_ITEMS) + 1,
  );
}

/** How many more items fit. */
export function freeKsmItems(): i32 {
  return config(CFG_KSM_ITEMS) - machine().nrKsmItems;
}

/** The mapping word of the page of a node. */
export function ksmWord(node: i32): i32 {
  return (node << MAPPING_TAG_SHIFT) | MAPPING_KSM;
}

/** A new node for the page `pfn`. There must be a record for it. */
export function allocKsmNode(pfn: i32): i32 {
  const node = allocMapping(OBJECT_KSM_NODE);
  assert(node != 0, "allocKsmNode: no record left");
  mappingAt(node).link = pfn;
  return node;
}

/**
 * stable_tree_append(): page `index` of `anonVma` is a place of the node's page. There must be a record for
 * it.
 */
export function addKsmItem(node: i32, anonVma: i32, index: i32): void {
  const mapping = mappingAt(node);
  for (let id = mapping.firstSlot; id != 0; id = ksmItemAt(id).next) {
    // Of a place that was written to since, or of another process of the family.
    if (ksmItemAt(id).anonVma == anonVma && ksmItemAt(id).index == index) return;
  }
  const m = machine();
  const id = m.freeKsmItem;
  assert(id != 0, "addKsmItem: no record left");
  m.freeKsmItem = poolNext(tablePtr(TABLE_KSM_ITEMS), KSM_ITEM_RECORD_SIZE, id);
  m.nrKsmItems += 1;
  const item = ksmItemAt(id);
  item.node = node;
  item.anonVma = anonVma;
  item.index = index;
  item.next = mapping.firstSlot;
  mapping.firstSlot = id;
  mappingAt(anonVma).refcount += 1;
}

/** The page of a node is freed: so are its items and the node. 0 is no node. */
export function freeKsmNode(node: i32): void {
  if (node == 0) return;
  const m = machine();
  let id = mappingAt(node).firstSlot;
  while (id != 0) {
    const item = ksmItemAt(id);
    const next = item.next;
    putMapping(item.anonVma);
    m.freeKsmItem = poolFree(tablePtr(TABLE_KSM_ITEMS), KSM_ITEM_RECORD_SIZE, id, m.freeKsmItem);
    m.nrKsmItems -= 1;
    id = next;
  }
  putMapping(node);
}

/** ksm_migrate_page(): the node follows its page; the old one keeps the tag alone. */
export function ksmMigratePage(newPage: Page, page: Page): void {
  if (!pageKsm(newPage)) return;
  mappingAt(objectOf(newPage.mapping)).link = pfnOf(newPage);
  page.mapping = ksmWord(0);
}
