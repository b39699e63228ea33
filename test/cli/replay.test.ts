import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ExploreReport } from "../../src/run/explore/result.ts";
import type { Story } from "../../src/run/explore/story.ts";
import { pinshift } from "./pinshift.ts";

const CRASH = "migrate@v3.12/rfc:aec6d6";

const userModel = `name: of-a-user
title: Does one fault end?
pages: [swapped]
actors:
  - vcpu: { access: [read 0] }
`;

let dir: string;

beforeEach(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), "pinshift-replay-"));
});

afterEach(() => fs.rmSync(dir, { recursive: true }));

function write(file: string, content: string): string {
  const target = path.join(dir, file);
  fs.writeFileSync(target, content);
  return target;
}

function replay(...args: string[]): Story {
  const { code, stdout, stderr } = pinshift("replay", ...args, "--format", "json");
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return JSON.parse(stdout);
}

describe("replay", () => {
  it("plays a schedule, and says where it ends", () => {
    const story = replay(CRASH);
    expect(story).toMatchObject({
      command: "replay",
      kernel: "v3.12",
      policy: "rfc",
      repairs: [],
      model: "migrate",
      schedule: CRASH,
      stateHash: expect.stringMatching(/^[0-9a-f]{16}$/),
      crash: { kind: "oops", trace: ["mutex_lock", "try_to_unmap_file", "try_to_unmap"] },
      end: null,
    });
    expect(story.steps).toHaveLength(14);
    expect(story.steps.map(({ breaks }) => breaks.map(({ invariant }) => invariant))).toEqual([
      ...Array.from({ length: 6 }, () => []),
      ["INV-LOCK"],
      ["INV-TAG", "INV-LOCK"],
      ...Array.from({ length: 5 }, () => []),
      ["INV-LOCK"],
    ]);
  });

  it("prints the same twice", () => {
    expect(replay(CRASH)).toEqual(replay(CRASH));
  });

  it("tells what a report of explore has found, the first finding or another one", () => {
    const file = path.join(dir, "report.json");
    pinshift("explore", "migrate", "--format", "json", "--out", file);
    const { findings }: ExploreReport = JSON.parse(fs.readFileSync(file, "utf8"));
    expect(replay(file).schedule).toBe(findings[0]?.schedule);
    const last = findings.at(-1);
    const story = replay(file, "--finding", String(findings.length));
    expect(story.schedule).toBe(last?.schedule);
    expect([...(story.steps.at(-1)?.breaks ?? []), ...(story.end ?? [])]).toContainEqual(
      expect.objectContaining({
        invariant: last?.invariant,
        transition: last?.transition,
        detail: last?.detail,
      }),
    );
  });

  it("plays a file with a schedule string, and what it has printed itself", () => {
    const story = replay(CRASH);
    expect(replay(write("schedule.txt", `${CRASH}\n`))).toEqual(story);
    expect(replay(write("story.json", JSON.stringify(story)))).toEqual(story);
  });

  it("plays a schedule of a model of the user", () => {
    const file = write("model.yaml", userModel);
    expect(replay("of-a-user@v3.12/rfc:a", "--model", file)).toMatchObject({
      model: "of-a-user",
      title: "Does one fault end?",
    });
  });
});

