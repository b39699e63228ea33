/**
 * `rfc`: the patch of 30 September 2013 as posted, with its repairs L1 … L5 as switches. The worker hangs a
 * context on the page (page->private) and replaces page->mapping by apf_mapping, whose migratepage knows
 * about the pin.
 *
 * With L5 the word keeps the ANON tag, page and vCPU lock protect every write, several work items share one
 * context, and the context goes with the page when it moves.
 */
import {
  CFG_REPAIRS,
  COMPLETION_FREED,
  COMPLETION_NONE,
  COMPLETION_READ,
  COMPLETION_RESTORED,
  COMPLETION_TAKEN,
  COMPLETION_TESTED,
  CRASH_OOPS,
  APF_FREE,
  FN_ASYNC_PF_MIGRATEPAGE,
  FN_CHECK_ASYNC_PF_COMPLETION,
  HOLDER_ASYNC_PF,
  INV_UAF,
  MAPPING_ANON,
  MAPPING_TAG_SHIFT,
  POLICY_RFC,
  PRIVATE_POINTER,
  CFG_POLICY,
  PG_SWAPCACHE,
  PROBE_CALLBACK_SUCCESS,
  REPAIR_L1,
  REPAIR_L2,
  REPAIR_L3,
  REPAIR_L5,
  WORKER_HAS_PAGE,
  WORKER_HAS_POINTED,
  WORKER_HAS_READ,
  WORKER_HAS_STORED,
  WORKER_HAS_TESTED,
} from "../../abi";
import { config } from "../../arena";
import { Apf, allocCtx, apfAt, ctxAt, ctxOf, freeCtx } from "../../state/apf";
import { crash } from "../../state/crash";
import { machine } from "../../state/machine";
import {
  AS_BDI,
  AS_LOCKS_INITIALISED,
  AS_SET_PAGE_DIRTY,
  AS_WRITABLE,
  MIGRATEPAGE_ASYNC_PF,
  OBJECT_ADDRESS_SPACE,
  allocMapping,
  isSubstitute,
  mappingAt,
} from "../../state/mapping";
import { Page, getPage, pageAnon, pageAt, pageKsm, pfnOf } from "../../state/page";
import { putPage } from "../../state/page_free";
import { nextPinOf, pinAt, retargetPin } from "../../state/pins";
import { count } from "../../state/vmstat";
import { migratePageCopy, migratePageMoveMapping } from "../move_mapping";
import { Vcpu, vcpuAt } from "../../state/vcpu";
import { pinRelease } from "./pin";

function repaired(repair: i32): bool {
  return (config(CFG_REPAIRS) & repair) != 0;
}

/** `static const struct address_space apf_mapping`: all zero but for a_ops. */
export function initRfc(): void {
  const m = machine();
  m.substituteWord = -1;
  if (config(CFG_POLICY) != POLICY_RFC) return;
  const id = allocMapping(OBJECT_ADDRESS_SPACE);
  const mapping = mappingAt(id);
  mapping.migratepage = <i16>MIGRATEPAGE_ASYNC_PF;
  if (repaired(REPAIR_L1)) mapping.flags |= <i16>(AS_LOCKS_INITIALISED | AS_WRITABLE);
  if (repaired(REPAIR_L2)) mapping.flags |= <i16>(AS_BDI | AS_SET_PAGE_DIRTY);
  m.substituteWord = id << MAPPING_TAG_SHIFT;
}

/** kzalloc() of a context. Returns false if the worker returned at once because there was none. */
export function rfcAllocCtx(apfId: i32): bool {
  const ctxId = allocCtx();
  apfAt(apfId).ctx = ctxId;
  if (ctxId != 0) ctxAt(ctxId).context = apfId;
  return ctxId != 0 || repaired(REPAIR_L5);
}

/** True if mapping and private are written under the page lock, so that nobody comes between. */
export function rfcMustLock(): bool {
  return repaired(REPAIR_L5);
}

/** `ctx->ori_mapping = page->mapping`. */
function readMapping(ctxId: i32, page: Page): void {
  const ctx = ctxAt(ctxId);
  ctx.oriMapping = page.mapping;
  ctx.owners = 1;
}

/** `set_page_private(page, ctx)`. */
function pointTo(ctxId: i32, page: Page): void {
  page.privateWord = ctxId | PRIVATE_POINTER;
}

/** A page in the swap cache needs page->private for its entry; KSM finds its node by page->mapping. */
function mayAttach(page: Page): bool {
  return pageAnon(page) && !pageKsm(page) && (page.flags & PG_SWAPCACHE) == 0;
}

