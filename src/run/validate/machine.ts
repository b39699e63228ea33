/** The simulated counterpart of a recorded machine: its host, processes, regions and pins. */
import * as abi from "../../core/abi.ts";
import { SimError } from "../../errors.ts";
import { Host } from "../../host.ts";
import type { HostConfig, NodeConfig } from "../../host/config.ts";
import type { Pin } from "../../host/pin.ts";
import type { Process } from "../../host/process.ts";
import type { Range, Region } from "../../host/region.ts";
import { PARENT, type Pages } from "./action.ts";
import { costsOf } from "./costs.ts";
import { Files } from "./files.ts";
import { Swaps } from "./swaps.ts";
import type { RecordedHost, Recording, Step } from "./recording.ts";

/** Something that a step asks for and the model does not have, found while the case ran. */
export class NotModelled extends Error {}

const CONTENT_BYTES = 8; // enough to notice a page whose content is not what was written
const OTHER = "other"; // owns the memory that the experiment did not control

/** Nodes that a step names as the place of pages, or their target. */
function nodesNamed({ action }: Step): readonly number[] {
  if (action.op === "migratePages") return [...action.from, ...action.to];
  if (action.op === "timeCalls") return action.variants.flatMap((variant) => variant.nodes);
  if ("nodes" in action) return action.nodes;
  return "node" in action ? [action.node].flat() : [];
}

/**
 * The nodes that a case needs. Building and recounting the DIMM's node, behind a hole of a million frames,
 * takes three times what the others take: it is left out where no step names it and nothing falls back on it.
 */
function nodesNeeded({ host, steps }: Recording): RecordedHost["nodes"] {
  if (steps.some(({ action }) => ["offline", "online", "fill"].includes(action.op))) return host.nodes;
  return host.nodes.slice(0, Math.max(1, ...steps.flatMap(nodesNamed)) + 1);
}

/** The zones of each node: movablecore= takes equal parts from the ends of the nodes. */
function nodesOf(recording: Recording): NodeConfig[] {
  const { host } = recording;
  const share = Math.floor(host.movableCore / host.nodes.length / abi.PAGEBLOCK_PAGES) * abi.PAGEBLOCK_PAGES;
  return nodesNeeded(recording).map((node) => {
    const own = { kind: node.zone, startPfn: node.firstPfn, pages: node.pages - share, online: node.online };
    return share === 0 ? { zones: [own] } : { zones: [own, { kind: "movable", pages: share }] };
  });
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}

function pagesMapped(step: Step): number {
  const { action } = step;
  if (action.op === "map") return action.pages + action.mappedTwice.length;
  return action.op === "fill" ? action.pages : 0;
}

function pagesPinned(step: Step, mapped: number): number {
  const { action } = step;
  if (action.op === "timeCalls") return 1;
  if (action.op !== "pin") return 0;
  return action.pages === "all" ? mapped : action.pages.length;
}

function entriesOf(step: Step): number {
  const { action } = step;
  return "entries" in action ? (action.entries?.length ?? 0) : 0;
}

/** Whether a case depends on how much memory is free. */
function dependsOnFree(step: Step): boolean {
  return step.action.op === "fill" || step.observed?.fields["nodeFreeKbBefore"] !== undefined;
}

