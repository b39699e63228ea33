/** Releases the references that a group of pins holds (put_page(), unpin_user_page()). */
import { CFG_PINS, NR_FOLL_PIN_RELEASED } from "../abi";
import { config } from "../arena";
import { pageAt } from "./page";
import { putPage } from "./page_free";
import { isFollPin, pinAt, refsOfKind, removePin } from "./pins";
import { count } from "./vmstat";

/** Drops a pin and its references. */
export function releasePin(id: i32): void {
  const pin = pinAt(id);
  const page = pageAt(pin.pfn);
  const refs = refsOfKind(pin.kind);
  if (isFollPin(pin.kind)) count(NR_FOLL_PIN_RELEASED, 1);
  removePin(id);
  page.refcount -= refs - 1;
  putPage(page);
}

/** Releases every pin of `group`; returns how many there were. */
export function releaseGroup(group: i32): i32 {
  let nr = 0;
  for (let id = 1; id <= config(CFG_PINS); id++) {
    const pin = pinAt(id);
    if (pin.kind == 0 || pin.group != group) continue;
    releasePin(id);
    nr += 1;
  }
  return nr;
}
