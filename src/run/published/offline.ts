/** How long blocks take to go offline. */
import { type Experiment, type FigureNotModelled, experiment } from "./figure.ts";
import { SECOND, idleGuest, offlineAt, operationOf, pinsOf, runOf } from "./scenarios.ts";

const TCG = "measured: Linux 3.11 under QEMU TCG, 2 vCPUs, a block of 128 MiB";
const MIGRATED_PAGE = "derived: 32,768 pages of 1.1 to 1.9 µs, Garg, RFC V3 (which calibrates) and V1";
const DMESG = 'spacing of "Offlined Pages 32768" in dmesg, nemu #71 and other logs: 1.7 to 10 ms';
const MS = 1e6;
const BLOCK_PAGES = 32_768;
/** Pages of a guest that fill ZONE_MOVABLE and some of the ordinary zone. */
const FILLS_BLOCK = 34_000;
const START_NS = 1e6;

const tcg = { costs: "tcg-3.11", kernel: "v3.12" } as const;
const onTcg = {
  profile: "tcg-3.11",
  source: TCG,
  plusMinus: null,
  bandPercent: 25,
  calibrates: false,
} as const;
const onServer = { profile: "server", plusMinus: null, bandPercent: 50, calibrates: false } as const;

interface Offline {
  readonly durationNs: number;
  readonly rounds: number;
}

async function offlineOnServer(pages: number): Promise<Offline> {
  const run = await runOf({
    costs: "server",
    kernel: "v6.12",
    guest: { ...idleGuest(Math.max(pages, 1)), touched: pages },
    durationNs: SECOND,
    operations: [offlineAt(START_NS)],
  });
  return operationOf(run, "offline");
}

/** A block with pins that are released `holdNs` after the start of the offline, or never. */
async function pinned(pins: number, holdNs: number | null): Promise<Offline> {
  const held = pinsOf(pins, BLOCK_PAGES - 1024, holdNs === null ? null : holdNs + START_NS);
  const signal = { do: "signal", atNs: 5 * SECOND + START_NS, name: "signal" } as const;
  const run = await runOf({
    ...tcg,
    guest: idleGuest(FILLS_BLOCK),
    durationNs: 10 * SECOND,
    operations: holdNs === null ? [offlineAt(START_NS), signal] : [offlineAt(START_NS)],
    pinners: [held],
  });
  return operationOf(run, "offline");
}

/** A tenth of the kernel's 120 s. */
const STUCK_NS = 12.0004 * SECOND;

async function stuck(): Promise<Offline> {
  const run = await runOf({
    ...tcg,
    guest: idleGuest(1),
    durationNs: 20 * SECOND,
    operations: [{ ...offlineAt(START_NS), do: "offline", block: 2, giveUpNs: STUCK_NS, giveUpRounds: null }],
    pinners: [pinsOf(1, 1, null)],
  });
  return operationOf(run, "offline");
}

async function unpinned(pages: number): Promise<Offline> {
  const guest = idleGuest(pages);
  const run = await runOf({ ...tcg, guest, durationNs: 10 * SECOND, operations: [offlineAt(START_NS)] });
  return operationOf(run, "offline");
}

const seconds = { ...onTcg, unit: "s", of: ({ durationNs }: Offline) => durationNs / SECOND };
const rounds = { ...onTcg, unit: "rounds", of: (offline: Offline) => offline.rounds };
const ms = { ...onServer, unit: "ms", of: ({ durationNs }: Offline) => durationNs / MS };

function holdFigures(id: string, what: string, durationS: number, nr: number): Experiment["figures"] {
  return [
    { ...seconds, id: `offline-${id}`, what: `offline, ${what}`, published: durationS },
    { ...rounds, id: `offline-${id}-rounds`, what: `the same, rounds`, published: nr },
  ];
}

function holdExperiment(run: () => Promise<Offline>, figures: Experiment["figures"]): Experiment {
  const of = { s: seconds.of, rounds: rounds.of };
  return experiment(
    run,
    figures.map((figure) => ({ ...figure, of: figure.unit === "s" ? of.s : of.rounds })),
  );
}

export const offlines: readonly Experiment[] = [
  experiment(
    () => offlineOnServer(0),
    [
      {
        ...ms,
        id: "offline-free",
        what: "offline of a free block",
        source: DMESG,
        published: 4,
        bandPercent: 60,
      },
    ],
  ),
  experiment(
    () => offlineOnServer(FILLS_BLOCK),
    [
      {
        ...ms,
        id: "offline-full",
        what: "offline of a full block (36 to 62 ms)",
        source: MIGRATED_PAGE,
        published: 49,
        bandPercent: 27,
      },
    ],
  ),
  experiment(
    () => unpinned(13_423),
    [
      {
        ...seconds,
        id: "offline-13423",
        what: "offline of 13,423 pages",
        published: 0.744,
        calibrates: true,
      },
    ],
  ),
  experiment(stuck, [
    {
      ...rounds,
      id: "offline-stuck-rounds",
      what: "rounds in 120.004 s with a pin (run for a tenth of it)",
      published: 189_212,
      calibrates: true,
      of: (offline) => offline.rounds * 10,
    },
  ]),
  holdExperiment(
    () => pinned(1, 3 * SECOND),
    holdFigures("pin-3s", "1 pin for 3 s, which are given", 3.043, 364),
  ),
  holdExperiment(
    () => pinned(10, 3 * SECOND),
    holdFigures("10-pins-3s", "10 pins for 3 s, which are given", 3.014, 392),
  ),
  holdExperiment(
    () => pinned(1, null),
    holdFigures("signal", "1 pin, signal after 5 s, which are given", 5.064, 1849),
  ),
];

export const offlineNotModelled: readonly FigureNotModelled[] = [
  {
    id: "offline-timeout",
    what: "offline with a pin that is never released: -EAGAIN after 120.004 s",
    source: TCG,
    reason: "120 s are a constant of the kernel, which the profile of v3.12 has as such",
  },
];
