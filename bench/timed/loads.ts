/** Scenarios that load the timed clock: one guest of 64 vCPUs on a host of one zone. */
import type { Distribution, Pattern, Scenario } from "../../src/scenario/scenario.ts";

export const MI = 2 ** 20;
export const VCPUS = 64;

const MS = 1e6;
/** Longer than any benchmark takes. */
const FOREVER_NS = 1e14;

function between(fromNs: number, toNs: number): Distribution {
  return {
    points: [
      { share: 0, ns: fromNs },
      { share: 1, ns: toNs },
    ],
  };
}

/** NVMe: a read takes 75 to 100 µs. */
export const NVME = {
  kind: "nvme",
  queueDepth: 256,
  read: between(75_000, 100_000),
  write: between(20_000, 30_000),
  bytesPerSecond: 1e10,
} as const;

export interface Load {
  /** Frames of the host. */
  readonly frames: number;
  /** Pages of the guest. */
  readonly pages: number;
  readonly contentBytes: number;
  /** Tasks, dealt out to the vCPUs. */
  readonly tasks: number;
  readonly pattern: Pattern;
  /** From one access of a task to the next. */
  readonly accessNs: number;
  /** Pages in a thousand that begin in swap. */
  readonly swappedOut: number;
}

/** A guest whose tasks access their pages without a pause, 30 % of the accesses writing. */
export function loadScenario(load: Load): Scenario {
  const { frames, pages, swappedOut } = load;
  const resident = pages - Math.floor((pages * swappedOut) / 1000);
  return {
    name: "bench",
    title: "bench",
    kernel: "v3.12",
    costs: "server",
    durationNs: FOREVER_NS,
    untilDone: false,
    policies: ["pin"],
    seeds: [1],
    intervalNs: null,
    verifyNs: null,
    contentBytes: load.contentBytes,
    host: {
      nodes: [{ zones: [{ kind: "normal", pages: frames }] }],
      cpus: VCPUS,
      sliceNs: 3 * MS,
      tickNs: MS,
      memoryLimit: null,
      pageCluster: 0,
      swap: swappedOut === 0 ? [] : [{ ...NVME, pages: Math.ceil((pages * swappedOut * 2) / 1000) }],
      maxActive: 256,
    },
    guests: [
      {
        name: "guest",
        pages,
        vcpus: VCPUS,
        asyncPf: "paravirtual",
        touched: pages,
        swappedOut,
        tickNs: 4 * MS,
        sliceNs: 4 * MS,
        tasks: [
          {
            name: "task",
            count: load.tasks,
            pattern: load.pattern,
            firstPage: 0,
            pages,
            accessNs: load.accessNs,
            writePercent: 30,
            sleepEvery: 0,
            sleepNs: 0,
          },
        ],
      },
    ],
    pinners: [],
    migrations: [],
    // What is in memory at the beginning is all that may be: every page that comes in puts another one out.
    operations: swappedOut === 0 ? [] : [{ do: "resize", memoryLimit: resident, atNs: 0, name: "limit" }],
  };
}
