import { describe, expect, it } from "vitest";
import { type LoadOptions, loadScenario } from "../../../../src/scenario/timed/load-scenario.ts";
import { write } from "../written.ts";
import { everyField, head, load, refusal, smallest } from "./documents.ts";

describe("what a small file leaves out", () => {
  it("has defaults", () => {
    expect(load(smallest)).toEqual({
      name: "a",
      title: "What?",
      kernel: "v3.12",
      costs: "server",
      durationNs: 10_000_000_000,
      untilDone: false,
      policies: ["pin", "drop-get"],
      seeds: [1],
      intervalNs: null,
      verifyNs: null,
      contentBytes: 8,
      host: {
        nodes: [
          {
            zones: [
              { kind: "normal", pages: 65_536 },
              { kind: "movable", pages: 32_768 },
            ],
          },
        ],
        cpus: 1,
        sliceNs: 3_000_000,
        tickNs: 4_000_000,
        memoryLimit: null,
        pageCluster: 3,
        swap: [],
        maxActive: 256,
      },
      guests: [
        {
          name: "guest",
          pages: 1024,
          vcpus: 1,
          asyncPf: "paravirtual",
          touched: 1024,
          swappedOut: 0,
          tickNs: 4_000_000,
          sliceNs: 3_000_000,
          tasks: [],
        },
      ],
      pinners: [],
      migrations: [],
      operations: [],
    });
  });

  it("follows from what it says: CPUs, ranges, names, batches, an end", () => {
    const text =
      `${head}guests:\n- {memory: 4MiB, vcpus: 2, tasks: [{firstPage: 1000}, {pattern: zipf}]}\n` +
      "- {memory: 1MiB, name: other}\n" +
      "pinners: [{guest: other, atOnce: 1}]\n" +
      "operations:\n- {do: drain}\n- {do: drain, at: 1s}\n" +
      "- {do: move-pages, guest: other, firstPage: 200, toNode: 0}\n";
    expect(load(text)).toMatchObject({
      untilDone: true,
      host: { cpus: 3 },
      guests: [
        {
          name: "guest-0",
          tasks: [
            { name: "tasks-0", pattern: { kind: "uniform" }, firstPage: 1000, pages: 24 },
            { name: "tasks-1", pattern: { kind: "zipf", skew: 0.99 }, firstPage: 0, pages: 1024 },
          ],
        },
        { name: "other" },
      ],
      pinners: [{ kind: "get", firstPage: 0, pages: 256, perSecond: 0, hold: null, startNs: 0 }],
      operations: [
        { do: "drain", name: "drain-0", atNs: 0 },
        { do: "drain", name: "drain-1", atNs: 1_000_000_000 },
        { do: "move-pages", name: "move-pages", firstPage: 200, pages: 56, batch: 56, threads: 1 },
      ],
    });
  });

  it.each([
    ["zram", { queueDepth: 0, bytesPerSecond: 1e12 }, [1250, 1250]],
    ["nvme", { queueDepth: 64, bytesPerSecond: 3e9 }, [75_000, 1_000_000]],
    ["ssd", { queueDepth: 32, bytesPerSecond: 530e6 }, [100_000, 5_000_000]],
    ["hdd", { queueDepth: 1, bytesPerSecond: 150e6 }, [4_000_000, 15_000_000]],
  ])("is of a swap device its kind: %s", (kind, device, [least, most]) => {
    const [loaded] = load(`${smallest}host: {swap: [{kind: ${kind}, size: 1MiB}]}\n`).host.swap;
    expect(loaded).toMatchObject({ kind, pages: 256, ...device });
    expect(loaded?.read.points.at(0)).toEqual({ share: 0, ns: least });
    expect(loaded?.read.points.at(-1)).toEqual({ share: 1, ns: most });
  });
});

