/** A host and its reference model, and what both are told to do. */
import * as abi from "../../assembly/abi.ts";
import { errnoName, migrationModes } from "../../src/core/names.ts";
import { Host, type HostConfig, type Pin, type Process } from "../../src/index.ts";
import * as apf from "../reference/async-pf.ts";
import { boot, exit } from "../reference/boot.ts";
import * as fault from "../reference/fault.ts";
import { reserveFrame } from "../reference/buddy.ts";
import { drainAll } from "../reference/lru.ts";
import type { Config, Machine } from "../reference/machine.ts";
import { clearFlag, has, pageAt, setFlag } from "../reference/machine.ts";
import { offline, online } from "../reference/offline.ts";
import * as memory from "../reference/process.ts";
import { run } from "../reference/state.ts";
import * as syscalls from "../reference/syscalls.ts";
import { releaseGroup, wait } from "../reference/time.ts";
import { calledCore, migrated, returned } from "./answers.ts";
import type { Operation } from "./operations.ts";
import { type ProcessPair, type RegionPair, change, pick, vpnsOf } from "./regions.ts";
import { type Answers, type VcpuOperation, type VcpuPair, nothing, performOnVcpu } from "./vcpu.ts";

/** A vCPU can have more faults than fit its queue. */
const PROCESS_PAGES = 80;
const pageFlags = { locked: abi.PG_LOCKED, writeback: abi.PG_WRITEBACK, dirty: abi.PG_DIRTY } as const;

export class Pair {
  readonly host: Host;
  readonly machine: Machine;
  processes: ProcessPair[] = [];
  regions: RegionPair[] = [];
  #pins: { readonly core: Pin; readonly group: number }[] = [];
  #vcpus: VcpuPair[] = [];

  private constructor(host: Host, machine: Machine) {
    this.host = host;
    this.machine = machine;
  }

  static async create(config: Config & HostConfig): Promise<Pair> {
    return new Pair(await Host.create(config), boot(config));
  }

  createProcess(options: { guest: boolean; cpu: number; pages?: number }): ProcessPair {
    const { guest, cpu, pages = PROCESS_PAGES } = options;
    const created = guest ? this.host.createGuest({ pages, vcpus: 2, cpu }) : null;
    const core = created ?? this.host.createProcess({ pages, cpu });
    const process = { core, reference: memory.createProcess(this.machine, pages, cpu) };
    this.processes.push(process);
    for (const vcpu of created?.vcpus ?? []) {
      const reference = apf.createVcpu(this.machine, process.reference);
      this.#vcpus.push({ core: vcpu, reference });
    }
    return process;
  }

  map(
    process: ProcessPair,
    options: { kind: "anon" | "shmem"; pages: number; node?: number; bind?: boolean },
  ): RegionPair {
    const { kind, pages, node = -1, bind = false } = options;
    const core = process.core.map({ kind, pages, bind, ...(node >= 0 && { node }) });
    const range = { start: core.start, end: core.start + pages };
    memory.map(this.machine, process.reference, range, { kind, node, bound: bind });
    const region = { core, process };
    this.regions.push(region);
    return region;
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
      case "exit":
        return this.#exit(operation.process);
      case "pin":
        return this.#pin(pick(this.regions, operation.region), operation.indexes, operation.kind);
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
        return this.#movePages(pick(this.regions, operation.region), operation.entries);
      case "moveFilled":
        return this.#moveFilled(operation);
      case "mbind":
        return this.#mbind(operation);
      case "migratePages":
        return this.#migratePages(operation);
      case "migrateRange":
        return this.#inRegion(operation, (region, range) => this.#migrateRange(operation, region, range));
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

  /** Cuts a range to the region that it is in. */
  #inRegion(
    { region, start, count }: { region: number; start: number; count: number },
    body: (region: RegionPair, range: { start: number; count: number }) => Answers,
  ): Answers {
    const chosen = pick(this.regions, region);
    if (chosen === undefined) return nothing;
    const from = start % chosen.core.pages;
    return body(chosen, { start: from, count: Math.min(count, chosen.core.pages - from) });
  }

  touch(region: RegionPair, range: { start: number; count: number; write: boolean }): Answers {
    const process = region.process.reference;
    const core = region.core.touch(range.write ? "write" : "read", range);
    const vpns = vpnsOf(region, range);
    const reference = run(this.machine, () => fault.touch(this.machine, process, vpns, range.write));
    const err = reference?.err ?? 0;
    return {
      core: core.crash === null ? [core.errno === null ? core.faults : 0, core.errno] : null,
      reference: reference === null ? null : [err === 0 ? reference.faults : 0, errnoName(err)],
    };
  }

