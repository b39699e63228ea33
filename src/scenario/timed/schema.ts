/** What a scenario's YAML may say: the one source of checks, JSON Schema and what editors show. */
import * as z from "zod";
import { PAGE_SIZE } from "../../core/abi.ts";
import { kernels, namesIn, policies, repairs } from "../../core/names.ts";
import { SimError } from "../../errors.ts";
import { costProfileNames } from "../cost-profiles.ts";
import { fields, kebabName } from "../fields.ts";
import { parseVariant } from "../variant.ts";
import { guestDocument } from "./guest-schema.ts";
import { hostDocument } from "./host-schema.ts";
import { migrationDocument, operationDocument, pinnerDocument } from "./operation-schema.ts";
import { converted, duration, integer } from "./values.ts";

const MAX_GUESTS = 1024;
const MAX_ENTRIES = 1024;
const MAX_SEEDS = 1024;
const MAX_POLICIES = 64;

const seed = integer(0, Number.MAX_SAFE_INTEGER);
const SEEDS = "is not a list of seeds, nor two with dots between: 1..5";

/** The seeds of "1..5", or in words what is wrong. */
function seedsBetween(text: string): number[] | string {
  const [first = 0, last = 0] = text.split("..").map(Number);
  if (!Number.isSafeInteger(first) || !Number.isSafeInteger(last)) return "has seeds beyond 2^53";
  if (last < first) return "has the larger seed first";
  if (last - first >= MAX_SEEDS) return `has more than ${MAX_SEEDS} seeds`;
  return Array.from({ length: last - first + 1 }, (_, nr) => first + nr);
}

const seedRange = z
  .string()
  .regex(/^\d{1,16}\.\.\d{1,16}$/, { error: SEEDS })
  .transform(converted(seedsBetween));

/** A policy that --policy would take. What is wrong with another one, its parser says. */
const policy = z
  .string()
  .superRefine((text, context) => {
    try {
      parseVariant("", text);
    } catch (error) {
      if (!(error instanceof SimError)) throw error;
      context.addIssue({ code: "custom", message: error.message.replace(/^: /, "") });
    }
  })
  .meta({
    pattern: `^(${namesIn(policies)
      .map((name) => (name === "rfc" ? `rfc(\\+(${namesIn(repairs).join("|")}))*` : name))
      .join("|")})$`,
  });

export const scenarioDocument = fields({
  name: kebabName.describe("The scenario's name in kebab-case; of a built-in one also the name of its file."),
  title: z.string().min(1).describe("The question that the scenario asks, in a line."),
  kernel: z.enum(namesIn(kernels)).prefault("v3.12").describe("Kernel profile."),
  costs: z.enum(costProfileNames).prefault("server").describe("Cost profile: how long transitions take."),
  duration: duration(1).prefault("10s").describe("Simulated time at most: 800ns, 75us, 1.5ms, 3s, 10min."),
  untilDone: z
    .boolean()
    .exactOptional()
    .describe("Whether it ends with the last operation; otherwise it does if there are operations."),
  policies: z
    .array(policy)
    .min(1)
    .max(MAX_POLICIES)
    .prefault(["pin", "drop-get"])
    .describe(
      "Pin policies, as pin, rfc, rfc+L1+L2, drop-get, longterm; others are compared with the first.",
    ),
  seeds: z
    .union([z.array(seed).min(1).max(MAX_SEEDS), seedRange], { error: SEEDS })
    .prefault([1])
    .describe("Seeds of the random numbers: a list, or 1..5."),
  interval: duration(1)
    .exactOptional()
    .describe("Length of an interval of metrics; otherwise there are sums of the whole run alone."),
  verify: duration(1)
    .exactOptional()
    .describe("How often every invariant is recounted; otherwise at the end alone."),
  contentBytes: integer(0, PAGE_SIZE)
    .transform(converted((bytes: number) => (bytes % 8 === 0 ? bytes : "is not a multiple of 8")))
    .meta({ multipleOf: 8 })
    .prefault(8)
    .describe("Bytes of content per page, a multiple of 8: 0, 8 (a fingerprint) … 4096."),
  host: hostDocument.prefault({}).describe("The host: memory, CPUs, swap devices."),
  guests: z.array(guestDocument).min(1).max(MAX_GUESTS).describe("Guests, and what their tasks do."),
  pinners: z
    .array(pinnerDocument)
    .max(MAX_ENTRIES)
    .prefault([])
    .describe("Others that pin guest pages, one at a time, at random."),
  migrations: z
    .array(migrationDocument)
    .max(MAX_ENTRIES)
    .prefault([])
    .describe("Pages that move one at a time at a rate, as by NUMA balancing."),
  operations: z
    .array(operationDocument)
    .max(MAX_ENTRIES)
    .prefault([])
    .describe("What happens at certain times: offline, move-pages, pin, drain and others."),
});

/** What a file says once it has been checked, with the defaults. */
export type ScenarioDocument = z.output<typeof scenarioDocument>;

/** The JSON Schema (draft 7) of a scenario's YAML, for editors. */
export function scenarioSchema(): object {
  return {
    title: "Pinshift scenario",
    description: "A host, its guests and what happens to them, for the timed clock.",
    ...z.toJSONSchema(scenarioDocument, { target: "draft-7", io: "input" }),
  };
}
