/** What one call of migrate_pages() is asked to do and has done, and what its passes have in common. */
import { CFG_COST_ATTEMPT, CFG_COST_MOVE, CFG_ENTRIES, TABLE_BLAME } from "../abi";
import { config, machinePtr, tablePtr } from "../arena";
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

const CONTROL_OFFSET: usize = 608; // in the machine region, behind the lists
if (CONTROL_OFFSET + offsetof<MigrateControl>() > 640) ERROR("machine region too small");

export function control(): MigrateControl {
  return changetype<MigrateControl>(machinePtr + CONTROL_OFFSET);
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
