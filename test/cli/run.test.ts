import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { ctrlC, pinshift, pinshiftAfter } from "./pinshift.ts";

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "pinshift-run-"));
afterAll(() => fs.rmSync(folder, { recursive: true }));

/** A guest of 4 MiB that does nothing, and 64 pins, which have ended when the block goes offline. */
const SMALL = `
name: small
title: Does it go offline?
duration: 3s
policies: [pin, drop-get]
seeds: 1..3
interval: 1s
host:
  nodes: [{ zones: [{ kind: normal, size: 256MiB }, { kind: movable, size: 128MiB }] }]
guests: [{ memory: 4MiB }]
pinners: [{ kind: get, atOnce: 64, hold: 10ms }]
operations: [{ do: offline, block: 2, at: 1s }]
`;

function small(text = SMALL): string {
  const file = path.join(folder, "small.yaml");
  fs.writeFileSync(file, text);
  return file;
}

function runJson(...args: string[]): unknown {
  const { code, stdout, stderr } = pinshift("run", ...args, "--format", "json");
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return JSON.parse(stdout);
}

describe("run: a scenario of a file", () => {
  it("runs every policy with every seed", () => {
    expect(runJson(small())).toMatchObject({
      command: "run",
      scenario: "small",
      kernel: "v3.12",
      seeds: [1, 2, 3],
      policies: [
        { policy: "pin", runs: 3, operations: [{ success: { successes: 3, runs: 3 } }] },
        { policy: "drop-get", runs: 3, operations: [{ cleanAtOnce: 3 }] },
      ],
      runs: Array.from({ length: 6 }, () => ({ stateHash: expect.stringMatching(/^[\da-f]{16}$/) })),
    });
  });

  it("takes policies, seeds, kernel and other values from options", () => {
    const policies = ["--policy", "longterm,rfc+L1", "--repair", "L2", "--seed", "9"];
    const values = ["--kernel", "v6.1", "--set", "duration=2s"];
    const report = runJson(small(), ...policies, ...values);
    expect(report).toMatchObject({
      kernel: "v6.1",
      durationNs: 2_000_000_000,
      seeds: [9],
      policies: [{ policy: "longterm" }, { policy: "rfc", repairs: ["L1", "L2"] }],
    });
  });

  it("prints the same bytes again, and others with other seeds", () => {
    const args = ["run", small(), "--format", "csv"];
    const first = pinshift(...args);
    expect(pinshift(...args)).toEqual(first);
    expect(pinshift(...args, "--seeds", "4..6").stdout).not.toBe(first.stdout);
  });

  it("prints a table, and rows of runs and of intervals", () => {
    const table = pinshift("run", small(), "--percentiles", "--metrics", "--intervals").stdout;
    expect(table).toMatch(/^pin +offline 3\/3 /m);
    expect(table).toContain("Offline with every seed: pin, drop-get (v3.13).");
    expect(table.split("\n").filter((line) => line.length > 120)).toEqual([]);
    const rows = (...args: string[]) =>
      pinshift("run", small(), "--format", "csv", ...args)
        .stdout.trimEnd()
        .split("\n").length - 1;
    expect(rows()).toBe(6);
    // The run ends with its operation, in the second interval.
    expect(rows("--intervals")).toBe(6);
  });

  it("goes on from one state with --fork", () => {
    expect(runJson(small(), "--fork")).toMatchObject({ forked: true, policies: [{ runs: 3 }, { runs: 3 }] });
  });

  it("has exit code 1 for what --fail-on names, and says what it was", () => {
    const held = small(SMALL.replace("hold: 10ms", "hold: 1min").replace("at: 1s", "at: 1s, giveUp: 500ms"));
    const { code, stdout, stderr } = pinshift("run", held, "--fail-on", "pin:failed,crash");
    expect(code).toBe(1);
    expect(stderr).toBe("pinshift: --fail-on: pin: offline fails with 3 of 3 seeds\n");
    expect(stdout).toContain("gave up 3/3");
    expect(pinshift("run", held, "--fail-on", "crash").code).toBe(0);
  });

  it("prints what it has on Ctrl-C, with exit code 130", () => {
    const args = ["run", small(), "--seeds", "1..100000"];
    const { code, stdout, stderr } = pinshiftAfter(ctrlC(""), ...args);
    expect({ code, stderr }).toEqual({ code: 130, stderr: "" });
    expect(stdout).toMatch(/Interrupted: [\d,]+ of 200,000 runs\./);
  });
});

describe("run: what is built in", () => {
  it("is rfc-under-load without a name: rfc as posted breaks, what was merged does not", () => {
    const { code, stdout } = pinshift("--format", "json", "--policy", "rfc,drop-get", "--seeds", "1..2");
    expect(code).toBe(0);
    const report: { policies: { crashed: number; violated: number }[] } = JSON.parse(stdout);
    expect(report).toMatchObject({ command: "run", scenario: "rfc-under-load" });
    const [rfc, dropGet] = report.policies.map(({ crashed, violated }) => crashed + violated);
    expect(rfc).toBeGreaterThan(0);
    expect(dropGet).toBe(0);
  });
});

describe("curve", () => {
  it("has a row a load and policy, with the closed form", () => {
    const { code, stdout, stderr } = pinshift(
      "curve",
      "--loads",
      "5,0.1",
      "--seeds",
      "1..4",
      "--format",
      "csv",
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const [head = "", ...lines] = stdout.trimEnd().split("\n");
    const rows = lines.map((line) => {
      const cells = line.split(",");
      return Object.fromEntries(head.split(",").map((name, nr) => [name, cells[nr]]));
    });
    expect(rows.map(({ load }) => load)).toEqual(["0.1", "5"]);
    // With five pins the chance is below one in a hundred for a run.
    expect(rows[1]).toMatchObject({ policy: "pin", runs: "4", atOnce: "0", offlined: "4" });
    expect(Number(rows[0]?.["atOnce"])).toBeGreaterThan(Number(rows[1]?.["atOnce"]));
  });

  it("is a chart, too", () => {
    const args = ["curve", "--loads", "1", "--seed", "1", "--format"];
    expect(pinshift(...args, "svg").stdout).toMatch(/^<svg /);
    expect(pinshift(...args, "html").stdout).toMatch(/^<!doctype html>/);
  });
});
