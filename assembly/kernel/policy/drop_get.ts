/**
 * `drop-get`: what was merged for v3.13 (f2e106692d51, "KVM: Drop FOLL_GET in GUP when doing async page
 * fault"). The worker only faults the page in; nothing is held.
 */
import { apfAt } from "../../state/apf";
import { faultinPage } from "../gup";

/** GUP without pages. Returns what faultinPage() does. */
export function dropGetGup(apfId: i32): i32 {
  const apf = apfAt(apfId);
  return faultinPage(apf.mm, apf.gfn, true);
}
