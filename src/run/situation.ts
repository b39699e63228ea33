/**
 * The situation that the RFC is about: a memory block full of guest pages goes offline while asynchronous
 * page faults, whose completions have not run yet, hold references of some of them.
 */
import * as abi from "../core/abi.ts";
import type { KernelCrash } from "../core/core.ts";
import type { CounterName, Errno, Invariant, KernelName } from "../core/names.ts";
import { Host, type Leaks, type Violation } from "../host.ts";
import type { HolderCount } from "../host/holders.ts";
import type { OfflineResult } from "../host/offline.ts";
import type { Guest, Rss } from "../host/process.ts";
import type { PolicyVariant } from "../scenario/variant.ts";

const NORMAL_PAGES = 2 * abi.MEMORY_BLOCK_PAGES;
const GUEST_PAGES = 40_000;
const MIN_FAULTS = 4; // of one vCPU
const MAX_FAULTS = 12;
const CONTENT_BYTES = 8;

/** What is the same under every policy. */
export const situation = {
  /** The block that goes offline: the whole movable zone. */
  block: NORMAL_PAGES / abi.MEMORY_BLOCK_PAGES,
  blockPages: abi.MEMORY_BLOCK_PAGES,
  blockMib: (abi.MEMORY_BLOCK_PAGES * abi.PAGE_SIZE) >> 20,
  normalPages: NORMAL_PAGES,
  guestPages: GUEST_PAGES,
  vcpus: 4,
} as const;

/** What a second attempt to take the block offline returned, once every completion had run. */
export interface Retry {
  readonly offlined: boolean;
  readonly errno: Errno | null;
  readonly durationNs: number;
}

/** What was found after every completion had run. */
export interface Aftermath {
  readonly leaks: Leaks;
  /** The first invariant that a full recount found broken, before or after the guest exited. */
  readonly violation: Violation | null;
  /** The rss counters that the guest's exit left, null if all were 0. */
  readonly badRss: Rss | null;
  /** Null if the block was offline already. */
  readonly retry: Retry | null;
  /** A crash in completions, retry or exit. */
  readonly crash: KernelCrash | null;
}

export interface SituationResult extends PolicyVariant {
  /** Asynchronous page faults whose completions had not run when the block was to go offline. */
  readonly faults: number;
  /** References that they held. */
  readonly pins: number;
  /** Guest pages in the block before. */
  readonly pagesBefore: number;
  /** Pages that the workers have moved out of the block before they pinned them. */
  readonly pagesMovedOut: number;
  readonly offlined: boolean;
  /** Null if the block went offline, the machine crashed, or the kernel would never have returned. */
  readonly errno: Errno | null;
  /** The kernel would retry for ever: no limit of its own, and nothing that changes anything. */
  readonly endless: boolean;
  /** Simulated time of the offline call, null if it would never return. */
  readonly durationNs: number | null;
  /** Pages that are in use in the block no more. */
  readonly pagesMoved: number;
  /** Pages in use in the block afterwards. */
  readonly pagesLeft: number;
  /**
   * Calls of unmap_and_move(): one page, one pass. After a crash those that reached try_to_unmap(); of an
   * endless call those until it was clear that nothing changes any more.
   */
  readonly attempts: number;
  /** PTEs replaced by migration entries and put back or moved; every page here has one PTE. */
  readonly unmapCycles: number;
  readonly rounds: number;
  readonly holders: readonly HolderCount[];
  readonly crash: KernelCrash | null;
  /** Whether an asynchronous page fault held the page that the crash was about. */
  readonly crashedOnPin: boolean;
  /** Null after a crash in the offline call: nothing can be done with that machine. */
  readonly aftermath: Aftermath | null;
  /** Once every completion has run, or after the crash. */
  readonly stateHash: string;
}

export interface SituationOptions {
  readonly kernel: KernelName;
  readonly seed: number;
}

/** Distinct guest frames of the block with an outstanding fault, chosen by the host's random numbers. */
function startFaults(host: Host, guest: Guest): void {
  const taken = new Set<number>();
  for (const vcpu of guest.vcpus) {
    const faults = MIN_FAULTS + host.random(MAX_FAULTS - MIN_FAULTS + 1);
    for (let nr = 0; nr < faults; nr++) {
      let gfn = host.random(abi.MEMORY_BLOCK_PAGES);
      while (taken.has(gfn)) gfn = host.random(abi.MEMORY_BLOCK_PAGES);
      taken.add(gfn);
      vcpu.startAsyncPf(gfn);
    }
    vcpu.runWorkers();
  }
}

