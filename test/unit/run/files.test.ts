/** Recordings with files: who holds their pages, who else maps them, and what a device writes meanwhile. */
import { describe, expect, it } from "vitest";
import { AGREES, type Json, mapStep, moveStep, outcomeOf, pinStep } from "./recordings.ts";

const unpin = (id: string, more: Json = {}): Json => ({ op: "unpin", id, ...more });
const write = (durationMs: number): Json => ({ op: "writeback", region: "a", durationMs });
const wait = (ms: number): Json => ({ op: "wait", ms });

const sample = (flags: string[]): Json => ({ samplePagesBefore: [{ index: 7, flags }] });

/** Eight pages go to node 1 at the first attempt. */
function moves(refcount: number, more: Json = {}): Json {
  return moveStep(1, {
    ret: 0,
    whereAfter: { node1: 8 },
    refsAtTryToMigrate: [{ refcount, mapcount: 1, times: 8 }],
    ...more,
  });
}

/** One of eight pages stays on node 0, after so many unmaps and checks. */
function oneStays(refcount: number, unmaps: number, checks: number): Json {
  return moveStep(1, {
    ret: 1,
    pinned: 1,
    whereAfter: { node0: 1, node1: 7 },
    refsAtTryToMigrate: [
      { refcount: refcount - 1, mapcount: 1, times: 7 },
      { refcount, mapcount: 1, times: unmaps },
    ],
    attemptsPerFolio: [
      { moved: true, unmaps: 1, checks: 1, folios: 7 },
      { moved: false, unmaps, checks, folios: 1 },
    ],
  });
}

// Counts of the rules that the recorder wrote down: one reference for the mapping, one for the isolation, one
// for the page cache, and one for buffer heads.
describe("references of the page cache", () => {
  it.each([
    ["tmpfs", "vmsplice", "6.1.192", 4, 10, 10],
    ["tmpfs", "splice", "6.1.192", 4, 10, 10],
    ["tmpfs", "splice", "6.12.117", 4, 2, 10],
    ["file-rootfs", "splice", "6.12.117", 4, 2, 10],
    ["file-text", "vmsplice", "6.1.192", 4, 10, 10],
    ["file-text", "splice", "6.12.117", 4, 2, 10],
    ["file-blockdev", "vmsplice", "6.1.192", 5, 10, 0],
    ["file-blockdev", "splice", "6.12.117", 5, 2, 10],
    ["file-blockdev", "odirect", "6.1.192", 5, 10, 0],
  ])("%s, %s on %s", async (kind, how, kernel, ...counts) => {
    const steps = [
      mapStep(8, { kind, touch: "read" }),
      pinStep("p", [3], { how }),
      oneStays(...counts),
      unpin("p"),
      moveStep(1, { ret: 0, vmstat: { pgmigrate_success: 1 }, whereAfter: { node1: 8 } }),
    ];
    expect(await outcomeOf(steps, { kernel })).toEqual(AGREES);
  });

  it("cannot be had for writing where the mapping is read-only", async () => {
    const observed = { ret: -14, errno: "EFAULT" };
    const pin = pinStep("p", [3], { how: "io_uring", observed });
    expect(await outcomeOf([mapStep(8, { kind: "file-text", touch: "read" }), pin, moves(3)])).toEqual(
      AGREES,
    );
  });
});

