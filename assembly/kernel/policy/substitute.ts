/** What reverse-map operations see behind the word that the RFC puts in place of page->mapping. */
import { CFG_REPAIRS, CRASH_OOPS, FN_TRY_TO_UNMAP, INV_UAF, REPAIR_L4 } from "../../abi";
import { config } from "../../arena";
import { ctxAt, ctxOf } from "../../state/apf";
import { crash } from "../../state/crash";
import { Page, pfnOf } from "../../state/page";

/**
 * page->mapping of a page that has the substitute, for mm/rmap.c: the original one if it was taught to look
 * (L4).
 */
export function substituteRmapMapping(page: Page, word: i32): i32 {
  if ((config(CFG_REPAIRS) & REPAIR_L4) == 0) return word;
  const ctx = ctxAt(ctxOf(page));
  if (ctx.live == 0) crash(CRASH_OOPS, FN_TRY_TO_UNMAP, 0, pfnOf(page), INV_UAF);
  return ctx.oriMapping;
}
