/** The configuration of a host: what a user writes, its defaults, and the words that the core reads. */
import * as abi from "../core/abi.ts";
import {
  type KernelName,
  type PolicyName,
  type RepairName,
  type ZoneKind,
  kernels,
  namesIn,
  policies,
  repairs,
  zoneKinds,
} from "../core/names.ts";
import { SimError } from "../errors.ts";

export interface ZoneConfig {
  readonly kind: ZoneKind;
  /** Frames of 4 KiB; a multiple of 512, the pageblock. */
  readonly pages: number;
  /** First pfn, a multiple of 512. Default: behind the zone before it. */
  readonly startPfn?: number;
  /** False for hot-pluggable memory that is not online yet. */
  readonly online?: boolean;
}

export interface NodeConfig {
  readonly zones: readonly ZoneConfig[];
  /**
   * Whether CPUs belong to the node; allocations fall back to nodes without CPUs first. Default: node 0
   * alone.
   */
  readonly cpus?: boolean;
}

/** How much of each thing the host can hold. Nothing is allocated after it was created. */
export interface Limits {
  /** PTEs of all processes together. Default: one for every frame. */
  readonly ptes?: number;
  readonly processes?: number;
  readonly vmas?: number;
  /** address_space and anon_vma objects, and pages that KSM lets others share. */
  readonly mappings?: number;
  /** Pages of all files and shared anonymous mappings together. */
  readonly cacheSlots?: number;
  /** Places at which KSM has merged pages, until all who share the page have left it. */
  readonly ksmItems?: number;
  /** Pins held at one time, those of async_pf not counted. */
  readonly pins?: number;
  readonly vcpus?: number;
  /** Work items of async_pf at one time. Default: 64 for every vCPU, and a broadcast. */
  readonly asyncPfs?: number;
  /** Migrations under way step by step at one time. */
  readonly migrations?: number;
  /** Entries of one move_pages() array; pages of one pin() or mergeKsm() call, or named by a failed one. */
  readonly entries?: number;
  /** Records of the trace ring. */
  readonly traceRecords?: number;
  /** Releases and signals scheduled at one time. */
  readonly events?: number;
  /** Pages that all swap devices hold together. */
  readonly swapSlots?: number;
}

/**
 * Simulated time that things take, in ns. The defaults are a current server: 1.10 µs for a page of a bulk
 * move_pages(), above 35 µs for the call itself (Garg, RFC V3 "Accelerate page migration", 2025, Zen 3); 1.7
 * µs for an attempt that fails is the kernel's work without the copy, an engineering guess.
 */
export interface Costs {
  readonly syscallNs?: number;
  readonly movedPageNs?: number;
  readonly failedAttemptNs?: number;
  /** 1 or more: the end of an offline on v3.12 is a matter of time. */
  readonly offlineRoundNs?: number;
  readonly faultNs?: number;
}

export interface HostConfig {
  /** Kernel profile. Default: v3.12. */
  readonly kernel?: KernelName;
  /** How async_pf takes and drops its page. Default: pin on v3.12, drop-get on later kernels. */
  readonly policy?: PolicyName;
  /** Repairs of the policy rfc. */
  readonly repairs?: readonly RepairName[];
  readonly nodes: readonly NodeConfig[];
  /** CPUs of the host: each has its LRU batch. Default: 1. */
  readonly cpus?: number;
  /** Bytes of content per page: 0, or a multiple of 8 up to 4096. Default: 0. */
  readonly contentBytes?: number;
  /** Seed of the host's random numbers, an integer from 0. Default: 1. */
  readonly seed?: number;
  /** CONFIG_DEBUG_RODATA: const objects of the kernel are really read-only. Default: true. */
  readonly debugRodata?: boolean;
  /**
   * CONFIG_DEBUG_VM: v3.12 reports a page that is freed while it is charged to a memory cgroup, and leaks it.
   * Default: false.
   */
  readonly debugVm?: boolean;
  readonly limits?: Limits;
  readonly costs?: Costs;
}

const defaultLimits = {
  processes: 64,
  vmas: 4096,
  mappings: 4096,
  cacheSlots: 65536,
  ksmItems: 16384,
  pins: 65536,
  vcpus: 64,
  migrations: 16,
  entries: 65536,
  traceRecords: 0,
  events: 64,
  swapSlots: 16384,
} as const;

const defaultCosts = {
  syscallNs: 35_000,
  movedPageNs: 1_100,
  failedAttemptNs: 1_700,
  offlineRoundNs: 35_000,
  faultNs: 500,
} as const;

export const INT_MAX = 2 ** 31 - 1;
export const INT_MIN = -(2 ** 31);

