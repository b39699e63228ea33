/** Who keeps a page from moving. */
import {
  APF_DONE,
  HELD_BY_ASYNC_PF,
  HELD_BY_DONE_ASYNC_PF,
  HELD_OTHERWISE,
  HOLDER_ASYNC_PF,
  PG_SWAPCACHE,
} from "../abi";
import { apfAt } from "../state/apf";
import { isSubstitute } from "../state/mapping";
import { isBeingZapped } from "../state/mm";
import { Page, pageAnon, pageHasPrivate } from "../state/page";
import { nextPinOf, pinAt } from "../state/pins";
import { vcpuAt } from "../state/vcpu";

/** The page cache or the swap cache has the page, whatever page->private and its mapping lead to. */
function isCached(page: Page): bool {
  if ((page.flags & PG_SWAPCACHE) != 0) return true;
  return page.mapping != 0 && !pageAnon(page) && !isSubstitute(page.mapping);
}

/** References of an isolated page beside those of isolation, its PTEs, its cache and its buffers. */
function excessRefs(page: Page): i32 {
  return page.refcount - 1 - page.mapcount - (isCached(page) ? 1 : 0) - (pageHasPrivate(page) ? 1 : 0);
}

/** The work item has ended, and its vCPU has not begun to complete it. */
function awaitsVcpu(apfId: i32): bool {
  const apf = apfAt(apfId);
  return apf.state == APF_DONE && vcpuAt(apf.vcpu).completing != apfId;
}

/** HELD_*: whether the references of an isolated page that migration does not expect are async_pf's alone. */
export function heldByAsyncPf(pfn: i32, page: Page): i32 {
  if (isBeingZapped(pfn)) return HELD_OTHERWISE; // its PTE is out of reach for a moment
  let nr = 0;
  let held = HELD_BY_DONE_ASYNC_PF;
  for (let id = nextPinOf(pfn, 0); id != 0; id = nextPinOf(pfn, id)) {
    const pin = pinAt(id);
    if (pin.kind != HOLDER_ASYNC_PF) continue;
    nr += 1;
    if (!awaitsVcpu(pin.apf)) held = HELD_BY_ASYNC_PF;
  }
  return nr > 0 && nr == excessRefs(page) ? held : HELD_OTHERWISE;
}
