/** A host and its reference model, and what both are told to do. */
import * as abi from "../../assembly/abi.ts";
import { errnoName } from "../../src/core/names.ts";
import { Host, type HostConfig, type Pin, type Process, SimError } from "../../src/index.ts";
import * as apf from "../reference/async-pf.ts";
import { boot, exit } from "../reference/boot.ts";
import * as fault from "../reference/fault.ts";
import { fork } from "../reference/fork.ts";
import { type PinKind, pinPages } from "../reference/gup.ts";
import { reserveFrame } from "../reference/buddy.ts";
import { drainAll } from "../reference/lru.ts";
import type { Config, Machine } from "../reference/machine.ts";
import { clearFlag, pageAt, setFlag } from "../reference/machine.ts";
import { offline, online } from "../reference/offline.ts";
import { unlockPage } from "../reference/page-lock.ts";
import * as memory from "../reference/process.ts";
import { run } from "../reference/state.ts";
import { releaseGroup, wait } from "../reference/time.ts";
import { blamed, calledCore, returned } from "./answers.ts";
import { mbind, migratePages, migrateRange, movePages } from "./migrations.ts";
import type { Operation } from "./operations.ts";
import { type ProcessPair, type RegionPair, change, pick, vpnsOf } from "./regions.ts";
import { Steps } from "./steps.ts";
import { type Answers, type VcpuOperation, type VcpuPair, nothing, performOnVcpu } from "./vcpu.ts";

/** A vCPU can have more faults than fit its queue. */
const PROCESS_PAGES = 80;
const MAX_PROCESSES = 8;
const MAX_DEPTH = 4;
const pageFlags = { locked: abi.PG_LOCKED, writeback: abi.PG_WRITEBACK, dirty: abi.PG_DIRTY } as const;

/** The code of the error that a call throws. */
function refuses(call: () => unknown): string | null {
  try {
    call();
  } catch (error) {
    if (error instanceof SimError) return error.code;
    throw error;
  }
  return null;
}

export class Pair {
  readonly host: Host;
  readonly machine: Machine;
  processes: ProcessPair[] = [];
  regions: RegionPair[] = [];
  #pins: { readonly core: Pin; readonly group: number }[] = [];
  #vcpus: VcpuPair[] = [];
  readonly #steps: Steps;

  private constructor(host: Host, machine: Machine) {
    this.host = host;
    this.machine = machine;
    this.#steps = new Steps(host, machine);
  }

  static async create(config: Config & HostConfig): Promise<Pair> {
    return new Pair(await Host.create(config), boot(config));
  }

  createProcess(options: { guest: boolean; cpu: number; pages?: number }): ProcessPair {
    const { guest, cpu, pages = PROCESS_PAGES } = options;
    const created = guest ? this.host.createGuest({ pages, vcpus: 2, cpu }) : null;
    const core = created ?? this.host.createProcess({ pages, cpu });
    const process = { core, reference: memory.createProcess(this.machine, pages, cpu), depth: 0 };
    this.processes.push(process);
    for (const vcpu of created?.vcpus ?? []) {
      const reference = apf.createVcpu(this.machine, process.reference);
      this.#vcpus.push({ core: vcpu, reference });
    }
    return process;
  }

  map(
    process: ProcessPair,
    options: { kind: "anon" | "shmem"; pages: number; node?: number; bind?: boolean; dontFork?: boolean },
  ): RegionPair {
    const { kind, pages, node = -1, bind = false, dontFork = false } = options;
    const core = process.core.map({ kind, pages, bind, dontFork, ...(node >= 0 && { node }) });
    const range = { start: core.start, end: core.start + pages };
    memory.map(this.machine, process.reference, range, { kind, node, bound: bind, dontFork });
    const region = { core, process };
    this.regions.push(region);
    return region;
  }

  /** Ends the migrations that are driven a step at a time. */
  endSteps(): void {
    this.#steps.end();
  }

