/** get_user_pages() and pin_user_pages(). */
import * as abi from "../../assembly/abi.ts";
import { faultInForGup } from "./gup-page.ts";
import { faultInForLong } from "./longterm.ts";
import type { Machine, Process } from "./machine.ts";
import { takePin } from "./pins.ts";

/** FOLL_GET for writing, FOLL_PIN for writing, the same with FOLL_LONGTERM, FOLL_GET for reading. */
export type PinKind = "get" | "pin" | "longterm" | "read";

const holderOf = {
  get: abi.HOLDER_GET,
  pin: abi.HOLDER_PIN,
  longterm: abi.HOLDER_LONGTERM,
  read: abi.HOLDER_GET,
} as const;

/** Pins pages until one cannot be had. Returns the group, how many there are, and the errno of the last. */
export function pinPages(
  m: Machine,
  process: Process,
  vpns: readonly number[],
  kind: PinKind,
): { group: number; pages: number; err: number } {
  m.lastGroup += 1;
  const group = m.lastGroup;
  m.cpu = process.cpu;
  m.blamed = [];
  if (kind === "pin" || kind === "longterm") process.hasPinned = true;
  for (const [nr, vpn] of vpns.entries()) {
    const page =
      kind === "longterm"
        ? faultInForLong(m, process, vpn, { follPin: true })
        : faultInForGup(m, process, vpn, kind !== "read");
    if (page === "sleeps") return { group, pages: nr, err: 0 };
    if (typeof page === "number") return { group, pages: nr, err: page };
    takePin(m, { kind: holderOf[kind], page, group, owner: process.id, token: 0 });
  }
  return { group, pages: vpns.length, err: 0 };
}
