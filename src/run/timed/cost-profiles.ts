/**
 * Cost profiles: what the parts of the model take on one machine, each with where the figure is from. A
 * profile is fixed by its two calibration points and by nothing else; whatever else it gives is a prediction.
 */
import * as abi from "../../core/abi.ts";
import type { CostProfileName } from "../../scenario/cost-profiles.ts";

const GUESS = "an engineering guess";
const GARG_V3 =
  'Garg, RFC V3 "Accelerate page migration with batch copying and hardware offload", 2025, Zen 3, 6.16-rc6';
const GARG_V1 = 'Garg, RFC V1 "Enhancements to page migration with batch copying", 2024, Zen 3 at 2 GHz, 6.8';
const TCG_RUN = "measured: Linux 3.11 under QEMU TCG, 2 vCPUs";

/** A cost and where it is from. */
export interface Cost {
  /** TRANSITION_* or COST_*. */
  readonly what: number;
  readonly name: string;
  readonly ns: number;
  /** A public source, or that it is a guess. */
  readonly source: string;
}

/** A published value from which a profile takes a cost. */
export interface CalibrationPoint {
  readonly what: string;
  readonly source: string;
  /** What it fixes, and how. */
  readonly fixes: string;
}

export interface CostProfile {
  readonly name: CostProfileName;
  readonly costs: readonly Cost[];
  readonly calibration: readonly [CalibrationPoint, CalibrationPoint];
  /** How far off a prediction may be, per cent. */
  readonly bandPercent: number;
}

/** The parts of a page that moves, and their shares. */
const migrationParts = [
  { what: abi.TRANSITION_MIGRATE_ALLOCATE, name: "migration: allocate", share: 2 },
  { what: abi.TRANSITION_MIGRATE_UNMAP, name: "migration: unmap and flush", share: 10 },
  { what: abi.TRANSITION_MIGRATE_REMAP, name: "migration: remap", share: 3 },
  { what: abi.TRANSITION_MIGRATE_PUTBACK, name: "migration: put back", share: 2 },
] as const;
const MIGRATION_SHARES = migrationParts.reduce((sum, { share }) => sum + share, 0);

/** What a page that moves takes, its isolation too: ns. */
interface MoveCosts {
  readonly pageNs: number;
  readonly copyNs: number;
  readonly isolateNs: number;
  readonly source: string;
  readonly copySource: string;
}

/** Splits what is left of a page beside copy and isolation: 0.2 : 1.0 : 0.3 : 0.2 µs, the guess for v3.12. */
function moveCosts({ pageNs, copyNs, isolateNs, source, copySource }: MoveCosts): Cost[] {
  const rest = pageNs - copyNs - isolateNs;
  const split = `${source}; its split among the parts is ${GUESS}`;
  const parts = migrationParts.map(({ what, name, share }) => ({
    what,
    name,
    ns: Math.round((rest * share) / MIGRATION_SHARES),
    source: split,
  }));
  return [
    ...parts,
    { what: abi.TRANSITION_MIGRATE_COPY, name: "migration: copy", ns: copyNs, source: copySource },
    { what: abi.COST_ISOLATE, name: "migration: look up and isolate", ns: isolateNs, source: GUESS },
  ];
}

