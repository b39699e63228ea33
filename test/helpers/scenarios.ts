/** Small scenarios of the timed clock, and how tests run them. */
import * as abi from "../../assembly/abi.ts";
import type { RepairName } from "../../src/index.ts";
import { type TimedMachine, buildTimedMachine } from "../../src/run/timed/machine.ts";
import type { TimedRun } from "../../src/run/timed/result.ts";
import { runScenario } from "../../src/run/timed/run-scenario.ts";
import type { PolicyVariant } from "../../src/scenario/variant.ts";
import type {
  Distribution,
  Operation,
  Scenario,
  ScenarioDevice,
  ScenarioGuest,
  ScenarioHost,
  ScenarioPinner,
  ScenarioTasks,
  TimedOperation,
} from "../../src/scenario/scenario.ts";

export const MS = 1_000_000;
export const SECOND = 1000 * MS;

/** Always the same. */
export function constant(ns: number): Distribution {
  return { points: [{ share: 1, ns }] };
}

export const pin: PolicyVariant = { policy: "pin", repairs: [] };
export const dropGet: PolicyVariant = { policy: "drop-get", repairs: [] };
export const longterm: PolicyVariant = { policy: "longterm", repairs: [] };
const repairs: readonly RepairName[] = ["L1", "L2", "L3", "L4", "L5"];
export const repaired: PolicyVariant = { policy: "rfc", repairs };
export const asPosted: PolicyVariant = { policy: "rfc", repairs: [] };

/** A device that takes 75 µs for a read and 20 µs for a write, 64 requests at one time. */
export function device(options: Partial<ScenarioDevice> = {}): ScenarioDevice {
  return {
    kind: "nvme",
    pages: 16_384,
    queueDepth: 64,
    read: constant(75_000),
    write: constant(20_000),
    bytesPerSecond: 3e9,
    ...options,
  };
}

/** One task that reads and writes pages of the whole guest at random, every 2 µs. */
export function tasks(options: Partial<ScenarioTasks> = {}): ScenarioTasks {
  return {
    name: "task",
    count: 1,
    pattern: { kind: "uniform" },
    firstPage: 0,
    pages: 4096,
    accessNs: 2000,
    writePercent: 30,
    sleepEvery: 0,
    sleepNs: 0,
    ...options,
  };
}

/** Two vCPUs, 4096 pages that have been touched, and no task. */
export function guest(options: Partial<ScenarioGuest> = {}): ScenarioGuest {
  return {
    name: "guest",
    pages: 4096,
    vcpus: 2,
    asyncPf: "paravirtual",
    touched: 4096,
    swappedOut: 0,
    tickNs: 4 * MS,
    sliceNs: 4 * MS,
    tasks: [],
    ...options,
  };
}

/** 32 MiB, two CPUs and one device. */
export function host(options: Partial<ScenarioHost> = {}): ScenarioHost {
  return {
    nodes: [{ zones: [{ kind: "normal", pages: 8192 }] }],
    cpus: 2,
    sliceNs: 3 * MS,
    tickNs: 4 * MS,
    memoryLimit: null,
    pageCluster: 0,
    swap: [device()],
    maxActive: 256,
    ...options,
  };
}

/** One guest of which nothing is asked, for 100 ms of v3.12. */
export function scenario(options: Partial<Scenario> = {}): Scenario {
  return {
    name: "test",
    title: "test",
    kernel: "v3.12",
    costs: "server",
    durationNs: 100 * MS,
    untilDone: false,
    policies: ["pin"],
    seeds: [1],
    intervalNs: null,
    verifyNs: null,
    contentBytes: 8,
    host: host(),
    guests: [guest()],
    pinners: [],
    migrations: [],
    operations: [],
    ...options,
  };
}

/** A guest with more pages than it may have, and so many tasks that access them all. */
export function pressed(options: Partial<Scenario> = {}, count = 6): Scenario {
  return scenario({
    host: host({ memoryLimit: 3072 }),
    guests: [guest({ tasks: [tasks({ count })] })],
    ...options,
  });
}

/** A pinner of the guest that takes no pin by itself. */
export function pinner(options: Partial<ScenarioPinner> = {}): ScenarioPinner {
  return {
    kind: "get",
    guest: "guest",
    firstPage: 0,
    pages: 4096,
    perSecond: 0,
    atOnce: 0,
    hold: null,
    startNs: 0,
    ...options,
  };
}

/** An operation at a time, called what it does. */
export function at(ms: number, operation: Operation): TimedOperation {
  return { ...operation, atNs: ms * MS, name: operation.do };
}

/** Two zones, of which the second is block 2, and a guest that fills much of it. */
export const blocks = {
  nodes: [
    {
      zones: [
        { kind: "normal", pages: 65_536 },
        { kind: "movable", pages: 32_768 },
      ],
    },
  ],
} as const;

export const offlineBlock = (giveUpRounds: number | null = null): Operation => ({
  do: "offline",
  block: 2,
  giveUpNs: null,
  giveUpRounds,
});

export async function play(one: Scenario, variant: PolicyVariant = pin, seed = 1): Promise<TimedRun> {
  return runScenario({ scenario: one, variant, seed });
}

/** The machine of a scenario at a time, for a look inside. */
export async function machineAt(
  one: Scenario,
  untilNs: number,
  variant: PolicyVariant = pin,
): Promise<TimedMachine> {
  const machine = await buildTimedMachine(one, variant, 1);
  for (;;) {
    const result = machine.core.run((x) => x.runTimed(BigInt(untilNs), 1_000_000));
    if (result !== abi.TIMED_MORE) return machine;
  }
}

/** lru_add_drain_all() after the end, so that a scenario without tasks is one of the timed clock. */
export const drain: TimedOperation = at(1e6, { do: "drain" });
