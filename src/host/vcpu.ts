/** A vCPU, driven by calls: an asynchronous page fault starts, its worker runs, its completion is handled. */
import * as abi from "../core/abi.ts";
import type { Core, KernelCrash } from "../core/core.ts";
import { SimError } from "../errors.ts";
import { INT_MAX, integer } from "./config.ts";
import { Life } from "./life.ts";

/**
 * What became of a fault: started with its token, or the vCPU halts (repeated), or takes the fault
 * synchronously.
 */
export type AsyncPfStart =
  | { readonly outcome: "started"; readonly token: number }
  | { readonly outcome: "repeated" }
  | { readonly outcome: "refused" };

export type WorkerStep = "begin" | "gup" | "test" | "read" | "point" | "store" | "finish";

/** The step that leaves WORKER_N behind is the Nth; what the RFC does without a lock is in four. */
const unlocked: readonly WorkerStep[] = ["begin", "gup", "test", "read", "point", "store", "finish"];

export type CompletionStep = "take" | "test" | "read" | "restore" | "free" | "put";

/** The step that leaves COMPLETION_N behind is the Nth, unless it was the last one. */
const unlockedEnd: readonly CompletionStep[] = ["take", "test", "read", "restore", "free", "put"];

function completionStep(before: number, after: number | undefined): CompletionStep | null {
  return after === abi.COMPLETION_NONE ? "put" : (unlockedEnd[before] ?? null);
}

function workerStep(core: Core, at: number): WorkerStep | null {
  const asPosted =
    core.config(abi.CFG_POLICY) === abi.POLICY_RFC && (core.config(abi.CFG_REPAIRS) & abi.REPAIR_L5) === 0;
  return at === abi.WORKER_HAS_PAGE && !asPosted ? "store" : (unlocked[at] ?? null);
}

/** A work item as its record has it. */
interface Item {
  readonly id: number;
  readonly state: number;
  readonly token: number;
  readonly gfn: number;
  readonly pfn: number;
}

export interface AsyncPf {
  readonly state: "queued" | "done" | "lost";
  readonly token: number;
  readonly gfn: number;
  /** apf->page: the pfn whose reference it holds, null if none. */
  readonly pfn: number | null;
}

function stateName(state: number): AsyncPf["state"] {
  if (state === abi.APF_QUEUED) return "queued";
  return state === abi.APF_LOST ? "lost" : "done";
}

export class Vcpu {
  readonly id: number;
  readonly #core: Core;

  readonly #mm: number;
  readonly #life: Life;

  /** vCPUs come from Host.createGuest(). */
  constructor(core: Core, id: number, mm: number) {
    this.#core = core;
    this.#mm = mm;
    this.#life = new Life(core, mm);
    this.id = id;
  }

