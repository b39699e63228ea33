/** Lists that are always full, until they shrink. */
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { fullList } from "./operations/full-list.ts";

const LENGTH = 50;

it("are as long as asked for", () => {
  const lists = fc.sample(fullList(fc.nat(), LENGTH), { numRuns: 20, seed: 1 });
  expect(lists.map(({ length }) => length)).toEqual(lists.map(() => LENGTH));
});

it("shrink to what makes a property fail, in number and in what they are of", () => {
  const property = fc.property(fullList(fc.nat({ max: 100 }), LENGTH), (list) => list.every((n) => n < 60));
  const { counterexample } = fc.check(property, { seed: 1 });
  expect(counterexample).toEqual([[60]]);
});
