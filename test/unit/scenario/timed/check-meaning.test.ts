import { describe, expect, it } from "vitest";
import { write, type Fields } from "../written.ts";
import { everyField, refusal, smallest, trace } from "./documents.ts";

/** everyField with another value of a key. */
function changed(change: Fields): string {
  return write({ ...everyField, ...change }).text;
}

describe("a scenario that contradicts itself", () => {
  const guest = { name: "first", memory: 1024 };
  const zone = { kind: "normal", size: 512 };

  it.each<[string, Fields, string, string]>([
    ["two guests of a name", { guests: [guest, guest] }, "guests[1].name", "[0] is called first, too"],
    [
      "a guest that has the name another one gets",
      { guests: [{ memory: 8 }, { name: "guest-0", memory: 8 }, { memory: 8 }] },
      "guests[1].name",
      "[0] is called guest-0, too",
    ],
    [
      "two groups of tasks of a name",
      { guests: [{ ...guest, tasks: [{ name: "t" }, { name: "t" }] }] },
      "guests[0].tasks[1].name",
      "[0] is called t, too",
    ],
    [
      "two operations of a name",
      {
        operations: [
          { do: "drain", name: "x" },
          { do: "signal", name: "x" },
        ],
      },
      "operations[1].name",
      "[0] is called x, too",
    ],
    [
      "nobody",
      { pinners: [{ guest: "third", atOnce: 1 }] },
      "pinners[0].guest",
      "there is no third, only first, second",
    ],
    [
      "a guest left out of two",
      { pinners: [{ atOnce: 1 }] },
      "pinners[0].guest",
      "is missing, there are first",
    ],
    [
      "a range that begins outside",
      { pinners: [{ guest: "second", firstPage: 1024, atOnce: 1 }] },
      "pinners[0].firstPage",
      "there is no page 1024: the guest has 1024 pages, counted from 0",
    ],
    [
      "a range that ends outside",
      { migrations: [{ guest: "second", firstPage: 1000, pages: 25, perSecond: 1, toNode: 0 }] },
      "migrations[0].pages",
      "the range ends at page 1025, and the guest has 1024 pages",
    ],
    [
      "a range of tasks that ends outside",
      {
        guests: [
          { ...guest, tasks: [{ pages: 1025 }] },
          { ...guest, name: "second" },
        ],
      },
      "guests[0].tasks[0].pages",
      "the range ends at page 1025",
    ],
    [
      "more touched than there is",
      { guests: [{ ...guest, touched: 1025 }] },
      "guests[0].touched",
      "1024 pages, not",
    ],
    [
      "a window wider than the range",
      {
        guests: [
          { ...guest, tasks: [{ pages: 9, pattern: { shift: { pages: 10, step: 1, every: "1s" } } }] },
        ],
      },
      "guests[0].tasks[0].pattern.shift.pages",
      "a window of 10 pages does not fit into a range of 9",
    ],
    [
      "halves of a page",
      { guests: [{ ...guest, tasks: [{ pages: 1, pattern: { pingPong: { every: "1s" } } }] }] },
      "guests[0].tasks[0].pattern",
      "a range of one page has no halves",
    ],
    [
      "sleep without an end",
      { guests: [{ ...guest, tasks: [{ sleepEvery: 5 }] }] },
      "guests[0].tasks[0].sleepEvery",
      "it sleeps for 0s",
    ],
    [
      "sleep that never comes",
      { guests: [{ ...guest, tasks: [{ sleepFor: "1s" }] }] },
      "guests[0].tasks[0].sleepFor",
      "it never sleeps",
    ],
    ["a pinner that does nothing", { pinners: [{ guest: "first" }] }, "pinners[0]", "pins nothing"],
    [
      "a pinner after the end",
      { pinners: [{ guest: "first", atOnce: 1, start: "3s" }] },
      "pinners[0].start",
      "is after the end",
    ],
    [
      "a node that there is not",
      { operations: [{ do: "move-pages", guest: "first", toNode: 2 }] },
      "operations[0].toNode",
      "there is no node 2: the host has 2 nodes, from 0",
    ],
    [
      "a block that there is not",
      { operations: [{ do: "offline", block: 4 }] },
      "operations[0].block",
      "there is no whole block 4: the host has 0 … 3, of 128MiB each",
    ],
    [
      "a vCPU that there is not",
      { operations: [{ do: "pause", guest: "first", vcpu: 2 }] },
      "operations[0].vcpu",
      "there is no vCPU 2: the guest has 2 vCPUs, counted from 0",
    ],
    [
      "a limit above all memory",
      { operations: [{ do: "resize", memoryLimit: "1GiB" }] },
      "operations[0].memoryLimit",
      "262144 pages are more than the host has, 131072",
    ],
    [
      "an operation after the end",
      { operations: [{ do: "drain", at: "3s" }] },
      "operations[0].at",
      "is after the end",
    ],
    ["a policy twice", { policies: ["rfc+L1+L2", "rfc+L2+L1"] }, "policies[1]", "is the same as [0]"],
    ["a seed twice", { seeds: [1, 2, 1] }, "seeds[2]", "is the same as [0]"],
    ["an interval longer than all", { interval: "3s" }, "interval", "is longer than the duration"],
    ["a recount later than all", { verify: "3s" }, "verify", "is longer than the duration"],
    ["too many intervals", { interval: "19us" }, "interval", "has more than 100000 of them"],
    ["nothing to wait for", { untilDone: true, operations: [] }, "untilDone", "there are no operations"],
    [
      "a limit that is none",
      { host: { memoryLimit: "384MiB", swap: [{ kind: "hdd", size: 4096 }] } },
      "host.memoryLimit",
      "98304 pages are not less than the host has, 98304",
    ],
    [
      "zones in a wrong order",
      { host: { nodes: [{ zones: [{ kind: "movable", size: 512 }, zone] }] } },
      "host.nodes[0].zones[1].kind",
      "normal cannot come behind movable in a node",
    ],
    [
      "a zone twice",
      { host: { nodes: [{ zones: [zone, zone] }] } },
      "host.nodes[0].zones[1].kind",
      "normal cannot come behind normal",
    ],
    [
      "half a pageblock",
      { host: { nodes: [{ zones: [{ kind: "normal", size: 513 }] }] } },
      "host.nodes[0].zones[0].size",
      "513 pages are not a multiple of 512, the pageblock (2MiB)",
    ],
    [
      "too much memory",
      { host: { nodes: [{ zones: [zone] }, { zones: [{ kind: "normal", size: "256GiB" }] }] } },
      "host.nodes",
      "there are 67109376 frames, at most 67108864 (256GiB) may be",
    ],
    [
      "too many zones",
      {
        host: {
          nodes: Array.from({ length: 6 }, () => ({
            zones: ["dma32", "normal", "movable"].map((kind) => ({ kind, size: 512 })),
          })),
        },
      },
      "host.nodes",
      "there are 18 zones, at most 16 may be",
    ],
    [
      "too many vCPUs",
      {
        guests: [
          { ...guest, vcpus: 4000 },
          { memory: 1, name: "second", vcpus: 97 },
        ],
      },
      "guests",
      "there are 4097 vCPUs, at most 4096 may be",
    ],
    [
      "guests with too much memory",
      {
        guests: [
          { ...guest, touched: 0, memory: "256GiB" },
          { memory: 1, name: "second" },
        ],
      },
      "guests",
      "have 67108865 pages, at most 67108864 (256GiB) may be",
    ],
    [
      "children with too much memory",
      {
        guests: [{ ...guest, touched: 0, memory: "128GiB" }],
        operations: [
          { do: "fork", name: "a" },
          { do: "fork", name: "b" },
        ],
      },
      "guests",
      "guests and children of forks have 100663296 pages",
    ],
    [
      "pins without end",
      { pinners: [{ guest: "first", perSecond: 10_000_000 }] },
      "pinners[0]",
      "holds up to 20000000 pins at one time, at most 16777216 may be",
    ],
    [
      "too much swap",
      {
        host: {
          swap: [
            { kind: "hdd", size: "128GiB" },
            { kind: "ssd", size: "128GiB" },
          ],
        },
      },
      "host.swap",
      "has 67108864 pages, fewer than 67108864 may be",
    ],
    [
      "more touched than fits",
      { host: { memoryLimit: "4MiB", swap: [] }, guests: [guest, { name: "second", memory: 1 }] },
      "guests",
      "touch 1025 pages at first, and memory and swap have room for 1024",
    ],
    [
      "more swapped out than fits",
      { host: { swap: [{ kind: "hdd", size: 511 }] }, guests: [{ ...guest, swappedOut: 500 }] },
      "guests",
      "have 512 pages swapped out at first, and swap has room for 511",
    ],
  ])("%s", (_what, change, path, wrong) => {
    // What refers to guests and nodes that the change may have taken away.
    const text = changed({ pinners: [], migrations: [], operations: [], ...change });
    const lines = refusal(text, { trace });
    expect(lines).toEqual([expect.stringMatching(/^s\.yaml:\d+:\d+: /)]);
    const [, place = "", message = ""] = /^s\.yaml:\d+:\d+: (\S+): (.*)$/.exec(lines[0] ?? "") ?? [];
    expect(place).toBe(path);
    expect(message).toContain(wrong);
  });

  it("stands at the line and column of the value", () => {
    const text = `${smallest}operations:\n- do: offline\n  block: 9\n- {do: drain, at: 11s}\n`;
    expect(refusal(text)).toEqual([
      "s.yaml:7:10: operations[0].block: there is no whole block 9: the host has 0 … 2, of 128MiB each",
      "s.yaml:8:19: operations[1].at: is after the end",
    ]);
  });

  it("has a block that lies in two zones", () => {
    const zones = "[{kind: normal, size: 192MiB}, {kind: movable, size: 192MiB}]";
    const text = `${smallest}host: {nodes: [{zones: ${zones}}]}\noperations: [{do: offline, block: 1}]\n`;
    expect(refusal(text)).toEqual([expect.stringContaining("block 1 lies in more than one zone")]);
    expect(refusal(text, { set: ["operations[0].block=2"] })).toEqual([]);
  });

  it("has another name than its file", () => {
    expect(refusal(smallest, { name: "b" })).toEqual([`s.yaml:1:7: name: "a" is not the file's name, b`]);
    expect(refusal(smallest, { name: "a" })).toEqual([]);
  });
});