describe("what a file says", () => {
  it("is all there", () => {
    const scenario = load(write(everyField).text);
    expect(scenario).toMatchObject({
      durationNs: 2_000_000_000,
      seeds: [3, 4],
      intervalNs: 100_000_000,
      verifyNs: 500_000_000,
      contentBytes: 16,
    });
    expect(scenario.host).toMatchObject({ cpus: 3, sliceNs: 2e6, tickNs: 1e6, memoryLimit: 16_384 });
    expect(scenario.host.swap[0]).toEqual({
      kind: "zram",
      pages: 4096,
      queueDepth: 1,
      read: {
        points: [
          { share: 0, ns: 2000 },
          { share: 1, ns: 2000 },
        ],
      },
      write: {
        points: [
          { share: 0, ns: 3000 },
          { share: 1, ns: 3000 },
        ],
      },
      bytesPerSecond: 1_000_000,
    });
    expect(scenario.guests[0]?.tasks.map(({ pattern }) => pattern)).toEqual([
      { kind: "sequential" },
      { kind: "zipf", skew: 1.25 },
      { kind: "shift", pages: 10, step: 2, everyNs: 1_000_000 },
      { kind: "ping-pong", everyNs: 3_000_000 },
      {
        kind: "trace",
        accesses: [
          { page: 0, write: false },
          { page: 2, write: true },
        ],
      },
    ]);
    expect(scenario.pinners[0]).toMatchObject({ kind: "pin", perSecond: 2.5, startNs: 1_000_000_000 });
    expect(scenario.migrations).toEqual([
      { guest: "first", firstPage: 1, pages: 2, perSecond: 100, toNode: 1 },
    ]);
    const atNs = 1_000_000_000;
    expect(scenario.operations).toEqual([
      { do: "offline", atNs, name: "away", block: 2, giveUpNs: 1_000_000_000, giveUpRounds: 5 },
      {
        do: "move-pages",
        atNs,
        name: "moving",
        guest: "first",
        firstPage: 1,
        pages: 2,
        toNode: 1,
        batch: 1,
        threads: 2,
      },
      { do: "fork", atNs, name: "forking", guest: "first" },
      { do: "pause", atNs, name: "pausing", guest: "first", vcpu: 1 },
      { do: "resume", atNs, name: "resuming", guest: "first", vcpu: 1 },
      { do: "resize", atNs, name: "resizing", memoryLimit: 8192 },
      { do: "kill", atNs, name: "killing", guest: "second" },
      { do: "signal", atNs, name: "signalling" },
      { do: "pin", atNs, name: "pinning", kind: "longterm", guest: "first", firstPage: 1, pages: 2 },
      { do: "drain", atNs, name: "draining" },
    ]);
  });

  it("may give seeds as a range", () => {
    expect(load(`${smallest}seeds: 3..6\n`).seeds).toEqual([3, 4, 5, 6]);
    expect(load(`${smallest}seeds: 7..7\n`).seeds).toEqual([7]);
  });

  it.each([
    ["duration: ~0.5ns", "duration", '"0.5ns" is not a whole number of ns'],
    ["duration: ~0s", "duration", '"0s" is less than 1ns'],
    ["duration: ~3", "duration", "3 is not a duration with its unit"],
    ["duration: ~3sec", "duration", '"3sec" is not a duration with its unit'],
    ["seeds: ~5..1", "seeds", '"5..1" has the larger seed first'],
    ["seeds: ~0..2000", "seeds", '"0..2000" has more than 1024 seeds'],
    ["seeds: ~9007199254740992..9007199254740993", "seeds", "has seeds beyond 2^53"],
    ["contentBytes: ~12", "contentBytes", "12 is not a multiple of 8"],
    ["policies: [pin, ~pni]", "policies[1]", '"pni" is not one of pin, rfc, drop-get, longterm'],
    ["policies: [~pin+L1]", "policies[0]", '"pin+L1" has repairs, and only rfc has any'],
    ["policies: [~rfc+L6]", "policies[0]", '"L6" is not one of L1, L2, L3, L4, L5'],
    ["host: {memoryLimit: ~5KiB}", "host.memoryLimit", '"5KiB" is not a multiple of 4KiB, the page'],
    ["host: {memoryLimit: ~1.5}", "host.memoryLimit", "1.5 is not a number of pages or a size"],
    [
      "host: {nodes: [{zones: [{kind: normal, size: ~4KiB}]}]}",
      "host.nodes[0].zones[0].size",
      '"4KiB" is not at least 512 pages',
    ],
    ["host: {slice: ~3s}", "host.slice", '"3s" is more than 2147483647ns'],
    ["host: {tick: ~1ns}", "host.tick", '"1ns" is less than 1000ns'],
    ["operations: [{do: ~jump}]", "operations[0].do", '"jump" is not one of offline, move-pages'],
    ["pinners: [{hold: {uniform: ~[2us, 1us]}}]", "pinners[0].hold.uniform", "has the larger value first"],
    ['pinners: [{hold: {quantiles: ~{"0": 1us}}}]', "pinners[0].hold.quantiles", 'has not both "0" and "1"'],
    ['pinners: [{hold: {quantiles: {~"2": 1us}}}]', "pinners[0].hold.quantiles.2", '"2" is not a share'],
    [
      'pinners: [{hold: {quantiles: {"0": 1us, ~"0.1234567": 1us, "1": 1us}}}]',
      "pinners[0].hold.quantiles.0.1234567",
      "is not a share",
    ],
    ["pinners: [{hold: ~soon}]", "pinners[0].hold", '"soon" is not a duration with its unit'],
    ["pinners: [{hold: ~5}]", "pinners[0].hold", "5 is not a duration or a distribution"],
  ])("is not %s", (line, path, message) => {
    // The mark stands before what is wrong.
    const column = line.indexOf("~") + 1;
    const lines = refusal(`${smallest}${line.replace("~", "")}\n`);
    expect(lines).toEqual([expect.stringContaining(message)]);
    expect(lines[0]).toMatch(new RegExp(`^s\\.yaml:5:${column}: `));
    expect(lines[0]).toContain(`:${column}: ${path}: `);
  });

  it("has steps of 0.01 of zipf", () => {
    const text = `${head}guests: [{memory: 4MiB, tasks: [{pattern: {zipf: 0.7}}]}]\n`;
    expect(load(text).guests[0]?.tasks[0]?.pattern).toEqual({ kind: "zipf", skew: 0.7 });
    const fine = "guests[0].tasks[0].pattern.zipf=0.705";
    expect(refusal(text, { set: [fine] })).toEqual([
      `--set ${fine}: guests[0].tasks[0].pattern.zipf: 0.705 is not in steps of 0.01`,
    ]);
  });
});

