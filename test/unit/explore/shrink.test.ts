/** Schedules that are made shorter and calmer lead to the same event. */
import { describe, expect, it } from "vitest";
import { leadsTo, shrink } from "../../../src/run/explore/event.ts";
import { resetMachine } from "../../../src/run/explore/machine.ts";
import type { Schedule } from "../../../src/run/explore/schedule.ts";
import type { Strategy } from "../../../src/run/explore/search.ts";
import { beginAgain, machineOf, rfc, searchAll } from "./machines.ts";

function switchesOf(schedule: Schedule): number {
  return schedule.filter((actor, i) => i > 0 && actor !== schedule[i - 1]).length;
}

// The least number of steps that can be left out of all findings together.
const cases: readonly [strategy: string, model: string, least: number, Strategy][] = [
  ["dfs", "migrate", 1, { kind: "dfs" }],
  ["dfs", "reclaim", 1, { kind: "dfs" }],
  ["random", "migrate", 1, { kind: "random", walks: 300, seed: 5 }],
  ["random", "reclaim", 0, { kind: "random", walks: 300, seed: 5 }],
];

describe.each(cases)("what %s finds in %s", (_, model, least, strategy) => {
  it("is found again without needless steps, and with no more switches", async () => {
    const machine = await machineOf(model, rfc(4));
    const { events } = await searchAll(machine, { strategy });
    let saved = 0;
    for (const event of events) {
      const shrunk = shrink(machine, event, false);
      beginAgain(machine);
      const leads = leadsTo(machine, event, shrunk);
      resetMachine(machine);
      expect(leads).toBe(true);
      expect(switchesOf(shrunk)).toBeLessThanOrEqual(switchesOf(event.schedule));
      saved += event.schedule.length - shrunk.length;
    }
    expect(saved).toBeGreaterThanOrEqual(least);
  });
});

it("keeps the length of what breadth finds, with fewer switches", async () => {
  const machine = await machineOf("migrate", rfc(4));
  const { events } = await searchAll(machine);
  let calmer = 0;
  for (const event of events) {
    const shrunk = shrink(machine, event, true);
    expect(shrunk.toSorted((a, b) => a - b)).toEqual(event.schedule.toSorted((a, b) => a - b));
    expect(switchesOf(shrunk)).toBeLessThanOrEqual(switchesOf(event.schedule));
    if (switchesOf(shrunk) < switchesOf(event.schedule)) calmer += 1;
  }
  expect(calmer).toBeGreaterThan(0);
});
