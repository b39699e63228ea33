/** Memory blocks: the 128 MiB units that go offline and online. */
import {
  BLOCK_ABSENT,
  BLOCK_OFFLINE,
  BLOCK_ONLINE,
  CFG_MAX_PFN,
  CFG_NR_ZONES,
  CFG_ZONES,
  CFG_ZONE_ONLINE,
  CFG_ZONE_WORDS,
  FIRST_PFN,
  MEMORY_BLOCK_ORDER,
  MEMORY_BLOCK_PAGES,
  PAGEBLOCK_PAGES,
  PG_RESERVED,
  TABLE_BLOCKS,
} from "../abi";
import { config, tablePtr } from "../arena";
import { pageAt } from "./page";
import { addFreeRange } from "./page_alloc";
import { Zone, pageblockOf, zoneAt, zoneOf } from "./zone";

/** State of a memory block: BLOCK_*. A block that does not exist is absent. */
export function blockState(block: i32): i32 {
  if (block < 0 || block > config(CFG_MAX_PFN) >> MEMORY_BLOCK_ORDER) return BLOCK_ABSENT;
  return <i32>load<u8>(tablePtr(TABLE_BLOCKS) + <usize>block);
}

export function setBlockState(block: i32, state: i32): void {
  store<u8>(tablePtr(TABLE_BLOCKS) + <usize>block, <u8>state);
}

/** The zone of all of a block, null when it has holes or lies in several (test_pages_in_a_zone()). */
export function zoneOfBlock(block: i32): Zone | null {
  const start = block << MEMORY_BLOCK_ORDER;
  const zone = pageblockOf(start).zone;
  if (zone == 0) return null;
  for (let pfn = start; pfn < start + MEMORY_BLOCK_PAGES; pfn += PAGEBLOCK_PAGES) {
    if (pfn >= config(CFG_MAX_PFN) || pageblockOf(pfn).zone != zone) return null;
  }
  return zoneOf(start);
}

/** Frees the memory of every zone that is online from the start; frames below FIRST_PFN are the kernel's. */
export function initMemoryBlocks(): void {
  for (let number = 0; number < config(CFG_NR_ZONES); number++) {
    const zone = zoneAt(number);
    const online = config(CFG_ZONES + number * CFG_ZONE_WORDS + CFG_ZONE_ONLINE) != 0;
    const first = max<i32>(zone.startPfn, FIRST_PFN);
    for (let pfn = zone.startPfn; pfn < first; pfn++) {
      pageAt(pfn).flags = PG_RESERVED;
      pageAt(pfn).refcount = 1;
    }
    if (online) addFreeRange(zone, first, zone.endPfn);
    for (let pfn = zone.startPfn; pfn < zone.endPfn; pfn += PAGEBLOCK_PAGES) {
      setBlockState(pfn >> MEMORY_BLOCK_ORDER, online ? BLOCK_ONLINE : BLOCK_OFFLINE);
    }
  }
}
