import { describe, expect, it } from "vitest";
import type { RepairName } from "../../../src/core/names.ts";
import { SimError } from "../../../src/errors.ts";
import { renderStoryMarkdown, renderStoryTable } from "../../../src/report/story.ts";
import { painter } from "../../../src/report/table.ts";
import { explore } from "../../../src/run/explore/explore.ts";
import type { ScheduleStep } from "../../../src/run/explore/result.ts";
import { parseSchedule } from "../../../src/run/explore/schedule.ts";
import { type Story, tellStory } from "../../../src/run/explore/story.ts";
import { builtinModel } from "../../../src/scenario/model/builtin.ts";

function tell(text: string): Promise<Story> {
  const { model, variant, schedule } = parseSchedule(text);
  return tellStory(builtinModel(model), variant, schedule, "0.1.0");
}

/** Lets the first actor that can go on do so, until nobody can. */
async function toTheEnd(text: string): Promise<Story> {
  const { model, variant } = parseSchedule(text);
  let schedule: readonly number[] = [];
  for (let actor = 0; actor < 16;) {
    const longer = [...schedule, actor];
    try {
      // oxlint-disable-next-line no-await-in-loop -- each step depends on the one before
      const story = await tellStory(builtinModel(model), variant, longer, "0.1.0");
      if (story.end !== null) return story;
      schedule = longer;
      actor = 0;
    } catch (error) {
      if (!(error instanceof SimError)) throw error;
      actor += 1;
    }
  }
  throw new Error("nobody can go on, but it is not the end");
}

describe("a finding's schedule", () => {
  it.each<[string, RepairName[]]>([
    ["one-fault", []],
    ["two-vcpus", []],
    ["two-vcpus", ["L1"]],
    ["migrate", []],
    ["migrate", ["L1", "L2", "L3", "L4"]],
    ["two-migrators", []],
  ])("of %s, repaired by %j, tells the same finding again", async (name, repairs) => {
    const variant = { kernel: "v3.12", policy: "rfc", repairs } as const;
    const { findings } = await explore({ variant, models: [builtinModel(name)] }, "0.1.0");
    expect(findings.length).toBeGreaterThan(0);
    for (const { invariant, transition, field, kind, pfn, detail, schedule, steps } of findings) {
      // oxlint-disable-next-line no-await-in-loop -- one machine after the other
      const story = await tell(schedule);
      const breaks = [...(story.steps.at(-1)?.breaks ?? []), ...(story.end ?? [])];
      expect(breaks).toContainEqual({ invariant, transition, field, kind, pfn, detail });
      expect(story.schedule).toBe(schedule);
      // Of several findings in one step the story shows the page of the last.
      const samePage = breaks.findLast((broken) => broken.pfn !== 0)?.pfn === pfn;
      const same = (step: ScheduleStep): object => (samePage ? step : { ...step, page: null });
      expect(story.steps.map((step) => same(step))).toMatchObject(steps.map((step) => same(step)));
    }
  });
});

describe("the end", () => {
  it("is none while somebody can go on", async () => {
    expect(await tell("one-fault@v3.12/rfc:a")).toMatchObject({ end: null, crash: null });
  });

  it("is clean if nothing is left behind", async () => {
    const story = await toTheEnd("one-fault@v3.12/pin:");
    expect(story.end).toEqual([]);
    expect(renderStoryTable(story, { paint: painter(false), columns: 120 })).toContain(
      `After ${story.steps.length} steps nobody has anything left to do, and nothing is left behind.\n`,
    );
  });

  it("can be a crash, with which the schedule ends", async () => {
    const story = await tell("migrate@v3.12/rfc:aec6d6");
    expect(story).toMatchObject({ end: null, crash: { kind: "oops", function: "mutex_lock" } });
    expect(story.steps.at(-1)?.breaks).toMatchObject([
      { invariant: "INV-LOCK", kind: "oops", detail: "oops: mutex_lock ← try_to_unmap_file ← try_to_unmap" },
    ]);
    expect(renderStoryMarkdown(story)).toContain("After 14 steps the simulated kernel has crashed.");
    await expect(tell("migrate@v3.12/rfc:aec6d7")).rejects.toThrow(
      "schedule: step 15: the simulated kernel has crashed in step 14",
    );
  });
});

describe("the state hash", () => {
  it("is that of the state: of steps that lead to the same one the same", async () => {
    const [first, second, other] = await Promise.all(
      ["migrate@v3.12/rfc:ad", "migrate@v3.12/rfc:ad", "migrate@v3.12/rfc:a"].map((text) => tell(text)),
    );
    expect(first?.stateHash).toMatch(/^[0-9a-f]{16}$/);
    expect(second?.stateHash).toBe(first?.stateHash);
    expect(other?.stateHash).not.toBe(first?.stateHash);
  });
});

describe("a step that cannot be taken", () => {
  it.each([
    [
      "waits",
      "one-fault@v3.12/rfc:aa",
      "step 2: a (vcpu 0) cannot take it, it waits before “access” in guest",
    ],
    ["has nothing to do", "one-fault@v3.12/rfc:ab", "step 2: b (vcpu 0) has nothing to do"],
    [
      "is of nobody",
      "one-fault@v3.12/rfc:ap",
      "step 2: the model one-fault has no actor p: it has a (vcpu 0), b",
    ],
  ])("%s: the error says so", async (_, text, message) => {
    await expect(tell(text)).rejects.toThrow(`schedule: ${message}`);
  });
});
