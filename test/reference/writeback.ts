/** The end of a page's writeback. */
import * as abi from "../../assembly/abi.ts";
import { moveToEndOfInactive } from "./lru.ts";
import { type Machine, type Page, Crash, clearFlag, count, has } from "./machine.ts";
import { slotOf } from "./swap-area.ts";

/** end_page_writeback(): what reclaim waits for goes where it looks first. */
export function endPageWriteback(m: Machine, page: Page): void {
  if (has(page, abi.PG_SWAPCACHE) && slotOf(page) === null) {
    throw new Crash({
      kind: abi.CRASH_OOPS,
      trace: [abi.FN_TEST_CLEAR_PAGE_WRITEBACK, abi.FN_END_PAGE_WRITEBACK],
      pfn: page.pfn,
      invariant: abi.INV_PRIV,
    });
  }
  const awaited = has(page, abi.PG_RECLAIM);
  clearFlag(page, abi.PG_WRITEBACK | abi.PG_RECLAIM);
  if (!awaited || !has(page, abi.PG_LRU) || has(page, abi.PG_UNEVICTABLE)) return;
  if (has(page, abi.PG_LOCKED | abi.PG_DIRTY)) return;
  if (has(page, abi.PG_ACTIVE) && !m.profile.awaitedBecomesInactive) return;
  moveToEndOfInactive(page);
  count(m, abi.PGROTATED, 1);
}
