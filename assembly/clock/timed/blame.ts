/** Who has kept pages from moving, and for how long: a row for each kind of holder and whose it is. */
import {
  BLAME_BLOCKED_NS,
  BLAME_KIND,
  BLAME_LONGEST_NS,
  BLAME_OWNER,
  BLAME_PAGES,
  BLAME_ROWS,
  BLAME_SIZE,
  HOLDER_NONE,
  PFN_NONE,
  TABLE_BLAMED,
} from "../../abi";
import { tablePtr } from "../../arena";
import { MigrateList } from "../../kernel/migrate_list";
import { machine } from "../../state/machine";
import { pageAt } from "../../state/page";
import { nextPinOf, pinAt } from "../../state/pins";
import { timed } from "./timed_state";

@unmanaged
class Row {
  kind: i32; // HOLDER_*, HOLDER_NONE = no pin is known
  owner: i32; // vCPU of async_pf, address space of any other
  pages: i32;
  blockedNs: u64;
  longestNs: u64;
}

if (offsetof<Row>() > <usize>BLAME_SIZE) ERROR("size of a row");
if (offsetof<Row>("kind") != BLAME_KIND || offsetof<Row>("owner") != BLAME_OWNER) ERROR("Row record");
if (offsetof<Row>("pages") != BLAME_PAGES || offsetof<Row>("blockedNs") != BLAME_BLOCKED_NS)
  ERROR("Row record");
if (offsetof<Row>("longestNs") != BLAME_LONGEST_NS) ERROR("Row record");

const NS_PER_US: u64 = 1000;

function rowAt(number: i32): Row {
  return changetype<Row>(tablePtr(TABLE_BLAMED) + <usize>number * BLAME_SIZE);
}

/** The row of a holder, new if there is none; the last one for all if there is no room. */
function rowOf(kind: i32, owner: i32): Row {
  const t = timed();
  for (let number = 0; number < t.nrBlamed; number++) {
    const row = rowAt(number);
    if (row.kind == kind && row.owner == owner) return row;
  }
  if (t.nrBlamed == BLAME_ROWS) return rowAt(BLAME_ROWS - 1);
  const row = rowAt(t.nrBlamed);
  t.nrBlamed += 1;
  row.kind = kind;
  row.owner = owner;
  return row;
}

/** Blames whoever holds a page that has not moved, since `sinceNs` or since it was first seen. */
function blamePage(pfn: i32, sinceNs: u64): void {
  const now = machine().nowNs;
  let known = false;
  for (let id = nextPinOf(pfn, 0); id != 0; id = nextPinOf(pfn, id)) {
    const pin = pinAt(id);
    const row = rowOf(pin.kind, pin.owner);
    if (pin.blamedUs == 0) {
      pin.blamedUs = max<u32>(<u32>(sinceNs / NS_PER_US), 1);
      row.pages += 1;
    }
    const firstNs = min<u64>(<u64>pin.blamedUs * NS_PER_US, now);
    row.blockedNs += now - max<u64>(sinceNs, firstNs);
    row.longestNs = max<u64>(row.longestNs, now - firstNs);
    known = true;
  }
  if (known) return;
  const row = rowOf(HOLDER_NONE, 0);
  row.pages += 1;
  row.blockedNs += now - sinceNs;
  row.longestNs = max<u64>(row.longestNs, now - sinceNs);
}

/** Blames whoever holds the pages of a list, on which a round since `sinceNs` has failed. */
export function blameHolders(list: MigrateList, sinceNs: u64): void {
  for (let pfn = list.head; pfn != PFN_NONE; pfn = pageAt(pfn).next) blamePage(pfn, sinceNs);
}
