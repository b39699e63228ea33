/** KSM: a node and its page name each other, and the node's rmap items lead to every PTE of the page once. */
import {
  CFG_KSM_ITEMS,
  CFG_MAPPINGS,
  CFG_MAX_PFN,
  INV_LIST,
  INV_TAG,
  INV_UAF,
  MACHINE_NR_KSM_ITEMS,
  MAPPING_KSM_FIRST_ITEM,
  MAPPING_KSM_PFN,
  TABLE_KSM_ITEMS,
} from "../abi";
import { config } from "../arena";
import { KsmItem, ksmItemAt, ksmWord } from "../state/ksm";
import { Machine, machine } from "../state/machine";
import { Mapping, OBJECT_ANON_VMA, OBJECT_KSM_NODE, mappingAt } from "../state/mapping";
import { pageAt } from "../state/page";
import { pteAt, ptePfn, ptePresent } from "../state/pgtable";
import { coversIndex, vmaAt } from "../state/vma";
import { addRefs } from "./tally";
import { objectKind } from "./verify_pages";
import { bad, expectEqual, violation } from "./violation";

if (offsetof<Machine>("nrKsmItems") != MACHINE_NR_KSM_ITEMS) ERROR("Machine record");
if (offsetof<Mapping>("link") != MAPPING_KSM_PFN) ERROR("Mapping record");
if (offsetof<Mapping>("firstSlot") != MAPPING_KSM_FIRST_ITEM) ERROR("Mapping record");

/** Adds the references that rmap items have of anon_vmas, and pages of their nodes. */
export function countKsmRefs(): void {
  for (let id = 1; id <= config(CFG_KSM_ITEMS); id++) {
    if (ksmItemAt(id).node != 0) addRefs(ksmItemAt(id).anonVma, 1);
  }
  for (let id = 1; id <= config(CFG_MAPPINGS); id++) {
    if (mappingAt(id).kind == OBJECT_KSM_NODE) addRefs(id, 1);
  }
}

/** Items in the chain of a node, -1 if it leads to one of another node or in a circle. */
function chainLength(node: i32): i32 {
  let nr = 0;
  for (let id = mappingAt(node).firstSlot; id != 0; id = ksmItemAt(id).next) {
    if (<u32>id > <u32>config(CFG_KSM_ITEMS) || ksmItemAt(id).node != node) return -1;
    if (nr == config(CFG_KSM_ITEMS)) return -1;
    nr += 1;
  }
  return nr;
}

/** PTEs of `pfn` at the place of an item. */
function ptesAt(item: KsmItem, pfn: i32): i32 {
  let nr = 0;
  for (let id = mappingAt(item.anonVma).firstVma; id != 0; id = vmaAt(id).nextInObject) {
    const vma = vmaAt(id);
    if (!coversIndex(vma, item.index)) continue;
    const pte = pteAt(vma.pteOffset + item.index);
    if (ptePresent(pte) && ptePfn(pte) == pfn) nr += 1;
  }
  return nr;
}

/** Returns how many items the node has. */
function verifyNode(node: i32): i32 {
  const pfn = mappingAt(node).link;
  if (<u32>pfn >= <u32>config(CFG_MAX_PFN) || pageAt(pfn).refcount == 0) {
    bad(INV_UAF, 0, node, 1, 0);
    return 0;
  }
  const page = pageAt(pfn);
  expectEqual(INV_TAG, pfn, node, ksmWord(node), page.mapping);
  const nr = chainLength(node);
  if (nr < 0) {
    bad(INV_LIST, pfn, node, 0, nr);
    return 0;
  }
  let ptes = 0;
  for (let id = mappingAt(node).firstSlot; id != 0; id = ksmItemAt(id).next) {
    const item = ksmItemAt(id);
    const kind = objectKind(item.anonVma);
    if (kind != OBJECT_ANON_VMA) {
      bad(INV_UAF, pfn, item.anonVma, OBJECT_ANON_VMA, kind);
      return 0;
    }
    ptes += ptesAt(item, pfn);
  }
  expectEqual(INV_LIST, pfn, node, page.mapcount, ptes);
  return nr;
}

/** Chains of VMAs must have been checked. */
export function verifyKsm(): void {
  let items = 0;
  for (let id = 1; id <= config(CFG_MAPPINGS) && violation() == 0; id++) {
    if (mappingAt(id).kind == OBJECT_KSM_NODE) items += verifyNode(id);
  }
  expectEqual(INV_LIST, 0, TABLE_KSM_ITEMS, items, machine().nrKsmItems);
}
