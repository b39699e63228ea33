/** What a model's YAML may say: the one source of the checks, of the JSON Schema and of what editors show. */
import * as z from "zod";
import { EXPLORE_MAX_STATES } from "../../core/abi.ts";
import { migrationModes, namesIn } from "../../core/names.ts";
import { fields, kebabName } from "../fields.ts";
import {
  MAX_ACTORS,
  MAX_OPERATIONS,
  MAX_PAGES,
  accesses,
  pageOperations,
  pageStates,
  processOperations,
  type Access,
  type Operation,
  type ProcessOperation,
} from "./model.ts";

const MAX_ATTEMPTS = 10; // passes of migrate_pages()
const MAX_STEPS = 65_535;

/** A list of the entries of one actor. */
function entries<Entry extends z.ZodType>(entry: Entry): z.ZodArray<Entry> {
  return z.array(entry).min(1).max(MAX_OPERATIONS);
}

type Text<Name extends string> = readonly [text: string, operation: Operation<Name>];

/** The operation on each of the pages that there can be. */
function onPages<Name extends string>(op: Name): Text<Name>[] {
  return Array.from({ length: MAX_PAGES }, (_, page): Text<Name> => [`${op} ${page}`, { op, page }]);
}

/** Operations by what the YAML says. */
export const accessTexts: ReadonlyMap<string, Operation<Access>> = new Map<string, Operation<Access>>(
  accesses.flatMap((op) => onPages(op)),
);
export const processTexts: ReadonlyMap<string, Operation<ProcessOperation>> = new Map<
  string,
  Operation<ProcessOperation>
>([
  ...pageOperations.flatMap((op) => onPages(op)),
  ...processOperations.map((op): Text<ProcessOperation> => [op, { op, page: 0 }]),
]);

const pageNumber = z
  .int()
  .min(0)
  .max(MAX_PAGES - 1);

const vcpu = fields({
  access: entries(z.enum([...accessTexts.keys()])).describe(
    'What the guest\'s tasks do, one task an entry, in this order: "read N" or "write N" of page N.',
  ),
  paravirtual: z
    .boolean()
    .default(true)
    .describe(
      "Whether the guest knows asynchronous page faults: its task waits and another one runs. Otherwise " +
        "the vCPU halts until the page is there.",
    ),
});

const migrator = fields({
  pages: entries(pageNumber).describe(
    "The pages to migrate, one after the other; one that stands here twice is migrated twice.",
  ),
  attempts: z
    .int()
    .min(1)
    .max(MAX_ATTEMPTS)
    .default(1)
    .describe("Passes over each page at most; migrate_pages() makes 10."),
  mode: z
    .enum(namesIn(migrationModes))
    .default("sync")
    .describe("What a migration may wait for: enum migrate_mode."),
  force: z
    .boolean()
    .default(true)
    .describe("Whether it waits for the page lock and for writeback where the mode lets it."),
});

const reclaimer = fields({
  pages: entries(pageNumber).describe(
    "The pages that shrink_page_list() looks at, one after the other; repeat a page to look at it twice.",
  ),
});

const process = fields({
  do: entries(z.enum([...processTexts.keys()])).describe(
    'What the process does, in this order: "fork", "write N" and "write-child N" (a write of page N by it ' +
      'or by its child), "unmap N" (munmap), "discard N" (MADV_DONTNEED), "exit-child", and last "exit".',
  ),
});

const pinner = fields({
  // Each is two operations: it is pinned, and put.
  pages: entries(pageNumber)
    .max(MAX_OPERATIONS / 2)
    .describe("The pages that get_user_pages() takes; put_page() comes later."),
});

const reset = fields({
  vcpu: z
    .int()
    .min(0)
    .max(MAX_ACTORS - 1)
    .describe("The vCPU, counted from 0 as they are listed."),
});

const actor = fields({
  vcpu: vcpu.exactOptional().describe("A vCPU of the guest, with its async_pf worker and its completions."),
  migrator: migrator.exactOptional().describe("Somebody who migrates pages."),
  reclaimer: reclaimer.exactOptional().describe("Somebody who takes pages away, as kswapd does."),
  process: process.exactOptional().describe("Another thread of the process that the guest runs in."),
  pinner: pinner.exactOptional().describe("Another user of get_user_pages(), as O_DIRECT is."),
  reset: reset.exactOptional().describe("A reset of a vCPU: its completion queue is cleared."),
}).meta({ minProperties: 1, maxProperties: 1 });

export const modelDocument = fields({
  name: kebabName.describe("The model's name in kebab-case; of a built-in model also the name of its file."),
  title: z.string().min(1).describe("The question that the model asks, in a line."),
  pages: z
    .array(z.enum(namesIn(pageStates)))
    .min(1)
    .max(MAX_PAGES)
    .describe(
      "What the guest's virtual pages are at first, from page 0. " +
        Object.entries(pageStates)
          .map(([state, meaning]) => `${state}: ${meaning}.`)
          .join(" "),
    ),
  actors: z
    .array(actor)
    .min(1)
    .max(MAX_ACTORS)
    .describe("Who works on the pages. Workers and swap I/O are not listed: they come with the machine."),
  contextFailures: z
    .int()
    .min(0)
    .max(MAX_ACTORS * MAX_OPERATIONS)
    .default(0)
    .describe("So many of the next allocations of a context of the RFC fail."),
  swap: fields({
    latency: z
      .boolean()
      .default(true)
      .describe("Whether the device takes time: reads and writes end in transitions of their own."),
  })
    .prefault({})
    .describe("The swap device."),
  bounds: fields({
    states: z.int().min(1).max(EXPLORE_MAX_STATES).exactOptional().describe("States to visit at most."),
    depth: z.int().min(1).max(MAX_STEPS).exactOptional().describe("Steps of a schedule at most."),
    switches: z
      .int()
      .min(0)
      .max(MAX_STEPS)
      .exactOptional()
      .describe("Times that a schedule goes on with another actor although the one before could, at most."),
  })
    .prefault({})
    .describe("Where a search ends at the latest."),
});

/** What a file says once it has been checked, with the defaults. */
export type ModelDocument = z.output<typeof modelDocument>;
export type ActorDocument = z.output<typeof actor>;

/** The JSON Schema of a model's YAML, for editors. */
export function modelSchema(): object {
  return {
    title: "Pinshift model",
    description: "A few pages of one guest and the actors that work on them, for the explored clock.",
    ...z.toJSONSchema(modelDocument, { target: "draft-7", io: "input" }),
  };
}
