/** From which step on a finding cannot be avoided: every way on from every state is looked at instead. */
import { describe, expect, it } from "vitest";
import * as abi from "../../../assembly/abi.ts";
import { inevitableFrom, shrink } from "../../../src/run/explore/event.ts";
import type { FoundEvent } from "../../../src/run/explore/search.ts";
import { type Edge, type Graph, type State, graphOf, statesOn } from "./graph.ts";
import { beginAgain, machineOf, rfc, searchAll } from "./machines.ts";

function isEvent({ kind, what, transition }: FoundEvent, { breaks, transition: taken }: Edge): boolean {
  return kind === abi.FOUND_BROKEN && transition === taken && breaks.includes(what);
}

/** Nobody has work left, and it is not the event that this state is wrong. */
function isGoodEnd({ kind, what }: FoundEvent, { edges, corrupt, waiting, brokenAtEnd }: State): boolean {
  if (corrupt || edges.length > 0 || waiting.length > 0) return false;
  return kind !== abi.FOUND_END || !brokenAtEnd.includes(what);
}

/** The states from which some way ends well without the event. */
function avoiding({ states }: Graph, event: FoundEvent): Set<string> {
  const found = new Set<string>();
  for (let size = -1; size < found.size;) {
    size = found.size;
    for (const [key, state] of states) {
      const goesOn = state.edges.some(
        (edge) => edge.to !== null && found.has(edge.to) && !isEvent(event, edge),
      );
      if (goesOn || isGoodEnd(event, state)) found.add(key);
    }
  }
  return found;
}

const models = ["one-fault", "no-context", "reclaim", "unmap"] as const;
const cases = models.flatMap((model) => [0, 2, 4].map((layer) => [model, layer] as const));

describe.each(cases)("the findings of %s with repairs up to L%i", (model, layer) => {
  it("are inevitable from where no way that there is ends well without them", async () => {
    const machine = await machineOf(model, rfc(layer));
    const { events, states } = await searchAll(machine);
    beginAgain(machine);
    const graph = graphOf(machine);
    expect(graph.states.size).toBe(states);
    const told = events.map((event) => {
      const schedule = shrink(machine, event, true);
      const avoids = avoiding(graph, event);
      const before = statesOn(graph, schedule).slice(0, schedule.length);
      const last = before.findLastIndex((key) => avoids.has(key));
      return { found: inevitableFrom(machine, event, schedule), expected: last < 0 ? null : last };
    });
    expect(told.map(({ found }) => found)).toEqual(told.map(({ expected }) => expected));
    expect(told.length).toBeGreaterThan(0);
  });
});

it("tells an invariant that another transition has broken before", async () => {
  const machine = await machineOf("unmap", rfc(4));
  const { events } = await searchAll(machine);
  const restored = events.find(
    ({ what, transition }) =>
      what === abi.BROKEN_UNLOCKED_MAPPING && transition === abi.TRANSITION_ENTRY_RESTORE,
  );
  if (restored === undefined) throw new Error("the event is not found");
  const schedule = shrink(machine, restored, true);
  // The worker has stored page->mapping without the lock, too, but munmap() can still come first.
  expect(inevitableFrom(machine, restored, schedule)).toBe(schedule.length - 1);
});