  /** Takes much memory, which only moveFilled and pinFilled name. */
  fill(node: number, pages: number): void {
    const process = this.createProcess({ guest: false, cpu: 0, pages });
    const region = this.map(process, { kind: "anon", pages, node, bind: true });
    this.touch(region, { start: 0, count: pages, write: true });
    this.processes.pop();
    this.regions.pop();
    this.#hidden.push(process);
    this.#filled.push(region);
  }

  /** A child and a grandchild of the process: shared pages, off the batches. */
  haveFamily(process: ProcessPair): void {
    this.#fork(process);
    for (const child of this.processes.filter(({ depth }) => depth === 1)) this.#fork(child);
    this.perform({ op: "drain" });
  }

  readonly #hidden: ProcessPair[] = [];
  readonly #filled: RegionPair[] = [];

  /** All processes, also those that no operation names. */
  get everyProcess(): readonly ProcessPair[] {
    return [...this.#hidden, ...this.processes];
  }

  /** Performs an operation on both sides. What it names is found modulo how many there are; none: nothing. */
  // oxlint-disable-next-line max-lines-per-function -- one case an operation
  perform(operation: Operation): Answers {
    switch (operation.op) {
      case "process":
        if (this.processes.length < 4) this.createProcess(operation);
        return nothing;
      case "map":
        return this.#mapAnother(operation);
      case "touch":
        return this.#inRegion(operation, (region, range) => this.touch(region, { ...operation, ...range }));
      case "unmap":
      case "discard":
      case "protect":
      case "mlock":
        return this.#inRegion(operation, (region, range) => change(this.machine, operation, region, range));
      case "fork":
        return this.#onProcess(operation, (process) => this.#fork(process));
      case "beginSteps":
        return this.#onRegion(operation, (region) => this.#steps.begin(region, operation));
      case "nextStep":
        return this.#steps.next(operation);
      case "exit":
        return this.#onProcess(operation, (process) => this.#exit(process));
      case "pin":
        return this.#onRegion(operation, (region) => this.#pin(region, operation.indexes, operation.kind));
      case "pinFilled":
        return this.#pinFilled(operation);
      case "release":
      case "releaseLater":
        return this.#release(operation);
      case "wait":
        this.host.wait(operation.ns);
        run(this.machine, () => wait(this.machine, operation.ns));
        return nothing;
      case "drain":
        this.host.drainLru();
        run(this.machine, () => drainAll(this.machine));
        return nothing;
      case "flag":
        return this.#flag(operation);
      case "movePages":
        return this.#onRegion(operation, (region) => movePages(this.machine, region, operation));
      case "moveFilled":
        return this.#moveFilled(operation);
      case "mbind":
        return this.#onRegion(operation, (region) => mbind(this.machine, region, operation));
      case "migratePages":
        return this.#onProcess(operation, (process) => migratePages(this.machine, process, operation));
      case "migrateRange":
        return this.#inRegion(operation, (region, range) =>
          migrateRange(this.machine, region, range, operation),
        );
      case "offline":
        return this.#offline(operation);
      case "reserve":
        return this.#reserve(operation.pfn);
      case "online":
        return {
          core: calledCore(this.host.online(operation.block)),
          reference: returned(run(this.machine, () => online(this.machine, operation.block))),
        };
      case "failContexts":
        this.host.failContextAllocations(operation.count);
        this.machine.contextFailures = operation.count;
        return nothing;
      case "faultTogether":
        return this.#faultTogether(operation.gfn);
      case "startAsyncPf":
      case "startMany":
      case "runWorkers":
      case "complete":
      case "clear":
      case "wakeupAll":
        return this.#asyncPf(operation);
      default:
        throw new Error("an operation without a case");
    }
  }

