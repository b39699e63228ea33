/** A movable block goes offline while 64 vCPUs fault on NVMe: a scenario to run under policies. */
import { parseVariant } from "../../src/scenario/variant.ts";
import type { TimedRun } from "../../src/run/timed/result.ts";
import { runScenario } from "../../src/run/timed/run-scenario.ts";
import type { Scenario } from "../../src/scenario/scenario.ts";
import { NVME, VCPUS, loadScenario } from "./loads.ts";

const BLOCK_PAGES = 32_768;
/** Of the guest's pages, what may be in memory: a sixteenth is not. */
const RESIDENT_SHARE = 15 / 16;
/** Of a vCPU: about a sixteenth of the accesses fault, 30,000 in a second. */
const ACCESS_NS = 165_000;
const SEED = 1;
const NS_PER_S = 1e9;

export interface OfflineSize {
  /** Simulated time. */
  readonly seconds: number;
  /** Blocks of ordinary memory in front of the movable one. */
  readonly blocks: number;
}

/** 128 MiB of movable memory are taken offline after a tenth of the time. */
export function offlineScenario({ seconds, blocks }: OfflineSize): Scenario {
  const guestPages = blocks * BLOCK_PAGES;
  const load = loadScenario({
    frames: blocks * BLOCK_PAGES,
    pages: guestPages,
    contentBytes: 8,
    tasks: VCPUS,
    pattern: { kind: "uniform" },
    accessNs: ACCESS_NS,
    swappedOut: 0,
  });
  const normal = { kind: "normal", pages: blocks * BLOCK_PAGES } as const;
  return {
    ...load,
    durationNs: seconds * NS_PER_S,
    host: {
      ...load.host,
      nodes: [{ zones: [normal, { kind: "movable", pages: BLOCK_PAGES }] }],
      memoryLimit: guestPages * RESIDENT_SHARE,
      swap: [{ ...NVME, pages: guestPages }],
    },
    operations: [
      {
        do: "offline",
        block: blocks,
        giveUpNs: null,
        giveUpRounds: null,
        atNs: (seconds * NS_PER_S) / 10,
        name: "offline",
      },
    ],
  };
}

export interface OfflineRun {
  readonly policy: string;
  readonly stateHash: string;
  readonly endNs: number;
  readonly events: number;
  readonly faults: number;
  /** How the offline ended. */
  readonly outcome: string;
}

function outcomeOf({ crash, violation, operations }: TimedRun): string {
  if (crash !== null) return `crash in ${crash.function}`;
  if (violation !== null) return "violation";
  const [offline] = operations;
  if (offline === undefined || offline.durationNs === null) return "not offline at the end";
  const ended = offline.errno ?? "offline";
  return `${ended} after ${(offline.durationNs / 1e6).toFixed(1)} ms`;
}

/** Runs it under one policy. */
export async function runOffline(policy: string, size: OfflineSize): Promise<OfflineRun> {
  const variant = parseVariant("policy", policy);
  const run = await runScenario({ scenario: offlineScenario(size), variant, seed: SEED });
  const { stateHash, endNs, events, metrics } = run;
  return { policy, stateHash, endNs, events, faults: metrics.faults, outcome: outcomeOf(run) };
}
