import * as fs from "node:fs";
import * as path from "node:path";
import { describe, expect, it } from "vitest";
import { type CaseResult, parseRecording, replay } from "../../src/run/validate.ts";

const folder = import.meta.dirname;
const kernels = ["3.11", "6.1", "6.12"];

/** The recordings of a kernel; a folder that is missing or empty is an error. */
function recordingsOf(kernel: string): string[] {
  return fs
    .readdirSync(path.join(folder, kernel))
    .filter((name) => name.endsWith(".json"))
    .map((name) => `${kernel}/${name}`);
}

async function replayFile(file: string): Promise<CaseResult> {
  return replay(parseRecording(fs.readFileSync(path.join(folder, file), "utf8"), file));
}

const SUPPORTED = ["offline", "timed", "fork", "longterm", "file", "writeback", "swap", "ksm"];

/** Whether a case needs more than the model has, read from the file itself. */
function needsMore(file: string): boolean {
  const { needs }: { needs: string[] } = JSON.parse(fs.readFileSync(path.join(folder, file), "utf8"));
  return needs.some((need) => !SUPPORTED.includes(need));
}

const files = kernels.flatMap(recordingsOf);
const modelled = files.filter((file) => !needsMore(file));
const foreign = files.filter(needsMore);

describe("recordings", () => {
  it("are all here: 13 of 3.11, 75 of 6.1 and 32 of 6.12", () => {
    expect(kernels.map((kernel) => recordingsOf(kernel).length)).toEqual([13, 75, 32]);
  });

  it("of 93 cases are replayed, and 27 need more than is modelled", () => {
    expect([modelled.length, foreign.length]).toEqual([93, 27]);
  });

  it("are counted so in the README", () => {
    const readme = fs.readFileSync(path.join(folder, "../../README.md"), "utf8");
    expect(readme).toContain(`${modelled.length} of them need only what is modelled`);
    expect(readme).toContain(`${foreign.length} are not modelled`);
  });
});

describe("what the kernel did, the model does", () => {
  it.each(modelled)("%s", async (file) => {
    const { result, disagreements, checked } = await replayFile(file);
    expect({ result, disagreements }).toEqual({ result: "agree", disagreements: [] });
    expect(checked).toBeGreaterThan(1);
  });
});

describe("what needs more never counts as agreeing", () => {
  it.each(foreign)("%s", async (file) => {
    const { result, reason, checked } = await replayFile(file);
    expect({ result, checked }).toEqual({ result: "not-modelled", checked: 0 });
    expect(reason).toMatch(/^needs /);
  });
});

describe("named deviations", () => {
  it("are one: the entry probe was off when 3.11 recorded mbind()", async () => {
    const results = await Promise.all(modelled.filter((file) => file.includes("mbind")).map(replayFile));
    const found = results.flatMap(({ file, deviations }) =>
      deviations.map(({ id, what, recorded, simulated }) => ({ file, id, what, recorded, simulated })),
    );
    const expected = { id: "entry-probe-off", what: "tryToUnmapCalls", recorded: 0, simulated: 100 };
    expect(found).toEqual([{ file: "3.11/mbind-strict.json", ...expected }]);
  });
});
