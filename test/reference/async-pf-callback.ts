/** async_pf_migratepage(): how the RFC moves a page that asynchronous page faults have pinned. */
import * as abi from "../../assembly/abi.ts";
import { getPage, putPage } from "./lru.ts";
import { type Context, type Machine, type Page, Crash, count } from "./machine.ts";
import { copyPage, moveMapping } from "./move-mapping.ts";
import { repaired } from "./rmap.ts";
import { contextOf } from "./swap-area.ts";

function retarget(context: Context, to: Page): void {
  for (const work of context.owners) {
    work.page = to;
    if (work.pin !== null) work.pin.page = to;
  }
}

/** With L5: gives up the references of all work items on the page, or of none. */
function migrateRepaired(m: Machine, context: Context, page: Page, to: Page): number {
  const refs = context.owners.length;
  page.refcount -= refs;
  const rc = moveMapping(m, null, page, to);
  if (rc !== 0) {
    page.refcount += refs;
    return rc;
  }
  to.refcount += refs;
  copyPage(m, page, to);
  to.private = context;
  retarget(context, to);
  return 0;
}

function migrateAsPosted(m: Machine, context: Context, page: Page, to: Page): number {
  putPage(m, page);
  const rc = moveMapping(m, repaired(m, "L3") ? null : context.original.mapping, page, to);
  if (rc !== 0) {
    getPage(page);
    return rc;
  }
  getPage(to);
  copyPage(m, page, to);
  Object.assign(to, context.original);
  retarget(context, to);
  return 0;
}

export function asyncPfMigratepage(m: Machine, page: Page, to: Page): number {
  const context = contextOf(page);
  if (context?.alive !== true || context.owners.every(({ state }) => state === "freed")) {
    throw new Crash({
      kind: abi.CRASH_OOPS,
      trace: [abi.FN_ASYNC_PF_MIGRATEPAGE],
      pfn: page.pfn,
      invariant: abi.INV_UAF,
    });
  }
  const migrate = repaired(m, "L5") ? migrateRepaired : migrateAsPosted;
  const rc = migrate(m, context, page, to);
  if (rc === 0) count(m, abi.PROBE_CALLBACK_SUCCESS, 1);
  return rc;
}
