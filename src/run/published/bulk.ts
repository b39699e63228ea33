/** Throughput and cycles of move_pages(), as measured on Zen 3 by the authors of batch copying. */
import { SimError } from "../../errors.ts";
import type { KernelName } from "../../core/names.ts";
import type { CostProfileName } from "../../scenario/cost-profiles.ts";
import { type Experiment, type FigureNotModelled, experiment } from "./figure.ts";
import { idleGuest, operationOf, pinsOf, runOf } from "./scenarios.ts";

const V3 = 'Garg, RFC V3 "Accelerate page migration with batch copying and hardware offload", 2025, 6.16-rc6';
const V5 = "the same series, V5 on 7.1-rc1, lkml 2605.1/00684";
const V1 = 'Garg, RFC V1 "Enhancements to page migration with batch copying", 2024, 6.8, cycles at 2 GHz';

const PAGE_BYTES = 4096;
const CYCLES_PER_NS = 2;
/** 256 MiB stand for 1 GiB: pages cost the same, and calls are 1 µs in 300 ms. */
const BULK_PAGES = 65_536;
const NODE_PAGES = 131_072;

interface Move {
  readonly costs: CostProfileName;
  readonly kernel: KernelName;
  readonly isPinned?: boolean;
  readonly pages: number;
  readonly batch: number;
  readonly threads: number;
}

/** Moves pages of node 0 to node 1, or fails to if they are pinned. Returns how long that takes, ns. */
async function moveNs({ costs, kernel, isPinned = false, pages, batch, threads }: Move): Promise<number> {
  const run = await runOf({
    costs,
    kernel,
    pinners: isPinned ? [pinsOf(pages, pages, null)] : [],
    guest: idleGuest(pages),
    durationNs: 10e9,
    nodes: [
      { zones: [{ kind: "normal", pages: NODE_PAGES }] },
      { zones: [{ kind: "normal", pages: NODE_PAGES }] },
    ],
    operations: [
      {
        do: "move-pages",
        guest: "guest",
        firstPage: 0,
        pages,
        toNode: 1,
        batch,
        threads,
        atNs: 1e6,
        name: "move",
      },
    ],
  });
  const { durationNs, pagesMoved } = operationOf(run, "move");
  if (pagesMoved !== (isPinned ? 0 : pages)) {
    throw new SimError("ERR_ARGUMENT", `published figures: ${pagesMoved} of ${pages} pages moved`);
  }
  return durationNs;
}

/** GB/s of pages of 4 KiB. */
async function throughput(threads: number): Promise<number> {
  const batch = BULK_PAGES / threads;
  const ns = await moveNs({ costs: "zen3-6.16", kernel: "v6.12", pages: BULK_PAGES, batch, threads });
  return (BULK_PAGES * PAGE_BYTES) / ns;
}

/** Cycles a page; one call for one page is an average of 64. */
async function cyclesPerPage(batch: number): Promise<number> {
  const pages = Math.max(batch, 64);
  const ns = await moveNs({ costs: "zen3-6.8", kernel: "v6.12", pages, batch, threads: 1 });
  return (ns / pages) * CYCLES_PER_NS;
}

const common = { profile: "zen3-6.16", unit: "GB/s", bandPercent: 15, calibrates: false } as const;
const ofOne = { ...common, of: (gbs: number) => gbs };

const oneThread = experiment(
  () => throughput(1),
  [
    {
      ...ofOne,
      id: "move-4k",
      what: "move_pages(), 4 KiB pages",
      source: V3,
      published: 3.73,
      plusMinus: 0.33,
      calibrates: true,
    },
    {
      ...ofOne,
      id: "move-4k-threads-1",
      what: "move_pages(), 4 KiB pages, 1 thread",
      source: V3,
      published: 3.84,
      plusMinus: null,
    },
    {
      ...ofOne,
      id: "move-4k-7.1",
      what: "move_pages(), 4 KiB pages, 7.1-rc1",
      source: V5,
      published: 3.31,
      plusMinus: 0.18,
    },
  ],
);

const threadRows = [
  [2, 4.04],
  [4, 4.72],
  [8, 4.91],
  [16, 4.77],
] as const;

const severalThreads = threadRows.map(([threads, published]) =>
  experiment(
    () => throughput(threads),
    [
      {
        ...ofOne,
        id: `move-4k-threads-${threads}`,
        what: `move_pages(), 4 KiB pages, ${threads} threads (contention is not modelled)`,
        source: V3,
        published,
        plusMinus: null,
      },
    ],
  ),
);

const cycleRows = [
  [1, 17_799, 4278, true],
  [512, 3478, 95, true],
  [65_536, 3669, 158, false],
  [262_144, 3770, 56, false],
] as const;

const cycles = cycleRows.map(([pages, published, plusMinus, calibrates]) =>
  experiment(
    () => cyclesPerPage(Math.min(pages, BULK_PAGES)),
    [
      {
        ...common,
        id: `cycles-${pages}`,
        what: `move_pages(), ${pages} pages a call${pages > BULK_PAGES ? ` (run with ${BULK_PAGES})` : ""}`,
        source: V1,
        profile: "zen3-6.8",
        unit: "cycles/page",
        published,
        plusMinus,
        calibrates,
        of: (value: number) => value,
      },
    ],
  ),
);

const tcgRows = [
  [false, "tcg-move", "move_pages() of one page", 101],
  [true, "tcg-fail", "move_pages() of one pinned page, ten attempts", 122],
] as const;

const tcgMoves = tcgRows.map(([isPinned, id, what, published]) =>
  experiment(
    () => moveNs({ costs: "tcg-3.11", kernel: "v3.12", isPinned, pages: 1, batch: 1, threads: 1 }),
    [
      {
        id,
        what,
        source: "measured: Linux 3.11 under QEMU TCG, 2 vCPUs, no tracing",
        profile: "tcg-3.11",
        unit: "µs",
        published,
        plusMinus: null,
        bandPercent: 25,
        calibrates: false,
        of: (ns: number) => ns / 1000,
      },
    ],
  ),
);

export const bulkMoves: readonly Experiment[] = [oneThread, ...severalThreads, ...cycles, ...tcgMoves];

const reason = "large folios and their migration are not modelled";

export const bulkNotModelled: readonly FigureNotModelled[] = [
  { id: "move-2m", what: "move_pages(), 2 MiB folios, 1 to 16 threads", source: V3, reason },
  { id: "move-large", what: "move_pages(), folios of 16 KiB to 1 MiB", source: V3, reason },
  {
    id: "move-dma",
    what: "move_pages(), copied by DMA channels",
    source: V3,
    reason: "offload of copies is not modelled",
  },
];
