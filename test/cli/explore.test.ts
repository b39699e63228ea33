import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { LatticeReport } from "../../src/run/explore/lattice.ts";
import type { ExploreReport } from "../../src/run/explore/result.ts";
import { ctrlC, pinshift, pinshiftAfter } from "./pinshift.ts";

const userModel = `name: of-a-user
title: Does a migration meet a fault?
pages: [swapped]
actors:
  - vcpu: { access: [write 0] }
  - migrator: { pages: [0] }
`;

let dir: string;

beforeEach(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), "pinshift-explore-"));
});

afterEach(() => fs.rmSync(dir, { recursive: true }));

function write(file: string, content: string): string {
  const target = path.join(dir, file);
  fs.writeFileSync(target, content);
  return target;
}

function report(...args: string[]): ExploreReport {
  const { code, stdout, stderr } = pinshift("explore", ...args, "--format", "json");
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return JSON.parse(stdout);
}

function invariantsOf({ findings }: ExploreReport): string[] {
  return [...new Set(findings.map(({ invariant }) => invariant))].toSorted();
}

describe("explore", () => {
  it("takes the RFC as posted on v3.12 if nothing else is asked for", () => {
    const found = report("one-fault");
    expect(found).toMatchObject({
      command: "explore",
      kernel: "v3.12",
      policy: "rfc",
      repairs: [],
      model: "one-fault",
      complete: true,
    });
    expect(invariantsOf(found)).toEqual(["INV-CTX", "INV-LOCK", "INV-TAG"]);
  });

  it("prints the same twice", () => {
    const [first, second] = [1, 2].map(() => pinshift("explore", "migrate", "two-vcpus", "--format", "json"));
    expect(second).toEqual(first);
  });

  it.each([
    ["--policy rfc+L5", ["--policy", "rfc+L5"]],
    ["--repair L5", ["--repair", "L5"]],
    ["--policy rfc --repair L5", ["--policy", "rfc", "--repair", "L5"]],
  ])("takes repairs: %s", (_, args) => {
    expect(report("one-fault", ...args)).toMatchObject({ policy: "rfc", repairs: ["L5"], findings: [] });
  });

  it("takes another policy and kernel", () => {
    const found = report("migrate", "--policy", "pin", "--kernel", "v6.1");
    expect(found).toMatchObject({ kernel: "v6.1", policy: "pin", repairs: [], findings: [] });
  });

  it("takes several models, and a file among them", () => {
    const file = write("model.yaml", userModel);
    const found = report("one-fault", file);
    expect(found.model).toBe("all");
    expect(found.models.map(({ model }) => model)).toEqual(["one-fault", "of-a-user"]);
    expect(found.findings.some(({ schedule }) => schedule.startsWith("of-a-user@v3.12/rfc:"))).toBe(true);
    expect(fs.readdirSync(dir)).toEqual(["model.yaml"]);
  });

  it.each(["bfs", "dfs", "random", "pct:3"])("searches by %s", (strategy) => {
    const found = report("migrate", "--strategy", strategy);
    expect(invariantsOf(found)).toContain("INV-TAG");
    expect(found.complete).toBe(strategy === "bfs" || strategy === "dfs");
  });

  it("walks as often as it is told to, by the seed that it is given", () => {
    const [one, again, two] = ["1", "1", "2"].map((seed) =>
      report("migrate", "--strategy", "random", "--walks", "5", "--seed", seed),
    );
    expect(again).toEqual(one);
    expect(two?.states).not.toBe(one?.states);
    expect(one?.models[0]).toMatchObject({ complete: false, stoppedBy: "strategy" });
  });

  it("visits as many states without reduction, by more transitions", () => {
    const [reduced, all] = [report("two-vcpus"), report("two-vcpus", "--unreduced")];
    expect(all.transitions).toBeGreaterThan(reduced.transitions);
    expect(all.states).toBe(reduced.states);
    expect(invariantsOf(all)).toEqual(invariantsOf(reduced));
  });

  it.each([
    ["--max-states", "100", "max-states"],
    ["--max-depth", "9", "max-depth"],
    ["--max-switches", "2", "max-switches"],
    ["--timeout", "0s", "timeout"],
  ])("ends at %s %s, and says which model is incomplete and why", (option, value, stoppedBy) => {
    const { code, stdout } = pinshift("explore", "migrate", option, value);
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`^migrate .* no: ${stoppedBy}`, "m"));
    expect(stdout.replaceAll(/\s+/g, " ")).toContain(`within the bounds, ${stoppedBy} (migrate)`);
  });

  it("takes all built-in models without one", () => {
    const found = report("--max-states", "10");
    expect(found.model).toBe("all");
    expect(found.models.map(({ model }) => model)).toEqual(
      expect.arrayContaining(["fork", "migrate", "reset"]),
    );
  });
});

