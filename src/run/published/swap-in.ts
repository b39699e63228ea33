/** What a page that is read back from swap costs. */
import type { KernelName } from "../../core/names.ts";
import { type Experiment, type FigureNotModelled, experiment } from "./figure.ts";
import { constant, idleGuest, runOf } from "./scenarios.ts";

const KIM = "Minchan Kim, swap-in without swap cache, 2017: 5 GiB from zram, one page after the other";
const PAGES = 8192;
const ACCESS_NS = 100;
/** lz4 unpacks a page at about 4 GB/s: an engineering guess. */
const UNPACK_NS = 1000;

/** Time outside the guest for each page, ns: exit and entry of a vCPU stand for the fault of a process. */
async function pageNs(kernel: KernelName): Promise<number> {
  const reads = {
    name: "reads",
    count: 1,
    pattern: { kind: "sequential" },
    firstPage: 0,
    pages: PAGES,
    accessNs: ACCESS_NS,
    writePercent: 0,
    sleepEvery: PAGES,
    sleepNs: 1e9,
  } as const;
  const run = await runOf({
    costs: "server",
    kernel,
    guest: { ...idleGuest(PAGES), asyncPf: "off", swappedOut: 1000, tasks: [reads] },
    durationNs: 1e9,
    swap: [
      {
        kind: "zram",
        pages: 2 * PAGES,
        queueDepth: 0,
        read: constant(UNPACK_NS),
        write: constant(UNPACK_NS),
        bytesPerSecond: 1e12,
      },
    ],
  });
  const { guestNs, haltedNs, swapIns } = run.metrics;
  return (run.endNs - guestNs - haltedNs) / swapIns;
}

const zram = {
  source: KIM,
  profile: "server",
  unit: "µs",
  plusMinus: null,
  bandPercent: 50,
  calibrates: false,
  of: (ns: number) => ns / 1000,
} as const;

export const swapIns: readonly Experiment[] = [
  experiment(
    () => pageNs("v3.12"),
    [{ ...zram, id: "zram", what: "swap-in from zram through the swap cache", published: 1.84 }],
  ),
  experiment(
    () => pageNs("v6.12"),
    [{ ...zram, id: "zram-direct", what: "swap-in from zram past the swap cache", published: 1.25 }],
  ),
];

export const swapInsNotModelled: readonly FigureNotModelled[] = [
  {
    id: "swap-in-mix",
    what: "98.5 to 99.4 % of swap-ins below 100 µs, about 1000 machines",
    source: "Chris Li, 2024",
    reason: "latencies of devices, and what is on which, are given to a scenario: they are no prediction",
  },
];
