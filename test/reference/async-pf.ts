/** KVM's asynchronous page faults: set-up, worker, completion, cancellation; each policy's part in them. */
import * as abi from "../../assembly/abi.ts";
import { faultInForGup } from "./gup-page.ts";
import { faultInForLong } from "./longterm.ts";
import {
  type Context,
  type Machine,
  type Page,
  type Process,
  type Vcpu,
  type Work,
  Crash,
  has,
} from "./machine.ts";
import { releasePin, takePin } from "./pins.ts";
import { hasSubstitute, repaired } from "./rmap.ts";
import { contextOf } from "./swap-area.ts";

export function createVcpu(m: Machine, process: Process): Vcpu {
  let id = 0;
  while (m.vcpus.some((other) => other.id === id)) id++;
  const vcpu: Vcpu = {
    id,
    process,
    queue: [],
    done: [],
    nextToken: 0,
    halted: false,
    notPresent: 0,
    ready: 0,
    kvmRefs: 0,
  };
  m.vcpus.push(vcpu);
  process.vcpus.push(vcpu);
  return vcpu;
}

/** kvm_setup_async_pf(). */
export function startAsyncPf(vcpu: Vcpu, gfn: number): "started" | "repeated" | "refused" {
  if (vcpu.queue.some((work) => !work.broadcast && work.gfn === gfn)) {
    vcpu.halted = true;
    return "repeated";
  }
  if (vcpu.queue.length >= abi.ASYNC_PF_PER_VCPU) return "refused";
  vcpu.queue.push({
    vcpu,
    gfn,
    token: vcpu.nextToken * 4096 + vcpu.id,
    state: "queued",
    sleepsOn: null,
    page: null,
    pin: null,
    context: null,
    broadcast: false,
  });
  vcpu.nextToken += 1;
  vcpu.kvmRefs += 1;
  vcpu.notPresent += 1;
  return "started";
}

function allocContext(m: Machine): Context | null {
  if (m.contextFailures > 0) {
    m.contextFailures -= 1;
    return null;
  }
  const context: Context = {
    id: m.contextIds.take(),
    alive: true,
    original: { mapping: null, anon: false, ksm: false },
    owners: [],
  };
  m.contexts.push(context);
  return context;
}

function freeContext(m: Machine, context: Context): void {
  context.alive = false;
  m.contexts = m.contexts.filter((other) => other !== context);
  m.contextIds.giveBack(context.id);
}

function attach(m: Machine, context: Context, page: Page, { keepTag }: { keepTag: boolean }): void {
  context.original = { mapping: page.mapping, anon: page.anon, ksm: page.ksm };
  page.private = context;
  page.mapping = m.apfMapping;
  page.anon = keepTag;
  page.ksm = false;
}

/** With L5: under the page lock; work items on one page share a context, and a page without one is let go. */
function storeRepaired(m: Machine, work: Work): void {
  const { page, context } = work;
  work.context = null;
  const shared = page !== null && hasSubstitute(m, page) ? contextOf(page) : null;
  if (shared) {
    shared.owners.push(work);
  } else if (context !== null && page?.anon === true && !page.ksm && !has(page, abi.PG_SWAPCACHE)) {
    context.owners = [work];
    attach(m, context, page, { keepTag: true });
    return;
  }
  if (context !== null) freeContext(m, context);
  if (shared || work.pin === null) return;
  releasePin(m, work.pin);
  work.pin = null;
  work.page = null;
}

function store(m: Machine, work: Work): void {
  const { page, context } = work;
  if (m.config.policy !== "rfc") return;
  if (repaired(m, "L5")) {
    storeRepaired(m, work);
    return;
  }
  work.context = null;
  if (context !== null && page?.anon === true) attach(m, context, page, { keepTag: false });
}

function mustLock(m: Machine, page: Page | null): boolean {
  return m.config.policy === "rfc" && repaired(m, "L5") && page !== null && has(page, abi.PG_LOCKED);
}

/** False: it sleeps. */
function gup(m: Machine, work: Work): boolean {
  const { vcpu } = work;
  m.cpu = vcpu.process.cpu;
  const page =
    m.config.policy === "longterm"
      ? faultInForLong(m, vcpu.process, work.gfn, { follPin: false })
      : faultInForGup(m, vcpu.process, work.gfn, true);
  if (page === "sleeps") {
    const { ptes } = vcpu.process;
    work.sleepsOn = ptes.get(work.gfn)?.page ?? ptes.swapPte(work.gfn)?.slot.page ?? null;
    return false;
  }
  work.state = "has page";
  if (typeof page === "number" || m.config.policy === "drop-get") return true;
  work.page = page;
  const holder = { kind: abi.HOLDER_ASYNC_PF, page, group: 0, owner: vcpu.id, token: work.token };
  work.pin = takePin(m, holder);
  return true;
}

