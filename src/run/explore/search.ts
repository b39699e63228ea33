/** Runs a search in the core, slice by slice, and takes out what it came upon. */
import * as abi from "../../core/abi.ts";
import type { Core } from "../../core/core.ts";
import { SimError } from "../../errors.ts";
import { INT_MAX, integer } from "../../host/config.ts";
import type { StopReason } from "./result.ts";
import type { Schedule } from "./schedule.ts";

export type Strategy =
  | { readonly kind: "bfs" | "dfs" }
  | { readonly kind: "random"; readonly walks: number; readonly seed: number }
  | { readonly kind: "pct"; readonly depth: number; readonly walks: number; readonly seed: number };

export interface Bounds {
  /** States that are kept at most; 22 to 32 bytes each. */
  readonly maxStates: number;
  /** Steps of a schedule. */
  readonly maxDepth: number;
  /** Context switches of a schedule; 0: any number. */
  readonly maxSwitches: number;
}

/** How far a search is. */
export interface SearchProgress {
  readonly states: number;
  readonly transitions: number;
  readonly depth: number;
  /** States that are still to be expanded. */
  readonly frontier: number;
}

/** What a search came upon: a kind of the core (FOUND_*), and the way there. */
export interface FoundEvent {
  readonly kind: number;
  readonly what: number;
  /** TRANSITION_*, 0 at the end of a run. */
  readonly transition: number;
  readonly schedule: Schedule;
}

export interface SearchResult extends SearchProgress {
  readonly stoppedBy: StopReason | null;
  readonly durationNs: number;
  /** Memory of the states that are kept. */
  readonly visitedBytes: number;
  readonly events: readonly FoundEvent[];
}

export interface SearchOptions {
  readonly strategy: Strategy;
  readonly bounds: Bounds;
  /** Without sleep sets: every order of independent steps is taken. Default: false. */
  readonly unreduced?: boolean;
  /** Of performance.now(): the search ends then. */
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: SearchProgress) => void;
}

export const MAX_PCT_DEPTH = 16;

const SLICE = 1 << 16; // steps between two looks at the clock and at signals

const strategyCodes = {
  bfs: abi.EXPLORE_BREADTH_FIRST,
  dfs: abi.EXPLORE_DEPTH_FIRST,
  random: abi.EXPLORE_RANDOM,
  pct: abi.EXPLORE_PCT,
} as const;

/** Lets timers and signals in. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, 0);
  });
}

/** The way to a state: the actors of its steps, from the initial state on. */
function wayTo(core: Core, state: number): number[] {
  return core.read((x) => {
    const actors: number[] = [];
    for (let at = state; at !== 0; at = x.parentOf(at)) actors.push(x.actorOf(at));
    return actors.toReversed();
  });
}

function eventsOf(core: Core): FoundEvent[] {
  const { address, count } = core.read((x) => ({ address: x.eventsAddress(), count: x.searchEvents() }));
  const words = core.wordsAt(address, (count * abi.FOUND_SIZE) >> 2);
  const found = Array.from({ length: count }, (_, i) => {
    const at = (field: number): number => words[(i * abi.FOUND_SIZE + field) >> 2] ?? 0;
    return {
      kind: at(abi.FOUND_KIND),
      what: at(abi.FOUND_WHAT),
      transition: at(abi.FOUND_TRANSITION),
      state: at(abi.FOUND_STATE),
      actor: at(abi.FOUND_ACTOR),
    };
  });
  return found.map(({ kind, what, transition, state, actor }) => {
    const way = wayTo(core, state);
    return { kind, what, transition, schedule: actor < 0 ? way : [...way, actor] };
  });
}

export function progressOf(core: Core): SearchProgress {
  return core.read((x) => ({
    states: x.searchStates(),
    transitions: x.searchTransitions(),
    depth: x.searchDepth(),
    frontier: x.searchFrontier(),
  }));
}

