/** Machines of models, and every way through one that a search has taken. */
import { buildMachine, resetMachine } from "../../../src/run/explore/machine.ts";
import type { ModelMachine, Variant } from "../../../src/run/explore/machine.ts";
import { beginPlaying } from "../../../src/run/explore/replay.ts";
import type { Schedule } from "../../../src/run/explore/schedule.ts";
import { type SearchOptions, type SearchResult, runSearch } from "../../../src/run/explore/search.ts";
import type { RepairName } from "../../../src/index.ts";
import { builtinModel } from "../../../src/scenario/model/builtin.ts";
import { loadModel } from "../../../src/scenario/model/load-model.ts";

export const layers: readonly RepairName[] = ["L1", "L2", "L3", "L4", "L5"];

/** rfc with the first so many repairs. */
export function rfc(layer: number): Variant {
  return { kernel: "v3.12", policy: "rfc", repairs: layers.slice(0, layer) };
}

export const pin: Variant = { kernel: "v3.12", policy: "pin", repairs: [] };
export const dropGet: Variant = { kernel: "v3.12", policy: "drop-get", repairs: [] };

/** The machine of a built-in model, or of the text of one. */
export function machineOf(model: string, variant: Variant): Promise<ModelMachine> {
  return buildMachine(model.includes("\n") ? loadModel(model, "model.yaml") : builtinModel(model), variant);
}

export const unbounded = { maxStates: 1_000_000, maxDepth: 10_000, maxSwitches: 0 };

/** A search in breadth without bounds, unless other options are given. */
export function searchAll(
  machine: ModelMachine,
  options: Partial<SearchOptions> = {},
): Promise<SearchResult> {
  return runSearch(machine.core, { strategy: { kind: "bfs" }, bounds: unbounded, ...options });
}

/** What is left in the arena when a schedule has been played; null if it crashes or cannot be played. */
export function arenaAfter(machine: ModelMachine, schedule: Schedule): Uint8Array | null {
  const { core } = machine;
  core.read((x) => {
    x.restartSchedule();
  });
  for (const actor of schedule) if (core.run((x) => x.scheduleStep(actor)) !== true) return null;
  return core.arena().slice();
}

/** The way to each state of the search that has just ended, by its number. */
export function waysOf({ core }: ModelMachine): Schedule[] {
  const ways: Schedule[] = [[]];
  const count = core.read((x) => x.searchStates());
  for (let state = 1; state < count; state++) {
    const [parent, actor] = core.read((x) => [x.parentOf(state), x.actorOf(state)]);
    ways.push([...(ways[parent] ?? []), actor]);
  }
  return ways;
}

/** Readies a machine, on which a search has run, for schedules. */
export function beginAgain(machine: ModelMachine): void {
  resetMachine(machine);
  beginPlaying(machine);
}
