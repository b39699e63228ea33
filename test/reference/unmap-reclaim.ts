/** try_to_unmap() for reclaim. */
import * as abi from "../../assembly/abi.ts";
import { putPage } from "./lru.ts";
import type { Machine, Page } from "./machine.ts";
import { type Place, removeRmap, rmapMapping, rmapWalk, setPageDirty } from "./rmap.ts";
import { unmapToSwap } from "./unmap.ts";

/** again: a PTE was not found. fail: one may not go. mlock: a VM_LOCKED VMA has one. */
export type Unmapped = "success" | "again" | "fail" | "mlock";

/** A fault finds the page in the page cache. */
function unmapFilePte(m: Machine, page: Page, { vma, vpn, pte }: Place): void {
  vma.process.ptes.delete(vpn);
  if (pte.dirty) setPageDirty(m, page);
  vma.process.rssFile -= 1;
  removeRmap(m, page);
  putPage(m, page);
}

function unmapOne(m: Machine, page: Page, place: Place): Unmapped {
  const { vma, pte } = place;
  if (vma.locked) return "mlock";
  if (pte.accessed && m.profile.youngPteStopsReclaim) {
    pte.accessed = false;
    return "fail";
  }
  if (rmapMapping(m, page).anon) return unmapToSwap(m, page, place) ? "success" : "fail";
  unmapFilePte(m, page, place);
  return "success";
}

export function unmapForReclaim(m: Machine, page: Page): Unmapped {
  const walked = rmapWalk(m, page, [abi.FN_TRY_TO_UNMAP_FILE, abi.FN_TRY_TO_UNMAP]);
  for (const place of walked.filter(({ pte }) => pte.page === page && !pte.entry)) {
    const result = unmapOne(m, page, place);
    if (result !== "success") return result;
  }
  return page.mapcount === 0 ? "success" : "again";
}
