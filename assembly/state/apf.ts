/**
 * Work items of asynchronous page faults (struct kvm_async_pf), and the contexts that the RFC hangs on pages.
 */
import {
  APF_FREE,
  APF_GFN,
  APF_PAGE,
  APF_STATE,
  APF_TOKEN,
  APF_VCPU,
  APF_WORKER,
  CFG_APFS,
  PRIVATE_POINTER,
  TABLE_APFS,
  TABLE_CTXS,
} from "../abi";
import { APF_RECORD_SIZE, CTX_RECORD_SIZE, config, tablePtr } from "../arena";
import { machine } from "./machine";
import { Page } from "./page";
import { poolFree, poolInit, poolNext } from "./pool";

@unmanaged
export class Apf {
  state: i32; // APF_*
  nextQueued: i32;
  nextDone: i32;
  vcpu: i32;
  mm: i32;
  gfn: i32; // virtual page of the guest's address space
  token: i32;
  page: i32; // apf->page: pfn, 0 = NULL
  pin: i32; // our record of the reference it holds, 0 = none
  worker: i32; // WORKER_*, while the item is queued
  workerPage: i32; // the worker's own pointer to what GUP returned, 0 = NULL
  ctx: i32; // context that the worker has allocated and not yet hung on a page
  shares: i32; // repaired form: context of its page that it is an owner of, 0 = none
  sleepsOn: i32; // page whose lock the worker waits for, 0 = none
  wakeupAll: i32; // pseudo item: broadcast
}

/** struct kvm_apf_ctx: the original mapping word and the work item that owns it. */
@unmanaged
export class ApfCtx {
  live: i32;
  link: i32;
  oriMapping: i32;
  context: i32; // apf
  owners: i32; // repaired form: work items that share the context
}

if (offsetof<Apf>() > APF_RECORD_SIZE || offsetof<ApfCtx>() > CTX_RECORD_SIZE)
  ERROR("size of an async_pf record");
if (offsetof<Apf>("state") != APF_STATE) ERROR("Apf record");
if (offsetof<Apf>("vcpu") != APF_VCPU) ERROR("Apf record");
if (offsetof<Apf>("gfn") != APF_GFN) ERROR("Apf record");
if (offsetof<Apf>("token") != APF_TOKEN) ERROR("Apf record");
if (offsetof<Apf>("page") != APF_PAGE) ERROR("Apf record");
if (offsetof<Apf>("worker") != APF_WORKER) ERROR("Apf record");

export function apfAt(id: i32): Apf {
  return changetype<Apf>(tablePtr(TABLE_APFS) + <usize>id * APF_RECORD_SIZE);
}

export function ctxAt(id: i32): ApfCtx {
  return changetype<ApfCtx>(tablePtr(TABLE_CTXS) + <usize>id * CTX_RECORD_SIZE);
}

/** page->private as the pointer to a context that the RFC makes of it; 0 if it is none. */
export function ctxOf(page: Page): i32 {
  const word = page.privateWord;
  return (word & PRIVATE_POINTER) != 0 ? word & ~PRIVATE_POINTER : 0;
}

/** Work items that can exist at one time, and of contexts twice as many, since the RFC leaks them. */
export function maxApfs(): i32 {
  return config(CFG_APFS);
}

export function maxCtxs(): i32 {
  return maxApfs() * 2;
}

export function initApfs(): void {
  const m = machine();
  m.freeApf = poolInit(tablePtr(TABLE_APFS), APF_RECORD_SIZE, maxApfs() + 1);
  m.freeCtx = poolInit(tablePtr(TABLE_CTXS), CTX_RECORD_SIZE, maxCtxs() + 1);
}

/** kmem_cache_zalloc() of a work item; 0 when all records are in use. */
export function allocApf(state: i32): i32 {
  const m = machine();
  const id = m.freeApf;
  if (id == 0) return 0;
  m.freeApf = poolNext(tablePtr(TABLE_APFS), APF_RECORD_SIZE, id);
  m.nrApfs += 1;
  apfAt(id).state = state;
  return id;
}

export function freeApf(id: i32): void {
  const m = machine();
  assert(apfAt(id).state != APF_FREE, "freeApf: freed twice");
  m.freeApf = poolFree(tablePtr(TABLE_APFS), APF_RECORD_SIZE, id, m.freeApf);
  m.nrApfs -= 1;
}

/** kzalloc() of a context; 0 when it fails, as injected or because all records have leaked. */
export function allocCtx(): i32 {
  const m = machine();
  if (m.ctxAllocFailures > 0) {
    m.ctxAllocFailures -= 1;
    return 0;
  }
  const id = m.freeCtx;
  if (id == 0) return 0;
  m.freeCtx = poolNext(tablePtr(TABLE_CTXS), CTX_RECORD_SIZE, id);
  m.nrCtxs += 1;
  ctxAt(id).live = 1;
  return id;
}

export function freeCtx(id: i32): void {
  const m = machine();
  m.freeCtx = poolFree(tablePtr(TABLE_CTXS), CTX_RECORD_SIZE, id, m.freeCtx);
  m.nrCtxs -= 1;
}
