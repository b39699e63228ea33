/** The page lock as others see it: who sleeps on it, and that they wake up. */
import { FAULT_NOWAIT, FAULT_WAIT, HOLDER_MIGRATION_WAITER, PG_LOCKED } from "../abi";
import { machine } from "../state/machine";
import { Page, getPage, pageAt, pfnOf } from "../state/page";
import { addPin, freePins, nextPinOf, pinAt } from "../state/pins";
import { releasePin } from "../state/release";
import { wakeUpPage } from "../state/wait_queue";

/** A task of `mm` sleeps until the page is unlocked, if `withRef` with a reference of its own. FAULT_WAIT. */
export function sleepOnPage(mm: i32, pfn: i32, withRef: bool): i32 {
  const page = pageAt(pfn);
  if (withRef && page.refcount > 0 && freePins() > 0) {
    getPage(page);
    addPin(HOLDER_MIGRATION_WAITER, pfn, 0, mm, 0);
    machine().nrWaiters += 1;
  }
  return FAULT_WAIT;
}

/** A fault needs the lock of a page, which is held: it sleeps with a reference, or gives up. FAULT_*. */
export function lockPageOrRetry(mm: i32, pfn: i32): i32 {
  return machine().nowait != 0 ? FAULT_NOWAIT : sleepOnPage(mm, pfn, true);
}

/** trylock_page(). */
export function trylockPage(page: Page): bool {
  if ((page.flags & PG_LOCKED) != 0) return false;
  page.flags |= PG_LOCKED;
  return true;
}

/** unlock_page(): wakes the faults that sleep on a migration entry of this page. */
export function unlockPage(page: Page): void {
  page.flags &= ~PG_LOCKED;
  const m = machine();
  if ((m.nrWaiters | m.nrParked) == 0) return;
  const pfn = pfnOf(page);
  wakeUpPage(pfn);
  let id = nextPinOf(pfn, 0);
  while (id != 0) {
    const next = nextPinOf(pfn, id);
    if (pinAt(id).kind == HOLDER_MIGRATION_WAITER) {
      releasePin(id);
      m.nrWaiters -= 1;
    }
    id = next;
  }
}