describe("a trace", () => {
  const text = `${head}guests: [{memory: 4MiB, tasks: [{pages: 3, pattern: {trace: t.csv}}]}]\n`;
  const place = "s.yaml:3:61: guests[0].tasks[0].pattern.trace: ";

  it.each<[string, LoadOptions["trace"], string]>([
    ["nobody can read", undefined, "t.csv: there is nobody here to read files"],
    [
      "cannot be read",
      () => {
        throw new Error("t.csv: gone");
      },
      "t.csv: gone",
    ],
    ["is wrong", () => "page,write\n1,2\n", 't.csv:2: "2" is not one of 0, 1, false, true'],
    ["has too many pages", () => "page,write\n3,0\n", "t.csv has 4 pages, and the range 3"],
  ])("that %s is reported where its file is named", (_what, read, message) => {
    expect(refusal(text, read === undefined ? {} : { trace: read })).toEqual([place + message]);
  });

  it("is read once for all tasks that have it", () => {
    const read: string[] = [];
    const twice = text.replace("]}]", ", {pattern: {trace: t.csv}}]}]");
    const { guests } = loadScenario(twice, "s.yaml", {
      trace: (file) => {
        read.push(file);
        return "1,5\n1,6\n";
      },
    });
    expect(read).toEqual(["t.csv"]);
    expect(guests[0]?.tasks).toHaveLength(2);
  });
});

describe("several mistakes", () => {
  it("are all there, a line each, in the order of the text", () => {
    const guests = "- {memory: 1, vcpus: 0}\n- memory: x\n  tasks: [{pattern: {shift: {step: 0}}}]\n";
    const text = `${head}kernel: v9\nguests:\n${guests}`;
    expect(refusal(text).map((line) => line.slice(0, line.indexOf(" ", 16)))).toEqual([
      "s.yaml:3:9: kernel:",
      "s.yaml:5:22: guests[0].vcpus:",
      "s.yaml:6:11: guests[1].memory:",
      "s.yaml:7:29: guests[1].tasks[0].pattern.shift.pages:",
      "s.yaml:7:29: guests[1].tasks[0].pattern.shift.every:",
      "s.yaml:7:36: guests[1].tasks[0].pattern.shift.step:",
    ]);
  });
});
