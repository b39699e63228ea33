/** The machine of the suites about swap: one movable node, one process, a device that holds all its pages. */
import { Host } from "../../src/host.ts";
import type { Region } from "../../src/host/region.ts";
import { Twin } from "../twin/twin.ts";
import { CORE, TWIN, framesPerNode, hashOf } from "./two-nodes.ts";

/** What core and twin can both do about swap. */
export interface Swapping {
  readonly name: string;
  /** Maps the region anew and writes to its pages: nothing is swapped out then, nothing waits in a batch. */
  populate(): void;
  /** vm.page-cluster. */
  setPageCluster(cluster: number): void;
  /** MADV_PAGEOUT of the region. Returns how many pages were freed. */
  pageout(): number;
  /** Reclaims about `pages` pages from the LRU lists of the node. Returns how many were freed. */
  reclaim(pages: number): number;
  /** Reads the region in order. Returns how many pages faulted. */
  read(): number;
  /** Hashes of the pages, the PTEs and the counters, and how many slots are in use. */
  hash(): string;
}

export async function coreSwapping(pages: number): Promise<Swapping> {
  const host = await Host.create({
    nodes: [{ zones: [{ kind: "movable", pages: framesPerNode(pages) }] }],
    limits: { entries: 1, ptes: pages, swapSlots: pages },
  });
  const device = host.swapOn({ pages, synchronous: true });
  const process = host.createProcess({ pages });
  let region: Region | null = null;
  const mapped = (): Region => {
    if (region === null) throw new Error("bench: nothing is mapped");
    return region;
  };
  return {
    name: CORE,
    populate() {
      region?.unmap();
      host.drainLru();
      region = process.map({ pages, node: 0 });
      region.touch("write");
      host.drainLru();
    },
    setPageCluster: (cluster) => host.setPageCluster(cluster),
    pageout: () => mapped().pageout().freed,
    reclaim: (wanted) => host.reclaim({ zone: 0, pages: wanted }),
    read: () => mapped().touch("read").faults,
    hash: () => `${hashOf(host)} ${device.usedPages}`,
  };
}

export function twinSwapping(pages: number): Swapping {
  const twin = new Twin({ pagesPerNode: framesPerNode(pages), nodes: 1, ptes: pages, swapSlots: pages });
  return {
    name: TWIN,
    populate() {
      twin.unmap();
      twin.drain();
      twin.map(pages, 0);
      twin.touch(0, pages);
      twin.drain();
    },
    setPageCluster: (cluster) => twin.setPageCluster(cluster),
    pageout: () => twin.pageout(),
    reclaim: (wanted) => twin.reclaim(wanted),
    read: () => twin.read(0, pages),
    hash: () => `${twin.hash()} ${twin.usedSlots}`,
  };
}
