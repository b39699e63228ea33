/** Scenarios as documents: what a YAML file says, and what is said against it. */
import { SimError } from "../../../../src/errors.ts";
import type { Scenario } from "../../../../src/scenario/scenario.ts";
import { type LoadOptions, loadScenario } from "../../../../src/scenario/timed/load-scenario.ts";
import type { Fields } from "../written.ts";

/** A document in which every key of the schema stands, and every alternative of a value. */
export const everyField = {
  name: "every-field",
  title: "Does everything have its place?",
  kernel: "v6.1",
  costs: "zen3-6.8",
  duration: "2s",
  untilDone: false,
  policies: ["pin", "rfc+L1+L2"],
  seeds: [3, 4],
  interval: "100ms",
  verify: "500ms",
  contentBytes: 16,
  host: {
    nodes: [
      {
        zones: [
          { kind: "normal", size: "256MiB" },
          { kind: "movable", size: 32_768 },
        ],
      },
      { zones: [{ kind: "normal", size: "128MiB" }] },
    ],
    cpus: 3,
    slice: "2ms",
    tick: "1ms",
    memoryLimit: "64MiB",
    pageCluster: 0,
    swap: [
      { kind: "zram", size: 4096, queueDepth: 1, read: "2us", write: "3us", bytesPerSecond: 1_000_000 },
      { kind: "nvme", size: "16MiB", read: { exponential: "1ms" }, write: { uniform: ["10us", "20us"] } },
      {
        kind: "ssd",
        size: "16MiB",
        read: { uniform: ["100us", "200us"] },
        write: { quantiles: { "0": "1us", "1": "2us" } },
      },
      {
        kind: "hdd",
        size: "16MiB",
        read: { quantiles: { "0": "4ms", "0.5": "8ms", "1": "20ms" } },
        write: { exponential: "5ms" },
      },
    ],
    maxActive: 17,
  },
  guests: [
    {
      name: "first",
      memory: "64MiB",
      vcpus: 2,
      asyncPf: "halt",
      touched: "32MiB",
      swappedOut: 100,
      tick: "5ms",
      slice: "6ms",
      tasks: [
        {
          name: "named",
          count: 2,
          pattern: "sequential",
          firstPage: 16,
          pages: "1MiB",
          cpuPerAccess: "2us",
          writePercent: 25,
          sleepEvery: 10,
          sleepFor: "1ms",
        },
        { name: "zipf", pattern: { zipf: 1.25 } },
        { name: "shift", pattern: { shift: { pages: 10, step: 2, every: "1ms" } } },
        { name: "ping-pong", pattern: { pingPong: { every: "3ms" } } },
        { name: "trace", pattern: { trace: "t.csv" } },
      ],
    },
    { name: "second", memory: 1024 },
  ],
  pinners: [
    {
      kind: "pin",
      guest: "first",
      firstPage: 1,
      pages: 2,
      perSecond: 2.5,
      atOnce: 1,
      hold: { exponential: "1ms" },
      start: "1s",
    },
    { guest: "first", atOnce: 1, hold: { uniform: ["1ms", "2ms"] } },
    { guest: "first", atOnce: 1, hold: { quantiles: { "0": "1ms", "1": "2ms" } } },
  ],
  migrations: [{ guest: "first", firstPage: 1, pages: 2, perSecond: 100, toNode: 1 }],
  operations: [
    { do: "offline", at: "1s", name: "away", block: 2, giveUp: "1s", giveUpRounds: 5 },
    {
      do: "move-pages",
      at: "1s",
      name: "moving",
      guest: "first",
      firstPage: 1,
      pages: 2,
      toNode: 1,
      batch: 1,
      threads: 2,
    },
    { do: "fork", at: "1s", name: "forking", guest: "first" },
    { do: "pause", at: "1s", name: "pausing", guest: "first", vcpu: 1 },
    { do: "resume", at: "1s", name: "resuming", guest: "first", vcpu: 1 },
    { do: "resize", at: "1s", name: "resizing", memoryLimit: "32MiB" },
    { do: "kill", at: "1s", name: "killing", guest: "second" },
    { do: "signal", at: "1s", name: "signalling" },
    { do: "pin", at: "1s", name: "pinning", guest: "first", kind: "longterm", firstPage: 1, pages: 2 },
    { do: "drain", at: "1s", name: "draining" },
  ],
} as const satisfies Fields;

/** The contents of the traces that the documents name. */
export function trace(): string {
  return "page,write\n0,0\n2,1\n";
}

/** The smallest scenario. */
export const head = "name: a\ntitle: What?\n";
export const smallest = `${head}guests:\n- memory: 4MiB\n`;

export function load(text: string, ...set: string[]): Scenario {
  return loadScenario(text, "s.yaml", { set, trace });
}

/** Lines of what is said against a text, none if it is loaded. */
export function refusal(text: string, options: LoadOptions = {}): string[] {
  try {
    loadScenario(text, "s.yaml", options);
  } catch (error) {
    if (error instanceof SimError && error.code === "ERR_SCENARIO") return error.message.split("\n");
    throw error;
  }
  return [];
}
