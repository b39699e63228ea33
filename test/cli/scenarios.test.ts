import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import * as zlib from "node:zlib";
import { Ajv } from "ajv";
import { afterAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { builtinText } from "../../src/scenario/model/builtin.ts";
import { builtinScenarioText } from "../../src/scenario/timed/builtin.ts";
import { pinshift, pinshiftIn } from "./pinshift.ts";

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "pinshift-scenarios-"));
afterAll(() => fs.rmSync(folder, { recursive: true }));

function file(name: string, content: string | Uint8Array): string {
  const full = path.join(folder, name);
  fs.mkdirSync(path.dirname(full), { recursive: true });
  fs.writeFileSync(full, content);
  return full;
}

const names = [
  "async-pf-gain",
  "async-pf-unit-test",
  "batch-size",
  "bulk-move",
  "longterm-start",
  "offline-nvme",
  "pin-load",
  "rfc-under-load",
  "swap-mix",
];

describe("scenarios", () => {
  it("lists those that are built in", () => {
    const { code, stdout, stderr } = pinshift("scenarios");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    for (const name of names) expect(stdout).toMatch(new RegExp(`^${name} `, "m"));
    expect(stdout).toMatch(/^rfc-under-load +v3\.12 +4 +160 MiB +ssd +5\.0 s +Can the block/m);
    expect(stdout.split("\n").filter((line) => line.length > 120)).toEqual([]);
  });

  it("lists them as JSON, and as CSV with a line each", () => {
    const json: { scenarios: { name: string }[] } = JSON.parse(
      pinshift("scenarios", "--format", "json").stdout,
    );
    expect(json).toMatchObject({ command: "scenarios", version: expect.stringMatching(/^\d/) });
    expect(json.scenarios.map(({ name }) => name)).toEqual(names);
    expect(json.scenarios[8]).toMatchObject({
      kernel: "v6.1",
      vcpus: 8,
      guestPages: 131_072,
      swap: ["zram", "nvme"],
      durationNs: 10_000_000_000,
      policies: ["pin", "drop-get"],
      seeds: [1, 2, 3, 4, 5],
    });
    const [head, ...lines] = pinshift("scenarios", "--format", "csv").stdout.trimEnd().split("\n");
    expect(head).toBe("name,title,kernel,vcpus,guestPages,swap,durationNs,policies,seeds");
    expect(lines.map((line) => line.split(",")[0])).toEqual(names);
  });

  it("reads files, with settings and traces beside them", () => {
    const mine =
      "name: mine\ntitle: Mine?\nguests: [{memory: 4MiB, tasks: [{pattern: {trace: sub/t.csv}}]}]\n";
    file("sub/t.csv", "time,obj\n1,7\n2,8\n");
    const args = ["scenarios", file("mine.yaml", mine), "--set", "guests[0].vcpus=3", "--set", "kernel=v6.1"];
    const { code, stdout } = pinshift(...args, "--format", "csv");
    expect({ code, row: stdout.split("\n")[1] }).toEqual({
      code: 0,
      row: "mine,Mine?,v6.1,3,1024,,10000000000,pin drop-get,1",
    });
  });

  it("has a line on stderr for each problem", () => {
    file("bad.yaml", "name: bad\ntitle: Bad?\nguests: [{memory: 4MB}]\nspeed: 1\n");
    const { code, stdout, stderr } = pinshiftIn(folder, "scenarios", "bad.yaml", "--set", "host.cpus=0");
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr.trimEnd().split("\n")).toEqual([
      expect.stringContaining("pinshift: bad.yaml:3:19: guests[0].memory: "),
      expect.stringContaining("pinshift: bad.yaml:4:1: speed: "),
      expect.stringContaining("pinshift: --set host.cpus=0: host.cpus: "),
    ]);
  });

  it.each([
    ["no-such-scenario", 'scenario: "no-such-scenario" is not one of async-pf-gain'],
    ["./no-such-file.yaml", "scenarios: ./no-such-file.yaml: no such file or directory"],
  ])("%s is wrong usage", (argument, message) => {
    const { code, stderr } = pinshiftIn(folder, "scenarios", argument);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });
});

function text(trace: string): string {
  return `name: t\ntitle: T?\nguests: [{memory: 4MiB, tasks: [{pattern: {trace: ${trace}}}]}]\n`;
}

describe("traces of files", () => {
  const place = ".yaml:3:51: guests[0].tasks[0].pattern.trace: ";

  it("that are not there are named", () => {
    const scenario = file("missing.yaml", text("none.csv"));
    const { code, stderr } = pinshift("scenarios", scenario);
    expect(code).toBe(2);
    expect(stderr).toBe(
      `pinshift: ${scenario.replace(/\.yaml$/, "")}${place}none.csv: no such file or directory\n`,
    );
  });

  it("may be oracleGeneral", () => {
    file("two.oracleGeneral", new Uint8Array(48));
    expect(pinshift("scenarios", file("two.yaml", text("two.oracleGeneral"))).code).toBe(0);
    file("short.oracleGeneral", new Uint8Array(47));
    const { stderr } = pinshift("scenarios", file("short.yaml", text("short.oracleGeneral")));
    expect(stderr).toContain("short.oracleGeneral: record 2: ends after 23 of 24 bytes");
  });

  it("of zstd are refused where Node cannot read them, or where they are none", () => {
    const expected =
      "zstdDecompressSync" in zlib ? /z\.csv\.zst: is not zstd/ : /z\.csv\.zst: Node \d.* cannot read zstd/;
    file("z.csv.zst", "no zstd");
    expect(pinshift("scenarios", file("z.yaml", text("z.csv.zst"))).stderr).toMatch(expected);
  });
});

function schemaOf(...args: string[]): object {
  return JSON.parse(pinshift("schema", ...args).stdout);
}

describe("schema", () => {
  it.each([
    [[], builtinScenarioText("rfc-under-load"), "Pinshift scenario"],
    [["scenario"], builtinScenarioText("swap-mix"), "Pinshift scenario"],
    [["model"], builtinText("migrate"), "Pinshift model"],
  ])("%j prints what editors check files with", (args, yaml, title) => {
    const schema = schemaOf(...args);
    expect(schema).toMatchObject({ title, $schema: "http://json-schema.org/draft-07/schema#" });
    const check = new Ajv({ strict: true, allowUnionTypes: true }).compile(schema);
    expect(check(parse(yaml))).toBe(true);
    expect(check({ ...parse(yaml), speed: 1 })).toBe(false);
  });

  it("says how editors find it", () => {
    expect(pinshift("schema", "--help").stdout).toContain("# yaml-language-server: $schema=");
  });

  it("knows no other files", () => {
    const { code, stderr } = pinshift("schema", "recording");
    expect(code).toBe(2);
    expect(stderr).toContain("Allowed choices are scenario, model");
  });
});

describe("explain", () => {
  it.each(names)("knows the scenario %s", (name) => {
    const { code, stdout } = pinshift("explain", name);
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`^${name} \\(scenario\\): .*`));
    expect(stdout.replaceAll(/\s+/g, " ")).toContain("How it shows in Pinshift Compare ");
  });
});