/** Costs that no migration figure says anything about, on a server of today at about 3 GHz. */
const serverCosts: readonly Cost[] = [
  {
    what: abi.COST_EXIT,
    name: "VM exit to the handler",
    ns: 300,
    source:
      "half of 1529–1559 cycles of exit and entry, Wanpeng Li, kvm list, Mar 2020, and the fault's decoding",
  },
  {
    what: abi.COST_ENTRY,
    name: "VM entry",
    ns: 250,
    source: "half of 1529–1559 cycles of exit and entry, Wanpeng Li, kvm list, Mar 2020",
  },
  { what: abi.COST_WAKEUP, name: "wakeup", ns: 2000, source: GUESS },
  { what: abi.COST_SWITCH, name: "switch to another vCPU", ns: 1500, source: GUESS },
  { what: abi.COST_FAULT, name: "fault resolved at once", ns: 500, source: GUESS },
  { what: abi.COST_NOT_PRESENT, name: "work item and page not present", ns: 800, source: GUESS },
  { what: abi.COST_READY, name: "page ready in the guest", ns: 500, source: GUESS },
  {
    what: abi.COST_KICK,
    name: "IPI that makes a vCPU exit",
    ns: 1200,
    source: "3200–4240 cycles for an IPI between guests, Wanpeng Li, IPI fast-path mails, 2020",
  },
  { what: abi.COST_ROUND, name: "offline: round", ns: 5000, source: GUESS },
  { what: abi.COST_DRAIN, name: "drain of the LRU batches", ns: 30_000, source: GUESS },
  { what: abi.COST_AGE, name: "reclaim: a page of the active list", ns: 50, source: GUESS },
  { what: abi.COST_PIN, name: "get_user_pages() of a page that is there", ns: 300, source: GUESS },
  { what: abi.TRANSITION_WORKER_GUP, name: "worker: get_user_pages()", ns: 600, source: GUESS },
  { what: abi.TRANSITION_WORKER_FINISH, name: "worker: hand-over", ns: 200, source: GUESS },
  { what: abi.TRANSITION_ENTRY_TAKE, name: "completion: take", ns: 200, source: GUESS },
  { what: abi.TRANSITION_ENTRY_PUT, name: "completion: put the page", ns: 100, source: GUESS },
  { what: abi.TRANSITION_RECLAIM_ISOLATE, name: "reclaim: isolate a page", ns: 50, source: GUESS },
  { what: abi.TRANSITION_RECLAIM_UNMAP, name: "reclaim: unmap and flush", ns: 800, source: GUESS },
  { what: abi.TRANSITION_RECLAIM_WRITE, name: "reclaim: begin the write", ns: 1500, source: GUESS },
  {
    what: abi.TRANSITION_RECLAIM_FREE,
    name: "reclaim: free a page",
    ns: 90,
    source: "buddy, order 0, bulk, 1 core, Xeon Gold 5320: 90 ns; llfree-bench",
  },
  { what: abi.TRANSITION_COPY_PTE, name: "fork: copy a PTE", ns: 60, source: GUESS },
  { what: abi.TRANSITION_ZAP_PTE, name: "exit: zap a PTE", ns: 60, source: GUESS },
  { what: abi.TRANSITION_ZAP_RMAP, name: "exit: drop a mapping", ns: 60, source: GUESS },
];

function scaled(factor: number, source: string): Cost[] {
  return serverCosts.map((cost) => ({
    ...cost,
    ns: Math.round(cost.ns * factor),
    source: cost.source === GUESS ? `${source}; ${GUESS} there` : `${source}: ${cost.source}`,
  }));
}

function replaced(costs: readonly Cost[], own: readonly Cost[]): Cost[] {
  const names = new Set(own.map(({ what }) => what));
  return [...costs.filter(({ what }) => !names.has(what)), ...own];
}

function call(ns: number, source: string): Cost {
  return { what: abi.COST_CALL, name: "call of move_pages() or of offline", ns, source };
}

/** 4096 bytes at 3.73 GB/s. */
const ZEN3_PAGE_NS = 4096 / 3.73;
/** 35 % of the time of 512 pages are copies. */
const ZEN3_COPY_NS = Math.round(0.35 * ZEN3_PAGE_NS);

const zen3Moves = replaced(serverCosts, [
  ...moveCosts({
    pageNs: ZEN3_PAGE_NS,
    copyNs: ZEN3_COPY_NS,
    isolateNs: 50,
    source: `${GARG_V3}: 3.73 GB/s`,
    copySource: `${GARG_V3}: copies are 35 % of the time of 512 pages`,
  }),
  call(35_000, `${GARG_V3}: above 35 µs, derived from a copy's share below 1 % of a call for one page`),
]);

const zen3Calibration: CostProfile["calibration"] = [
  {
    what: "4 KiB pages at 3.73 GB/s, 1 GiB, one thread",
    source: GARG_V3,
    fixes: "a page, with its isolation: 4096 B / 3.73 GB/s = 1098 ns",
  },
  {
    what: "copies are less than 1 % of a call for one page",
    source: GARG_V3,
    fixes: "a call: 0.38 µs of copy / 1 % less 1.1 µs for the page, and so more than 35 µs",
  },
];

const server: CostProfile = {
  name: "server",
  costs: zen3Moves,
  calibration: zen3Calibration,
  bandPercent: 50,
};

const zen3Of616: CostProfile = { ...server, name: "zen3-6.16", bandPercent: 15 };

/** 2 cycles are a nanosecond. 1 page: call + page = 17,799; 512 pages: call / 512 + page = 3478 cycles. */
const LONE_PAGE_NS = 17_799 / 2;
const PAGE_OF_512_NS = 3478 / 2;
const V1_CALL_NS = (LONE_PAGE_NS - PAGE_OF_512_NS) / (1 - 1 / 512);
const V1_PAGE_NS = LONE_PAGE_NS - V1_CALL_NS;

