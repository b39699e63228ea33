/**
 * Operations of the differential tests on a host alone. Everything is looked up in the host each time, so
 * that a host restored from a snapshot can go on with the list.
 */
import type { Guest, Host, Process, Region, Vcpu } from "../../src/index.ts";
import type { Operation } from "../differential/operations.ts";
import { driveFile } from "./drive-file.ts";
import { type SwapOperation, isSwapOperation } from "../differential/operations/swap.ts";
import { driveSwap } from "./drive-swap.ts";

const PROCESS_PAGES = 80;
const MAX_PROCESSES = 8;

function pick<T>(list: readonly T[], number: number): T | undefined {
  return list[number % list.length];
}

function isGuest(process: Process): process is Guest {
  return "vcpus" in process;
}

function vcpusOf(host: Host): readonly Vcpu[] {
  return host.processes().flatMap((process) => (isGuest(process) ? [...process.vcpus] : []));
}

/** The regions that operations name: those of small processes. */
export function regionsOf(host: Host): Region[] {
  return smallProcesses(host).flatMap((process) => process.regions());
}

function endOf(process: Process): number {
  return Math.max(0, ...process.regions().map(({ start, pages }) => start + pages));
}

/** Operations that are left out: lists should be made without them. */
export const notDriven = [
  "flag",
  "moveFilled",
  "pinFilled",
  "reserve",
  "beginSteps", // a Migration cannot be looked up
  "nextStep",
] as const;

type OnFile = Extract<Operation, { readonly file: number } | { readonly op: "createFile" }>;
type InRegion = Exclude<Extract<Operation, { readonly start: number }>, OnFile | SwapOperation>;
type OnVcpu = Extract<Operation, { readonly vcpu: number }>;
type OnProcess = Extract<Operation, { readonly op: "process" | "map" | "fork" | "exit" | "migratePages" }>;
type Other = Exclude<Operation, InRegion | OnVcpu | OnProcess | OnFile | SwapOperation>;

function driveRegion(operation: InRegion, region: Region): void {
  const start = operation.start % region.pages;
  const range = { start, count: Math.min(operation.count, region.pages - start) };
  switch (operation.op) {
    case "touch":
      region.touch(operation.write ? "write" : "read", range);
      break;
    case "writeEqual":
      region.touch("write", { ...range, content: operation.content });
      break;
    case "unmap":
      region.unmap(range);
      break;
    case "discard":
      region.discard(range);
      break;
    case "protect":
      region.protect(operation.prot, range);
      break;
    case "mlock":
      region.mlock(range);
      break;
    case "migrateRange":
      region.migrate({ ...range, node: operation.node, mode: operation.mode });
      break;
    default:
  }
}

function smallProcesses(host: Host): Process[] {
  return host.processes().filter(({ pages }) => pages === PROCESS_PAGES);
}

function driveProcess(host: Host, operation: OnProcess): void {
  const small = smallProcesses(host);
  if (operation.op === "process") {
    const { guest, cpu } = operation;
    if (small.length >= 4) return;
    if (guest) host.createGuest({ pages: PROCESS_PAGES, vcpus: 2, cpu });
    else host.createProcess({ pages: PROCESS_PAGES, cpu });
    return;
  }
  const process = pick(small, operation.process);
  if (process === undefined) return;
  if (operation.op === "fork" && small.length < MAX_PROCESSES) process.fork();
  if (operation.op === "exit") process.exit();
  if (operation.op === "map" && PROCESS_PAGES - endOf(process) >= operation.pages) {
    const { kind, pages, bind, dontFork, node } = operation;
    process.map({ kind, pages, bind, dontFork, at: endOf(process), ...(node >= 0 && { node }) });
  }
  if (operation.op === "migratePages") {
    const { nodes } = operation;
    process.migratePages(
      nodes.filter((_, i) => i % 2 === 0),
      nodes.filter((_, i) => i % 2 === 1),
    );
  }
}