describe("replay --format", () => {
  it.each([
    ["table", /^Linux v3\.12 · rfc as posted · model migrate\n/, "State hash "],
    ["json", /^\{\n {2}"command": "replay",\n/, '"stateHash": "'],
    ["markdown", /^# Linux v3.12 · rfc as posted · model migrate\n\n/, "| ✗ 14 |"],
    ["html", /^<!doctype html>\n/, "<title>Can a page be migrated"],
  ])("%s", (format, start, part) => {
    const { code, stdout } = pinshift("replay", CRASH, "--format", format);
    expect(code).toBe(0);
    expect(stdout).toMatch(start);
    expect(stdout).toContain(part);
    const out = path.join(dir, "out");
    pinshift("replay", CRASH, "--format", format, "--out", out);
    expect(fs.readFileSync(out, "utf8")).toBe(stdout);
  });

  it("table: marks each step that breaks something", () => {
    const { stdout } = pinshift("replay", CRASH);
    expect(stdout).toMatch(/^ ✗ {2}7 {2}/m);
    expect(stdout).toContain("✗ 14  migrator breaks INV-LOCK (oops): mutex_lock ← try_to_unmap_file");
    expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(120);
  });

  it("html: a reader steps through it", () => {
    const { stdout } = pinshift("replay", CRASH, "--format", "html");
    expect(stdout).toContain('<input type="range" data-slider min="1" max="14" step="1" value="7"');
    expect(stdout).not.toMatch(/https?:\/\/|\bsrc=|<link/);
  });
});

describe("wrong usage of replay: exit code 2, one line on stderr, nothing on stdout", () => {
  it.each([
    ["no schedule", [], "missing required argument 'schedule'"],
    [
      "no file and no schedule",
      ["no-such.json"],
      'replay: "no-such.json" is no file that there is, nor a schedule',
    ],
    ["no form of a schedule", ["migrate@v3.12"], "is not of the form MODEL@KERNEL/POLICY:STEPS"],
    ["an unknown kernel", ["migrate@v4/rfc:a"], 'kernel: "v4" is not one of'],
    ["an unknown policy", ["migrate@v3.12/pni:a"], 'policy: "pni" is not one of'],
    ["repairs of a policy without", ["migrate@v3.12/pin+L1:a"], "repairs: the policy pin has none"],
    ["no step", ["migrate@v3.12/rfc:a?"], 'schedule: column 20: "?" is no step'],
    ["an actor that there is not", ["migrate@v3.12/rfc:z"], 'schedule: column 19: "z" is no step'],
    ["an actor too many", ["migrate@v3.12/rfc:ap"], "schedule: step 2: the model migrate has no actor p"],
    [
      "a step that waits",
      ["one-fault@v3.12/rfc:aa"],
      "schedule: step 2: a (vcpu 0) cannot take it, it waits before “access” in guest",
    ],
    [
      "a model that is not built in",
      ["mine@v3.12/rfc:a"],
      "replay: the model mine is not built in: name its file",
    ],
    ["a finding of a schedule", ["migrate@v3.12/rfc:a", "--finding", "1"], "--finding: is for a file"],
    ["no number of a finding", ["x", "--finding", "0"], "Allowed is an integer from 1"],
    ["a model file that is not there", [CRASH, "--model", "no.yaml"], "--model: no.yaml: no such file"],
    ["rows of a story", [CRASH, "--format", "csv"], "Allowed choices are table, json, markdown, html"],
  ])("%s", (_, args, message) => {
    const { code, stdout, stderr } = pinshift("replay", ...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(message);
    expect(stderr).toMatch(/^pinshift: .*\n$/);
  });

  it.each([
    ["no JSON", '{\n  "schedule": }', [], ":2:15: "],
    ["no schedule in it", "{}", [], ": it is neither a report of explore nor a schedule"],
    ["no finding in it", '{ "findings": [] }', [], ": there is no finding in it"],
    ["fewer findings", '{ "findings": [{}] }', ["--finding", "2"], "--finding: 2 is more than the 1 that "],
    ["no findings to choose from", CRASH, ["--finding", "2"], " has no findings to choose from"],
    ["a bad string", "migrate", [], ': schedule: "migrate" is not of the form'],
    ["a bad model", '{ "schedule": "m@v3.12/rfc:a", "yaml": "name: n" }', [], ": yaml:1:1: "],
  ])("a file: %s", (_, content, args, message) => {
    const file = write("file", content);
    const { code, stdout, stderr } = pinshift("replay", file, ...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(file);
    expect(stderr).toContain(message);
  });

  it("a model of another name", () => {
    const file = write("model.yaml", userModel);
    const { code, stderr } = pinshift("replay", CRASH, "--model", file);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: `pinshift: --model: ${file} has the model of-a-user, the schedule is of migrate\n`,
    });
  });
});
