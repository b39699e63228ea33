/**
 * tsx test/mutation/explore-all.ts [KNOWN]: searches the built-in models under the variants that are meant to
 * be clean, and prints a line of JSON for each search. KNOWN is a file with such lines in an array: what they
 * have found is left out, and the first search that comes upon something else is the last one.
 */
import * as fs from "node:fs";
import { nameOfEvent } from "../../src/run/explore/finding.ts";
import { type Variant, buildMachine } from "../../src/run/explore/machine.ts";
import { runSearch } from "../../src/run/explore/search.ts";
import { builtinModels } from "../../src/scenario/model/builtin.ts";
import type { Model } from "../../src/scenario/model/model.ts";

interface Searched {
  readonly model: string;
  readonly variant: string;
  readonly states: number;
  readonly events: readonly string[];
}

const bounds = { maxStates: 150_000, maxDepth: 10_000, maxSwitches: 0 };

const variants: Readonly<Record<string, Variant>> = {
  pin: { kernel: "v3.12", policy: "pin", repairs: [] },
  "drop-get": { kernel: "v3.12", policy: "drop-get", repairs: [] },
  "rfc +L1 … +L5": { kernel: "v3.12", policy: "rfc", repairs: ["L1", "L2", "L3", "L4", "L5"] },
};

/** What a search comes upon; a panic of the core is an event, too. */
async function search(model: Model, variant: Variant): Promise<Pick<Searched, "states" | "events">> {
  try {
    const { core } = await buildMachine(model, variant);
    const { states, events } = await runSearch(core, { strategy: { kind: "bfs" }, bounds });
    const names = events.map((event) => {
      const { invariant, field, transition } = nameOfEvent(event);
      return `${invariant} ${field} (${transition})`;
    });
    return { states, events: [...new Set(names)] };
  } catch (error) {
    return { states: 0, events: [`panic: ${error instanceof Error ? error.message : String(error)}`] };
  }
}

const knownFile = process.argv[2];
const known: readonly Searched[] =
  knownFile === undefined ? [] : JSON.parse(fs.readFileSync(knownFile, "utf8"));

/** Without what the tree finds as it is. */
function withoutKnown(searched: Searched): Searched {
  const before = known.find(({ model, variant }) => model === searched.model && variant === searched.variant);
  return { ...searched, events: searched.events.filter((event) => before?.events.includes(event) !== true) };
}

async function searchAll(): Promise<void> {
  // The smaller models first.
  const models = builtinModels().toSorted((a, b) => a.actors.length - b.actors.length);
  for (const model of models) {
    for (const [name, variant] of Object.entries(variants)) {
      // oxlint-disable-next-line no-await-in-loop -- one core at a time
      const found = await search(model, variant);
      const searched = withoutKnown({ model: model.name, variant: name, ...found });
      process.stdout.write(`${JSON.stringify(searched)}\n`);
      if (knownFile !== undefined && searched.events.length > 0) return;
    }
  }
}

await searchAll();
