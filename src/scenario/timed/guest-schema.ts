/** What a scenario's YAML may say of guests and of what they do. */
import * as z from "zod";
import { fields, kebabName } from "../fields.ts";
import { asyncPfModes } from "../scenario.ts";
import { MAX_VCPUS } from "./host-schema.ts";
import { MAX_SHORT_NS, duration, integer, pattern, range, size } from "./values.ts";

const MAX_TASKS = 4096;
const MAX_TASK_GROUPS = 64;

const tasks = fields({
  name: kebabName
    .exactOptional()
    .describe(
      'What the tasks are called in results; otherwise "tasks", numbered if there are several entries.',
    ),
  count: integer(1, MAX_TASKS)
    .prefault(1)
    .describe("How many tasks do this; they are dealt out to the vCPUs."),
  pattern: pattern()
    .prefault("uniform")
    .describe(
      "How they pick pages of their range: none (they compute), uniform, zipf, sequential; or a map of " +
        "zipf, shift, pingPong or trace.",
    ),
  ...range,
  cpuPerAccess: duration(1, MAX_SHORT_NS).prefault("1us").describe("CPU time from one access to the next."),
  writePercent: integer(0, 100).prefault(50).describe("Accesses in a hundred that write."),
  sleepEvery: integer(0, 1e9).prefault(0).describe("The task sleeps once in so many accesses; 0: never."),
  sleepFor: duration().prefault("0s").describe("How long it sleeps then."),
});

export const guestDocument = fields({
  name: kebabName
    .exactOptional()
    .describe('Name of the guest; otherwise "guest", numbered from 0 if there are several.'),
  memory: size().describe("Memory of the guest: pages, or a size."),
  vcpus: integer(1, MAX_VCPUS).prefault(1).describe("How many vCPUs it has."),
  asyncPf: z
    .enum(asyncPfModes)
    .prefault("paravirtual")
    .describe(
      "off: the vCPU thread sleeps in a fault. halt: faults are asynchronous and the vCPU halts. " +
        "paravirtual: the guest lets another task run.",
    ),
  touched: size(0)
    .exactOptional()
    .describe(
      "Pages, from the first on, that are touched before the clock starts; those that do not fit are " +
        "swapped out. Otherwise all.",
    ),
  swappedOut: integer(0, 1000)
    .prefault(0)
    .describe("How many in a thousand of them, evenly spread, are swapped out at first even if they fit."),
  tick: duration(1000, MAX_SHORT_NS).prefault("4ms").describe("1/HZ of the guest: its timer interrupt."),
  slice: duration(1000, MAX_SHORT_NS)
    .prefault("3ms")
    .describe("How long a task runs while others of its vCPU can."),
  tasks: z.array(tasks).max(MAX_TASK_GROUPS).prefault([]).describe("What the guest's tasks do."),
});

export type GuestDocument = z.output<typeof guestDocument>;
export type TasksDocument = z.output<typeof tasks>;
