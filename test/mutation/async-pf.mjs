/** Mutations of asynchronous page faults: queues, pins, the RFC with all of its repairs, clearing. */
import { inFile } from "./in-file.mjs";

const asyncPf = inFile("assembly/kernel/async_pf.ts", [
  {
    id: "apf-not-dequeued",
    what: "kvm_check_async_pf_completion() leaves the finished item on the queue",
    find: "  dequeue(vcpu, vcpu.completing);\n",
    replace: "",
  },
  {
    id: "apf-halt-not-ended",
    what: "a completion does not wake a vCPU that halts for it",
    find: "  vcpu.halted = 0;\n",
    replace: "",
  },
  {
    id: "apf-kvm-ref-kept",
    what: "the worker ends without kvm_put_kvm()",
    find: "  vcpu.kvmRefs -= 1;\n",
    replace: "",
  },
  {
    id: "apf-mm-count-kept",
    what: "the worker ends without mmdrop()",
    find: "  mmAt(vcpu.mm).mmCount -= 1;\n",
    replace: "",
  },
  {
    id: "apf-pending-not-tested",
    what: "kvm_setup_async_pf() does not look whether the gfn is pending on this vCPU",
    find: "  if (isPending(vcpu, gfn)) {",
    replace: "  if (isPending(vcpu, gfn) && gfn < 0) {",
  },
  {
    id: "apf-done-list-cut",
    what: "taking the first finished item loses those behind it",
    find: "  vcpu.firstDone = apfAt(vcpu.completing).nextDone;",
    replace: "  vcpu.firstDone = 0;",
  },
  {
    id: "apf-item-leaked",
    what: "the end of an item does not free it",
    find: "  freeApf(vcpu.completing);\n",
    replace: "",
  },
  {
    id: "apf-worker-wakes-early",
    what: "a worker that sleeps on a page lock goes on while that is held",
    find: "  return apf.sleepsOn != 0 && (pageAt(apf.sleepsOn).flags & PG_LOCKED) != 0;",
    replace: "  return apf.sleepsOn < 0;",
  },
  {
    id: "l5-store-unlocked",
    what: "the worker of L5 writes mapping and private without the page lock",
    find: "  const needed = stores ? policyMustLock(apf.workerPage) : 0;",
    replace: "  const needed = stores ? 0 : 0;",
  },
  {
    id: "l5-release-unlocked",
    what: "the end of an item of L5 gives the mapping back without the page lock",
    find: "  const needed = policyMustLock(apf.page != 0 ? apf.page : apf.workerPage);",
    replace: "  const needed = apf.page < 0 ? policyMustLock(apf.workerPage) : 0;",
  },
]);

const clear = inFile("assembly/kernel/async_pf_clear.ts", [
  {
    id: "clear-not-dequeued",
    what: "kvm_clear_async_pf_completion_queue() leaves the finished item on the queue",
    find: "    dequeue(vcpu, vcpu.completing);\n",
    replace: "",
  },
  {
    id: "clear-cancels-running",
    what: "cancel_work_sync() does not wait for a worker that has begun",
    find: "  if (apf.worker != WORKER_NOT_BEGUN) return STEP_BLOCKED;",
    replace: "  if (apf.worker < WORKER_NOT_BEGUN) return STEP_BLOCKED;",
  },
  {
    id: "clear-lock-not-held",
    what: "the queue is cleared without async_pf.lock",
    find: "  vcpu.locked = goesOn && !policyLocksPages() ? 1 : 0;",
    replace: "  vcpu.locked = goesOn && !policyLocksPages() ? 0 : 0;",
    survives: "only the RFC as posted needs several steps for the end of an item, and it is not clean anyway",
  },
  {
    id: "clear-release-unlocked",
    what: "clearing gives the mapping of L5 back without the page lock",
    find: "    if (releaseSleeps(vcpu.firstDone)) return STEP_BLOCKED;",
    replace: "    if (vcpu.firstDone < 0 && releaseSleeps(vcpu.firstDone)) return STEP_BLOCKED;",
  },
]);

