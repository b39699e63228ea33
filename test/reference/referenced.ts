/** page_referenced(): who has accessed a page since the last look at it. */
import * as abi from "../../assembly/abi.ts";
import { type Machine, type Page, has } from "./machine.ts";
import { rmapWalk } from "./rmap.ts";

/**
 * Makes PTEs old, and returns how many were young; a VM_LOCKED VMA ends the look. A page that is no plain
 * anonymous one is walked under its lock, which whoever asks may hold himself.
 */
export function pageReferenced(m: Machine, page: Page, lockHeld: boolean): number | "locked VMA" {
  if (page.mapcount === 0 || page.mapping === null) return 0;
  if (!lockHeld && (!page.anon || page.ksm) && has(page, abi.PG_LOCKED)) return 1;
  let young = 0;
  const walked = rmapWalk(m, page, [abi.FN_PAGE_REFERENCED_FILE, abi.FN_PAGE_REFERENCED]);
  for (const { vma, pte } of walked.filter((place) => place.pte.page === page && !place.pte.entry)) {
    if (vma.locked) return "locked VMA";
    if (pte.accessed) young += 1;
    pte.accessed = false;
  }
  return young;
}