describe("explore --format", () => {
  it.each([
    ["table", /^Linux v3\.12 · rfc as posted · model one-fault\n\nmodel /],
    ["json", /^\{\n {2}"command": "explore",\n/],
    ["csv", /^kernel,policy,invariant,.*\nv3\.12,rfc,INV-LOCK,/],
    ["markdown", /^# Linux v3.12 · rfc as posted · model one-fault\n\n/],
    ["html", /^<!doctype html>\n/],
  ])("%s", (format, start) => {
    expect(pinshift("explore", "one-fault", "--format", format).stdout).toMatch(start);
    const out = path.join(dir, "report");
    expect(pinshift("explore", "one-fault", "--format", format, "--out", out)).toEqual({
      code: 0,
      stdout: "",
      stderr: "",
    });
    expect(fs.readFileSync(out, "utf8")).toMatch(start);
  });

  it("is for explore and replay alone: others know no html", () => {
    expect(pinshift("policies", "--format", "html")).toMatchObject({ code: 2, stdout: "" });
  });
});

describe("explore --expect", () => {
  it.each([
    ["clean", ["--repair", "L5"]],
    ["INV-CTX,INV-LOCK,INV-TAG", []],
    ["INV-TAG, INV-CTX, INV-LOCK", []],
  ])("%s: is met", (expected, args) => {
    const { code, stderr } = pinshift("explore", "one-fault", "--expect", expected, ...args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  });

  it.each([
    ["clean", [], "expected clean, but found INV-LOCK, INV-TAG, INV-CTX"],
    [
      "clean",
      ["--repair", "L5", "--max-states", "5"],
      "expected clean, but one-fault not searched to the end: max-states",
    ],
    ["INV-TAG,INV-CTX", [], "expected INV-TAG, INV-CTX, but found INV-LOCK"],
    ["INV-TAG", ["--repair", "L5"], "expected INV-TAG, but not found INV-TAG"],
  ])("%s %j: is not, and the report is printed all the same", (expected, args, message) => {
    const { code, stdout, stderr } = pinshift("explore", "one-fault", "--expect", expected, ...args);
    expect({ code, stderr }).toEqual({ code: 1, stderr: `pinshift: --expect: ${message}\n` });
    expect(stdout).toContain("model one-fault");
  });
});

describe("explore --schedules", () => {
  it("writes a file for each finding, which is played again without its model", () => {
    const file = write("model.yaml", userModel);
    const schedules = path.join(dir, "new", "schedules");
    const { findings } = report(file, "--schedules", schedules);
    const names = fs.readdirSync(schedules);
    expect(names).toHaveLength(findings.length);
    expect(names[0]).toBe("01-INV-LOCK-store-private.json");
    fs.rmSync(file);
    for (const [nr, name] of [...names.entries()].slice(-2)) {
      const { code, stdout } = pinshift("replay", path.join(schedules, name), "--format", "json");
      expect(code).toBe(0);
      expect(JSON.parse(stdout)).toMatchObject({ model: "of-a-user", schedule: findings[nr]?.schedule });
    }
  });

  it("says what cannot be written", () => {
    const file = write("file", "");
    const { code, stderr } = pinshift("explore", "one-fault", "--schedules", path.join(file, "below"));
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /^pinshift: --schedules: .*01-INV-LOCK-store-private\.json cannot be written: .*\n$/,
    );
  });
});

describe("explore --repairs all", () => {
  it("names the minimal subsets, and is the same twice", () => {
    const args = ["explore", "one-fault", "--repairs", "all", "--format", "json"];
    const { code, stdout } = pinshift(...args);
    const lattice: LatticeReport = JSON.parse(stdout);
    expect({ code, ...lattice }).toMatchObject({ code: 0, repairs: "all", models: ["one-fault"] });
    expect(lattice.subsets).toHaveLength(32);
    expect(lattice.minimal["clean"]).toEqual([["L5"]]);
    expect(pinshift(...args).stdout).toBe(stdout);
  });

  it.each([
    ["table", "Minimal subsets\nclean     L5\n"],
    ["csv", "kernel,policy,repairs,"],
    ["markdown", "| clean | L5 |"],
  ])("is to be had as %s", (format, part) => {
    expect(pinshift("explore", "one-fault", "--repairs", "all", "--format", format).stdout).toContain(part);
  });
});

describe("Ctrl-C", () => {
  it("ends the search, and what was found so far is printed", () => {
    const args = ["explore", "two-vcpus-migrate", "one-fault", "--format", "json"];
    const { code, stdout, stderr } = pinshiftAfter(ctrlC(""), ...args);
    expect({ code, stderr }).toEqual({ code: 130, stderr: "" });
    const found: ExploreReport = JSON.parse(stdout);
    expect(found.models.map(({ complete, stoppedBy }) => ({ complete, stoppedBy }))).toEqual([
      { complete: false, stoppedBy: "interrupt" },
      { complete: false, stoppedBy: "interrupt" },
    ]);
    expect(invariantsOf(found)).toContain("INV-TAG");
  });

  it("ends --repairs all, too", () => {
    const args = ["explore", "two-vcpus-migrate", "--repairs", "all", "--format", "json"];
    const { code, stdout } = pinshiftAfter(ctrlC(""), ...args);
    expect(code).toBe(130);
    const lattice: LatticeReport = JSON.parse(stdout);
    expect(lattice.subsets).toHaveLength(32);
    expect(lattice.subsets.at(-1)?.incomplete).toEqual([
      { model: "two-vcpus-migrate", stoppedBy: "interrupt" },
    ]);
  });

  it("kills the second time", () => {
    const again = `process.once("SIGINT", () => process.kill(process.pid, "SIGINT"));`;
    const { code, stdout } = pinshiftAfter(ctrlC(again), "explore", "two-vcpus-migrate");
    expect({ code, stdout }).toEqual({ code: null, stdout: "" });
  });
});

describe("wrong usage of explore: exit code 2, one line on stderr, nothing on stdout", () => {
  it.each([
    ["an unknown model", ["migrat"], 'model: "migrat" is not one of discard, exit, '],
    ["a file that is not there", ["no-such.yaml"], "explore: no-such.yaml: no such file or directory"],
    ["a folder", ["test/"], "explore: test/: it is a directory"],
    ["a model twice", ["migrate", "migrate"], "explore: two models are called migrate"],
    ["an unknown kernel", ["--kernel", "v4.0"], '--kernel: "v4.0" is not one of v3.12'],
    ["several policies", ["--policy", "pin,rfc"], '--policy: "pin,rfc" is not one of pin, rfc'],
    ["an unknown repair", ["--repair", "L6"], '--repair: "L6" is not one of L1'],
    ["repairs of another policy", ["--policy", "pin", "--repair", "L1"], "--repair: L1 is for rfc"],
    ["not all repairs", ["--repairs", "L1"], "'L1' is invalid. Allowed choices are all"],
    ["all repairs of another policy", ["--repairs", "all", "--policy", "pin"], "--repairs: only rfc has any"],
    ["all repairs and one", ["--repairs", "all", "--repair", "L1"], "--repairs: all subsets are explored"],
    [
      "--repairs all --expect",
      ["--repairs", "all", "--expect", "clean"],
      "--expect: is for one set of repairs",
    ],
    [
      "--repairs all --schedules",
      ["--repairs", "all", "--schedules", "x"],
      "--schedules: is for one set of repairs",
    ],
    [
      "--repairs all as html",
      ["--repairs", "all", "--format", "html"],
      "--format: --repairs all is not to be had",
    ],
    ["an unknown strategy", ["--strategy", "astar"], "Allowed are bfs, dfs, random and pct:D with D from 1"],
    ["pct without its depth", ["--strategy", "pct"], "Allowed are bfs, dfs, random and pct:D"],
    ["pct too deep", ["--strategy", "pct:17"], "pct:D with D from 1 to 16"],
    [
      "walks of a search",
      ["--walks", "5"],
      "--walks: is for --strategy random or pct:D, and bfs makes no walks",
    ],
    ["a seed of a search", ["--strategy", "dfs", "--seed", "5"], "--seed: is for --strategy random or pct:D"],
    ["no walks", ["--strategy", "random", "--walks", "0"], "Allowed is an integer from 1 to 2147483647"],
    ["a bound that is no number", ["--max-states", "many"], "Allowed is an integer from 1 to 100000000"],
    ["a bound that is too large", ["--max-depth", "65536"], "Allowed is an integer from 1 to 65535"],
    [
      "a duration without its unit",
      ["--timeout", "30"],
      "Allowed is a number with its unit: 500ms, 30s, 2m, 1h",
    ],
    ["a duration of another unit", ["--timeout", "1d"], "Allowed is a number with its unit"],
    ["an unknown invariant", ["--expect", "INV-TGA"], '--expect: "INV-TGA" is not one of INV-REF'],
    ["clean and more", ["--expect", "clean,INV-TAG"], '--expect: "clean" is not one of INV-REF'],
    ["an unknown format", ["--format", "xml"], "Allowed choices are table, json, csv, markdown, html"],
    ["a file that cannot be written", ["one-fault", "--out", "/no/such/file"], "--out: /no/such/file cannot"],
  ])("%s", (_, args, message) => {
    const { code, stdout, stderr } = pinshift("explore", ...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(message);
    expect(stderr).toMatch(/^pinshift: .*\n$/);
  });

  it("but a line for each problem of a model", () => {
    const file = write("bad.yaml", "name: bad\ntitle: Is it?\npages: [gone]\nactors: []\n");
    const { code, stdout, stderr } = pinshift("explore", file);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr.split("\n")).toEqual([
      expect.stringContaining(`pinshift: ${file}:3:9: pages[0]: "gone" is not one of untouched, mapped`),
      `pinshift: ${file}:4:9: actors: has 0 entries, at least 1 may be`,
      "",
    ]);
  });

  it("and a model whose schedules would be taken for those of a built-in one", () => {
    const file = write("model.yaml", userModel.replace("of-a-user", "migrate"));
    const { code, stderr } = pinshift("explore", file);
    expect(code).toBe(2);
    expect(stderr).toBe(
      `pinshift: explore: ${file}: a built-in model is called migrate, too: choose another name\n`,
    );
  });
});