const pin = inFile("assembly/kernel/policy/pin.ts", [
  {
    id: "pin-not-put",
    what: "kvm_release_page_clean() without put_page()",
    find: "  putPage(pageAt(apf.page));\n",
    replace: "",
  },
  {
    id: "pin-put-twice",
    what: "kvm_release_page_clean() puts the page twice",
    find: "  putPage(pageAt(apf.page));\n",
    replace: "  putPage(pageAt(apf.page));\n  putPage(pageAt(apf.page));\n",
  },
  {
    id: "pin-gup-reads",
    what: "the worker's get_user_pages() asks for reading only",
    find: "holdPage(apfId, faultinPage(apf.mm, apf.gfn, true))",
    replace: "holdPage(apfId, faultinPage(apf.mm, apf.gfn, false))",
  },
]);

const rfc = inFile("assembly/kernel/policy/rfc.ts", [
  {
    id: "l5-owner-not-counted",
    what: "a second work item shares the context without counting as an owner",
    find: "    ctxAt(apf.shares).owners += 1;\n",
    replace: "",
  },
  {
    id: "l5-spare-context-kept",
    what: "a context that is not needed, since the page has one, is not freed",
    find: "  if (ctxId != 0 && !attaches) freeCtx(ctxId);\n",
    replace: "",
  },
  {
    id: "l5-restored-early",
    what: "the first owner of two restores the mapping and frees the context",
    find: "  if (ctx.owners > 0) {",
    replace: "  if (ctx.owners > 1) {",
  },
  {
    id: "l5-context-leaked",
    what: "the last owner does not free the context",
    find: "  freeCtx(ctxId);\n  page.privateWord = 0;",
    replace: "  page.privateWord = 0;",
  },
  {
    id: "l5-context-freed-twice",
    what: "the last owner frees the context twice",
    find: "  freeCtx(ctxId);\n  page.privateWord = 0;",
    replace: "  freeCtx(ctxId);\n  freeCtx(ctxId);\n  page.privateWord = 0;",
  },
  {
    id: "l5-private-kept",
    what: "page->private still points to the context that has been freed",
    find: "  freeCtx(ctxId);\n  page.privateWord = 0;",
    replace: "  freeCtx(ctxId);",
  },
  {
    id: "l5-mapping-not-restored",
    what: "the last owner leaves apf_mapping in page->mapping",
    find: "  restore(page, ctxId);\n  freeCtx(ctxId);",
    replace: "  freeCtx(ctxId);",
  },
  {
    id: "l5-context-not-handed-on",
    what: "the context still names the work item that has ended, and not another owner",
    find: "    if (ctx.context == apfId) ctx.context = otherOwner(apfId, apf);\n",
    replace: "",
  },
  {
    id: "l5-tag-lost",
    what: "the worker of L5 writes apf_mapping without the ANON tag",
    find: "    page.mapping = machine().substituteWord | MAPPING_ANON;",
    replace: "    page.mapping = machine().substituteWord & ~MAPPING_ANON;",
  },
  {
    id: "l5-attaches-in-swap-cache",
    what: "the worker of L5 puts its pointer over the entry of a page in the swap cache",
    find: " && !pageKsm(page) && (page.flags & PG_SWAPCACHE) == 0;",
    replace: " && !pageKsm(page) && (page.flags & PG_SWAPCACHE) >= 0;",
  },
  {
    id: "l5-page-not-let-go",
    what: "the worker of L5 keeps its reference of a page that has no context",
    find: "  } else {\n    pinRelease(apfId);\n  }\n",
    replace: "  }\n",
  },
  {
    id: "l5-page-not-retargeted",
    what: "the callback moves the page, but not apf->page",
    find: "    apfAt(pin.apf).page = to;\n",
    replace: "",
  },
  {
    id: "l5-owners-not-moved",
    what: "the callback gives the references of the owners up, and takes none of the new page",
    find: "  newPage.refcount += owners;\n",
    replace: "",
  },
  {
    id: "l5-owners-lost-on-failure",
    what: "the callback fails and does not take the references of the owners back",
    find: "    page.refcount += owners;\n",
    replace: "",
  },
  {
    id: "l5-one-owner",
    what: "the callback gives up one reference, however many owners there are",
    find: "  const owners = ctx.owners;\n",
    replace: "  const owners = min<i32>(ctx.owners, 1);\n",
  },
  {
    id: "l5-private-not-moved",
    what: "the callback moves the page, but not the pointer to the context",
    find: "  newPage.privateWord = ctxId | PRIVATE_POINTER;\n",
    replace: "",
  },
]);

export const asyncPfMutations = [...asyncPf, ...clear, ...pin, ...rfc];
