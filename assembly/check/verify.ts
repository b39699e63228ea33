/** verify(): recounts everything from PTEs and holders and names the first invariant that does not hold. */
import { CFG_CONTENT_BYTES, CFG_MAX_PFN, INV_FREE } from "../abi";
import { config } from "../arena";
import { machine } from "../state/machine";
import { recountWindows } from "./tally";
import { verifyAsyncPf } from "./verify_async_pf";
import { beginCounters, tallyCounters, verifyContent, verifyCounters, verifyMms } from "./verify_counts";
import { verifyKsm } from "./verify_ksm";
import { verifyLists } from "./verify_lists";
import { verifyMigrations } from "./verify_migrations";
import { verifyMappings, verifyProcesses } from "./verify_objects";
import { countHolders, verifyPages } from "./verify_pages";
import { verifySwap } from "./verify_swap";
import { verifyTotals } from "./verify_totals";
import { bad, violation } from "./violation";

function recountFrames(start: i32, end: i32): void {
  countHolders();
  if (violation() == 0) verifyPages(start, end);
  if (violation() == 0) tallyCounters(start, end);
}

function verifyFrames(): void {
  beginCounters();
  recountWindows(config(CFG_MAX_PFN), recountFrames);
}

/**
 * Full recount between operations. Returns INV_* of the first violation, whose record is in the machine then,
 * or 0.
 */
export function verify(): i32 {
  const m = machine();
  m.badInvariant = 0;
  if (m.nrBadPages > 0) bad(INV_FREE, m.firstBadPfn, 0, 0, m.nrBadPages);
  if (violation() == 0) verifyLists();
  if (violation() == 0) verifyFrames();
  if (violation() == 0) verifyMms();
  if (violation() == 0) verifyCounters();
  if (violation() == 0) verifyAsyncPf();
  if (violation() == 0) verifySwap();
  if (violation() == 0) verifyMappings();
  if (violation() == 0) verifyKsm();
  if (violation() == 0) verifyProcesses();
  if (violation() == 0) verifyMigrations();
  if (violation() == 0) verifyTotals();
  if (violation() == 0 && config(CFG_CONTENT_BYTES) != 0) verifyContent();
  return violation();
}
