/** The page that GUP finds at an address. */
import * as abi from "../../assembly/abi.ts";
import { faultIn } from "./fault.ts";
import { type Machine, type Page, type Process, setFlag } from "./machine.ts";
import { isZeroPage } from "./process.ts";

/** One page, without the reference, or why it cannot be had. */
export function faultInForGup(
  m: Machine,
  process: Process,
  vpn: number,
  write: boolean,
): Page | number | "sleeps" {
  const rc = faultIn(m, process, vpn, write);
  if (rc === "sleeps") return rc;
  const page = process.ptes.get(vpn)?.page;
  if (rc < 0 || page === undefined) return rc;
  if (!isZeroPage(page)) setFlag(page, abi.PG_REFERENCED);
  return page;
}