function configOf(recording: Recording): HostConfig {
  const { steps, host } = recording;
  const mapped = Math.max(1, sum(steps.map(pagesMapped)));
  const pinned = sum(steps.map((step) => pagesPinned(step, mapped)));
  const entries = Math.max(mapped, ...steps.map(entriesOf));
  const children = sum(steps.map(({ action }) => (action.op === "fork" ? action.children : 0)));
  const processes = children + steps.length + 2;
  const others = steps.some(dependsOnFree) ? sum(host.nodes.map((node) => node.pages)) : 0;
  const merges = steps.some(({ action }) => action.op === "ksmMerge");
  const used = children + new Set(steps.map(({ action }) => ("by" in action ? action.by : ""))).size + 1;
  return {
    kernel: recording.profile,
    nodes: nodesOf(recording),
    contentBytes: CONTENT_BYTES,
    costs: costsOf(recording.profile, !steps.some(({ action }) => action.op === "timeCalls")),
    limits: {
      processes,
      ptes: mapped * used + others,
      vcpus: 0,
      pins: pinned + 64,
      entries,
      cacheSlots: mapped,
      swapSlots: sum(steps.map(({ action }) => (action.op === "swapOn" ? action.pages : 0))),
      // Isolation, unmapping, check, return and move of every entry, and nine more attempts of pinned ones.
      traceRecords: 1024 + 8 * (mapped + entries) + 64 * pinned,
      // A node for each page that may be shared, beside the anon_vmas.
      ...(merges && { ksmItems: mapped * used, mappings: mapped * used + processes + steps.length }),
    },
  };
}

/** Consecutive indexes as ranges. */
export function rangesOf(indexes: readonly number[]): Required<Range>[] {
  const ranges: { start: number; count: number }[] = [];
  for (const index of indexes) {
    const last = ranges.at(-1);
    if (last !== undefined && last.start + last.count === index) last.count += 1;
    else ranges.push({ start: index, count: 1 });
  }
  return ranges;
}

/** The name of a page among those that are pinned. */
export function pageName(by: string, region: string, index: number): string {
  return `${by} ${region} ${index}`;
}

/** The indexes of `pages` pages, `groupsOf` to a group. */
export function groupsIn(pages: number, groupsOf: number): number[][] {
  return Array.from({ length: Math.ceil(pages / groupsOf) }, (_, group) =>
    Array.from(
      { length: Math.min(groupsOf, pages - group * groupsOf) },
      (_page, position) => group * groupsOf + position,
    ),
  );
}

interface HeldPin {
  readonly pin: Pin;
  /** Pages that it holds, each by a name of its own. */
  readonly pages: readonly string[];
  /** When the I/O completes, null if somebody else lets go of it. */
  readonly completesAtNs: number | null;
}

export class Machine {
  readonly host: Host;
  readonly recording: Recording;
  readonly files: Files;
  readonly swaps: Swaps;
  readonly #processPages: number;
  readonly #processes = new Map<string, Process>();
  /** By owner and name. */
  readonly #regions = new Map<string, Map<string, Region>>();
  readonly #pins = new Map<string, HeldPin>();
  /** The process that calls move_pages(2) where a step does not say who. */
  mover = PARENT;

  private constructor(recording: Recording, host: Host) {
    this.recording = recording;
    this.host = host;
    this.files = new Files(host);
    this.swaps = new Swaps(host);
    this.#processPages = Math.max(1, sum(recording.steps.map(pagesMapped)));
  }

  static async build(recording: Recording): Promise<Machine> {
    return new Machine(recording, await Host.create(configOf(recording)));
  }

