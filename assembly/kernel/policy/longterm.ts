/**
 * `longterm`: the worker's reference is taken as one that may be held for long. Its page is moved to where it
 * may stay first; otherwise as `pin`. FOLL_LONGTERM came with v5.2, the migration with v5.1 for CMA and v5.12
 * for ZONE_MOVABLE; no version of async_pf has used it.
 */
import { apfAt } from "../../state/apf";
import { faultinLongtermPage } from "../longterm";
import { holdPage } from "./pin";

/** Returns what faultinLongtermPage() does; a failure leaves the worker's page NULL. */
export function longtermGup(apfId: i32): i32 {
  const apf = apfAt(apfId);
  return holdPage(apfId, faultinLongtermPage(apf.mm, apf.gfn, false));
}
