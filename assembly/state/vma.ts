/** VMAs: what a range of virtual pages maps, and the chains by which rmap finds them from an object. */
import {
  CFG_VMAS,
  PROT_NONE,
  PTE_PRESENT,
  PTE_PROTNONE,
  VMA_END,
  VMA_FILE,
  VMA_KIND,
  VMA_NEXT,
  VMA_SHMEM,
  VMA_START,
} from "../abi";
import { VMA_RECORD_SIZE, config, vmasPtr } from "../arena";
import { machine } from "./machine";
import { mappingAt, putMapping } from "./mapping";
import { mmAt } from "./mm";
import { poolFree, poolInit, poolNext } from "./pool";

export const VM_LOCKED: i32 = 1 << 0;
export const VM_DONTCOPY: i32 = 1 << 1; // MADV_DONTFORK: fork() leaves it out

@unmanaged
export class Vma {
  mm: i32; // 0 = free
  nextVma: i32; // by address
  start: i32; // virtual page
  end: i32; // exclusive
  kind: i32; // VMA_*
  prot: i32; // PROT_*
  flags: i32; // VM_*
  node: i32; // memory policy: preferred or bound node, -1 = none
  bound: i32; // MPOL_BIND: no other node will do
  pgoff: i32; // index of the page at `start`
  pteOffset: i32; // number of the PTE of index i is pteOffset + i
  object: i32; // anon_vma or address_space, 0 before the first anonymous fault
  nextInObject: i32;
}

if (offsetof<Vma>() > VMA_RECORD_SIZE) ERROR("size of a VMA record");
if (offsetof<Vma>("nextVma") != VMA_NEXT) ERROR("Vma record");
if (offsetof<Vma>("start") != VMA_START) ERROR("Vma record");
if (offsetof<Vma>("end") != VMA_END) ERROR("Vma record");
if (offsetof<Vma>("kind") != VMA_KIND) ERROR("Vma record");

export function vmaAt(id: i32): Vma {
  return changetype<Vma>(vmasPtr + <usize>id * VMA_RECORD_SIZE);
}

export function initVmas(): void {
  machine().freeVma = poolInit(vmasPtr, VMA_RECORD_SIZE, config(CFG_VMAS) + 1);
}

/** How many more VMAs fit. */
export function freeVmas(): i32 {
  return config(CFG_VMAS) - machine().nrVmas;
}

/** find_vma(), but only a VMA that contains `vpn`; 0 if none does. */
export function findVma(mm: i32, vpn: i32): i32 {
  for (let id = mmAt(mm).firstVma; id != 0; id = vmaAt(id).nextVma) {
    const vma = vmaAt(id);
    if (vpn < vma.start) return 0;
    if (vpn < vma.end) return id;
  }
  return 0;
}

/** Number of the PTE at `vpn` of a VMA. */
export function pteNumber(vma: Vma, vpn: i32): i32 {
  return vma.pteOffset + vpn - vma.start + vma.pgoff;
}

/** Index in the object of the page at `vpn`: linear_page_index(). */
export function pageIndex(vma: Vma, vpn: i32): i32 {
  return vpn - vma.start + vma.pgoff;
}

/** What makes a PTE of this VMA name a page: PROT_NONE has it hidden from the processor. */
export function presentBit(vma: Vma): i32 {
  return vma.prot == PROT_NONE ? PTE_PROTNONE : PTE_PRESENT;
}

/** True for shared mappings, whose pages are those of an address_space. */
export function isSharedMapping(vma: Vma): bool {
  return vma.kind == VMA_SHMEM || vma.kind == VMA_FILE;
}

/** True if the VMA covers page `index` of its object. */
export function coversIndex(vma: Vma, index: i32): bool {
  return <u32>(index - vma.pgoff) < <u32>(vma.end - vma.start);
}

