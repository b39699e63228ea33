/** Models as documents: what a YAML file says. */
import type { Model, ModelActor, Operation } from "../../../../src/scenario/model/model.ts";
import type { Fields } from "../written.ts";

/** A document in which every key of the schema stands, with another value than its default. */
export const everyField = {
  name: "every-field",
  title: "Does everything have its place?",
  pages: ["swapped", "writeback"],
  actors: [
    { vcpu: { access: ["write 0", "read 1"], paravirtual: false } },
    { migrator: { pages: [0, 1], attempts: 2, mode: "sync-light", force: false } },
    { reclaimer: { pages: [1, 1] } },
    { process: { do: ["fork", "write-child 1", "exit-child", "exit"] } },
    { pinner: { pages: [0] } },
    { reset: { vcpu: 0 } },
  ],
  contextFailures: 1,
  swap: { latency: false },
  bounds: { states: 1000, depth: 20, switches: 3 },
} as const satisfies Fields;

const withoutPage = new Set(["fork", "exit-child", "exit"]);

function textOf({ op, page }: Operation<string>): string {
  return withoutPage.has(op) ? op : `${op} ${page}`;
}

function entryOf(actor: ModelActor): Fields {
  if (actor.kind === "vcpu") {
    return { vcpu: { access: actor.access.map(textOf), paravirtual: actor.paravirtual } };
  }
  if (actor.kind === "process") return { process: { do: actor.do.map(textOf) } };
  const { kind, ...fields } = actor;
  return { [kind]: fields };
}

/** The document that a model comes from, with its defaults written out. */
export function documentOf(model: Model): Fields {
  const bounds = Object.fromEntries(Object.entries(model.bounds));
  return { ...model, actors: model.actors.map(entryOf), swap: { ...model.swap }, bounds };
}
