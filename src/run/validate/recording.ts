/** A recording of a real kernel: its set-up, what was done, and what the kernel answered, as typed data. */
import * as abi from "../../core/abi.ts";
import type { KernelName, ZoneKind } from "../../core/names.ts";
import type { Action } from "./action.ts";
import { Field, type Fields, isFields } from "./field.ts";
import { parseJson } from "./json.ts";
import { type Relation, parseRelation } from "./relation.ts";
import { fieldKinds, supportedNeeds } from "./scope.ts";
import { parseAction, parseOperation } from "./steps.ts";

export interface RecordedNode {
  readonly firstPfn: number;
  readonly pages: number;
  readonly zone: ZoneKind;
  readonly online: boolean;
  /** Free pages when the run of experiments began. */
  readonly free: number | null;
}

export interface RecordedHost {
  readonly nodes: readonly RecordedNode[];
  /** Pages of ZONE_MOVABLE that movablecore= spread over the nodes. */
  readonly movableCore: number;
}

/** What a step was seen to do. */
export interface Observed {
  readonly fields: Fields;
  readonly relations: readonly Relation[];
  /** Paths that depend on real time or on what the experiment did not control. */
  readonly excluded: readonly string[];
}

export interface Step {
  readonly index: number;
  readonly action: Action;
  readonly observed: Observed | null;
  /** Parameters that mean nothing to the replay. */
  readonly ignored: readonly string[];
}

export interface Recording {
  readonly file: string;
  readonly name: string;
  readonly kernel: string;
  readonly profile: KernelName;
  readonly needs: readonly string[];
  readonly host: RecordedHost;
  /** Empty if the case is not modelled. */
  readonly steps: readonly Step[];
  /** Why the case cannot be replayed, null if it can. */
  readonly notModelled: string | null;
}

const profiles: readonly { readonly kernel: RegExp; readonly profile: KernelName }[] = [
  { kernel: /^3\.11\.0$/, profile: "v3.12" },
  { kernel: /^6\.1\.\d+$/, profile: "v6.1" },
  { kernel: /^6\.12\.\d+$/, profile: "v6.12" },
];

function parseProfile(field: Field): KernelName {
  const kernel = field.string();
  const found = profiles.find((one) => one.kernel.test(kernel));
  if (found === undefined) throw field.error("a kernel with a profile: 3.11.0, 6.1.*, 6.12.*");
  return found.profile;
}

/** The nodes in the order of their ids, which must be 0, 1, … */
function parseNodes(host: Field): RecordedNode[] {
  let next = 0;
  return host
    .at("nodes")
    .items()
    .map((node, id) => {
      node.at("id").integer(id, id);
      const zone = node.at("zone");
      const online = node.at("onlineAtStart");
      const free = node.at("freeAtRunStart");
      const firstPfn = node.at("firstPfn");
      const parsed: RecordedNode = {
        firstPfn: firstPfn.missing ? next : firstPfn.integer(next, abi.MAX_PFN - 1),
        pages: node.at("pages").integer(1, abi.MAX_PFN),
        zone: zone.missing ? "dma32" : zone.oneOf(["dma32", "normal", "movable"]),
        online: online.missing || online.boolean(),
        free: free.missing ? null : free.integer(),
      };
      next = parsed.firstPfn + parsed.pages;
      return parsed;
    });
}

function parseHost(host: Field): RecordedHost {
  host.at("pageSize").integer(abi.PAGE_SIZE, abi.PAGE_SIZE);
  host.at("memoryBlockPages").integer(abi.MEMORY_BLOCK_PAGES, abi.MEMORY_BLOCK_PAGES);
  const nodes = parseNodes(host);
  if (nodes.length === 0) throw host.at("nodes").error("a list of at least one node");
  const movable = host.at("movableCore");
  return { nodes, movableCore: movable.missing ? 0 : movable.integer() };
}

function strings(field: Field): string[] {
  return field.missing ? [] : field.items().map((item) => item.string());
}

/** Checks that an observed field has the shape in which it is compared. */
function checkShape(field: Field): void {
  const kind = fieldKinds[field.path.slice(field.path.lastIndexOf(".") + 1)];
  if (kind === "counts" || kind === "vmstat") {
    for (const name of Object.keys(field.fields())) field.at(name).number();
  } else if (kind === "statuses") {
    for (const status of field.items()) if (status.value !== null) status.integer(-4095);
  } else if (kind === "histogram" || kind === "events" || kind === "samples") {
    for (const item of field.items()) item.fields();
  } else if (kind === "frame" || kind === "log" || kind === "order") {
    field.fields();
  } else if (kind !== undefined && (isFields(field.value) || Array.isArray(field.value))) {
    throw field.error("a single value");
  }
}

function parseObserved(field: Field): Observed | null {
  if (field.missing) return null;
  const fields = field.fields();
  for (const name of Object.keys(fields)) checkShape(field.at(name));
  const relations = field.at("relations");
  return {
    fields,
    relations: relations.missing ? [] : relations.items().map(parseRelationField),
    excluded: [...strings(field.at("timeDependent")), ...strings(field.at("uncontrolled"))],
  };
}

function parseRelationField(field: Field): Relation {
  const relation = parseRelation(field.string());
  if (relation === null) throw field.error("a comparison of numbers and observed fields with + - * / ( )");
  return relation;
}

// They describe the step to a reader, or are read here.
const STEP_FIELDS = ["op", "record", "note", "observed"];

function parseStep(field: Field, index: number): Step {
  const action = parseAction(field);
  const ignored = field.unread().filter((name) => !STEP_FIELDS.includes(name));
  return { index, action, observed: parseObserved(field.at("observed")), ignored };
}

function reasonOf(recording: Field, needs: readonly string[]): string | null {
  const unmet = needs.filter((need) => !supportedNeeds.includes(need));
  if (unmet.length > 0) return `needs ${unmet.join(", ")}`;
  const before = recording.at("continues");
  return before.missing ? null : `starts where ${before.string()} ends`;
}

/**
 * Reads a recording. `file` is the name that errors give.
 *
 * @throws {SimError} ERR_RECORDING naming file, place, value and what is allowed: not JSON, an unknown kernel
 *   or operation, a value of a wrong kind.
 */
export function parseRecording(text: string, file: string): Recording {
  const root = new Field(file, "", parseJson(text, file));
  const name = root.at("name").string();
  const kernel = root.at("kernel");
  const profile = parseProfile(kernel);
  const needs = root
    .at("needs")
    .items()
    .map((need) => need.string());
  const host = parseHost(root.at("host"));
  const items = root.at("steps").items();
  for (const item of items) parseOperation(item);
  const reason = reasonOf(root, needs);
  // Parameters of a case that cannot be replayed may be of kinds that are not known here.
  const steps = reason === null ? items.map(parseStep) : [];
  const foreign = steps.find((step) => step.action.op === "notModelled");
  const notModelled =
    foreign?.action.op === "notModelled" ? `steps[${foreign.index}]: ${foreign.action.reason}` : reason;
  return { file, name, kernel: kernel.string(), profile, needs, host, steps, notModelled };
}