/**
 * Under the page lock: shares the context that the page has already, or installs `ctxId` (0: there was no
 * memory for one). A page that cannot have one is let go: it is faulted in, and without a callback that knows
 * of the reference it could not move.
 */
function storeRepaired(apfId: i32, apf: Apf, ctxId: i32): void {
  apf.page = apf.workerPage;
  const page = pageAt(apf.page);
  const shares = apf.page != 0 && isSubstitute(page.mapping);
  const attaches = !shares && apf.page != 0 && ctxId != 0 && mayAttach(page);
  if (ctxId != 0 && !attaches) freeCtx(ctxId);
  if (shares) {
    apf.shares = ctxOf(page);
    ctxAt(apf.shares).owners += 1;
  } else if (attaches) {
    readMapping(ctxId, page);
    pointTo(ctxId, page);
    page.mapping = machine().substituteWord | MAPPING_ANON;
    apf.shares = ctxId;
  } else {
    pinRelease(apfId);
  }
}

/**
 * The next load or store by which the worker hangs the context on the page and replaces its mapping; no lock
 * is held, so each is a step of its own. Returns WORKER_*, how far the worker is now.
 */
function storeAsPosted(apf: Apf): i32 {
  const pfn = apf.workerPage;
  const at = apf.worker;
  if (at == WORKER_HAS_PAGE) {
    // Without a context it has begun under another policy.
    if (pfn != 0 && apf.ctx != 0 && pageAnon(pageAt(pfn))) return WORKER_HAS_TESTED;
    apf.ctx = 0; // GUP failed, or not an anonymous page as the tag has it now: the context is forgotten
    return WORKER_HAS_STORED;
  }
  if (at == WORKER_HAS_TESTED) {
    readMapping(apf.ctx, pageAt(pfn));
    return WORKER_HAS_READ;
  }
  if (at == WORKER_HAS_READ) {
    pointTo(apf.ctx, pageAt(pfn));
    return WORKER_HAS_POINTED;
  }
  pageAt(pfn).mapping = machine().substituteWord;
  apf.ctx = 0;
  return WORKER_HAS_STORED;
}

/** What the worker does next to the page that GUP returned: all of it under the page lock, or a part. */
export function rfcStore(apfId: i32): i32 {
  const apf = apfAt(apfId);
  if (!repaired(REPAIR_L5)) return storeAsPosted(apf);
  const ctxId = apf.ctx;
  apf.ctx = 0;
  storeRepaired(apfId, apf, ctxId);
  return WORKER_HAS_STORED;
}

/** `fn` is about to use the context that it has found on a page. */
function checkCtx(ctxId: i32, page: Page, fn: i32): void {
  if (ctxAt(ctxId).live == 0) crash(CRASH_OOPS, fn, 0, pfnOf(page), INV_UAF);
}

/** The callback is about to use the work item that the context of a page has named. */
function checkApf(apfId: i32, page: Page): void {
  if (apfAt(apfId).state == APF_FREE) crash(CRASH_OOPS, FN_ASYNC_PF_MIGRATEPAGE, 0, pfnOf(page), INV_UAF);
}

function restore(page: Page, ctxId: i32): void {
  checkCtx(ctxId, page, FN_CHECK_ASYNC_PF_COMPLETION);
  page.mapping = ctxAt(ctxId).oriMapping;
}

/** Another work item on the page of `apfId` that is an owner of the same context. */
function otherOwner(apfId: i32, apf: Apf): i32 {
  let id = nextPinOf(apf.page, 0);
  while (pinAt(id).apf == apfId || apfAt(pinAt(id).apf).shares != apf.shares) id = nextPinOf(apf.page, id);
  return pinAt(id).apf;
}

/** The work item is no owner of its context any more; the last one restores the mapping. */
function releaseRepaired(apfId: i32, apf: Apf, page: Page): void {
  const ctxId = apf.shares;
  if (ctxId == 0) return;
  const ctx = ctxAt(ctxId);
  ctx.owners -= 1;
  if (ctx.owners > 0) {
    if (ctx.context == apfId) ctx.context = otherOwner(apfId, apf);
    return;
  }
  restore(page, ctxId);
  freeCtx(ctxId);
  page.privateWord = 0;
}

/**
 * The next load or store by which the end of a work item gives its page the mapping back; check takes no lock
 * for that. Returns COMPLETION_*, how far it is now.
 */
