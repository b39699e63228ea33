/** Searches of the explorer as contestants. */
import * as abi from "../../assembly/abi.ts";
import { defaultBounds } from "../../src/run/explore/explore.ts";
import { type Variant, buildMachine } from "../../src/run/explore/machine.ts";
import {
  type SearchOptions,
  type SearchProgress,
  type SearchResult,
  progressOf,
  runSearch,
  slice,
} from "../../src/run/explore/search.ts";
import { builtinModel } from "../../src/scenario/model/builtin.ts";
import type { Model } from "../../src/scenario/model/model.ts";
import type { Contestant, Figures, Size } from "../question.ts";

const LAYERS = ["L1", "L2", "L3", "L4", "L5"] as const;

function under(policy: Variant["policy"], repairs = 0): Variant {
  return { kernel: "v3.12", policy, repairs: LAYERS.slice(0, repairs) };
}

export const policies = {
  pin: under("pin"),
  "drop-get": under("drop-get"),
  rfc: under("rfc"),
  "rfc+L1..L4": under("rfc", 4),
  "rfc+L1..L5": under("rfc", 5),
} as const;

export type Policy = keyof typeof policies;

/** States that a search of one model ends at. */
const SMOKE_STATES = 2000;
/** The same where all models are searched. */
const SMOKE_STATES_OF_EACH = 200;
/** Transitions between two looks whether something was found. */
const SMALL_SLICE = 64;
const MILLION = 1e6;
const NS_PER_S = 1e9;

function boundsFor(size: Size, smokeStates: number): SearchOptions["bounds"] {
  return size === "smoke" ? { ...defaultBounds, maxStates: smokeStates } : defaultBounds;
}

function breadthFirst(size: Size, smokeStates: number): SearchOptions {
  return { strategy: { kind: "bfs" }, bounds: boundsFor(size, smokeStates) };
}

/** Sees to it that all rounds find as much as the first one. */
function sameEachTime(name: string): (progress: SearchProgress) => void {
  let first: string | undefined;
  return ({ states, transitions, depth }) => {
    const found = `${states} states, ${transitions} transitions, depth ${depth}`;
    first ??= found;
    if (found !== first) throw new Error(`${name} found ${found} and before that ${first}`);
  };
}

export interface Searcher extends Contestant {
  /** What the last run() came upon. */
  readonly result: () => SearchResult;
}

/** A search of all states of a model, in breadth. */
export async function searcher(
  name: string,
  model: string,
  policy: Policy,
  options: { readonly size: Size; readonly unreduced?: boolean },
): Promise<Searcher> {
  const { size, unreduced = false } = options;
  const { core } = await buildMachine(builtinModel(model), policies[policy]);
  const compare = sameEachTime(name);
  let last: SearchResult | undefined;
  const result = (): SearchResult => {
    if (last === undefined) throw new Error(`bench: ${name} has not run`);
    return last;
  };
  return {
    name,
    async run() {
      last = await runSearch(core, { ...breadthFirst(size, SMOKE_STATES), unreduced });
    },
    hash: () => null,
    check() {
      if (size === "full" && result().stoppedBy !== null) {
        throw new Error(`bench: ${name} was ended by ${result().stoppedBy}`);
      }
      compare(result());
    },
    result,
  };
}

/** Searches all of `models`, one after the other; their machines are built meanwhile. */
export function searcherOfAll(policy: Policy, models: readonly Model[], size: Size): Contestant {
  const compare = sameEachTime(policy);
  let sum: SearchProgress | undefined;
  return {
    name: policy,
    async run() {
      sum = { states: 0, transitions: 0, depth: 0, frontier: 0 };
      for (const model of models) {
        const { core } = await buildMachine(model, policies[policy]);
        const one = await runSearch(core, breadthFirst(size, SMOKE_STATES_OF_EACH));
        sum = {
          states: sum.states + one.states,
          transitions: sum.transitions + one.transitions,
          depth: Math.max(sum.depth, one.depth),
          frontier: 0,
        };
      }
    },
    hash: () => null,
    check() {
      if (sum !== undefined) compare(sum);
    },
  };
}

const orders = { breadth: abi.EXPLORE_BREADTH_FIRST, depth: abi.EXPLORE_DEPTH_FIRST } as const;
export type Order = keyof typeof orders;

async function searchToFirst(model: string, policy: Policy, order: Order): Promise<SearchProgress> {
  const { core } = await buildMachine(builtinModel(model), policies[policy]);
  const { maxStates, maxDepth } = defaultBounds;
  core.read((x) => x.beginSearch(orders[order], maxStates, maxDepth, 0, true));
  while (core.read((x) => x.searchEvents()) === 0) {
    if (slice(core, SMALL_SLICE) !== abi.EXPLORE_RUNNING) throw new Error(`bench: ${model} is sound`);
  }
  return progressOf(core);
}

export interface Finder extends Contestant {
  /** How far the last run() had to go. */
  readonly progress: () => SearchProgress;
}

/** A search that ends at the first violation; its machine is built meanwhile. */
export function finder(name: string, model: string, policy: Policy, order: Order): Finder {
  const compare = sameEachTime(name);
  let last: SearchProgress | undefined;
  const progress = (): SearchProgress => {
    if (last === undefined) throw new Error(`bench: ${name} has not run`);
    return last;
  };
  return {
    name,
    async run() {
      last = await searchToFirst(model, policy, order);
    },
    hash: () => null,
    check() {
      compare(progress());
    },
    progress,
  };
}

/** A search whose work is counted in transitions. */
export function inTransitions(one: Searcher): Searcher {
  return { ...one, units: () => one.result().transitions };
}

/** What such a search keeps, and how fast. */
export function keptBy({ name, result }: Searcher, figures: Figures): string {
  const { states, transitions, visitedBytes } = result();
  return statesNote(name, states, visitedBytes / states, figures.nsPerUnit(name) * transitions);
}

/** How many states a search has kept, how fast, in how much memory. */
export function statesNote(name: string, states: number, bytesPerState: number, ns: number): string {
  const rate = (states * NS_PER_S) / ns / MILLION;
  return `${name}: ${states} states, ${rate.toFixed(3)} million/s, ${bytesPerState.toFixed(1)} bytes each`;
}