function driveVcpu(operation: OnVcpu, vcpu: Vcpu): void {
  switch (operation.op) {
    case "startAsyncPf":
      vcpu.startAsyncPf(operation.gfn);
      break;
    case "startMany":
      for (let gfn = 0; gfn < operation.count; gfn++) vcpu.startAsyncPf(gfn);
      break;
    case "runWorkers":
      vcpu.runWorkers();
      break;
    case "complete":
      vcpu.complete(operation.limit);
      break;
    case "clear":
      vcpu.clear();
      break;
    case "wakeupAll":
      vcpu.wakeupAll();
      break;
    default:
  }
}

function mergeKsm(
  regions: readonly Region[],
  groups: Extract<Operation, { readonly op: "mergeKsm" }>["groups"],
): void {
  regions[0]?.mergeKsm(
    groups.map((group) =>
      group.flatMap(({ region: number, index }) => {
        const region = pick(regions, number);
        return region === undefined ? [] : [{ region, index: index % region.pages }];
      }),
    ),
  );
}

/** Calls on the whole region, and on the host. */
function driveOther(host: Host, operation: Other): void {
  const region = "region" in operation ? pick(regionsOf(host), operation.region) : undefined;
  switch (operation.op) {
    case "pin":
      if (region !== undefined && host.pins().length < 20) {
        const indexes = operation.indexes.map((index) => index % region.pages);
        if (operation.kind === "read") region.pin(indexes, "get", "read");
        else region.pin(indexes, operation.kind);
      }
      break;
    case "release":
      pick(host.pins(), operation.pin)?.release();
      break;
    case "releaseLater":
      pick(host.pins(), operation.pin)?.releaseAt(host.nowNs + operation.afterNs);
      break;
    case "movePages":
      region?.movePages({
        entries: operation.entries.map(({ index }) => (index < 0 ? -1 : index % region.pages)),
        node: operation.entries.map(({ node }) => node),
        moveAll: operation.moveAll,
      });
      break;
    case "mergeKsm":
      mergeKsm(regionsOf(host), operation.groups);
      break;
    case "mbind":
      region?.mbind(operation);
      break;
    case "faultTogether":
      for (const vcpu of vcpusOf(host).slice(0, 2)) {
        if (host.crash === null) vcpu.startAsyncPf(operation.gfn);
        if (host.crash === null) vcpu.runWorkers();
      }
      break;
    case "wait":
      host.wait(operation.ns);
      break;
    case "drain":
      host.drainLru();
      break;
    case "offline":
      if (host.blockState(operation.block) !== "absent") {
        host.offline(operation.block, { maxRounds: operation.maxRounds });
      }
      break;
    case "online":
      if (host.blockState(operation.block) !== "absent") host.online(operation.block);
      break;
    case "failContexts":
      host.failContextAllocations(operation.count);
      break;
    case "flag": // see notDriven
    case "moveFilled":
    case "pinFilled":
    case "reserve":
    case "beginSteps":
    case "nextStep":
      break;
    default:
  }
}

/** Performs a list of operations; the kernel's crash ends it. */
export function drive(host: Host, list: readonly Operation[]): void {
  for (const operation of list) {
    if (host.crash !== null) return;
    if (operation.op === "createFile" || "file" in operation) {
      driveFile(host, operation, smallProcesses(host));
    } else if (isSwapOperation(operation)) {
      driveSwap(host, operation, regionsOf(host));
    } else if ("vcpu" in operation) {
      const vcpu = pick(vcpusOf(host), operation.vcpu);
      if (vcpu !== undefined) driveVcpu(operation, vcpu);
    } else if ("start" in operation) {
      const region = pick(regionsOf(host), operation.region);
      if (region !== undefined) driveRegion(operation, region);
    } else if (operation.op === "process" || "process" in operation) {
      driveProcess(host, operation);
    } else {
      driveOther(host, operation);
    }
  }
}

/** What operations begin with: a guest of two vCPUs with private and shared memory, some of it touched. */
export function furnish(host: Host): void {
  const guest = host.createGuest({ pages: PROCESS_PAGES, vcpus: 2 });
  guest.map({ pages: 10 }).touch("write", { count: 8 });
  guest.map({ kind: "shmem", pages: 4 }).touch("write", { count: 3 });
}
