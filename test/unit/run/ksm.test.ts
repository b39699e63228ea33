/** Replaying recordings of pages that KSM has merged. */
import { expect, it } from "vitest";
import { AGREES, type Json, mapStep, moveStep, outcomeOf, pinStep } from "./recordings.ts";

const merge = (groupsOf: number, observed: Json): Json => ({
  op: "ksmMerge",
  region: "a",
  groupsOf,
  observed,
});

// Answers of the rules that the recorder wrote down: at try_to_migrate an isolated page has a reference for
// each PTE and one more, and a page that several PTEs map moves with MOVE_ALL alone.
it("the groups that are said to be equal are merged, also where the last one is short", async () => {
  expect(
    await outcomeOf([
      mapStep(7),
      merge(3, { pagesShared: 2, pagesSharing: 4 }),
      moveStep(1, { ret: 0, status: [-13, -13, -13, -13, -13, -13, 1], whereAfter: { node0: 6, node1: 1 } }),
      moveStep(
        1,
        {
          ret: 0,
          status: [1, 1],
          whereAfter: { node1: 2 },
          refsAtTryToMigrate: [{ refcount: 4, mapcount: 3, times: 2 }],
        },
        { entries: [0, 3], flags: "MOVE_ALL" },
      ),
    ]),
  ).toEqual(AGREES);
});

it("children that were forked before and since map the page too", async () => {
  const fork: Json = { op: "fork", children: 1, childTouch: "read", mover: "parent" };
  expect(
    await outcomeOf([
      mapStep(2),
      fork,
      merge(2, { pagesShared: 1, pagesSharing: 1 }),
      fork,
      moveStep(
        1,
        { ret: 0, status: [1], refsAtTryToMigrate: [{ refcount: 6, mapcount: 5, times: 1 }] },
        { entries: [0], flags: "MOVE_ALL" },
      ),
    ]),
  ).toEqual(AGREES);
});

it("a number of pages that is not the recorded one disagrees", async () => {
  const pinned = [mapStep(4), pinStep("p", [1]), merge(4, { pagesShared: 1, pagesSharing: 3 })];
  expect(await outcomeOf(pinned)).toMatchObject({
    result: "disagree",
    disagreements: [{ step: 2, what: "pagesSharing", recorded: 3, simulated: 2 }],
  });
});
