/** The machine that most suites run on: two movable nodes, one process, one region, for each contestant. */
import { PAGEBLOCK_PAGES, SECTION_COUNTERS, SECTION_PAGES, SECTION_PTES } from "../../assembly/abi.ts";
import { Host } from "../../src/host.ts";
import type { KernelName } from "../../src/core/names.ts";
import type { Process } from "../../src/host/process.ts";
import type { Region } from "../../src/host/region.ts";
import type { Goal } from "../question.ts";
import { Twin } from "../twin/twin.ts";

/** Frames of a node beyond the pages that are moved, at least. */
const SPARE_FRAMES = 1024;

export const CORE = "wasm core";
export const TWIN = "TypeScript twin";

export const aheadOfTwin: Goal = {
  text: "ahead of the twin, times",
  value: (figures) => figures.ratio(TWIN, CORE),
  atLeast: 1,
};

export interface TwoNodes {
  readonly pages: number;
  readonly kernel?: KernelName;
  readonly contentBytes?: number;
}

/** A subject of a benchmark: what core, twin and reference model can all do. */
export interface Subject {
  readonly name: string;
  map(): void;
  unmap(): void;
  /** Writes to `count` pages from `start` on, in order. */
  touch(start: number, count: number): void;
  /** move_pages(2) of the region to `node`. */
  movePages(node: number): void;
  /** Hashes of the pages, the PTEs and the counters. */
  hash(): string;
}

/** What core and twin can do beside that. */
export interface Forking extends Subject {
  /** fork(), with room for one child at a time. */
  fork(): void;
  exitChild(): void;
}

export function framesPerNode(pages: number): number {
  return Math.ceil((pages + SPARE_FRAMES) / PAGEBLOCK_PAGES) * PAGEBLOCK_PAGES;
}

/** The region on `host` is larger than limits.entries, so that move_pages() keeps no statuses. */
export async function createHost({ pages, kernel = "v3.12", contentBytes = 0 }: TwoNodes): Promise<Host> {
  const node = { zones: [{ kind: "movable" as const, pages: framesPerNode(pages) }] };
  return Host.create({ kernel, contentBytes, nodes: [node, node], limits: { entries: 1, ptes: 2 * pages } });
}

export function hashOf(host: Host): string {
  return [SECTION_PAGES, SECTION_PTES, SECTION_COUNTERS]
    .map((section) => host.sectionHash(section))
    .join(" ");
}

export async function coreSubject(options: TwoNodes): Promise<Forking & { readonly region: () => Region }> {
  const { pages } = options;
  const host = await createHost(options);
  const process = host.createProcess({ pages });
  let region: Region | null = null;
  let child: Process | null = null;
  const mapped = (): Region => {
    if (region === null) throw new Error("bench: nothing is mapped");
    return region;
  };
  return {
    name: CORE,
    region: mapped,
    map() {
      region = process.map({ pages, node: 0 });
    },
    unmap() {
      mapped().unmap();
      host.drainLru();
      region = null;
    },
    touch(start, count) {
      const { errno } = mapped().touch("write", { start, count });
      if (errno !== null) throw new Error(`bench: ${errno}`);
    },
    movePages(node) {
      const { ret, errno } = mapped().movePages({ node });
      if (ret !== 0) throw new Error(`bench: move_pages returned ${ret} ${errno}`);
    },
    fork() {
      ({ child } = process.fork());
      if (child === null) throw new Error("bench: fork failed");
    },
    exitChild() {
      child?.exit();
      child = null;
    },
    hash: () => hashOf(host),
  };
}

export function twinSubject({ pages }: TwoNodes): Forking {
  const twin = new Twin({ pagesPerNode: framesPerNode(pages), nodes: 2, ptes: 2 * pages });
  return {
    name: TWIN,
    map: () => twin.map(pages, 0),
    unmap() {
      twin.unmap();
      twin.drain();
    },
    touch: (start, count) => twin.touch(start, start + count),
    movePages: (node) => twin.movePages(node),
    fork: () => twin.fork(),
    exitChild: () => twin.exitChild(),
    hash: () => twin.hash(),
  };
}
