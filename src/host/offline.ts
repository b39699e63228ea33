/** Taking memory blocks offline. */
import * as abi from "../core/abi.ts";
import type { Core } from "../core/core.ts";
import { integer } from "./config.ts";
import { type Blame, blame } from "./holders.ts";
import { type CallResult, callResult } from "./region.ts";

export interface OfflineOptions {
  /** Ends the call after so many rounds, 1 or more, as a signal would. Default: no limit. */
  readonly maxRounds?: number;
  /** Ends the call at this point in simulated time, from 1, as a signal would. Default: no limit. */
  readonly untilNs?: number;
  /**
   * Execute every round, also those in which nothing can change. Default: count them. The result is the same.
   */
  readonly executeAll?: boolean;
}

export interface OfflineResult extends CallResult {
  /**
   * returned: by the kernel; budget: ended by the caller, as by a signal; forever: the kernel would never
   * return, and `errno` is null.
   */
  readonly ending: "returned" | "budget" | "forever";
  /** Rounds of scanning and migrating, counted ones included. */
  readonly rounds: number;
  /** Pages that were migrated on the whole host meanwhile (pgmigrate_success). */
  readonly moved: number;
  /** Simulated time that it took. */
  readonly durationNs: number;
  readonly blame: Blame;
}

const endings = ["returned", "budget", "forever"] as const;

/** A limit as the core takes it: 0 is none. @throws {SimError} ERR_RANGE */
function limitWord(name: string, value: number | undefined): bigint {
  return value === undefined ? 0n : BigInt(integer(name, value, 1, Number.MAX_SAFE_INTEGER));
}

/** offline_pages() of an existing block. */
export function offlineBlock(core: Core, block: number, options: OfflineOptions): OfflineResult {
  const counter = (id: number): number => Number(core.counters()[id] ?? 0n);
  const startNs = core.nowNs;
  const [roundsBefore, movedBefore] = [counter(abi.PROBE_OFFLINE_ROUNDS), counter(abi.PGMIGRATE_SUCCESS)];
  const rounds = limitWord("maxRounds", options.maxRounds);
  const until = limitWord("untilNs", options.untilNs);
  const skipping = !(options.executeAll ?? false);
  const rc = core.run((exports) => exports.offlineBlock(block, rounds, until, skipping));
  const ending = endings[core.machineField(abi.MACHINE_OFFLINE_ENDING)] ?? "returned";
  const result = callResult(core, rc);
  return {
    ...result,
    errno: ending === "forever" ? null : result.errno,
    ending,
    rounds: counter(abi.PROBE_OFFLINE_ROUNDS) - roundsBefore,
    moved: counter(abi.PGMIGRATE_SUCCESS) - movedBefore,
    durationNs: core.nowNs - startNs,
    blame: blame(core),
  };
}