/** One slice. Returns EXPLORE_*; a crash of the simulated kernel ends a way, not the search. */
export function slice(core: Core, steps: number): number {
  const end = core.read((x) => x.searchTransitions()) + steps;
  return core.runThroughCrashes(
    (x) => x.continueSearch(Math.max(0, end - x.searchTransitions())),
    (x) => {
      x.crashInSearch();
    },
  );
}

/** @throws {SimError} ERR_RANGE naming the bound and what is allowed. */
function checkOptions({ strategy, bounds }: SearchOptions): void {
  integer("maxStates", bounds.maxStates, 1, abi.EXPLORE_MAX_STATES);
  integer("maxDepth", bounds.maxDepth, 1, INT_MAX);
  integer("maxSwitches", bounds.maxSwitches, 0, INT_MAX);
  if (!("walks" in strategy)) return;
  integer("walks", strategy.walks, 1, INT_MAX);
  integer("seed", strategy.seed, 0, Number.MAX_SAFE_INTEGER);
  if (strategy.kind === "pct") integer("depth of pct", strategy.depth, 1, MAX_PCT_DEPTH);
}

/** Returns false without memory for that many states. */
function beginSearch(core: Core, { strategy, bounds, unreduced = false }: SearchOptions): boolean {
  return core.read((x) => {
    const { maxStates, maxDepth, maxSwitches } = bounds;
    const code = strategyCodes[strategy.kind];
    if (!x.beginSearch(code, maxStates, maxDepth, maxSwitches, !unreduced)) return false;
    if (strategy.kind === "random") return x.setWalks(strategy.walks, 0, BigInt(strategy.seed));
    if (strategy.kind !== "pct") return true;
    return x.setWalks(strategy.walks, strategy.depth - 1, BigInt(strategy.seed));
  });
}

/** Why the search of all states, which has ended by itself, has not seen all of them. */
function cutOf(core: Core, { strategy }: SearchOptions): StopReason | null {
  if (strategy.kind === "random" || strategy.kind === "pct") return "strategy";
  const cuts = core.read((x) => x.searchCuts());
  if ((cuts & 4) !== 0) return "max-findings";
  if ((cuts & 1) !== 0) return "max-depth";
  return (cuts & 2) === 0 ? null : "max-switches";
}

async function runToEnd(core: Core, options: SearchOptions): Promise<StopReason | null> {
  const deadlineMs = options.deadlineMs ?? Infinity;
  let result: number = abi.EXPLORE_RUNNING;
  let shownMs = performance.now();
  while (result === abi.EXPLORE_RUNNING) {
    if (options.signal?.aborted === true) return "interrupt";
    const nowMs = performance.now();
    if (nowMs >= deadlineMs) return "timeout";
    if (nowMs - shownMs >= 100) {
      shownMs = nowMs;
      options.onProgress?.(progressOf(core));
      // oxlint-disable-next-line no-await-in-loop -- that is the purpose: one slice after the other
      await turn();
    }
    result = slice(core, SLICE);
  }
  if (result === abi.EXPLORE_DONE) return cutOf(core, options);
  return result === abi.EXPLORE_MEMORY ? "memory" : "max-states";
}

/**
 * Searches from the machine as it is, which is the same again afterwards.
 *
 * @throws {SimError} ERR_RANGE for a bound or an option of the strategy, ERR_MEMORY without memory for
 *   maxStates.
 */
export async function runSearch(core: Core, options: SearchOptions): Promise<SearchResult> {
  const begunMs = performance.now();
  checkOptions(options);
  if (!beginSearch(core, options)) {
    throw new SimError("ERR_MEMORY", `maxStates: no memory for ${options.bounds.maxStates} states`);
  }
  const stoppedBy = await runToEnd(core, options);
  const durationNs = Math.round((performance.now() - begunMs) * 1e6);
  const result = {
    ...progressOf(core),
    stoppedBy,
    durationNs,
    visitedBytes: core.read((x) => x.visitedBytes()),
    events: eventsOf(core),
  };
  core.read((x) => {
    x.endSearch();
  });
  return result;
}
