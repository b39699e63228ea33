/** A host and its reference model, and what both are told to do. */
import * as abi from "../../assembly/abi.ts";
import { errnoName } from "../../src/core/names.ts";
import type { Core } from "../../src/core/core.ts";
import type { Host, HostConfig, Process } from "../../src/index.ts";
import * as apf from "../reference/async-pf.ts";
import { boot, exit } from "../reference/boot.ts";
import * as fault from "../reference/fault.ts";
import { fork } from "../reference/fork.ts";
import { reserveFrame } from "../reference/buddy.ts";
import { drainAll } from "../reference/lru.ts";
import type { Config, Machine } from "../reference/machine.ts";
import { pageAt } from "../reference/machine.ts";
import { offline, online } from "../reference/offline.ts";
import * as memory from "../reference/process.ts";
import { type HostAndCore, newHost } from "../helpers/host-and-core.ts";
import { Comparison } from "./compare.ts";
import { CoreTables } from "./core-words.ts";
import { run } from "../reference/state.ts";
import { wait } from "../reference/time.ts";
import { blamed, calledCore, returned } from "./answers.ts";
import { changeFlag } from "./flags.ts";
import { mergeKsm } from "./ksm.ts";
import { mbind, migratePages, migrateRange, movePages } from "./migrations.ts";
import { type FilePair, Files, orCode } from "./files.ts";
import type { Operation } from "./operations.ts";
import { Pins } from "./pins.ts";
import { type Pages, type ProcessPair, type RegionPair, change, pick, vpnsOf } from "./regions.ts";
import { Steps } from "./steps.ts";
import { Swap } from "./swap.ts";
import { type Answers, type VcpuOperation, type VcpuPair, nothing, performOnVcpu } from "./vcpu.ts";

/** A vCPU can have more faults than fit its queue. */
const PROCESS_PAGES = 80;
const MAX_PROCESSES = 8;
const MAX_DEPTH = 4;

export class Pair {
  readonly host: Host;
  readonly core: Core;
  readonly machine: Machine;
  processes: ProcessPair[] = [];
  regions: RegionPair[] = [];
  #vcpus: VcpuPair[] = [];
  readonly #steps: Steps;
  readonly #pins: Pins;
  readonly #files: Files;
  readonly #swap: Swap;

  readonly comparison: Comparison;

  private constructor({ host, core }: HostAndCore, machine: Machine) {
    this.host = host;
    this.core = core;
    this.machine = machine;
    this.comparison = new Comparison(new CoreTables(core), machine);
    this.#steps = new Steps(host, machine);
    this.#pins = new Pins(host, machine);
    this.#files = new Files(host, machine);
    this.#swap = new Swap(host, machine);
  }

  static async create(config: Config & HostConfig): Promise<Pair> {
    return new Pair(await newHost(config), boot(config));
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
    options: {
      kind: "anon" | "shmem";
      pages: number;
      node?: number;
      bind?: boolean;
      dontFork?: boolean;
      file?: { readonly pair: FilePair; readonly offset: number };
    },
  ): RegionPair {
    const { kind, pages, node = -1, bind = false, dontFork = false, file } = options;
    const what = file === undefined ? { kind } : { file: file.pair.core, offset: file.offset };
    const core = process.core.map({ ...what, pages, bind, dontFork, ...(node >= 0 && { node }) });
    const range = { start: core.start, end: core.start + pages };
    const mapping = file === undefined ? null : { mapping: file.pair.reference, offset: file.offset };
    memory.map(this.machine, process.reference, range, { kind, node, bound: bind, dontFork, file: mapping });
    const region = { core, process };
    // What is new of files comes to the front, so that operations meet on it.
    if (file === undefined) this.regions.push(region);
    else this.regions.unshift(region);
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
    this.#filled.push(region);
  }

  /** A child and a grandchild of the process: shared pages, off the batches. */
  haveFamily(process: ProcessPair): void {
    this.#fork(process);
    for (const child of this.processes.filter(({ depth }) => depth === 1)) this.#fork(child);
    this.perform({ op: "drain" });
  }

  readonly #filled: RegionPair[] = [];

