/**
 * Address spaces (mm_struct): a run of PTEs each, the VMAs in it, and the rss counters. A guest is one with
 * vCPUs.
 */
import {
  CFG_PROCESSES,
  CFG_PTES,
  PROCESS_FIRST_PTE,
  PROCESS_FIRST_VMA,
  PROCESS_LIVE,
  PROCESS_NEXT,
  PROCESS_NR_PAGES,
  PROCESS_NR_VCPUS,
  PROCESS_RSS_ANON,
  PROCESS_RSS_FILE,
  PROCESS_RSS_SWAP,
  TABLE_PROCESSES,
} from "../abi";
import { PROCESS_RECORD_SIZE, config, tablePtr } from "../arena";
import { machine } from "./machine";
import { poolFree, poolInit, poolNext } from "./pool";

@unmanaged
export class Mm {
  live: i32; // serial number of the address space, 0 = free
  nextMm: i32; // by address of their PTEs
  firstPte: i32; // number of the PTE of virtual page 0
  nrPages: i32; // virtual pages
  firstVma: i32; // by address
  rssFile: i32; // MM_FILEPAGES
  rssAnon: i32; // MM_ANONPAGES
  rssSwap: i32; // MM_SWAPENTS
  cpu: i32; // the CPU its threads run on
  nrVcpus: i32;
  mmCount: i32; // mm_count held by async_pf work
  hasPinned: i32; // MMF_HAS_PINNED: FOLL_PIN was used here
  exiting: i32; // its threads have been killed, exit_mmap() has begun
  mmapSem: i32; // mmap_sem where actors run: readers, -1 = a writer
  zapped: i32; // page whose PTE zap_pte_range() has cleared, but not yet page_remove_rmap(), 0 = none
  zappedVpn: i32; // where that PTE was; its lock is held
}

if (offsetof<Mm>() > PROCESS_RECORD_SIZE) ERROR("size of a process record");
if (offsetof<Mm>("live") != PROCESS_LIVE) ERROR("Mm record");
if (offsetof<Mm>("nextMm") != PROCESS_NEXT) ERROR("Mm record");
if (offsetof<Mm>("firstPte") != PROCESS_FIRST_PTE) ERROR("Mm record");
if (offsetof<Mm>("nrPages") != PROCESS_NR_PAGES) ERROR("Mm record");
if (offsetof<Mm>("firstVma") != PROCESS_FIRST_VMA) ERROR("Mm record");
if (offsetof<Mm>("rssFile") != PROCESS_RSS_FILE) ERROR("Mm record");
if (offsetof<Mm>("rssAnon") != PROCESS_RSS_ANON) ERROR("Mm record");
if (offsetof<Mm>("rssSwap") != PROCESS_RSS_SWAP) ERROR("Mm record");
if (offsetof<Mm>("nrVcpus") != PROCESS_NR_VCPUS) ERROR("Mm record");

export function mmAt(id: i32): Mm {
  return changetype<Mm>(tablePtr(TABLE_PROCESSES) + <usize>id * PROCESS_RECORD_SIZE);
}

export function initMms(): void {
  machine().freeProcess = poolInit(tablePtr(TABLE_PROCESSES), PROCESS_RECORD_SIZE, config(CFG_PROCESSES) + 1);
}

/**
 * A new, empty address space of `nrPages` virtual pages in the first gap of the PTE table that is large
 * enough. Returns its id, or 0 when no gap or no record is left.
 */
export function createMm(nrPages: i32, cpu: i32): i32 {
  const m = machine();
  const id = m.freeProcess;
  if (id == 0) return 0;
  let before = 0;
  let start = 0;
  let next = m.firstMm;
  while (next != 0 && mmAt(next).firstPte - start < nrPages) {
    start = mmAt(next).firstPte + mmAt(next).nrPages;
    before = next;
    next = mmAt(next).nextMm;
  }
  if (next == 0 && config(CFG_PTES) - start < nrPages) return 0;

  m.freeProcess = poolNext(tablePtr(TABLE_PROCESSES), PROCESS_RECORD_SIZE, id);
  m.nrProcesses += 1;
  const mm = mmAt(id);
  m.mmSerial += 1;
  mm.live = m.mmSerial;
  mm.firstPte = start;
  mm.nrPages = nrPages;
  mm.cpu = cpu;
  mm.nextMm = next;
  if (before == 0) m.firstMm = id;
  else mmAt(before).nextMm = id;
  return id;
}

/** True if down_read() of mmap_sem has to wait: somebody has it for writing, or waits for that. */
export function mmapSemBlocksReader(id: i32): bool {
  return mmAt(id).mmapSem < 0 || machine().semWriter == id;
}

/** True while a zap has cleared a PTE of the page that its mapcount still counts. */
export function isBeingZapped(pfn: i32): bool {
  for (let id = machine().firstMm; id != 0; id = mmAt(id).nextMm) {
    if (mmAt(id).zapped == pfn) return true;
  }
  return false;
}

/** Frees an address space whose VMAs are gone already. */
export function destroyMm(id: i32): void {
  const m = machine();
  const mm = mmAt(id);
  if (m.firstMm == id) {
    m.firstMm = mm.nextMm;
  } else {
    let before = mmAt(m.firstMm);
    while (before.nextMm != id) before = mmAt(before.nextMm);
    before.nextMm = mm.nextMm;
  }
  m.freeProcess = poolFree(tablePtr(TABLE_PROCESSES), PROCESS_RECORD_SIZE, id, m.freeProcess);
  m.nrProcesses -= 1;
}