/** Enters a VMA into the chain of its object and takes a reference of that. */
export function linkToObject(id: i32, object: i32): void {
  const vma = vmaAt(id);
  const mapping = mappingAt(object);
  vma.object = object;
  vma.nextInObject = mapping.firstVma;
  mapping.firstVma = id;
  mapping.refcount += 1;
}

function unlinkFromObject(id: i32): void {
  const vma = vmaAt(id);
  const mapping = mappingAt(vma.object);
  if (mapping.firstVma == id) {
    mapping.firstVma = vma.nextInObject;
  } else {
    let before = vmaAt(mapping.firstVma);
    while (before.nextInObject != id) before = vmaAt(before.nextInObject);
    before.nextInObject = vma.nextInObject;
  }
  putMapping(vma.object);
}

/**
 * Inserts a VMA for virtual pages start … end-1, which must be free, into its address space. Returns its id.
 */
export function insertVma(mmId: i32, start: i32, end: i32, kind: i32, pgoff: i32): i32 {
  const m = machine();
  const id = m.freeVma;
  assert(id != 0, "insertVma: no record left");
  m.freeVma = poolNext(vmasPtr, VMA_RECORD_SIZE, id);
  m.nrVmas += 1;
  const mm = mmAt(mmId);
  const vma = vmaAt(id);
  vma.mm = mmId;
  vma.start = start;
  vma.end = end;
  vma.kind = kind;
  vma.node = -1;
  vma.pgoff = pgoff;
  vma.pteOffset = mm.firstPte + start - pgoff;
  let before = 0;
  let next = mm.firstVma;
  while (next != 0 && vmaAt(next).start < start) {
    before = next;
    next = vmaAt(next).nextVma;
  }
  vma.nextVma = next;
  if (before == 0) mm.firstVma = id;
  else vmaAt(before).nextVma = id;
  return id;
}

/** Takes a VMA out of its address space and of its object's chain, and frees it. */
export function removeVma(id: i32): void {
  const m = machine();
  const vma = vmaAt(id);
  if (vma.object != 0) unlinkFromObject(id);
  const mm = mmAt(vma.mm);
  if (mm.firstVma == id) {
    mm.firstVma = vma.nextVma;
  } else {
    let before = vmaAt(mm.firstVma);
    while (before.nextVma != id) before = vmaAt(before.nextVma);
    before.nextVma = vma.nextVma;
  }
  m.freeVma = poolFree(vmasPtr, VMA_RECORD_SIZE, id, m.freeVma);
  m.nrVmas -= 1;
}

/** A VMA like `id` for start … end-1 of `mm`, where nothing but `id` itself may be. Returns its id. */
function cloneVma(id: i32, mm: i32, start: i32, end: i32): i32 {
  const from = vmaAt(id);
  const clone = insertVma(mm, start, end, from.kind, pageIndex(from, start));
  const to = vmaAt(clone);
  to.prot = from.prot;
  to.flags = from.flags;
  to.node = from.node;
  to.bound = from.bound;
  if (from.object != 0) linkToObject(clone, from.object);
  return clone;
}

/** The same VMA in another address space, empty there. Returns its id. */
export function copyVma(id: i32, mm: i32): i32 {
  return cloneVma(id, mm, vmaAt(id).start, vmaAt(id).end);
}

/** split_vma(): cuts a VMA at `vpn`, strictly inside; the given one keeps the lower part. */
export function splitVma(id: i32, vpn: i32): void {
  const lower = vmaAt(id);
  cloneVma(id, lower.mm, vpn, lower.end);
  lower.end = vpn;
}

/** Cuts the VMAs of `mm` so that none crosses `start` or `end`. Needs up to two records. */
export function splitAt(mm: i32, start: i32, end: i32): void {
  const first = findVma(mm, start);
  if (first != 0 && vmaAt(first).start < start) splitVma(first, start);
  const last = findVma(mm, end - 1);
  if (last != 0 && vmaAt(last).end > end) splitVma(last, end);
}
