/** All states of a model as a graph, found by playing schedules: what a search is compared with. */
import { createHash } from "node:crypto";
import * as abi from "../../../assembly/abi.ts";
import { bitsOf } from "../../../src/run/explore/broken.ts";
import type { ModelMachine } from "../../../src/run/explore/machine.ts";
import type { Schedule } from "../../../src/run/explore/schedule.ts";
import { beginAgain } from "./machines.ts";

/** A step from one state. */
export interface Edge {
  readonly actor: number;
  readonly transition: number;
  /** Invariants that it breaks, by bit. */
  readonly breaks: readonly number[];
  /** The state that it leads to, null after a crash. */
  readonly to: string | null;
}

export interface State {
  readonly edges: readonly Edge[];
  /** Nothing that follows is of interest: memory is corrupt. */
  readonly corrupt: boolean;
  /** Where nobody can take a step: who has work left, by kind. */
  readonly waiting: readonly number[];
  /** Where nobody can take a step: what must hold at the end and does not. */
  readonly brokenAtEnd: readonly number[];
}

export interface Graph {
  readonly first: string;
  readonly states: ReadonlyMap<string, State>;
}

const corrupting = [
  abi.INV_REF,
  abi.INV_MAPC,
  abi.INV_UAF,
  abi.INV_FREE,
  abi.INV_LIST,
  abi.INV_ENTRY,
  abi.INV_DATA,
  abi.INV_PTE,
];

function brokenNow({ core }: ModelMachine, resting: boolean): number[] {
  return bitsOf(core.read((x) => BigInt.asUintN(64, x.brokenIn(resting))));
}

function keyOf({ core }: ModelMachine): string {
  return createHash("sha256").update(core.arena()).digest("hex");
}

/** Makes the machine what it is after a schedule, all of whose steps can be taken. */
function goTo({ core }: ModelMachine, schedule: Schedule): void {
  core.read((x) => {
    x.restartSchedule();
  });
  for (const actor of schedule) core.run((x) => x.scheduleStep(actor));
}

function edgeBy(machine: ModelMachine, way: Schedule, actor: number): Edge | null {
  const { core } = machine;
  goTo(machine, way);
  const before = brokenNow(machine, false);
  const taken = core.run((x) => x.scheduleStep(actor));
  if (taken === false) return null;
  const transition = core.read((x) => x.lastTransition());
  if (taken === undefined) return { actor, transition, breaks: [], to: null };
  const byStep = bitsOf(core.read((x) => BigInt.asUintN(64, x.brokenByLastStep())));
  const to = keyOf(machine);
  const newly = brokenNow(machine, false).filter((bit) => !before.includes(bit));
  return { actor, transition, breaks: [...newly, ...byStep], to };
}

function stateAt(machine: ModelMachine, way: Schedule): State {
  goTo(machine, way);
  const corrupt = brokenNow(machine, false).some((bit) => corrupting.includes(bit));
  const actors = machine.actors.map((_, actor) => actor);
  const edges = corrupt ? [] : actors.flatMap((actor) => edgeBy(machine, way, actor) ?? []);
  const isEnd = !corrupt && edges.length === 0;
  goTo(machine, way);
  const waiting = isEnd ? actors.filter((actor) => machine.core.read((x) => x.actorIsUnfinished(actor))) : [];
  return {
    edges,
    corrupt,
    waiting: waiting.map((actor) => machine.actors[actor]?.kind ?? 0),
    brokenAtEnd: isEnd ? brokenNow(machine, true) : [],
  };
}

/** Takes every step from every state, once each. */
export function graphOf(machine: ModelMachine): Graph {
  beginAgain(machine);
  goTo(machine, []);
  const first = keyOf(machine);
  const states = new Map<string, State>();
  const ways: [string, Schedule][] = [[first, []]];
  const seen = new Set([first]);
  for (let next = ways.pop(); next !== undefined; next = ways.pop()) {
    const [key, way] = next;
    const state = stateAt(machine, way);
    states.set(key, state);
    for (const { actor, to } of state.edges) {
      if (to === null || seen.has(to)) continue;
      seen.add(to);
      ways.push([to, [...way, actor]]);
    }
  }
  return { first, states };
}

/** The states that a schedule goes through, the first one included. */
export function statesOn({ first, states }: Graph, schedule: Schedule): string[] {
  const on = [first];
  for (const actor of schedule) {
    const edge = states.get(on.at(-1) ?? "")?.edges.find((other) => other.actor === actor);
    if (edge !== undefined && edge.to !== null) on.push(edge.to);
  }
  return on;
}
