/** The state hash: one pass over everything that is state, section by section (SECTION_*). */
import {
  CFG_CONTENT_BYTES,
  CFG_MAX_PFN,
  NR_COUNTERS,
  NR_SECTIONS,
  PAGE_RECORD_SIZE,
  PG_UPTODATE,
  PROBE_OFFLINE_SKIPPED,
  SECTION_COUNTERS,
  SECTION_OBJECTS,
  SECTION_PAGES,
  SECTION_PTES,
  TABLE_SWAP_AREAS,
  TABLE_SWAP_SLOTS,
  TABLE_TIMED,
  CFG_SWAP_SLOTS,
  TABLE_ACTORS,
  TABLE_APFS,
  TABLE_BLAMED,
  TABLE_BATCHES,
  TABLE_BLOCKS,
  TABLE_CACHE_SLOTS,
  TABLE_CTXS,
  TABLE_EVENTS,
  TABLE_EXPECTED,
  TABLE_KSM_ITEMS,
  TABLE_MAPPINGS,
  TABLE_MIGRATIONS,
  TABLE_PAGEBLOCKS,
  TABLE_PINS,
  TABLE_PROCESSES,
  TABLE_PTES,
  TABLE_VCPUS,
  TABLE_VMAS,
  TABLE_ZONES,
} from "../abi";
import { config, contentPtr, countersPtr, pagesPtr, swapContentPtr, tablePtr, tableSize } from "../arena";
import { machine } from "../state/machine";
import { pageAt } from "../state/page";
import { fold, foldRange, foldSparse } from "../state/fold";
import { swapSlotAt } from "../state/swap";

function hashPages(): u64 {
  let hash: u64 = 0;
  for (let pfn = 0; pfn < config(CFG_MAX_PFN); pfn++) {
    const record = pagesPtr + <usize>pfn * PAGE_RECORD_SIZE;
    const any = load<u64>(record) | load<u64>(record, 8) | load<u64>(record, 16) | load<u64>(record, 24);
    if (any == 0) continue;
    hash = foldRange(fold(hash, pfn), record, PAGE_RECORD_SIZE);
  }
  return hash;
}

function hashCounters(): u64 {
  let hash: u64 = 0;
  for (let counter = 0; counter < NR_COUNTERS; counter++) {
    if (counter == PROBE_OFFLINE_SKIPPED) continue;
    hash = foldRange(hash, countersPtr + ((<usize>counter) << 3), 8);
  }
  return hash;
}

function foldTable(hash: u64, table: i32): u64 {
  // Byte tables may end within a word; what follows them in the arena is padding.
  return foldSparse(fold(hash, table), tablePtr(table), (tableSize(table) + 3) & ~3);
}

function hashObjects(): u64 {
  const m = machine();
  let hash = fold(fold(0, <i32>m.nowNs), <i32>(m.nowNs >> 32));
  hash = fold(fold(hash, <i32>m.prng), <i32>(m.prng >> 32));
  hash = fold(fold(fold(hash, m.crashKind), m.crashFunction), m.crashPfn);
  hash = fold(fold(hash, m.writeStamp), m.nrBadPages);
  hash = fold(fold(fold(hash, m.signalPending), m.ctxAllocFailures), m.pinGroup);
  hash = foldTable(hash, TABLE_ZONES);
  hash = foldTable(hash, TABLE_BATCHES);
  hash = foldTable(hash, TABLE_PAGEBLOCKS);
  hash = foldTable(hash, TABLE_BLOCKS);
  hash = foldTable(hash, TABLE_PROCESSES);
  hash = foldTable(hash, TABLE_VMAS);
  hash = foldTable(hash, TABLE_MAPPINGS);
  hash = foldTable(hash, TABLE_CACHE_SLOTS);
  hash = foldTable(hash, TABLE_PINS);
  hash = foldTable(hash, TABLE_VCPUS);
  hash = foldTable(hash, TABLE_APFS);
  hash = foldTable(hash, TABLE_CTXS);
  hash = foldTable(hash, TABLE_MIGRATIONS);
  hash = fold(hash, m.pageCluster);
  hash = foldTable(hash, TABLE_SWAP_AREAS);
  hash = foldTable(hash, TABLE_SWAP_SLOTS);
  hash = foldTable(hash, TABLE_KSM_ITEMS);
  hash = foldTable(hash, TABLE_EVENTS);
  return m.timed == 0 ? hash : hashTimed(hash);
}

/** What the timed clock has: its tables follow each other. */
function hashTimed(hash: u64): u64 {
  for (let table = TABLE_TIMED; table <= TABLE_BLAMED; table++) hash = foldTable(hash, table);
  return foldTable(hash, TABLE_ACTORS);
}

function hashContent(): u64 {
  const bytes = <usize>config(CFG_CONTENT_BYTES);
  if (bytes == 0) return 0;
  let hash = foldTable(0, TABLE_EXPECTED);
  for (let pfn = 0; pfn < config(CFG_MAX_PFN); pfn++) {
    // A page that is not up to date has what its frame was left with: on the debug core something else.
    if ((pageAt(pfn).flags & PG_UPTODATE) == 0) continue;
    hash = foldRange(fold(hash, pfn), contentPtr + <usize>pfn * bytes, bytes);
  }
  for (let slot = 1; slot <= config(CFG_SWAP_SLOTS); slot++) {
    if (swapSlotAt(slot).written == 0) continue;
    hash = foldRange(fold(hash, slot), swapContentPtr + <usize>slot * bytes, bytes);
  }
  return hash;
}

/** Hash of one section. */
export function sectionHash(section: i32): u64 {
  if (section == SECTION_PAGES) return hashPages();
  if (section == SECTION_PTES) return foldSparse(0, tablePtr(TABLE_PTES), tableSize(TABLE_PTES));
  if (section == SECTION_COUNTERS) return hashCounters();
  if (section == SECTION_OBJECTS) return hashObjects();
  return hashContent();
}

/** Hash of the whole state: the same scenario and seed give the same one everywhere. */
export function stateHash(): u64 {
  let hash: u64 = 0;
  for (let section = 0; section < NR_SECTIONS; section++) {
    const part = sectionHash(section);
    hash = fold(fold(hash, <i32>(part >> 32)), <i32>part);
  }
  return hash;
}
