/** Asynchronous page faults: queues, owners of pages, contexts. */
import {
  APF_DONE,
  APF_FREE,
  APF_LOST,
  APF_QUEUED,
  CFG_MAX_PFN,
  CFG_VCPUS,
  COMPLETION_RESTORED,
  CTX_CONTEXT,
  CTX_SIZE,
  HOLDER_ASYNC_PF,
  INV_CTX,
  INV_LIVE,
  INV_OWN,
  INV_REF,
} from "../abi";
import { CTX_RECORD_SIZE, config } from "../arena";
import { Vcpu, vcpuAt } from "../state/vcpu";
import { ApfCtx, apfAt, ctxAt, ctxOf, maxApfs, maxCtxs } from "../state/apf";
import { machine } from "../state/machine";
import { isSubstitute } from "../state/mapping";
import { pageAt } from "../state/page";
import { pinAt } from "../state/pins";
import { recountWindows, tallied, tallyOf } from "./tally";
import { bad, expectEqual } from "./violation";

if (CTX_RECORD_SIZE != CTX_SIZE || offsetof<ApfCtx>("context") != CTX_CONTEXT) ERROR("ApfCtx record");

/**
 * vcpu.queued is the length of the queue; every item on it reaches done or is cancelled, and until then it
 * holds a reference of the VM.
 */
function verifyQueue(id: i32, vcpu: Vcpu): void {
  let queued = 0;
  let done = 0;
  for (let apfId = vcpu.firstQueued; apfId != 0; apfId = apfAt(apfId).nextQueued) {
    const state = apfAt(apfId).state;
    if (state == APF_LOST) bad(INV_LIVE, 0, apfId, APF_DONE, state);
    if (state == APF_DONE) done += 1;
    queued += 1;
  }
  expectEqual(INV_REF, 0, id, queued - done, vcpu.kvmRefs);
  for (let apfId = vcpu.firstDone; apfId != 0; apfId = apfAt(apfId).nextDone) done -= 1;
  expectEqual(INV_LIVE, 0, id, queued, vcpu.queued);
  expectEqual(INV_LIVE, 0, id, 0, done);
}

/** apf->page is the frame on which the work item holds its reference. */
function verifyOwner(id: i32): void {
  const apf = apfAt(id);
  if (apf.state == APF_FREE) return;
  if (apf.pin == 0) {
    expectEqual(INV_OWN, apf.page, id, 0, apf.page);
    return;
  }
  const pin = pinAt(apf.pin);
  // Until it has finished, the worker alone knows its page.
  const page = apf.page == 0 && apf.state == APF_QUEUED ? apf.workerPage : apf.page;
  expectEqual(INV_OWN, page, id, HOLDER_ASYNC_PF, pin.kind);
  expectEqual(INV_OWN, page, id, pin.pfn, page);
}

/** A page, or with 0 a running worker or a vCPU that is about to free it, names a context. */
function countName(id: i32, pfn: i32): void {
  if (id == 0 || !tallied(id)) return;
  const tally = tallyOf(id);
  tally.refs += 1;
  if (tally.refs > 1) bad(INV_CTX, pfn, id, 1, tally.refs);
}

function countNames(): void {
  for (let pfn = 0; pfn < config(CFG_MAX_PFN); pfn++) {
    const page = pageAt(pfn);
    if (!isSubstitute(page.mapping)) continue;
    const id = ctxOf(page);
    // 6.x leaves the word in the frame that a page has moved from, but not its context.
    if (id == 0 && page.mapcount == 0) continue;
    if (<u32>id > <u32>maxCtxs() || ctxAt(id).live == 0) bad(INV_CTX, pfn, id, 1, 0);
    countName(id, pfn);
  }
  for (let id = 1; id <= maxApfs(); id++) countName(apfAt(id).ctx, 0);
  for (let id = 0; id < config(CFG_VCPUS); id++) {
    if (vcpuAt(id).completion == COMPLETION_RESTORED) countName(vcpuAt(id).completingCtx, 0);
  }
}

/** Every live context has exactly one that names it, and its work item lives. */
function recountContexts(start: i32, end: i32): void {
  countNames();
  for (let id = start; id < end; id++) {
    const ctx = ctxAt(id);
    expectEqual(INV_CTX, 0, id, ctx.live, tallyOf(id).refs);
    if (ctx.live != 0 && apfAt(ctx.context).state == APF_FREE) bad(INV_CTX, 0, id, 1, 0);
  }
}

export function verifyAsyncPf(): void {
  for (let id = 0; id < config(CFG_VCPUS); id++) {
    if (vcpuAt(id).mm != 0) verifyQueue(id, vcpuAt(id));
  }
  for (let id = 1; id <= maxApfs(); id++) verifyOwner(id);
  if (machine().substituteWord >= 0) recountWindows(maxCtxs() + 1, recountContexts);
}