/** Returns `value` if it is an integer from `min` to `max`. @throws {SimError} ERR_RANGE */
export function integer(name: string, value: number, min: number, max: number): number {
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new SimError("ERR_RANGE", `${name}: ${value} is not an integer from ${min} to ${max}`);
  }
  return value;
}

/** `name` as one of the names in a table. @throws {SimError} ERR_UNKNOWN_NAME with what is allowed */
export function nameOf<K extends string>(what: string, table: Readonly<Record<K, unknown>>, name: string): K {
  const found = namesIn(table).find((known) => known === name);
  if (found !== undefined) return found;
  const known = namesIn(table).join(", ");
  throw new SimError("ERR_UNKNOWN_NAME", `${what}: ${JSON.stringify(name)} is not one of ${known}`);
}

/** What a table has for a name. @throws {SimError} ERR_UNKNOWN_NAME with what is allowed */
export function lookUp<K extends string, V>(what: string, table: Readonly<Record<K, V>>, name: string): V {
  return table[nameOf(what, table, name)];
}

/** Frames of the largest physical address space of an x86-64 CPU, 52 bits: more is a slip. */
const MOST_FRAMES = 2 ** (52 - abi.PAGE_SHIFT);

/** Objects that are not the user's: the RFC's apf_mapping, and the swap cache of each device. */
const OWN_MAPPINGS = 1 + abi.MAX_SWAP_AREAS;

interface PlacedZone {
  readonly node: number;
  readonly kind: ZoneKind;
  readonly start: number;
  readonly end: number;
  readonly online: boolean;
}

function placeZone(zone: ZoneConfig, node: number, name: string, next: number): PlacedZone {
  lookUp(`${name}.kind`, zoneKinds, zone.kind);
  const start = integer(`${name}.startPfn`, zone.startPfn ?? next, 0, MOST_FRAMES);
  const pages = integer(`${name}.pages`, zone.pages, 1, MOST_FRAMES);
  if (start % abi.PAGEBLOCK_PAGES !== 0 || pages % abi.PAGEBLOCK_PAGES !== 0) {
    throw new SimError(
      "ERR_RANGE",
      `${name}: pfn ${start} and ${pages} pages are not both multiples of the pageblock, 512`,
    );
  }
  if (start < next) {
    throw new SimError(
      "ERR_RANGE",
      `${name}.startPfn: ${start} lies before the end of the zone before it, ${next}`,
    );
  }
  if (start + pages > abi.MAX_PFN) {
    const nodes = Math.ceil((start + pages) / abi.MAX_PFN);
    throw new SimError(
      "ERR_LIMIT",
      `${name}: ends at pfn ${start + pages}, and one core holds ${abi.MAX_PFN} frames: ` +
        `split the host into ${nodes} nodes or more, a core each`,
    );
  }
  return { node, kind: zone.kind, start, end: start + pages, online: zone.online ?? true };
}

function placeZones(nodes: readonly NodeConfig[]): PlacedZone[] {
  const placed: PlacedZone[] = [];
  let next = 0;
  nodes.forEach((node, id) => {
    node.zones.forEach((zone, position) => {
      const one = placeZone(zone, id, `nodes[${id}].zones[${position}]`, next);
      placed.push(one);
      next = one.end;
    });
  });
  if (placed.length === 0) throw new SimError("ERR_ARGUMENT", "nodes: the host has no memory");
  integer("number of zones", placed.length, 1, abi.MAX_ZONES);
  return placed;
}

function writeZones(words: Int32Array, config: HostConfig, zones: readonly PlacedZone[]): void {
  words[abi.CFG_NR_NODES] = config.nodes.length;
  words[abi.CFG_NR_ZONES] = zones.length;
  config.nodes.forEach((node, id) => {
    const at = abi.CFG_NODES + id * abi.CFG_NODE_WORDS;
    words[at + abi.CFG_NODE_HAS_CPUS] = Number(node.cpus ?? id === 0);
  });
  zones.forEach((zone, number) => {
    const at = abi.CFG_ZONES + number * abi.CFG_ZONE_WORDS;
    words[at + abi.CFG_ZONE_NODE] = zone.node;
    words[at + abi.CFG_ZONE_KIND] = zoneKinds[zone.kind];
    words[at + abi.CFG_ZONE_START] = zone.start;
    words[at + abi.CFG_ZONE_END] = zone.end;
    words[at + abi.CFG_ZONE_ONLINE] = Number(zone.online);
  });
}

