/** Nodes, their zones, and which zone each pageblock belongs to. */
import {
  CFG_NODES,
  CFG_NODE_HAS_CPUS,
  CFG_NODE_WORDS,
  CFG_NR_NODES,
  CFG_NR_ZONES,
  CFG_ZONES,
  CFG_ZONE_END,
  CFG_ZONE_KIND,
  CFG_ZONE_NODE,
  CFG_ZONE_START,
  CFG_ZONE_WORDS,
  MAX_ZONES,
  NR_LRU_LISTS,
  NR_MIGRATE_TYPES,
  NR_ORDERS,
  PAGEBLOCK_ORDER,
  ZONE_FREE_PAGES,
} from "../abi";
import { NODE_RECORD_SIZE, ZONE_RECORD_SIZE, config, nodesPtr, pageblocksPtr, zonesPtr } from "../arena";
import { LIST_SIZE, List } from "./list";

@unmanaged
export class Zone {
  kind: i32; // ZONE_*
  node: i32;
  startPfn: i32;
  endPfn: i32;
  freePages: i32;
  managedPages: i32; // given to the buddy allocator
}

const LRU_OFFSET: usize = 64;
const FREE_AREA_OFFSET: usize = 128;
if (offsetof<Zone>("freePages") != ZONE_FREE_PAGES) ERROR("Zone record");

if (LRU_OFFSET + <usize>NR_LRU_LISTS * LIST_SIZE > FREE_AREA_OFFSET)
  ERROR("LRU lists overlap the free areas");
if (FREE_AREA_OFFSET + <usize>(NR_ORDERS * NR_MIGRATE_TYPES) * LIST_SIZE > ZONE_RECORD_SIZE)
  ERROR("zone record too small");

/** A node: the zones an allocation on it tries, in order. */
@unmanaged
export class NodeRecord {
  nrOwnZones: i32; // the first so many of the list are the node's own
  nrZones: i32;
}

if (offsetof<NodeRecord>() + MAX_ZONES * 4 > NODE_RECORD_SIZE) ERROR("node record too small");

@unmanaged
export class Pageblock {
  zone: u8; // zone number + 1, 0 = hole
  migratetype: u8; // MIGRATE_*
  spare: u16;
}

export function zoneAt(number: i32): Zone {
  return changetype<Zone>(zonesPtr + <usize>number * ZONE_RECORD_SIZE);
}

/** Bytes of a zone's record that are in use. */
export function zoneSize(): usize {
  return FREE_AREA_OFFSET + <usize>(NR_ORDERS * NR_MIGRATE_TYPES) * LIST_SIZE;
}

export function lruList(zone: Zone, lru: i32): List {
  return changetype<List>(changetype<usize>(zone) + LRU_OFFSET + <usize>lru * LIST_SIZE);
}

export function freeList(zone: Zone, order: i32, migratetype: i32): List {
  const area = <usize>(order * NR_MIGRATE_TYPES + migratetype);
  return changetype<List>(changetype<usize>(zone) + FREE_AREA_OFFSET + area * LIST_SIZE);
}

export function pageblockOf(pfn: i32): Pageblock {
  return changetype<Pageblock>(pageblocksPtr + ((<usize>(pfn >> PAGEBLOCK_ORDER)) << 2));
}

/** page_zone(). The pfn must lie in a zone. */
export function zoneOf(pfn: i32): Zone {
  return zoneAt(<i32>pageblockOf(pfn).zone - 1);
}

/** page_to_nid(). */
export function nodeOf(pfn: i32): i32 {
  return zoneOf(pfn).node;
}

function nodeRecordAt(node: i32): NodeRecord {
  return changetype<NodeRecord>(nodesPtr + <usize>node * NODE_RECORD_SIZE);
}

/** The `position`-th zone that an allocation on `node` tries. */
export function zonelistEntry(node: i32, position: i32): Zone {
  const list = changetype<usize>(nodeRecordAt(node)) + offsetof<NodeRecord>();
  return zoneAt(load<i32>(list + ((<usize>position) << 2)));
}

export function zonelistLength(node: i32, thisNodeOnly: bool): i32 {
  const record = nodeRecordAt(node);
  return thisNodeOnly ? record.nrOwnZones : record.nrZones;
}

/** True if `node` exists and has memory that is online (N_MEMORY). */
export function nodeHasMemory(node: i32): bool {
  if (node < 0 || node >= config(CFG_NR_NODES)) return false;
  for (let i = 0; i < zonelistLength(node, true); i++) {
    if (zonelistEntry(node, i).managedPages > 0) return true;
  }
  return false;
}

function nodeHasCpus(node: i32): bool {
  return config(CFG_NODES + node * CFG_NODE_WORDS + CFG_NODE_HAS_CPUS) != 0;
}

/**
 * Rank of `other` in the fallback order of `node`, lowest first: find_next_best_node() with equal distances
 * prefers nodes after itself, and far more than that nodes without CPUs.
 */
function fallbackRank(node: i32, other: i32, nrNodes: i32): i32 {
  if (other == node) return -1;
  return (nodeHasCpus(other) ? 2 * nrNodes : 0) + (other < node ? nrNodes : 0) + other;
}

function appendZonesOf(node: i32, other: i32): void {
  const record = nodeRecordAt(node);
  const list = changetype<usize>(record) + offsetof<NodeRecord>();
  // Within a node the highest zone comes first: a movable page takes ZONE_MOVABLE before ZONE_NORMAL.
  for (let kind = 2; kind >= 0; kind--) {
    for (let number = 0; number < config(CFG_NR_ZONES); number++) {
      const zone = zoneAt(number);
      if (zone.node != other || zone.kind != kind) continue;
      store<i32>(list + ((<usize>record.nrZones) << 2), number);
      record.nrZones += 1;
      if (other == node) record.nrOwnZones += 1;
    }
  }
}

/** Reads zones and nodes from the configuration and builds the zone lists (build_zonelists()). */
export function initZones(): void {
  const nrNodes = config(CFG_NR_NODES);
  for (let number = 0; number < config(CFG_NR_ZONES); number++) {
    const words = CFG_ZONES + number * CFG_ZONE_WORDS;
    const zone = zoneAt(number);
    zone.kind = config(words + CFG_ZONE_KIND);
    zone.node = config(words + CFG_ZONE_NODE);
    zone.startPfn = config(words + CFG_ZONE_START);
    zone.endPfn = config(words + CFG_ZONE_END);
    for (let pfn = zone.startPfn; pfn < zone.endPfn; pfn += 1 << PAGEBLOCK_ORDER) {
      pageblockOf(pfn).zone = <u8>(number + 1);
    }
  }
  for (let node = 0; node < nrNodes; node++) {
    let last = -2;
    for (let placed = 0; placed < nrNodes; placed++) {
      let best = -1;
      let bestRank = i32.MAX_VALUE;
      for (let other = 0; other < nrNodes; other++) {
        const rank = fallbackRank(node, other, nrNodes);
        if (rank > last && rank < bestRank) {
          best = other;
          bestRank = rank;
        }
      }
      appendZonesOf(node, best);
      last = bestRank;
    }
  }
}
