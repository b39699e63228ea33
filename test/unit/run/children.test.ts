/** Recordings with children: what a fork shares, who moves it, and what is left when a child goes. */
import { describe, expect, it } from "vitest";
import { AGREES, type Json, host, mapStep, moveStep, outcomeOf, pinStep, replaySteps } from "./recordings.ts";

const ALL = { flags: "MOVE_ALL" };
const fork = (children: number, more: Json = {}): Json => ({ op: "fork", children, ...more });
const NOTHING_MOVES = { vmstat: { pgmigrate_success: 0 } };
const exit = (child: string): Json => ({ op: "exit", child });

/** A move to node 1 that meets `pages` pages with these counts, which 3.11 and 6.x give different names. */
function meets(pages: number, refcount: number, mapcount: number, more: Json = {}): Json {
  const refs = [{ refcount, mapcount, times: pages }];
  const observed = { whereAfter: { node1: pages }, refsAtTryToMigrate: refs, refsAtTryToUnmap: refs };
  return moveStep(1, observed, more);
}

// Counts of the rules that the recorder wrote down: a reference for each mapping, one for the isolation, and
// one for the page cache, where shared anonymous memory is.
describe.each(["3.11.0", "6.1.192", "6.12.117"])("pages of a process that forks on %s", (kernel) => {
  it.each([
    ["anon", 1, "none", 3, 2],
    ["anon", 2, "none", 4, 3],
    ["anon", 7, "read", 9, 8],
    ["anon-shared", 3, "read", 6, 4],
    ["anon-shared", 3, "write", 6, 4],
  ])("%s, %i children, %s: all map them, and only MOVE_ALL moves them", async (...row) => {
    const [kind, children, childTouch, refcount, mapcount] = row;
    const steps = [
      mapStep(20, { kind }),
      fork(children, { childTouch }),
      moveStep(1, { ret: 0, statusCounts: { "-EACCES": 20 }, whereAfter: { node0: 20 } }),
      meets(20, refcount, mapcount, ALL),
    ];
    expect(await outcomeOf(steps, { kernel })).toEqual(AGREES);
  });

  it.each([
    ["the child has written to them", [mapStep(4), fork(1, { childTouch: "write" })], 2],
    ["it has written to them itself", [mapStep(4), fork(1), { op: "write", region: "a", pages: "all" }], 2],
    [
      "a child has pinned its own",
      [mapStep(4), fork(1), pinStep("p", "all", { by: "child:0", how: "odirect" })],
      2,
    ],
    ["the children have left", [mapStep(4), fork(2, { childTouch: "read" }), exit("all")], 2],
    ["no child inherits them", [mapStep(4, { dontFork: true }), fork(3, { childTouch: "read" })], 2],
    [
      "no child has faulted them in",
      [mapStep(4, { kind: "anon-shared" }), fork(2, { childTouch: "none" })],
      3,
    ],
  ])("are its own if %s", async (_, setUp, refcount) => {
    expect(await outcomeOf([...setUp, meets(4, refcount, 1)], { kernel })).toEqual(AGREES);
  });
});

describe("children", () => {
  it("that exit leave the rest to the others, and their name to the next", async () => {
    expect(
      await outcomeOf([
        mapStep(4),
        fork(3),
        exit("child:1"),
        meets(4, 4, 3, ALL),
        fork(1),
        exit("child:0"),
        exit("child:1"),
        exit("child:2"),
        moveStep(0, { refsAtTryToMigrate: [{ refcount: 2, mapcount: 1, times: 4 }] }),
      ]),
    ).toEqual(AGREES);
  });

  it("have children of their own", async () => {
    expect(
      await outcomeOf([
        mapStep(4),
        fork(1, { childTouch: "write" }),
        fork(1, { by: "child:0" }),
        meets(4, 2, 1),
        meets(4, 3, 2, { ...ALL, by: "child:1" }),
      ]),
    ).toEqual(AGREES);
  });

  it("inherit nothing of a region that is gone", async () => {
    const gone = { op: "unmap", region: "a", pages: "all" };
    const left = { ...ALL, region: "b" };
    const steps = [mapStep(4), mapStep(8, { region: "b" }), gone, fork(1), meets(8, 3, 2, left)];
    expect(await outcomeOf(steps)).toEqual(AGREES);
  });

  it.each(["child", "child:0", "child:1"])("move what all share: %s", async (mover) => {
    const parent = moveStep(1, { ...NOTHING_MOVES, status: [1, 1, 1, 1] }, { by: "parent" });
    expect(await outcomeOf([mapStep(4), fork(2, { mover }), meets(4, 4, 3, ALL), parent])).toEqual(AGREES);
  });

  it("move their own pages while they are the mover, and the parent those that they left", async () => {
    expect(
      await outcomeOf([
        mapStep(4),
        fork(1, { childTouch: "write", mover: "child:0" }),
        meets(4, 2, 1),
        moveStep(0, { ...NOTHING_MOVES, whereAfter: { node0: 4 } }, { by: "parent" }),
        exit("all"),
        meets(4, 2, 1),
      ]),
    ).toEqual(AGREES);
  });

  it("are where pages are looked for that their migrate_pages() moves", async () => {
    const observed = { ret: 0, pages: 4, whereAfter: { node1: 4 } };
    expect(
      await outcomeOf([
        mapStep(4),
        fork(1, { childTouch: "write" }),
        { op: "migratePages", by: "child:0", fromNodes: [0], toNodes: [1], observed },
        moveStep(0, { ...NOTHING_MOVES, whereAfter: { node0: 4 } }),
      ]),
    ).toEqual(AGREES);
  });

  it("that have left have no regions", async () => {
    const steps = [mapStep(4), fork(1), exit("all"), moveStep(1, {}, { by: "child:0" })];
    await expect(replaySteps(steps)).rejects.toThrowError(
      'case.json: steps[3] (movePages): region: "a" of child:0 is not one of parent a',
    );
  });

  it("that get no frame for what fork must copy are a mistake of the recording", async () => {
    const pin = pinStep("p", "all", { how: "io_uring" });
    const steps = [mapStep(1200), pin, fork(1), moveStep(0, { ret: 0 })];
    await expect(
      replaySteps(steps, { host: { ...host, nodes: [{ id: 0, pages: 2048 }] } }),
    ).rejects.toThrowError("case.json: steps[2] (fork): fork: ENOMEM");
  });
});
