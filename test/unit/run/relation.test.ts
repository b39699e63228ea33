import { describe, expect, it } from "vitest";
import { holds, parseRelation } from "../../../src/run/validate/relation.ts";

const fields = {
  rounds: 5,
  pinned: 2,
  pages: 100,
  failed: -3,
  vmstat: { pgmigrate_fail: 8 },
  whereAfter: { node1: 98 },
  statusCounts: {},
  text: "7",
};

/** Null: not a relation, or one that names a field which is not a number here. */
function outcome(text: string): boolean | null {
  const relation = parseRelation(text);
  return relation === null ? null : holds(relation, fields);
}

describe("relations", () => {
  it.each([
    ["rounds == 5", true],
    ["rounds == 6", false],
    ["rounds != 6", true],
    ["rounds >= 5", true],
    ["rounds > 5", false],
    ["rounds <= 4", false],
    ["rounds < 6", true],
    ["vmstat.pgmigrate_fail == (rounds - 1) * pinned", true],
    ["vmstat.pgmigrate_fail == rounds - 1 * pinned", false],
    ["whereAfter.node1 == pages - pinned", true],
    ["pages - pinned - 1 == 97", true],
    ["pages / pinned / 5 == 10", true],
    ["failed == -3", true],
    ["-failed + 2 * pinned == 7", true],
    ["1.5 * pinned == 3", true],
    ["whereAfter.node0 == 0", true],
    ["vmstat.thp_split == 0", true],
    ["statusCounts.node1 == 0", true],
  ])("%s: %s", (text, expected) => {
    expect(outcome(text)).toBe(expected);
  });

  it.each(["toucherOps > 0", "text == 7", "whereAfter > 0", "vmstat.a.b == 0", "constructor == 0"])(
    "%s names no number, so nothing is said",
    (text) => {
      expect(parseRelation(text)).not.toBeNull();
      expect(outcome(text)).toBeNull();
    },
  );

  it.each([
    "",
    "rounds",
    "rounds + 1",
    "rounds = 5",
    "rounds == ",
    "1 < rounds < 9",
    "(rounds == 5",
    "rounds == 5)",
    "rounds == 5 && pinned == 2",
    "f(rounds) == 5",
    'rounds == "5"',
    "rounds === 5",
    "vmstat. == 0",
    "rounds == 5; 1 == 1",
  ])("%j is none", (text) => {
    expect(parseRelation(text)).toBeNull();
  });
});