  /**
   * kvm_setup_async_pf() for a guest frame (virtual page of the guest's process). At most 64 are outstanding.
   */
  startAsyncPf(gfn: number): AsyncPfStart {
    this.#life.check();
    const pages = this.#field(abi.TABLE_PROCESSES, abi.PROCESS_SIZE, this.#mm, abi.PROCESS_NR_PAGES);
    integer("gfn", gfn, 0, pages - 1);
    const id = this.#core.run((core) => core.setupAsyncPf(this.id, gfn));
    if (id === undefined || id === abi.APF_REFUSED) return { outcome: "refused" };
    if (id === abi.APF_REPEATED) return { outcome: "repeated" };
    return { outcome: "started", token: this.#field(abi.TABLE_APFS, abi.APF_SIZE, id, abi.APF_TOKEN) };
  }

  /**
   * async_pf_execute(): runs the worker of the item with `token`, or of every queued item, oldest first. One
   * that sleeps on a page lock stays queued.
   */
  runWorkers(token?: number): KernelCrash | null {
    const chosen = token === undefined ? this.#queued() : [this.#queuedItem(token)];
    for (const item of chosen) {
      this.#core.run((core) => core.asyncPfExecute(item.id));
      if (this.#core.crash !== null) break;
    }
    return this.#core.crash;
  }

  /**
   * The next step of one worker: begin (the RFC allocates its context), gup, store (the RFC replaces
   * page->mapping), finish. `sleeps`: it waits for a page lock and is to be tried again.
   *
   * Below L5 the RFC takes no lock for that, and each load and store is a step: test (PageAnon(); if it is
   * not, finish follows), read (page->mapping into the context), point (page->private to the context), store.
   */
  stepWorker(token: number): {
    readonly done: WorkerStep | null;
    readonly sleeps: boolean;
    readonly crash: KernelCrash | null;
  } {
    const item = this.#queuedItem(token);
    const at = this.#field(abi.TABLE_APFS, abi.APF_SIZE, item.id, abi.APF_WORKER);
    const state = this.#core.run((core) => core.asyncPfStep(item.id));
    const sleeps = state === abi.APF_SLEEPS;
    return { done: sleeps ? null : workerStep(this.#core, at), sleeps, crash: this.#core.crash };
  }

  /**
   * kvm_check_async_pf_completion() in the vCPU thread: handles at most `limit` finished items. Paravirtual
   * delivery handles one per guest entry; default: all.
   */
  complete(limit: number = INT_MAX): { readonly completed: number; readonly crash: KernelCrash | null } {
    this.#life.check();
    integer("limit", limit, 0, INT_MAX);
    const completed = this.#core.run((core) => core.checkAsyncPfCompletion(this.id, limit));
    return { completed: completed ?? 0, crash: this.#core.crash };
  }

  /**
   * The next step of complete() for one item: take (off the lists, and the guest is told), put (the page, and
   * what the policy did to it). Below L5 the RFC gives the mapping back without a lock, and each load and
   * store of that is a step between the two: test (page->mapping is the substitute; if it is not, put
   * follows), read (the context behind page->private), restore, free. Null if nothing has finished.
   */
  stepCompletion(): {
    readonly done: CompletionStep | null;
    readonly sleeps: boolean;
    readonly crash: KernelCrash | null;
  } {
    this.#life.check();
    const at = (offset: number): number => this.#field(abi.TABLE_VCPUS, abi.VCPU_SIZE, this.id, offset);
    const before = at(abi.VCPU_COMPLETION);
    if (before === abi.COMPLETION_NONE && at(abi.VCPU_FIRST_DONE) === 0) {
      return { done: null, sleeps: false, crash: this.#core.crash };
    }
    const after = this.#core.run((core) => core.completionStep(this.id));
    const sleeps = after === abi.APF_SLEEPS;
    return { done: sleeps ? null : completionStep(before, after), sleeps, crash: this.#core.crash };
  }

  /**
   * kvm_clear_async_pf_completion_queue(), as on reset: cancels what has not run, frees what has. `sleeps`:
   * it waits for a page that is being migrated and is to be tried again.
   */
  clear(): { readonly cancelled: number; readonly sleeps: boolean; readonly crash: KernelCrash | null } {
    this.#life.check();
    const cancelled = this.#core.run((core) => core.clearAsyncPfQueue(this.id));
    const sleeps = cancelled === abi.APF_SLEEPS;
    return { cancelled: sleeps ? 0 : (cancelled ?? 0), sleeps, crash: this.#core.crash };
  }

  /** kvm_async_pf_wakeup_all(): queues a broadcast. */
  wakeupAll(): void {
    this.#life.check();
    this.#core.run((core) => core.wakeupAll(this.id));
  }

  /** Outstanding items. */
  asyncPfs(): AsyncPf[] {
    this.#life.check();
    return this.#items().map(({ state, token, gfn, pfn }) => ({
      state: stateName(state),
      token,
      gfn,
      pfn: pfn === abi.PFN_NONE ? null : pfn,
    }));
  }

  /** Halted by a fault that was repeated, until a completion. */
  get halted(): boolean {
    this.#life.check();
    return this.#field(abi.TABLE_VCPUS, abi.VCPU_SIZE, this.id, abi.VCPU_HALTED) !== 0;
  }

  /** "Page not present" and "page ready" notifications so far, and references of the VM that work holds. */
  get notifications(): { readonly notPresent: number; readonly ready: number; readonly kvmRefs: number } {
    this.#life.check();
    const at = (offset: number): number => this.#field(abi.TABLE_VCPUS, abi.VCPU_SIZE, this.id, offset);
    return {
      notPresent: at(abi.VCPU_NOT_PRESENT),
      ready: at(abi.VCPU_READY),
      kvmRefs: at(abi.VCPU_KVM_REFS),
    };
  }

  #field(table: number, size: number, id: number, offset: number): number {
    return this.#core.words(table)[(id * size + offset) >> 2] ?? 0;
  }

  #items(): Item[] {
    const at = (id: number, offset: number): number => this.#field(abi.TABLE_APFS, abi.APF_SIZE, id, offset);
    const found = [];
    for (let id = this.#first(); id !== 0; id = at(id, abi.APF_NEXT_QUEUED)) {
      found.push({
        id,
        state: at(id, abi.APF_STATE),
        token: at(id, abi.APF_TOKEN),
        gfn: at(id, abi.APF_GFN),
        pfn: at(id, abi.APF_PAGE),
      });
    }
    return found;
  }

  #queued(): Item[] {
    this.#life.check();
    return this.#items().filter((item) => item.state === abi.APF_QUEUED);
  }

  #queuedItem(token: number): { id: number } {
    const item = this.#queued().find((one) => one.token === token);
    if (item === undefined) {
      throw new SimError("ERR_ARGUMENT", `token: ${token} is no queued work of vCPU ${this.id}`);
    }
    return item;
  }

  #first(): number {
    return this.#field(abi.TABLE_VCPUS, abi.VCPU_SIZE, this.id, abi.VCPU_FIRST_QUEUED);
  }
}