function writeLimits(words: Int32Array, limits: Limits, frames: number): void {
  const vcpus = integer("limits.vcpus", limits.vcpus ?? defaultLimits.vcpus, 0, 4096);
  const defaults = { ...defaultLimits, ptes: frames, asyncPfs: (vcpus + 1) * (abi.ASYNC_PF_PER_VCPU + 1) };
  const limit = (name: keyof Limits, min: number, max = INT_MAX): number =>
    integer(`limits.${name}`, limits[name] ?? defaults[name], min, max);
  const asyncPfs = limit("asyncPfs", 0, defaults.asyncPfs);
  words[abi.CFG_PTES] = limit("ptes", 1, abi.MAX_PFN);
  words[abi.CFG_PROCESSES] = limit("processes", 1);
  words[abi.CFG_VMAS] = limit("vmas", 1);
  words[abi.CFG_MAPPINGS] = limit("mappings", 1, INT_MAX - OWN_MAPPINGS) + OWN_MAPPINGS;
  words[abi.CFG_CACHE_SLOTS] = limit("cacheSlots", 0);
  words[abi.CFG_KSM_ITEMS] = limit("ksmItems", 0, INT_MAX - 1);
  words[abi.CFG_PINS] = limit("pins", 0, INT_MAX - asyncPfs) + asyncPfs;
  words[abi.CFG_VCPUS] = vcpus;
  words[abi.CFG_APFS] = asyncPfs;
  words[abi.CFG_MIGRATIONS] = limit("migrations", 0, 1024);
  words[abi.CFG_ENTRIES] = limit("entries", 1);
  words[abi.CFG_TRACE_RECORDS] = limit("traceRecords", 0);
  words[abi.CFG_EVENTS] = limit("events", 0);
  words[abi.CFG_SWAP_SLOTS] = limit("swapSlots", 0, abi.MAX_PFN - 1);
}

function writeCosts(words: Int32Array, costs: Costs): void {
  const cost = (name: keyof Costs, min = 0): number =>
    integer(`costs.${name}`, costs[name] ?? defaultCosts[name], min, INT_MAX);
  words[abi.CFG_COST_SYSCALL] = cost("syscallNs");
  words[abi.CFG_COST_MOVE] = cost("movedPageNs");
  words[abi.CFG_COST_ATTEMPT] = cost("failedAttemptNs");
  words[abi.CFG_COST_ROUND] = cost("offlineRoundNs", 1);
  words[abi.CFG_COST_FAULT] = cost("faultNs");
}

function policyOf(config: HostConfig): number {
  const name = config.policy ?? ((config.kernel ?? "v3.12") === "v3.12" ? "pin" : "drop-get");
  const policy = lookUp("policy", policies, name);
  if (policy !== abi.POLICY_RFC && (config.repairs?.length ?? 0) > 0) {
    throw new SimError("ERR_ARGUMENT", `repairs: the policy ${name} has none, only rfc has`);
  }
  return policy;
}

/**
 * Checks a configuration and writes it as the words that the core reads (CFG_*).
 *
 * @throws {SimError} ERR_ARGUMENT, ERR_RANGE, ERR_LIMIT or ERR_UNKNOWN_NAME, naming the field, the value and
 * what is allowed.
 */
export function configWords(config: HostConfig): Int32Array {
  integer("number of nodes", config.nodes.length, 1, abi.MAX_NODES);
  const zones = placeZones(config.nodes);
  const words = new Int32Array(abi.CFG_WORDS);
  const end = Math.max(...zones.map((zone) => zone.end));
  words[abi.CFG_MAX_PFN] = end;
  words[abi.CFG_KERNEL] = lookUp("kernel", kernels, config.kernel ?? "v3.12");
  words[abi.CFG_POLICY] = policyOf(config);
  words[abi.CFG_REPAIRS] = (config.repairs ?? []).reduce(
    (bits, name) => bits | lookUp("repairs", repairs, name),
    0,
  );
  words[abi.CFG_CPUS] = integer("cpus", config.cpus ?? 1, 1, 4096);
  const contentBytes = integer("contentBytes", config.contentBytes ?? 0, 0, abi.PAGE_SIZE);
  if (contentBytes % 8 !== 0) {
    throw new SimError(
      "ERR_RANGE",
      `contentBytes: ${contentBytes} is not a multiple of 8 from 0 to ${abi.PAGE_SIZE}`,
    );
  }
  words[abi.CFG_CONTENT_BYTES] = contentBytes;
  const seed = integer("seed", config.seed ?? 1, 0, Number.MAX_SAFE_INTEGER);
  words[abi.CFG_SEED_LOW] = seed | 0;
  words[abi.CFG_SEED_HIGH] = Math.floor(seed / 2 ** 32);
  words[abi.CFG_RODATA] = Number(config.debugRodata ?? true);
  words[abi.CFG_DEBUG_VM] = Number(config.debugVm ?? false);
  writeLimits(
    words,
    config.limits ?? {},
    zones.reduce((sum, zone) => sum + zone.end - zone.start, 0),
  );
  writeCosts(words, config.costs ?? {});
  writeZones(words, config, zones);
  return words;
}
