/** What a scenario's YAML may say of what happens on the host while it runs. */
import * as z from "zod";
import { MAX_NODES, MAX_PFN, MEMORY_BLOCK_PAGES } from "../../core/abi.ts";
import { fields, kebabName } from "../fields.ts";
import { MAX_VCPUS } from "./host-schema.ts";
import { distribution, duration, guestName, integer, perSecond, range, size } from "./values.ts";

const MAX_THREADS = 64;
const MAX_ROUNDS = 1_000_000_000;

const pinKind = z
  .enum(["get", "pin", "longterm"])
  .prefault("get")
  .describe("How: get (O_DIRECT on v3.12), pin (FOLL_PIN), longterm (FOLL_LONGTERM).");

const toNode = integer(0, MAX_NODES - 1).describe("The node that the pages move to.");

export const pinnerDocument = fields({
  kind: pinKind,
  guest: guestName(),
  ...range,
  perSecond: perSecond()
    .prefault(0)
    .describe("Pins a second, one page each; 0: only those that are taken at once."),
  atOnce: integer(0, MAX_PFN).prefault(0).describe("Pins that are taken when it starts."),
  hold: distribution().exactOptional().describe("How long each is held; otherwise for ever."),
  start: duration().prefault("0s").describe("When it starts."),
});

export const migrationDocument = fields({
  guest: guestName(),
  ...range,
  perSecond: perSecond().describe("Pages that move a second."),
  toNode,
});

/** What every operation has. */
function operation<Name extends string, Shape extends z.ZodRawShape>(name: Name, what: string, shape: Shape) {
  return fields({
    do: z.literal(name).describe(what),
    at: duration().prefault("0s").describe("When it begins."),
    name: kebabName
      .exactOptional()
      .describe(
        "What it is called in results; otherwise what it does, numbered from 0 if there are several.",
      ),
    ...shape,
  });
}

const vcpu = integer(0, MAX_VCPUS - 1)
  .exactOptional()
  .describe("Number of the vCPU in its guest, counted from 0; otherwise all of them.");

export const operationDocument = z.discriminatedUnion("do", [
  operation("offline", "Take a memory block offline.", {
    block: integer(0, MAX_PFN / MEMORY_BLOCK_PAGES - 1).describe("Memory block: physical address / 128MiB."),
    giveUp: duration(1)
      .exactOptional()
      .describe("The caller's patience, as of `timeout T`; otherwise the kernel's own."),
    giveUpRounds: integer(1, MAX_ROUNDS)
      .exactOptional()
      .describe(
        "Rounds that leave a page behind, after which the caller gives up; otherwise there is no such limit.",
      ),
  }),
  operation("move-pages", "Move a range to another node with move_pages(2).", {
    guest: guestName(),
    ...range,
    toNode,
    batch: integer(1, MAX_PFN).exactOptional().describe("Pages of one call; otherwise all in one."),
    threads: integer(1, MAX_THREADS).prefault(1).describe("Threads that share the calls."),
  }),
  operation("fork", "The guest's process forks.", { guest: guestName() }),
  operation("pause", "Stop vCPUs.", { guest: guestName(), vcpu }),
  operation("resume", "Let vCPUs run again.", { guest: guestName(), vcpu }),
  operation("resize", "Change the limit of the guests' cgroup.", {
    memoryLimit: size().describe("The new limit: pages, or a size."),
  }),
  operation("kill", "Kill the guest's process.", { guest: guestName() }),
  operation("signal", "Send a signal to whoever takes memory offline.", {}),
  operation("pin", "Pin a range at once and for ever, as VFIO does.", {
    guest: guestName(),
    kind: pinKind,
    ...range,
  }),
  operation("drain", "Empty the LRU batches of all CPUs: lru_add_drain_all().", {}),
]);

export type PinnerDocument = z.output<typeof pinnerDocument>;
export type MigrationDocument = z.output<typeof migrationDocument>;
export type OperationDocument = z.output<typeof operationDocument>;
