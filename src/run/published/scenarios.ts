/** The small scenarios from which figures are measured: all that they have in common. */
import { SimError } from "../../errors.ts";
import type { CostProfileName } from "../../scenario/cost-profiles.ts";
import type {
  Distribution,
  Scenario,
  ScenarioDevice,
  ScenarioGuest,
  ScenarioPinner,
  TimedOperation,
} from "../../scenario/scenario.ts";
import type { PolicyVariant } from "../../scenario/variant.ts";
import type { OperationResult, TimedRun } from "../timed/result.ts";
import { runScenario } from "../timed/run-scenario.ts";

export const SECOND = 1e9;
const BLOCK_PAGES = 32_768;

export function constant(ns: number): Distribution {
  return between(ns, ns);
}

export function between(from: number, to: number): Distribution {
  return {
    points: [
      { share: 0, ns: from },
      { share: 1, ns: to },
    ],
  };
}

/** A guest without tasks, all of whose memory is touched. */
export function idleGuest(pages: number): ScenarioGuest {
  return {
    name: "guest",
    pages,
    vcpus: 1,
    asyncPf: "paravirtual",
    touched: pages,
    swappedOut: 0,
    tickNs: 1e6,
    sliceNs: 3e6,
    tasks: [],
  };
}

/** A pin that is there from the beginning and is released after `holdNs`, or never. */
export function pinsOf(atOnce: number, pages: number, holdNs: number | null): ScenarioPinner {
  return {
    kind: "get",
    guest: "guest",
    firstPage: 0,
    pages,
    perSecond: 0,
    atOnce,
    hold: holdNs === null ? null : constant(holdNs),
    startNs: 0,
  };
}

export interface Parts {
  readonly costs: CostProfileName;
  readonly kernel: Scenario["kernel"];
  readonly guest: ScenarioGuest;
  readonly durationNs: number;
  readonly operations?: readonly TimedOperation[];
  readonly pinners?: readonly ScenarioPinner[];
  readonly swap?: readonly ScenarioDevice[];
  readonly memoryLimit?: number | null;
  /** Blocks of the ordinary zone; one block of ZONE_MOVABLE follows, unless there are two nodes. */
  readonly blocks?: number;
  readonly nodes?: Scenario["host"]["nodes"];
}

export function scenarioOf(parts: Parts): Scenario {
  const { costs, kernel, guest, durationNs, operations = [], pinners = [], swap = [] } = parts;
  const zones = [
    { kind: "normal", pages: (parts.blocks ?? 2) * BLOCK_PAGES },
    { kind: "movable", pages: BLOCK_PAGES },
  ] as const;
  return {
    name: "published",
    title: "What does the model give for a published figure?",
    kernel,
    costs,
    durationNs,
    untilDone: operations.length > 0,
    policies: ["pin"],
    seeds: [1],
    intervalNs: null,
    verifyNs: null,
    contentBytes: 8,
    host: {
      nodes: parts.nodes ?? [{ zones }],
      cpus: Math.max(2, guest.vcpus),
      sliceNs: 3e6,
      tickNs: 1e6,
      memoryLimit: parts.memoryLimit ?? null,
      pageCluster: 0,
      swap,
      maxActive: 256,
    },
    guests: [guest],
    pinners,
    migrations: [],
    operations,
  };
}

/** The block of ZONE_MOVABLE taken offline. */
export function offlineAt(atNs: number, block = 2): TimedOperation {
  return { do: "offline", block, giveUpNs: null, giveUpRounds: null, atNs, name: "offline" };
}

export async function runOf(parts: Parts, policy: PolicyVariant["policy"] = "pin"): Promise<TimedRun> {
  const run = await runScenario({ scenario: scenarioOf(parts), variant: { policy, repairs: [] }, seed: 1 });
  if (run.crash === null && run.violation === null) return run;
  throw new SimError("ERR_ARGUMENT", "published figures: a run has crashed, or broken an invariant");
}

/** What became of the operation of this name. */
export function operationOf(
  { operations }: TimedRun,
  name: string,
): OperationResult & { durationNs: number } {
  const found = operations.find((one) => one.name === name);
  if (found === undefined || found.durationNs === null) {
    throw new SimError("ERR_ARGUMENT", `published figures: operation ${name} has not ended`);
  }
  return { ...found, durationNs: found.durationNs };
}