function sleeps({ sleepsOn }: Work): boolean {
  return sleepsOn !== null && has(sleepsOn, abi.PG_LOCKED);
}

/** async_pf_execute(). A worker that has to wait for a page lock stays where it is. */
function runWorker(m: Machine, work: Work): void {
  if (sleeps(work)) return;
  work.sleepsOn = null;
  if (work.state === "queued") {
    work.context = m.config.policy === "rfc" ? allocContext(m) : null;
    if (work.context !== null) work.context.owners = [work];
    if (m.config.policy === "rfc" && work.context === null && !repaired(m, "L5")) {
      work.state = "lost";
      return;
    }
    work.state = "begun";
  }
  if (work.state === "begun" && !gup(m, work)) return;
  if (mustLock(m, work.page)) {
    work.sleepsOn = work.page;
    return;
  }
  store(m, work);
  work.state = "done";
  work.vcpu.done.push(work);
  work.vcpu.kvmRefs -= 1;
}

function isRunning({ state }: Work): boolean {
  return state === "begun" || state === "has page";
}

function isPending(work: Work): boolean {
  return work.state === "queued" || isRunning(work);
}

export function runWorkers(m: Machine, vcpu: Vcpu): void {
  for (const work of vcpu.queue.filter(isPending)) runWorker(m, work);
}

function restore(m: Machine, page: Page, context: Context | null): void {
  if (context?.alive !== true) {
    throw new Crash({
      kind: abi.CRASH_OOPS,
      trace: [abi.FN_CHECK_ASYNC_PF_COMPLETION],
      pfn: page.pfn,
      invariant: abi.INV_UAF,
    });
  }
  Object.assign(page, context.original);
  freeContext(m, context);
}

function restoreRepaired(m: Machine, page: Page, work: Work): void {
  const context = contextOf(page);
  if (context?.owners.includes(work) !== true) return;
  context.owners = context.owners.filter((owner) => owner !== work);
  if (context.owners.length > 0) return;
  restore(m, page, context);
  page.private = null;
}

/** What check and clear do with a finished work item. */
function release(m: Machine, work: Work): void {
  const { page, pin } = work;
  if (page !== null && hasSubstitute(m, page)) {
    if (repaired(m, "L5")) restoreRepaired(m, page, work);
    else restore(m, page, contextOf(page));
  }
  if (pin !== null) releasePin(m, pin);
  work.page = null;
  work.state = "freed";
}

/** kvm_check_async_pf_completion(): at most `limit` items. Returns how many were handled. */
export function complete(m: Machine, vcpu: Vcpu, limit = Infinity): number {
  m.cpu = vcpu.process.cpu;
  let nr = 0;
  for (let work = vcpu.done[0]; work !== undefined && nr < limit; work = vcpu.done[0]) {
    if (mustLock(m, work.page)) break;
    vcpu.done.shift();
    vcpu.queue = vcpu.queue.filter((other) => other !== work);
    vcpu.ready += 1;
    vcpu.halted = false;
    release(m, work);
    nr += 1;
  }
  return nr;
}

/** kvm_clear_async_pf_completion_queue(). Returns how many were cancelled, or that it sleeps. */
export function clearQueue(m: Machine, vcpu: Vcpu): number | "sleeps" {
  for (const work of vcpu.queue) {
    if (isRunning(work)) runWorker(m, work);
    if (isRunning(work) || mustLock(m, work.page)) return "sleeps";
  }
  const cancelled = vcpu.queue.filter(({ state }) => state !== "done");
  for (const work of cancelled) work.state = "freed";
  vcpu.kvmRefs -= cancelled.length;
  vcpu.queue = [];
  for (const work of vcpu.done.splice(0)) release(m, work);
  return cancelled.length;
}

/** The exit of the process would have to wait for a page lock. */
export function exitMustWait(m: Machine, process: Process): boolean {
  return process.vcpus.some(({ queue }) => queue.some((work) => sleeps(work) || mustLock(m, work.page)));
}

/** kvm_async_pf_wakeup_all(): a broadcast, unless a completion is waiting anyway. */
export function wakeupAll(vcpu: Vcpu): void {
  if (vcpu.done.length > 0) return;
  const work: Work = {
    vcpu,
    gfn: 0,
    token: 0,
    state: "done",
    sleepsOn: null,
    page: null,
    pin: null,
    context: null,
    broadcast: true,
  };
  vcpu.queue.push(work);
  vcpu.done.push(work);
}
