/** get_user_pages() and pin_user_pages(). */
import * as abi from "../../assembly/abi.ts";
import { faultIn } from "./fault.ts";
import { type Machine, type Page, type Process, setFlag } from "./machine.ts";
import { takePin } from "./pins.ts";
import { isZeroPage } from "./process.ts";

/** One page, without the reference. Null: it could not be had. */
export function faultInForGup(
  m: Machine,
  process: Process,
  vpn: number,
  write: boolean,
): Page | null | "sleeps" {
  const rc = faultIn(m, process, vpn, write);
  if (rc === "sleeps") return rc;
  const page = process.ptes.get(vpn)?.page;
  if (rc < 0 || page === undefined) return null;
  if (!isZeroPage(page)) setFlag(page, abi.PG_REFERENCED);
  return page;
}

/** FOLL_GET for writing, FOLL_PIN for writing, FOLL_GET for reading. */
export type PinKind = "get" | "pin" | "read";

/** Pins pages until one cannot be had. Returns the group, and how many there are. */
export function pinPages(
  m: Machine,
  process: Process,
  vpns: readonly number[],
  kind: PinKind,
): { group: number; pages: number } {
  m.lastGroup += 1;
  const group = m.lastGroup;
  const holder = kind === "pin" ? abi.HOLDER_PIN : abi.HOLDER_GET;
  if (kind === "pin") process.hasPinned = true;
  for (const [nr, vpn] of vpns.entries()) {
    const page = faultInForGup(m, process, vpn, kind !== "read");
    if (page === null || page === "sleeps") return { group, pages: nr };
    takePin(m, { kind: holder, page, group, owner: process.id, token: 0 });
  }
  return { group, pages: vpns.length };
}
