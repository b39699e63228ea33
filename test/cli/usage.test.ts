import { describe, expect, it } from "vitest";
import { pinshift, pinshiftAfter } from "./pinshift.ts";

describe("wrong usage: exit code 2, one line on stderr, nothing on stdout", () => {
  it.each([
    [
      "an unknown policy",
      ["--policy", "pin,pni"],
      '--policy: "pni" is not one of pin, rfc, drop-get, longterm',
    ],
    ["an unknown repair", ["--policy", "rfc+L6"], '--policy: "L6" is not one of L1, L2, L3, L4, L5'],
    ["repairs of a policy that has none", ["--policy", "pin+L1"], '--policy: "pin+L1" has repairs'],
    ["--repair without rfc", ["--policy", "pin", "--repair", "L1"], "--repair: L1 is for rfc"],
    ["an unknown repair in --repair", ["--repair", "L1,X"], '--repair: "X" is not one of L1'],
    ["an unknown kernel", ["--kernel", "v4.0"], '--kernel: "v4.0" is not one of v3.12, v6.1, v6.12'],
    ["a seed that is no number", ["--seed", "x1"], "'x1' is invalid. Allowed is an integer from 0"],
    ["seeds that are none", ["--seeds", "5..1"], "'5..1' is invalid. Allowed are 1 to 100000 seeds, as 1..5"],
    ["a seed and seeds", ["--seed", "1", "--seeds", "1..2"], "'--seed <number>' cannot be used with"],
    ["a seed twice", ["--seeds", "1,2,1"], "seeds: 1 is there twice"],
    ["a policy twice", ["--policy", "pin,rfc,pin"], "policies: pin is there twice"],
    ["an unknown scenario", ["run", "rfc-under-laod"], '"rfc-under-laod" is not one of async-pf-gain, '],
    ["a scenario that is not there", ["run", "no/such.yaml"], "run: no/such.yaml: no such file or directory"],
    [
      "a setting that goes nowhere",
      ["--set", "guests[0].vcpu=8"],
      "--set guests[0].vcpu=8: guests[0].vcpu: is not a known key",
    ],
    [
      "an outcome that is none",
      ["--fail-on", "oops"],
      '--fail-on: "oops" is not one of crash, broken, failed',
    ],
    [
      "a rule that cannot be broken",
      ["--policy", "pin", "--fail-on", "drop-get:crash"],
      "--fail-on: drop-get is not among the policies that are run",
    ],
    [
      "intervals that nobody takes",
      ["run", "pin-load", "--intervals"],
      "--intervals: pin-load takes none: --set interval=100ms",
    ],
    [
      "an option of scenarios for the situation",
      ["run", "situation", "--seeds", "1..2"],
      "--seeds: is for scenarios, not for situation",
    ],
    ["loads that are none", ["curve", "--loads", "1,0"], "'1,0' is invalid. Allowed are numbers above 0"],
    ["a curve without pinners", ["curve", "swap-mix"], "swap-mix: operations: none takes memory offline"],
    [
      "a curve whose pins have no rate",
      ["curve", "rfc-under-load"],
      "rfc-under-load: pinners: the load needs",
    ],
    ["a negative seed", ["--seed=-1"], "'-1' is invalid. Allowed is an integer from 0"],
    [
      "a seed that is too large",
      ["--seed", "9007199254740992"],
      "Allowed is an integer from 0 to 9007199254740991",
    ],
    ["an unknown format", ["--format", "xml"], "'xml' is invalid. Allowed choices are table, json, csv"],
    ["an unknown option", ["--polcy", "pin"], "unknown option '--polcy' (Did you mean --policy?)"],
    ["an unknown command", ["valdate"], "unknown command 'valdate'"],
    ["an argument too many", ["run", "situation", "pin"], "too many arguments for 'run'"],
    [
      "a file that cannot be written",
      ["policies", "--out", "/no/such/file"],
      "--out: /no/such/file cannot be written",
    ],
    ["an unknown name", ["explain", "INV-LOKC"], 'there is no "INV-LOKC". Did you mean INV-LOCK'],
  ])("%s", (_, args, message) => {
    const { code, stdout, stderr } = pinshift(...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(message);
    expect(stderr).toMatch(/^pinshift: .*\n$/);
  });

  it("lists what there is when a name is unknown", () => {
    const { stderr } = pinshift("explain", "nothing-like-it");
    expect(stderr).not.toContain("Did you mean");
    for (const name of ["pin", "rfc", "drop-get", "L5", "INV-REF", "EAGAIN", "v6.12", "lockup"]) {
      expect(stderr).toContain(` ${name}`);
    }
  });

  it("prints the stack on request", () => {
    const { code, stderr } = pinshift("--verbose", "--policy", "pni");
    expect(code).toBe(2);
    expect(stderr).toMatch(/^pinshift: --policy: "pni" is not one of .*\n\w*Error: .*\n {4}at /);
  });
});

describe("help and version", () => {
  it("prints the version", () => {
    expect(pinshift("--version")).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
    });
  });

  it.each([["--help"], ["help"]])("%s lists the commands and exit codes", (arg) => {
    const { code, stdout } = pinshift(arg);
    expect(code).toBe(0);
    for (const command of ["run", "curve", "explore", "replay", "validate", "policies", "explain", "bench"]) {
      expect(stdout).toMatch(new RegExp(`^ {2}${command}\\b`, "m"));
    }
    expect(stdout).toContain("2 wrong usage");
  });
});

describe("a bug of Pinshift", () => {
  const broken = 'process.stdout.write = () => { throw new TypeError("first line\\nsecond line"); };';

  it("has exit code 70 and one line on stderr", () => {
    expect(pinshiftAfter(broken, "policies")).toEqual({
      code: 70,
      stdout: "",
      stderr: "pinshift: panic, a bug of Pinshift: first line second line\n",
    });
  });

  it("prints its stack on request", () => {
    expect(pinshiftAfter(broken, "policies", "--verbose").stderr).toMatch(
      /^TypeError: first line\n.*\n {4}at /m,
    );
  });
});
