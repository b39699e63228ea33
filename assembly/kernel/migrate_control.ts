/** What one call of migrate_pages() is asked to do and has done, and what its passes have in common. */
import { CFG_COST_ATTEMPT, CFG_COST_MOVE, CFG_ENTRIES, TABLE_BLAME } from "../abi";
import { CONTROL_RECORD_SIZE, config, controlPtr, tablePtr } from "../arena";
import { machine } from "../state/machine";
import { runDueEvents, spend } from "../state/timeline";

@unmanaged
export class MigrateControl {
  targetKind: i32; // TARGET_*
  targetNode: i32;
  mode: i32; // MIGRATE_*
  reason: i32; // MR_*
  succeeded: i32; // pages
  failed: i32; // pages that count in PGMIGRATE_FAIL
}

if (offsetof<MigrateControl>() > CONTROL_RECORD_SIZE) ERROR("size of the control record");

export function control(): MigrateControl {
  return changetype<MigrateControl>(controlPtr);
}

/** Forgets the pages that earlier calls left. */
export function clearBlame(): void {
  machine().nrBlamed = 0;
}

/** Notes a page that this call leaves where it is, so that it can be asked who holds it. */
export function blame(pfn: i32): void {
  const m = machine();
  if (m.nrBlamed < config(CFG_ENTRIES)) store<i32>(tablePtr(TABLE_BLAME) + ((<usize>m.nrBlamed) << 2), pfn);
  m.nrBlamed += 1;
}

/** Time of a pass, and what became due meanwhile. */
export function endPass(moved: i32, failed: i32): void {
  spend(<u64>moved * <u64>config(CFG_COST_MOVE) + <u64>failed * <u64>config(CFG_COST_ATTEMPT));
  runDueEvents();
}
