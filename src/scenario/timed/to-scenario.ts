/** From a document that is right to a scenario: what entries leave out is filled in. */
import type {
  Pattern,
  Scenario,
  ScenarioDevice,
  ScenarioGuest,
  ScenarioHost,
  ScenarioTasks,
  TimedOperation,
  TraceAccess,
} from "../scenario.ts";
import { deviceDefaults } from "./devices.ts";
import type { GuestDocument, TasksDocument } from "./guest-schema.ts";
import type { OperationDocument } from "./operation-schema.ts";
import { guestNames, guestOf, namesOf, rangeOf } from "./references.ts";
import type { ScenarioDocument } from "./schema.ts";

/** Accesses by the name of their file. */
export type Traces = ReadonlyMap<string, readonly TraceAccess[]>;

type Ranged = Parameters<typeof rangeOf>[0];

/** The guest that an entry means, and its name; and the range, where the entry has one. */
function guestIn(document: ScenarioDocument, name: string | undefined): [string, GuestDocument] {
  const guest = guestOf(document, name);
  const known = name ?? guestNames(document)[0];
  if (guest === undefined || known === undefined) throw new Error("a guest that was checked is not there");
  return [known, guest];
}

function whoAndWhere(document: ScenarioDocument, entry: Ranged & { readonly guest?: string }) {
  const [guest, found] = guestIn(document, entry.guest);
  return { guest, ...rangeOf(entry, found) };
}

function toDevice({ kind, size, ...own }: ScenarioDocument["host"]["swap"][number]): ScenarioDevice {
  return { ...deviceDefaults[kind], ...own, kind, pages: size };
}

function toHost({ host, guests }: ScenarioDocument): ScenarioHost {
  return {
    nodes: host.nodes.map(({ zones }) => ({ zones: zones.map(({ kind, size }) => ({ kind, pages: size })) })),
    cpus: host.cpus ?? guests.reduce((sum, guest) => sum + guest.vcpus, 0),
    sliceNs: host.slice,
    tickNs: host.tick,
    memoryLimit: host.memoryLimit ?? null,
    pageCluster: host.pageCluster,
    swap: host.swap.map(toDevice),
    maxActive: host.maxActive,
  };
}

function toPattern(pattern: TasksDocument["pattern"], traces: Traces): Pattern {
  if (pattern.kind !== "trace") return pattern;
  const accesses = traces.get(pattern.file);
  if (accesses === undefined) throw new Error("a trace that was read is not there");
  return { kind: "trace", accesses };
}

function toTasks(guest: GuestDocument, traces: Traces): ScenarioTasks[] {
  const names = namesOf(guest.tasks, () => "tasks");
  return guest.tasks.map((tasks, i) => ({
    name: names[i] ?? "",
    count: tasks.count,
    pattern: toPattern(tasks.pattern, traces),
    ...rangeOf(tasks, guest),
    accessNs: tasks.cpuPerAccess,
    writePercent: tasks.writePercent,
    sleepEvery: tasks.sleepEvery,
    sleepNs: tasks.sleepFor,
  }));
}

function toGuests(document: ScenarioDocument, traces: Traces): ScenarioGuest[] {
  const names = guestNames(document);
  return document.guests.map((guest, i) => ({
    name: names[i] ?? "",
    pages: guest.memory,
    vcpus: guest.vcpus,
    asyncPf: guest.asyncPf,
    touched: guest.touched ?? guest.memory,
    swappedOut: guest.swappedOut,
    tickNs: guest.tick,
    sliceNs: guest.slice,
    tasks: toTasks(guest, traces),
  }));
}

function toOperation(operation: OperationDocument, name: string, document: ScenarioDocument): TimedOperation {
  const common = { atNs: operation.at, name };
  switch (operation.do) {
    case "offline": {
      const { block, giveUp = null, giveUpRounds = null } = operation;
      return { ...common, do: "offline", block, giveUpNs: giveUp, giveUpRounds };
    }
    case "move-pages": {
      const place = whoAndWhere(document, operation);
      const { toNode, batch = place.pages, threads } = operation;
      return { ...common, do: "move-pages", ...place, toNode, batch, threads };
    }
    case "fork":
    case "kill":
      return { ...common, do: operation.do, guest: guestIn(document, operation.guest)[0] };
    case "pause":
    case "resume": {
      const [guest] = guestIn(document, operation.guest);
      return { ...common, do: operation.do, guest, vcpu: operation.vcpu ?? null };
    }
    case "resize":
      return { ...common, do: "resize", memoryLimit: operation.memoryLimit };
    case "pin":
      return { ...common, do: "pin", kind: operation.kind, ...whoAndWhere(document, operation) };
    case "signal":
    case "drain":
      return { ...common, do: operation.do };
    default:
      return operation satisfies never;
  }
}

function toOperations(document: ScenarioDocument): TimedOperation[] {
  const names = namesOf(document.operations, (operation) => operation.do);
  return document.operations.map((operation, i) => toOperation(operation, names[i] ?? "", document));
}

export function toScenario(document: ScenarioDocument, traces: Traces): Scenario {
  const { name, title, kernel, costs, policies, seeds, contentBytes, interval, verify } = document;
  return {
    name,
    title,
    kernel,
    costs,
    durationNs: document.duration,
    untilDone: document.untilDone ?? document.operations.length > 0,
    policies,
    seeds,
    intervalNs: interval ?? null,
    verifyNs: verify ?? null,
    contentBytes,
    host: toHost(document),
    guests: toGuests(document, traces),
    pinners: document.pinners.map(({ kind, perSecond, atOnce, hold, start, ...where }) => ({
      kind,
      ...whoAndWhere(document, where),
      perSecond,
      atOnce,
      hold: hold ?? null,
      startNs: start,
    })),
    migrations: document.migrations.map(({ perSecond, toNode, ...where }) => ({
      ...whoAndWhere(document, where),
      perSecond,
      toNode,
    })),
    operations: toOperations(document),
  };
}
