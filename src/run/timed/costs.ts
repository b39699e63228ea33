/** What the transitions of a cost profile take, as the core wants them: ns by TRANSITION_* or COST_*. */
import * as abi from "../../core/abi.ts";

export type TransitionCosts = ReadonlyMap<number, number>;

/** A page that moves, in the parts of kernel-facts: shares of the whole. */
export function costsOf(): TransitionCosts {
  return new Map([
    [abi.COST_EXIT, 700],
    [abi.COST_ENTRY, 500],
    [abi.COST_WAKEUP, 2000],
    [abi.COST_SWITCH, 1500],
    [abi.COST_FAULT, 500],
    [abi.COST_NOT_PRESENT, 800],
    [abi.COST_READY, 500],
    [abi.COST_KICK, 1000],
    [abi.COST_ISOLATE, 50],
    [abi.COST_CALL, 35_000],
    [abi.COST_ROUND, 5000],
    [abi.COST_DRAIN, 30_000],
    [abi.COST_AGE, 50],
    [abi.COST_PIN, 300],
    [abi.TRANSITION_WORKER_GUP, 600],
    [abi.TRANSITION_WORKER_FINISH, 200],
    [abi.TRANSITION_ENTRY_TAKE, 200],
    [abi.TRANSITION_ENTRY_PUT, 100],
    [abi.TRANSITION_MIGRATE_ALLOCATE, 100],
    [abi.TRANSITION_MIGRATE_UNMAP, 450],
    [abi.TRANSITION_MIGRATE_COPY, 300],
    [abi.TRANSITION_MIGRATE_REMAP, 150],
    [abi.TRANSITION_MIGRATE_PUTBACK, 100],
    [abi.TRANSITION_RECLAIM_ISOLATE, 50],
    [abi.TRANSITION_RECLAIM_UNMAP, 800],
    [abi.TRANSITION_RECLAIM_WRITE, 1500],
    [abi.TRANSITION_RECLAIM_FREE, 200],
    [abi.TRANSITION_COPY_PTE, 60],
    [abi.TRANSITION_ZAP_PTE, 60],
    [abi.TRANSITION_ZAP_RMAP, 60],
  ]);
}