const zen3Of68: CostProfile = {
  name: "zen3-6.8",
  costs: replaced(scaled(1.5, "server at 3 GHz × 1.5 for 2 GHz"), [
    ...moveCosts({
      pageNs: V1_PAGE_NS,
      copyNs: 247,
      isolateNs: 75,
      source: `${GARG_V1}: 17,799 cycles for a lone page, 3478 for one of 512`,
      copySource: `${GARG_V1}: folio_copy() takes 494 cycles a page of 512`,
    }),
    call(Math.round(V1_CALL_NS), `${GARG_V1}: 17,799 cycles for a lone page, 3478 for one of 512`),
  ]),
  calibration: [
    {
      what: "17,799 cycles for a call for one page",
      source: GARG_V1,
      fixes: "call + page = 17,799 / 2 ns",
    },
    {
      what: "3478 cycles a page, 512 pages a call",
      source: GARG_V1,
      fixes: "call / 512 + page = 3478 / 2 ns",
    },
  ],
  bandPercent: 15,
};

/** Of an attempt that moves its page, with its isolation, to one that fails and leaves out the copy. */
const FAILED_SHARE = (ZEN3_PAGE_NS - ZEN3_COPY_NS - 50) / ZEN3_PAGE_NS;
const COPY_SHARE = ZEN3_COPY_NS / ZEN3_PAGE_NS;
const ISOLATE_SHARE = 50 / ZEN3_PAGE_NS;
const EMPTY_NS = 744e6;
const EMPTY_PAGES = 13_423;
const STUCK_ROUND_NS = 120.004e9 / 189_212;
const PASSES = 10;
/** 53 batches of 256 pages, the turn that finds nothing left, and the call: each drains once. */
const EMPTY_TURNS = 53 + 1 + 1;

/**
 * A page and a round under TCG, with the shares of Zen 3:
 *
 *   pages × page + turns × round = 744 ms
 *   page × (10 × failed share + isolation share) + round = 634 µs
 */
const ATTEMPTS = PASSES * FAILED_SHARE + ISOLATE_SHARE;
const TCG_PAGE_NS = (EMPTY_NS - EMPTY_TURNS * STUCK_ROUND_NS) / (EMPTY_PAGES - EMPTY_TURNS * ATTEMPTS);
const TCG_ROUND_NS = STUCK_ROUND_NS - TCG_PAGE_NS * ATTEMPTS;
const TCG_SCALE = TCG_PAGE_NS / ZEN3_PAGE_NS;

const tcgRound = `${TCG_RUN}: 189,212 rounds in 120.004 s, less ten attempts; half of it is ${GUESS}`;

const tcg: CostProfile = {
  name: "tcg-3.11",
  costs: replaced(scaled(TCG_SCALE, "server × what a page takes here as against there"), [
    ...moveCosts({
      pageNs: TCG_PAGE_NS,
      copyNs: Math.round(TCG_PAGE_NS * COPY_SHARE),
      isolateNs: Math.round(TCG_PAGE_NS * ISOLATE_SHARE),
      source: `${TCG_RUN}: offline of 13,423 pages in 744 ms`,
      copySource: `the same, and the share of the copy as on ${GARG_V3}`,
    }),
    { what: abi.COST_ROUND, name: "offline: round", ns: Math.round(TCG_ROUND_NS / 2), source: tcgRound },
    {
      what: abi.COST_DRAIN,
      name: "drain of the LRU batches",
      ns: Math.round(TCG_ROUND_NS / 2),
      source: tcgRound,
    },
    call(Math.round(TCG_ROUND_NS / 2), `as a drain, which it consists of: ${GUESS}`),
  ]),
  calibration: [
    {
      what: "offline of a block with 13,423 pages: 744 ms",
      source: TCG_RUN,
      fixes: "a page: 13,423 × page + 55 × round = 744 ms",
    },
    {
      what: "offline with a pin that is never released: 189,212 rounds in 120.004 s",
      source: TCG_RUN,
      fixes: "a round: round + ten attempts that fail = 634 µs",
    },
  ],
  bandPercent: 25,
};

export const costProfiles: Readonly<Record<CostProfileName, CostProfile>> = {
  server,
  "zen3-6.16": zen3Of616,
  "zen3-6.8": zen3Of68,
  "tcg-3.11": tcg,
};

/** What the core wants of a profile: ns by TRANSITION_* or COST_*. What is left out takes no time. */
export function costsOf(name: CostProfileName): ReadonlyMap<number, number> {
  return new Map(costProfiles[name].costs.map(({ what, ns }) => [what, ns]));
}