/** Frames of the block that are in use. */
function pagesInBlock(host: Host): number {
  const start = situation.block * abi.MEMORY_BLOCK_PAGES;
  const records = host.pages.copy(start, abi.MEMORY_BLOCK_PAGES);
  const recordWords = abi.PAGE_RECORD_SIZE / 4;
  let nr = 0;
  for (let at = 0; at < records.length; at += recordWords) {
    const reserved = ((records[at + abi.PAGE_FLAGS / 4] ?? 0) & abi.PG_RESERVED) !== 0;
    if (!reserved && (records[at + abi.PAGE_REFCOUNT / 4] ?? 0) > 0) nr += 1;
  }
  return nr;
}

/** By kind, then vCPU. */
function sorted(holders: readonly HolderCount[]): HolderCount[] {
  return holders.toSorted((a, b) => (a.kind === b.kind ? (a.vcpu ?? 0) - (b.vcpu ?? 0) : 0));
}

function retryOffline(host: Host): Retry {
  const { ret, errno, durationNs } = host.offline(situation.block);
  return { offlined: ret === 0, errno, durationNs };
}

/** Runs every completion, looks at what they leave, tries again, and lets the guest exit. */
function lookAfter(host: Host, guest: Guest, offlined: boolean): Aftermath & { stateHash: string } {
  for (const vcpu of guest.vcpus) {
    if (host.crash === null) vcpu.complete();
  }
  const stateHash = host.stateHash();
  const leaks = host.leaks();
  const violation = host.verify();
  const retry = offlined || host.crash !== null ? null : retryOffline(host);
  const badRss = host.crash === null ? guest.exit().badRss : null;
  return { leaks, violation: violation ?? host.verify(), badRss, retry, crash: host.crash, stateHash };
}

function offlineFacts(offline: OfflineResult): Pick<SituationResult, "offlined" | "errno" | "endless"> {
  return { offlined: offline.ret === 0, errno: offline.errno, endless: offline.ending === "forever" };
}

/** Runs the situation under one policy. */
export async function runSituation(
  variant: PolicyVariant,
  options: SituationOptions,
): Promise<SituationResult> {
  const host = await Host.create({
    ...variant,
    ...options,
    contentBytes: CONTENT_BYTES,
    nodes: [
      {
        zones: [
          { kind: "normal", pages: NORMAL_PAGES },
          { kind: "movable", pages: abi.MEMORY_BLOCK_PAGES },
        ],
      },
    ],
  });
  const guest = host.createGuest({ pages: GUEST_PAGES, vcpus: situation.vcpus });
  // Movable allocations fill the movable zone first: guest frames 0 … 32767 are the block.
  guest.map({ pages: GUEST_PAGES }).touch("write");
  host.drainLru();
  const pagesAtFirst = pagesInBlock(host);
  startFaults(host, guest);

  const faults = guest.vcpus.reduce((sum, vcpu) => sum + vcpu.asyncPfs().length, 0);
  const pins = host.leaks().pins;
  const pagesBefore = pagesInBlock(host);
  const before = host.counters();
  const offline = host.offline(situation.block);
  const after = host.counters();
  const delta = (name: CounterName): number => after[name] - before[name];
  const { crash } = offline;
  const facts = offlineFacts(offline);
  const crashHolders = crash === null ? [] : host.holders(crash.pfn);
  const pagesLeft = pagesInBlock(host);
  const { stateHash, ...aftermath } =
    crash === null ? lookAfter(host, guest, facts.offlined) : { stateHash: host.stateHash() };
  return {
    ...variant,
    ...facts,
    faults,
    pins,
    pagesBefore,
    pagesMovedOut: pagesAtFirst - pagesBefore,
    durationNs: facts.endless ? null : offline.durationNs,
    pagesMoved: pagesBefore - pagesLeft,
    pagesLeft,
    attempts: delta("attempts"),
    unmapCycles: delta("ptesUnmapped"),
    rounds: offline.rounds,
    holders: sorted(offline.blame.holders),
    crash,
    crashedOnPin: crashHolders.some(({ kind }) => kind === "async_pf"),
    aftermath: "leaks" in aftermath ? aftermath : null,
    stateHash,
  };
}

/** The invariant that a run has broken, null if none was seen broken. */
export function brokenInvariant(result: SituationResult): Invariant | null {
  const { crash, aftermath } = result;
  return crash?.invariant ?? aftermath?.crash?.invariant ?? aftermath?.violation?.invariant ?? null;
}