  /** The process of that name; children that take no part in the memory of the case exist when asked for. */
  process(by: string): Process {
    const found = this.#processes.get(by);
    if (found !== undefined) return found;
    const created = this.host.createProcess({ pages: this.#processPages });
    this.#processes.set(by, created);
    return created;
  }

  /** Forks a process. Returns the regions that the child, the first `child:N` that is free, inherits. */
  fork(by: string): Region[] {
    const { child, errno } = this.process(by).fork();
    if (child === null) throw new SimError("ERR_ARGUMENT", `fork: ${errno ?? "a crash"}`);
    let number = 0;
    while (this.#processes.has(`child:${number}`)) number += 1;
    this.#processes.set(`child:${number}`, child);
    const inherited = this.#inherited(by, child.regions());
    this.#regions.set(`child:${number}`, inherited);
    return [...inherited.values()];
  }

  /** Which of a child's regions are those of its parent, by the parent's names. */
  #inherited(parent: string, regions: readonly Region[]): Map<string, Region> {
    const inherited = new Map<string, Region>();
    for (const [name, { start, pages }] of this.#regionsOf(parent)) {
      const parts = regions.filter((one) => one.start < start + pages && start < one.start + one.pages);
      const [whole] = parts;
      if (whole === undefined) continue;
      if (whole.pages !== pages) throw new NotModelled("fork with a region that is mapped in parts");
      inherited.set(name, whole);
    }
    return inherited;
  }

  /** Lets one child exit, or all. */
  exit(child: string): void {
    for (const [by, process] of this.#processes) {
      if (by === child || (child === "all" && by.startsWith("child:"))) {
        process.exit();
        this.#processes.delete(by);
        this.#regions.delete(by);
      }
    }
    if (!this.#processes.has(this.mover)) this.mover = PARENT;
  }

  #regionsOf(by: string): ReadonlyMap<string, Region> {
    return this.#regions.get(by) ?? new Map();
  }

  addRegion(by: string, name: string, region: Region): void {
    this.#regions.set(by, new Map(this.#regionsOf(by)).set(name, region));
  }

  /** The region of that name; without `by` that of the mover. */
  region(by: string | null, name: string): Region {
    const found = this.#regionsOf(by ?? this.mover).get(name);
    if (found !== undefined) return found;
    const known = [...this.#regions].flatMap(([owner, regions]) =>
      [...regions.keys()].map((one) => `${owner} ${one}`),
    );
    throw new SimError(
      "ERR_ARGUMENT",
      `region: "${name}" of ${by ?? this.mover} is not one of ${known.join(", ") || "no regions"}`,
    );
  }

  /** How many consecutive pages of that region are equal, null if all differ. */
  equalPages(by: string, name: string): number | null {
    const merged = this.recording.steps.find(
      ({ action }) => action.op === "ksmMerge" && action.by === by && action.region === name,
    );
    return merged?.action.op === "ksmMerge" ? merged.action.groupsOf : null;
  }

  /** The region of a process that has one, for what is said of "the pages". */
  onlyRegion(by: string | null): Region | null {
    const [first, ...more] = this.#regionsOf(by ?? this.mover).values();
    return first === undefined || more.length > 0 ? null : first;
  }

  indexesOf(pages: Pages, region: Region): readonly number[] {
    return pages === "all" ? Array.from({ length: region.pages }, (_, i) => i) : pages;
  }

  addPin(id: string, pin: HeldPin): void {
    this.#pins.set(id, pin);
  }

  pin(id: string): HeldPin {
    const found = this.#pins.get(id);
    if (found !== undefined) return found;
    const known = [...this.#pins.keys()].join(", ");
    throw new SimError("ERR_ARGUMENT", `pin: "${id}" is not one of ${known || "no pins"}`);
  }

  forgetPin(id: string): void {
    this.#pins.delete(id);
  }

  /** Pages that are pinned now, each by a name of its own. */
  get pinned(): ReadonlySet<string> {
    const held = [...this.#pins.values()].filter((one) => this.#isHeld(one));
    return new Set(held.flatMap((one) => one.pages));
  }

  /** Whether an I/O that pins pages is still in flight. */
  get ioInFlight(): boolean {
    return [...this.#pins.values()].some((one) => one.completesAtNs !== null && this.#isHeld(one));
  }

  #isHeld(pin: HeldPin): boolean {
    return pin.completesAtNs === null || this.host.nowNs < pin.completesAtNs;
  }

  freePages(node: number): number {
    const zones = nodesOf(this.recording).flatMap((one, id) => one.zones.map(() => id));
    return sum(this.host.freePages().filter((_, zone) => zones[zone] === node));
  }

  /** Lets somebody else take memory of a node until so many pages are free. */
  leaveFree(node: number, pages: number): void {
    const nr = this.freePages(node) - pages;
    if (nr <= 0) return;
    const others = this.#processes.get(OTHER) ?? this.#createOther();
    others.map({ pages: nr, node, bind: true }).touch("write");
  }

  #createOther(): Process {
    const pages = sum(this.recording.host.nodes.map((node) => node.pages));
    const created = this.host.createProcess({ pages });
    this.#processes.set(OTHER, created);
    return created;
  }
}