describe("pages that several map", () => {
  const stay = { "-EACCES": 2 };

  it("within a process: program text whose ends are data too", async () => {
    const text = {
      kind: "file-text",
      node: null,
      nodeOfPage: [0, 0, 1, 0, 1, 1, 0, 0],
      mappedTwice: [0, 7],
      touch: "read",
    };
    const once = { statusCounts: { ...stay, node1: 6 }, vmstat: { pgmigrate_success: 3 } };
    const twice = [{ refcount: 4, mapcount: 2, times: 2 }];
    expect(
      await outcomeOf([
        mapStep(8, text),
        moveStep(1, { ret: 0, ...once, refsAtTryToMigrate: [{ refcount: 3, mapcount: 1, times: 3 }] }),
        moveStep(1, { ret: 0, whereAfter: { node1: 8 }, refsAtTryToMigrate: twice }, { flags: "MOVE_ALL" }),
      ]),
    ).toEqual(AGREES);
  });

  it.each(["tmpfs", "file-blockdev"])("two processes, by the same name: %s", async (kind) => {
    const refcount = kind === "tmpfs" ? 4 : 5;
    const all = { refsAtTryToMigrate: [{ refcount, mapcount: 2, times: 8 }] };
    expect(
      await outcomeOf([
        mapStep(8, { kind }),
        mapStep(8, { kind, by: "child:0" }),
        moveStep(1, { ret: 0, statusCounts: { "-EACCES": 8 } }),
        moveStep(1, { ret: 0, whereAfter: { node1: 8 }, ...all }, { flags: "MOVE_ALL", by: "child:0" }),
        { op: "exit", child: "all" },
        moveStep(0, { refsAtTryToMigrate: [{ refcount: refcount - 1, mapcount: 1, times: 8 }] }),
      ]),
    ).toEqual(AGREES);
  });

  it.each([
    ["size", { kind: "tmpfs" }],
    ["kind", { kind: "file-blockdev", pages: 8 }],
  ])("are not those of a file of another %s", async (_, other) => {
    const steps = [mapStep(8, { kind: "tmpfs" }), mapStep(9, { by: "child:0", ...other }), moves(3)];
    expect(await outcomeOf(steps)).toEqual(AGREES);
  });

  it("are those of another file once the name is mapped anew", async () => {
    const steps = [
      mapStep(8, { kind: "tmpfs" }),
      moves(3),
      { op: "unmap", region: "a", pages: "all" },
      mapStep(8, { kind: "tmpfs" }),
      moves(3),
    ];
    expect(await outcomeOf(steps)).toEqual(AGREES);
  });
});

it("a page that was synchronised faults again at the first write", async () => {
  const touch = { op: "touchWhileMoving", region: "a", durationMs: 100, moves: "none", flags: "MOVE" };
  const writer = { ...touch, observed: { toucherMinorFaults: 1 } };
  expect(await outcomeOf([mapStep(1, { kind: "file-blockdev" }), writer])).toEqual(AGREES);
});

describe("writeback", () => {
  const file = mapStep(8, { kind: "file-blockdev", touch: "read" });
  const busy = { ...sample(["PRIVATE", "WRITEBACK"]), batches: { "8": 1, "0": 8 } };
  const done = { ...sample(["PRIVATE"]), batches: { "0": 1 } };

  // On 6.12 asynchronous attempts leave pages that are under writeback, and synchronous ones wait.
  it.each([
    ["while the device writes", [file, write(700), moves(4, busy)]],
    ["a moment before it answers", [file, write(700), wait(699), moves(4, busy)]],
    ["when it has answered", [file, write(700), wait(699), wait(1), moves(4, done)]],
  ])("is waited for by a move %s", async (_, steps) => {
    expect(await outcomeOf(steps, { kernel: "6.12.117" })).toEqual(AGREES);
  });

  it("takes its time from whoever waits: a read that takes less is done then", async () => {
    const read = pinStep("p", [3], { how: "odirect", ioDurationMs: 600 });
    const one = { entries: [0] };
    const waits = moveStep(1, { ret: 0, status: [1], ioStillInFlightAtEnd: false }, one);
    const after = { samplePagesAfter: [{ index: 7, flags: ["PRIVATE"] }] };
    const second = moveStep(1, { ret: 0, pinned: 0, whereAfter: { node1: 8 }, ...after });
    expect(await outcomeOf([file, read, write(700), waits, second])).toEqual(AGREES);
  });

  it("of pages that somebody holds is waited for, and they stay", async () => {
    // The first three of ten passes leave a page that is under writeback.
    expect(await outcomeOf([file, pinStep("p", [3]), write(700), oneStays(5, 7, 0)])).toEqual(AGREES);
  });
});