  #exit(number: number): Answers {
    const process = pick(this.processes, number);
    // Exit waits for a page that is locked from outside, if a repaired worker needs its lock.
    if (process === undefined || this.machine.pages.some((page) => has(page, abi.PG_LOCKED))) return nothing;
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

  #pin(region: RegionPair | undefined, list: readonly number[], kind: "get" | "pin"): Answers {
    if (region === undefined || this.#pins.length > 20) return nothing;
    const indexes = list.map((index) => index % region.core.pages);
    const core = region.core.pin(indexes, kind);
    const vpns = indexes.map((index) => region.core.start + index);
    const process = region.process.reference;
    const pinned = run(this.machine, () => fault.pinPages(this.machine, process, vpns, kind));
    if (pinned !== null) this.#pins.push({ core, group: pinned.group });
    return { core: core.pages, reference: pinned?.pages ?? null };
  }

  #pinFilled({ filled, every, kind }: Extract<Operation, { op: "pinFilled" }>): Answers {
    const region = pick(this.#filled, filled);
    const all = Array.from({ length: region?.core.pages ?? 0 }, (_, index) => index);
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
    (on ? setFlag : clearFlag)(pageAt(this.machine, pfn), pageFlags[flag]);
    return nothing;
  }

  #moveFilled({ filled, node }: Extract<Operation, { op: "moveFilled" }>): Answers {
    const region = pick(this.#filled, filled);
    return this.#movePages(
      region,
      Array.from({ length: region?.core.pages ?? 0 }, (_, index) => ({ index, node })),
    );
  }

  #movePages(
    region: RegionPair | undefined,
    list: readonly { readonly index: number; readonly node: number }[],
  ): Answers {
    if (region === undefined) return nothing;
    const entries = list.map(({ index, node }) => ({
      index: index < 0 ? -1 : index % region.core.pages,
      node,
    }));
    const core = region.core.movePages({
      entries: entries.map(({ index }) => index),
      node: entries.map(({ node }) => node),
    });
    const reference = run(this.machine, () =>
      syscalls.movePages(
        this.machine,
        region.process.reference,
        entries.map(({ index, node }) => ({ vpn: index < 0 ? null : region.core.start + index, node })),
      ),
    );
    return {
      core: core.crash === null ? [calledCore(core), core.status, core.blame.pages] : null,
      reference: reference && [returned(reference.rc), reference.status, this.#blamed()],
    };
  }

  #blamed(): number[] {
    return this.machine.blamed.map(({ pfn }) => pfn);
  }

  #mbind(operation: Extract<Operation, { op: "mbind" }>): Answers {
    const region = pick(this.regions, operation.region);
    if (region === undefined) return nothing;
    const core = region.core.mbind(operation);
    const vpns = vpnsOf(region, { start: 0, count: region.core.pages });
    const rc = run(this.machine, () =>
      syscalls.mbind(this.machine, region.process.reference, vpns, operation),
    );
    return migrated(core, rc, this.#blamed());
  }

  #migratePages(operation: Extract<Operation, { op: "migratePages" }>): Answers {
    const process = pick(this.processes, operation.process);
    if (process === undefined) return nothing;
    const from = operation.nodes.filter((_, i) => i % 2 === 0);
    const to = operation.nodes.filter((_, i) => i % 2 === 1);
    const core = process.core.migratePages(from, to);
    const rc = run(this.machine, () => syscalls.migrateProcess(this.machine, process.reference, from, to));
    return migrated(core, rc, this.#blamed());
  }

  #migrateRange(
    { node, mode }: Extract<Operation, { op: "migrateRange" }>,
    region: RegionPair,
    range: { start: number; count: number },
  ): Answers {
    if (!syscalls.nodeHasMemory(this.machine, node)) return nothing;
    const core = region.core.migrate({ node, mode, ...range });
    const target = { node, mode: migrationModes[mode] };
    const rc = run(this.machine, () =>
      syscalls.migrateRange(this.machine, region.process.reference, vpnsOf(region, range), target),
    );
    return migrated(core, rc, this.#blamed());
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
      reference: result && [returned(result.rc), result.ending, this.#blamed()],
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
