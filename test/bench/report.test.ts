import { describe, expect, it } from "vitest";
import type { Environment } from "../../bench/environment.ts";
import { measure } from "../../bench/measure.ts";
import { type Question, TRANSITION } from "../../bench/question.ts";
import { type SuiteAnswers, jsonOf, markdown, merged, text } from "../../bench/report.ts";

const machine = { cpu: "c", cores: 2, memoryGib: 4, os: "o", node: "n", version: "1" };
const before: Environment = { ...machine, date: "2026-01-01", commit: "aaa" };
const after: Environment = { ...machine, date: "2026-02-02", commit: "bbb" };

function pause(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, 2);
  });
}

const twice: Question = {
  title: "t",
  unit: TRANSITION,
  units: 10,
  warmups: 0,
  rounds: 1,
  contestants: () => [
    { name: "ten", run: pause, hash: () => null },
    { name: "a thousand", run: pause, hash: () => null, units: () => 1000 },
  ],
};

const suites = (...names: string[]): SuiteAnswers[] => names.map((suite) => ({ suite, answers: [] }));

describe("a question", () => {
  it("divides the time of a contestant by its own amount of work", async () => {
    const answer = await measure(twice);
    expect(text(answer)).toContain("ns/transition (median)");
    const [ten, thousand] = answer.rows;
    expect(thousand?.nsPerUnit).toBeLessThan(ten?.nsPerUnit ?? 0);
    expect([thousand?.relative, (ten?.relative ?? 0) > 10]).toEqual([1, true]);
    expect(jsonOf(answer)).toMatchObject({
      transitions: 10,
      rows: [{ nsPerTransition: expect.any(Number) }, { transitions: 1000 }],
    });
  });
});

describe("RESULTS.md", () => {
  const old = markdown(before, suites("migrate", "verify"));

  it("keeps the sections of suites that did not run, and their date", () => {
    const parts = merged(old, after, suites("migrate"), ["migrate", "verify"]).split(/^(?=## )/m);
    expect(parts.map((part) => /aaa|bbb/.exec(part)?.[0])).toEqual(["aaa", "bbb", undefined]);
    expect(parts[2]).toBe(old.split(/^(?=## )/m)[2]);
  });

  it("has new sections in the order of the suites", () => {
    const all = merged(old, after, suites("explore", "fault"), ["migrate", "fault", "verify", "explore"]);
    expect(all.match(/^## .*$/gm)).toEqual(["## migrate", "## fault", "## verify", "## explore"]);
  });

  it("is the same when the same is measured again", () => {
    const once = merged(old, after, suites("verify"), ["migrate", "verify"]);
    expect(merged(once, after, suites("verify"), ["migrate", "verify"])).toBe(once);
  });
});
