/** The page lock, as those see it who wait for it. */
import * as abi from "../../assembly/abi.ts";
import { type Machine, type Page, type Process, clearFlag } from "./machine.ts";
import { releasePin, takePin } from "./pins.ts";

/** A task sleeps until the page is unlocked, `withRef` with a reference of its own. */
export function sleepOn(m: Machine, process: Process, page: Page, withRef: boolean): "sleeps" {
  const holder = { kind: abi.HOLDER_MIGRATION_WAITER, page, group: 0, owner: process.id, token: 0 };
  if (withRef && page.refcount > 0) takePin(m, holder);
  return "sleeps";
}

export function unlockPage(m: Machine, page: Page): void {
  clearFlag(page, abi.PG_LOCKED);
  const waiters = m.pins.filter((pin) => pin.kind === abi.HOLDER_MIGRATION_WAITER && pin.page === page);
  for (const waiter of waiters.toReversed()) releasePin(m, waiter);
}
