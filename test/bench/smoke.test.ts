import { describe, expect, it } from "vitest";
import { smoke } from "../../bench/measure.ts";
import type { Contestant, Question } from "../../bench/question.ts";
import { suites } from "../../bench/suites/index.ts";

describe.each(suites)("bench $name", (suite) => {
  it.each(suite.questions("smoke"))("all contestants leave the same state: $title", async (question) => {
    await expect(smoke(question)).resolves.toBeUndefined();
  });
});

function comparing(...hashes: (string | null)[]): Question {
  const contestants = hashes.map((hash, index): Contestant => ({
    name: `contestant ${index}`,
    run: () => undefined,
    hash: () => hash,
  }));
  return { title: "t", units: 1, warmups: 1, rounds: 1, contestants: () => contestants };
}

describe("comparing", () => {
  it("names the contestant that did different work", async () => {
    await expect(smoke(comparing("a", "a", "b"))).rejects.toThrow(
      "contestant 0 and contestant 2 did different work: a and b",
    );
  });

  it("leaves out a contestant that has no state of its own", async () => {
    await expect(smoke(comparing("a", null, "a"))).resolves.toBeUndefined();
  });
});