  #mapAnother({ process, ...options }: Extract<Operation, { op: "map" }>): Answers {
    const chosen = pick(this.processes, process);
    const mapped = chosen?.core.regions().reduce((sum, { pages }) => sum + pages, 0) ?? 0;
    // There is a gap somewhere if less than half is mapped, in pieces of at most 8 pages.
    if (chosen !== undefined && mapped <= PROCESS_PAGES / 2 && this.#hasGap(chosen.core, options.pages)) {
      this.map(chosen, options);
    }
    return nothing;
  }

  #hasGap(process: Process, pages: number): boolean {
    const ends = process.regions().map(({ start, pages: nr }) => start + nr);
    return PROCESS_PAGES - Math.max(0, ...ends) >= pages;
  }

  #onProcess({ process }: { process: number }, body: (process: ProcessPair) => Answers): Answers {
    const chosen = pick(this.processes, process);
    return chosen === undefined ? nothing : body(chosen);
  }

  #onRegion({ region }: { region: number }, body: (region: RegionPair) => Answers): Answers {
    const chosen = pick(this.regions, region);
    return chosen === undefined ? nothing : body(chosen);
  }

  /** Cuts a range to the region that it is in. */
  #inRegion(
    operation: { region: number; start: number; count: number },
    body: (region: RegionPair, range: { start: number; count: number }) => Answers,
  ): Answers {
    return this.#onRegion(operation, (region) => {
      const start = operation.start % region.core.pages;
      return body(region, { start, count: Math.min(operation.count, region.core.pages - start) });
    });
  }

  touch(region: RegionPair, range: { start: number; count: number; write: boolean }): Answers {
    const process = region.process.reference;
    const core = region.core.touch(range.write ? "write" : "read", range);
    const vpns = vpnsOf(region, range);
    const reference = run(this.machine, () => fault.touch(this.machine, process, vpns, range.write));
    const err = reference?.err ?? 0;
    return {
      core: core.crash === null ? [core.errno === null ? core.faults : 0, core.sleeps, core.errno] : null,
      reference: reference && [err === 0 ? reference.faults : 0, reference.sleeps, errnoName(err)],
    };
  }

  #fork(parent: ProcessPair): Answers {
    if (parent.depth === MAX_DEPTH || this.processes.length === MAX_PROCESSES) return nothing;
    const core = parent.core.fork();
    const reference = run(this.machine, () => fork(this.machine, parent.reference));
    if (core.child !== null && reference !== null && typeof reference !== "number") {
      const child = { core: core.child, reference, depth: parent.depth + 1 };
      this.processes.push(child);
      // Behind the first region, so that operations meet on what is shared.
      this.regions.splice(1, 0, ...child.core.regions().map((region) => ({ core: region, process: child })));
    }
    return {
      core: core.crash === null ? [core.errno] : null,
      reference: reference && [typeof reference === "number" ? errnoName(reference) : null],
    };
  }

  #exit(process: ProcessPair): Answers {
    if (memory.munmapMustWait(process.reference, { start: 0, end: process.reference.pages })) return nothing;
    if (apf.exitMustWait(this.machine, process.reference)) {
      return { core: refuses(() => process.core.exit()), reference: "ERR_ARGUMENT" };
    }
    const { badRss, crash } = process.core.exit();
    const left = run(this.machine, () => exit(this.machine, process.reference));
    this.processes = this.processes.filter((other) => other !== process);
    this.regions = this.regions.filter((region) => region.process !== process);
    this.#vcpus = this.#vcpus.filter((vcpu) => vcpu.reference.process !== process.reference);
    return {
      core: crash === null ? { anon: badRss?.anon ?? 0, file: badRss?.file ?? 0 } : null,
      reference: left,
    };
  }

  #pin(region: RegionPair, list: readonly number[], kind: PinKind): Answers {
    if (this.#pins.length > 20) return nothing;
    const indexes = list.map((index) => index % region.core.pages);
    const core = kind === "read" ? region.core.pin(indexes, "get", "read") : region.core.pin(indexes, kind);
    const vpns = indexes.map((index) => region.core.start + index);
    const process = region.process.reference;
    const pinned = run(this.machine, () => pinPages(this.machine, process, vpns, kind));
    if (pinned !== null) this.#pins.push({ core, group: pinned.group });
    return { core: this.host.crash === null ? core.pages : null, reference: pinned?.pages ?? null };
  }

  #pinFilled({ filled, every, kind }: Extract<Operation, { op: "pinFilled" }>): Answers {
    const region = pick(this.#filled, filled);
    if (region === undefined) return nothing;
    const all = Array.from({ length: region.core.pages }, (_, index) => index);
    return this.#pin(
      region,
      all.filter((index) => index % every === 0),
      kind,
    );
  }

  #release(operation: Extract<Operation, { op: "release" | "releaseLater" }>): Answers {
    const pin = pick(this.#pins, operation.pin);
    if (pin === undefined) return nothing;
    this.#pins = this.#pins.filter((other) => other !== pin);
    if (operation.op === "release") {
      pin.core.release();
      run(this.machine, () => releaseGroup(this.machine, pin.group));
    } else {
      const atNs = this.host.nowNs + operation.afterNs;
      pin.core.releaseAt(atNs);
      this.machine.events.push({ atNs, group: pin.group });
    }
    return nothing;
  }

  #flag({ region, index, flag, on }: Extract<Operation, { op: "flag" }>): Answers {
    const chosen = pick(this.regions, region);
    const pfn = chosen?.core.frameOf(index % chosen.core.pages) ?? 0;
    if (pfn < abi.FIRST_PFN) return nothing;
    this.host.setPageFlag(pfn, flag, on);
    const page = pageAt(this.machine, pfn);
    if (on) setFlag(page, pageFlags[flag]);
    else if (flag === "locked") run(this.machine, () => unlockPage(this.machine, page));
    else clearFlag(page, pageFlags[flag]);
    return nothing;
  }

  #moveFilled({ filled, node }: Extract<Operation, { op: "moveFilled" }>): Answers {
    const region = pick(this.#filled, filled);
    if (region === undefined) return nothing;
    const entries = Array.from({ length: region.core.pages }, (_, index) => ({ index, node }));
    return movePages(this.machine, region, { entries, moveAll: false });
  }

  #reserve(pfn: number): Answers {
    const page = pageAt(this.machine, pfn);
    if (page.refcount > 0 || this.machine.badPages.includes(page)) return nothing;
    if (this.host.blockState(Math.floor(pfn / abi.MEMORY_BLOCK_PAGES)) !== "online") return nothing;
    this.host.reserveFrame(pfn);
    return { core: true, reference: reserveFrame(this.machine, page) };
  }

  #offline({ block, maxRounds }: Extract<Operation, { op: "offline" }>): Answers {
    if (this.host.blockState(block) === "absent") return nothing;
    const core = this.host.offline(block, { maxRounds });
    const result = run(this.machine, () => offline(this.machine, block, { maxRounds }));
    return {
      core: core.crash === null ? [calledCore(core), core.ending, core.blame.pages] : null,
      reference: result && [returned(result.rc), result.ending, blamed(this.machine)],
    };
  }

  #faultTogether(gfn: number): Answers {
    const vcpus = this.#vcpus.slice(0, 2);
    const started = vcpus.map((vcpu) =>
      performOnVcpu(this.machine, { op: "startAsyncPf", vcpu: 0, gfn }, vcpu),
    );
    for (const vcpu of vcpus) {
      if (this.machine.crash === null) performOnVcpu(this.machine, { op: "runWorkers", vcpu: 0 }, vcpu);
    }
    return {
      core: started.map(({ core }) => core),
      reference: started.map(({ reference }) => reference),
    };
  }

  #asyncPf(operation: VcpuOperation): Answers {
    const vcpu = pick(this.#vcpus, operation.vcpu);
    return vcpu === undefined ? nothing : performOnVcpu(this.machine, operation, vcpu);
  }
}
