/** The bound of context switches: all schedules within it are searched, told by playing every one of them. */
import { createHash } from "node:crypto";
import { expect, it } from "vitest";
import * as abi from "../../../assembly/abi.ts";
import { type ModelMachine, resetMachine } from "../../../src/run/explore/machine.ts";
import { arenaAfter, beginAgain, machineOf, pin, rfc, searchAll, unbounded } from "./machines.ts";

interface Node {
  readonly way: readonly number[];
  readonly switches: number;
}

/** How many states, each with who came there last and after how many switches, so many switches lead to. */
function statesWithin(machine: ModelMachine, most: number): number {
  const { core } = machine;
  beginAgain(machine);
  const seen = new Set<string>();
  const nodes: Node[] = [{ way: [], switches: 0 }];
  for (let node = nodes.pop(); node !== undefined; node = nodes.pop()) {
    if (arenaAfter(machine, node.way) === null) continue;
    core.words(abi.TABLE_BLAME).fill(0); // what an earlier schedule has left there is no state
    const digest = createHash("sha256").update(core.arena()).digest("hex");
    const last = node.way.at(-1);
    const key = `${digest} ${last} ${node.switches}`;
    if (seen.has(key)) continue;
    seen.add(key);
    for (const actor of machine.actors.keys()) {
      const switches = node.switches + (last === undefined || last === actor ? 0 : 1);
      if (switches <= most) nodes.push({ way: [...node.way, actor], switches });
    }
  }
  return seen.size;
}

const cases = [
  ["pin", "two-vcpus", pin],
  ["rfc", "two-vcpus", rfc(0)],
  ["rfc +L1 … +L5", "migrate", rfc(5)],
] as const;

it.each(cases)("finds under %s in %s all that few switches lead to", async (_, model, variant) => {
  const machine = await machineOf(model, variant);
  for (const maxSwitches of [1, 2, 3, 4, 5]) {
    // oxlint-disable-next-line no-await-in-loop -- one machine: one search after the other
    const { states } = await searchAll(machine, { bounds: { ...unbounded, maxSwitches } });
    expect(states).toBe(statesWithin(machine, maxSwitches));
    resetMachine(machine);
  }
});