function restoreAsPosted(vcpu: Vcpu, apf: Apf): i32 {
  const at = vcpu.completion;
  if (at == COMPLETION_TAKEN) {
    const replaced = apf.page != 0 && pageAt(apf.page).mapping == machine().substituteWord;
    return replaced ? COMPLETION_TESTED : COMPLETION_FREED;
  }
  if (at == COMPLETION_TESTED) {
    vcpu.completingCtx = ctxOf(pageAt(apf.page));
    return COMPLETION_READ;
  }
  if (at == COMPLETION_READ) {
    restore(pageAt(apf.page), vcpu.completingCtx);
    return COMPLETION_RESTORED;
  }
  checkCtx(vcpu.completingCtx, pageAt(apf.page), FN_CHECK_ASYNC_PF_COMPLETION); // else it is freed twice
  freeCtx(vcpu.completingCtx); // page->private is not reset
  vcpu.completingCtx = 0;
  return COMPLETION_FREED;
}

/**
 * What a vCPU does next at the end of a work item: gives the mapping back, then puts the page. Returns
 * COMPLETION_*, NONE after that.
 */
export function rfcRelease(vcpu: Vcpu, apfId: i32): i32 {
  const apf = apfAt(apfId);
  if (repaired(REPAIR_L5)) {
    if (apf.page != 0) releaseRepaired(apfId, apf, pageAt(apf.page));
  } else if (vcpu.completion != COMPLETION_FREED) {
    return restoreAsPosted(vcpu, apf);
  }
  pinRelease(apfId);
  return COMPLETION_NONE;
}

/** The repaired callback: gives up the references of all work items on the page, or of none. */
function migrateRepaired(ctxId: i32, newPage: Page, page: Page): i32 {
  const ctx = ctxAt(ctxId);
  const owners = ctx.owners;
  page.refcount -= owners;
  const rc = migratePageMoveMapping(0, newPage, page);
  if (rc != 0) {
    page.refcount += owners;
    return rc;
  }
  newPage.refcount += owners;
  migratePageCopy(newPage, page);
  newPage.mapping = page.mapping;
  newPage.privateWord = ctxId | PRIVATE_POINTER;
  const from = pfnOf(page);
  const to = pfnOf(newPage);
  for (let id = nextPinOf(from, 0); id != 0; id = nextPinOf(from, 0)) {
    const pin = pinAt(id);
    assert(pin.kind == HOLDER_ASYNC_PF, "migrateRepaired: another holder passed the count check");
    apfAt(pin.apf).page = to;
    retargetPin(id, to);
  }
  count(PROBE_CALLBACK_SUCCESS, 1);
  return 0;
}

/** `c = page_private(page), apf = c->context`. Returns the context. */
export function callbackLook(page: Page): i32 {
  const ctxId = ctxOf(page);
  checkCtx(ctxId, page, FN_ASYNC_PF_MIGRATEPAGE);
  checkApf(ctxAt(ctxId).context, page);
  return ctxId;
}

/** The count check; the work item's reference is given up. Returns 0, or -EAGAIN with the reference back. */
export function callbackCheck(ctxId: i32, newPage: Page, page: Page): i32 {
  checkCtx(ctxId, page, FN_ASYNC_PF_MIGRATEPAGE);
  const mapping = repaired(REPAIR_L3) ? 0 : ctxAt(ctxId).oriMapping;
  const rc = migratePageMoveMapping(mapping, newPage, page);
  if (rc != 0) getPage(page);
  return rc;
}

/** True if another has the lock of the vCPU that the work item names. */
export function callbackSpins(apfId: i32): bool {
  const apf = apfAt(apfId);
  return apf.state != APF_FREE && vcpuAt(apf.vcpu).locked != 0;
}

/** Under the lock of the vCPU that the work item names: the copy, and the page of the work item. */
export function callbackCopy(ctxId: i32, apfId: i32, newPage: Page, page: Page): void {
  getPage(newPage);
  checkCtx(ctxId, page, FN_ASYNC_PF_MIGRATEPAGE);
  checkApf(apfId, page);
  const apf = apfAt(apfId);
  migratePageCopy(newPage, page);
  newPage.mapping = ctxAt(ctxId).oriMapping;
  apf.page = pfnOf(newPage);
  retargetPin(apf.pin, apf.page);
  count(PROBE_CALLBACK_SUCCESS, 1);
}

/** async_pf_migratepage(), with nobody in between. Returns 0 or -EAGAIN. */
export function asyncPfMigratepage(newPage: Page, page: Page): i32 {
  const ctxId = callbackLook(page);
  if (repaired(REPAIR_L5)) return migrateRepaired(ctxId, newPage, page);
  const apfId = ctxAt(ctxId).context;
  putPage(page);
  const rc = callbackCheck(ctxId, newPage, page);
  if (rc == 0) callbackCopy(ctxId, apfId, newPage, page);
  return rc;
}
