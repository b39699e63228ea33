/** verify(): recounts everything from PTEs and holders and names the first invariant that does not hold. */
import { CFG_CONTENT_BYTES, CFG_MAX_PFN, INV_FREE, VERIFY_WINDOW } from "../abi";
import { config } from "../arena";
import { machine } from "../state/machine";
import { verifyAsyncPf } from "./verify_async_pf";
import { beginCounters, tallyCounters, verifyContent, verifyCounters, verifyMms } from "./verify_counts";
import { verifyLists } from "./verify_lists";
import { countHolders, verifyPages } from "./verify_pages";
import { bad, violation } from "./violation";

function verifyFrames(): void {
  const maxPfn = config(CFG_MAX_PFN);
  beginCounters();
  for (let start = 0; start < maxPfn && violation() == 0; start += VERIFY_WINDOW) {
    const end = min<i32>(maxPfn, start + VERIFY_WINDOW);
    countHolders(start, end);
    if (violation() == 0) verifyPages();
    if (violation() == 0) tallyCounters(start, end);
  }
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
  if (violation() == 0 && config(CFG_CONTENT_BYTES) != 0) verifyContent();
  return violation();
}
