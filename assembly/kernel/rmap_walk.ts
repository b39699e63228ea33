/**
 * rmap_walk() (mm/rmap.c, mm/ksm.c): the places where a PTE may map a page, one after the other. A walk is at
 * one place at a time, and one walk is under way at a time. That of a KSM page visits an anon_vma for each of
 * its rmap items, and so finds what was forked since it was merged.
 */
import {
  CRASH_HANG,
  CRASH_OOPS,
  FN_RMAP_WALK_ANON,
  INV_LOCK,
  INV_UAF,
  MAPPING_ANON,
  MAPPING_KSM,
  MAPPING_TAG_MASK,
} from "../abi";
import { RMAP_WALK_SIZE, rmapWalkPtr } from "../arena";
import { crash } from "../state/crash";
import { ksmItemAt } from "../state/ksm";
import { OBJECT_ANON_VMA, isSubstitute, mappingAt, objectOf } from "../state/mapping";
import { Vma, coversIndex, vmaAt } from "../state/vma";
import { lockMmapMutex } from "./locks";

export const NO_PLACE: i32 = -1;

@unmanaged
class RmapWalk {
  index: i32; // of the page in the object whose VMAs are looked at
  vma: i32; // that of the present place
  nextVma: i32; // to be looked at
  nextItem: i32; // rmap item whose anon_vma comes behind the last VMA of this one
}

if (offsetof<RmapWalk>() > RMAP_WALK_SIZE) ERROR("size of the rmap walk");

function walk(): RmapWalk {
  return changetype<RmapWalk>(rmapWalkPtr);
}

/**
 * Takes the lock of the walk that `word`, the mapping of page `pfn`, leads to: that of the anon_vma or of
 * i_mmap, as the tag says.
 */
export function lockForWalk(word: i32, pfn: i32, fileWalk: i32, caller: i32): void {
  if ((word & MAPPING_TAG_MASK) == MAPPING_KSM) return; // the items hold anon_vmas
  if ((word & MAPPING_ANON) == 0) {
    lockMmapMutex(word, pfn, fileWalk, caller);
  } else if (mappingAt(objectOf(word)).kind != OBJECT_ANON_VMA) {
    // The substitute with a tag that only L4 looks behind, or an anon_vma that nobody held.
    if (isSubstitute(word)) crash(CRASH_HANG, FN_RMAP_WALK_ANON, caller, pfn, INV_LOCK);
    crash(CRASH_OOPS, FN_RMAP_WALK_ANON, caller, pfn, INV_UAF);
  }
}

/** Begins a walk over the places of a page with this mapping and index. */
export function beginWalk(word: i32, index: i32): void {
  const w = walk();
  const object = mappingAt(objectOf(word));
  w.index = index;
  w.nextVma = object.firstVma; // a KSM node has none
  w.nextItem = (word & MAPPING_TAG_MASK) == MAPPING_KSM ? object.firstSlot : 0;
}

/**
 * Goes on to the next place. Returns the number of its PTE, which may be anything, or NO_PLACE at the end.
 */
export function nextPlace(): i32 {
  const w = walk();
  let id = w.nextVma;
  while (true) {
    const index = w.index;
    while (id != 0) {
      const vma = vmaAt(id);
      if (coversIndex(vma, index)) {
        w.vma = id;
        w.nextVma = vma.nextInObject;
        return vma.pteOffset + index;
      }
      id = vma.nextInObject;
    }
    if (w.nextItem == 0) return NO_PLACE;
    const item = ksmItemAt(w.nextItem);
    w.nextItem = item.next;
    w.index = item.index;
    id = mappingAt(item.anonVma).firstVma;
  }
}

/** The VMA of the present place. */
export function placeVma(): Vma {
  return vmaAt(walk().vma);
}