  /** Performs an operation on both sides. What it names is found modulo how many there are; none: nothing. */
  // oxlint-disable-next-line max-lines-per-function -- one case an operation
  perform(operation: Operation): Answers {
    switch (operation.op) {
      case "process":
        if (this.processes.length < 4) this.createProcess(operation);
        return nothing;
      case "map":
        return this.#mapAnother(operation.process, operation);
      case "mapFile":
        return this.#mapFile(operation);
      case "createFile":
      case "accessFile":
      case "writeBack":
      case "truncateFile":
      case "removeFile":
        return this.#files.perform(operation);
      case "touch":
        return this.#inRegion(operation, (region, range) => this.touch(region, { ...operation, ...range }));
      case "writeEqual": {
        const { content } = operation;
        return this.#inRegion(operation, (region, range) =>
          this.touch(region, { ...range, write: true, content }),
        );
      }
      case "mergeKsm":
        return mergeKsm(this.machine, this.regions, operation.groups);
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
        return this.#onRegion(operation, (region) => {
          const indexes = operation.indexes.map((index) => index % region.core.pages);
          return this.#pins.take(region, indexes, operation.kind);
        });
      case "pinFilled":
        return this.#pinFilled(operation);
      case "release":
      case "releaseLater":
        return this.#pins.release(operation);
      case "wait":
        this.host.wait(operation.ns);
        run(this.machine, () => wait(this.machine, operation.ns));
        return nothing;
      case "drain":
        this.host.drainLru();
        run(this.machine, () => drainAll(this.machine));
        return nothing;
      case "flag":
        return this.#onRegion(operation, (region) => {
          changeFlag(this.host, this.machine, region, operation);
          return nothing;
        });
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
      case "swapOn":
      case "pageCluster":
      case "endWriteback":
      case "swapOff":
      case "reclaimZone":
      case "reclaimPage":
      case "pageout":
        return this.#swap.perform(operation, this.regions);
      default:
        throw new Error("an operation without a case");
    }
  }

  #mapFile(operation: Extract<Operation, { op: "mapFile" }>): Answers {
    const pair = this.#files.pick(operation.file);
    if (pair === undefined || pair.reference.size === 0) return nothing;
    const file = { pair, offset: operation.offset % pair.reference.size };
    return this.#mapAnother(operation.process, { ...operation, kind: "anon", file });
  }

  #mapAnother(process: number, options: Parameters<Pair["map"]>[1]): Answers {
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

  touch(region: RegionPair, { start, count, ...how }: Pages & fault.Access): Answers {
    const process = region.process.reference;
    const { write, content } = how;
    const range = { start, count };
    const core = region.core.touch(write ? "write" : "read", {
      ...range,
      ...(content !== undefined && { content }),
    });
    const vpns = vpnsOf(region, range);
    const reference = run(this.machine, () => fault.touch(this.machine, process, vpns, how));
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
      return { core: orCode(() => process.core.exit()), reference: "ERR_ARGUMENT" };
    }
    const { badRss, crash } = process.core.exit();
    const none = { file: 0, anon: 0, swap: 0 };
    const left = run(this.machine, () => exit(this.machine, process.reference));
    this.processes = this.processes.filter((other) => other !== process);
    this.regions = this.regions.filter((region) => region.process !== process);
    this.#vcpus = this.#vcpus.filter((vcpu) => vcpu.reference.process !== process.reference);
    return {
      core: crash === null ? (badRss ?? none) : null,
      reference: left,
    };
  }

  #pinFilled({ filled, every, kind }: Extract<Operation, { op: "pinFilled" }>): Answers {
    const region = pick(this.#filled, filled);
    if (region === undefined) return nothing;
    const all = Array.from({ length: region.core.pages }, (_, index) => index);
    return this.#pins.take(
      region,
      all.filter((index) => index % every === 0),
      kind,
    );
  }

  #moveFilled({ filled, node }: Extract<Operation, { op: "moveFilled" }>): Answers {
    const region = pick(this.#filled, filled);
    if (region === undefined) return nothing;
    const entries = Array.from({ length: region.core.pages }, (_, index) => ({ index, node }));
    return movePages(this.machine, region, { entries, moveAll: false });
  }

  /** Takes frames start … end-1, which are free, away for good. */
  reserve({ start, end }: memory.Range): void {
    for (let pfn = start; pfn < end; pfn++) {
      this.host.reserveFrame(pfn);
      reserveFrame(this.machine, pageAt(this.machine, pfn));
    }
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
