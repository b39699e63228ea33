import { describe, expect, it } from "vitest";
import { compareScenario } from "../../../../src/run/timed/compare.ts";
import { checkFailRules, failures, parseFailRule } from "../../../../src/run/timed/fail-on.ts";
import { crash, fakeRunner, gaveUp, offlined, scenario, variants } from "../../../helpers/timed-runs.ts";

const rules = (...texts: string[]) => texts.map((text) => parseFailRule("--fail-on", text));

describe("parseFailRule", () => {
  it.each([
    ["crash", { policy: null, outcome: "crash" }],
    ["rfc+L1:failed", { policy: { policy: "rfc", repairs: ["L1"] }, outcome: "failed" }],
  ])("%s", (text, rule) => expect(parseFailRule("--fail-on", text)).toEqual(rule));

  it.each([
    ["drop-get", '--fail-on: "drop-get" is not one of crash, broken, failed'],
    ["pni:crash", '--fail-on: "pni" is not one of pin'],
    ["pin:crash:2", "allowed is POLICY:OUTCOME"],
  ])("refuses %s", (text, message) => expect(() => parseFailRule("--fail-on", text)).toThrow(message));

  it("refuses a rule of a policy that is not run", () => {
    expect(() => checkFailRules("--fail-on", rules("crash", "pin:crash"), variants("drop-get"))).toThrow(
      "--fail-on: pin is not among the policies that are run",
    );
  });
});

describe("failures", () => {
  const violation = {
    invariant: "INV-CTX",
    pfn: 0,
    object: 1,
    expected: 0,
    found: 1,
    holders: [],
  } as const;
  /** pin gives up with two seeds, rfc crashes with one, longterm is found broken with one. */
  const report = compareScenario({
    scenario,
    variants: variants("pin", "rfc", "longterm", "drop-get"),
    seeds: [1, 2, 3],
    version: "0.0.0",
    runner: fakeRunner((name, seed) => ({
      operations: [name === "pin" && seed > 1 ? gaveUp : offlined],
      crash: name === "rfc" && seed === 1 ? crash : null,
      violation: name === "longterm" && seed === 1 ? violation : null,
    })),
  });

  it.each([
    ["crash", ["rfc: the kernel crashes with 1 of 3 seeds"]],
    ["broken", ["longterm: a recount finds an invariant broken with 1 of 3 seeds"]],
    ["failed", ["pin: offline fails with 2 of 3 seeds", "rfc: offline fails with 1 of 3 seeds"]],
    ["drop-get:failed", []],
    ["pin:failed", ["pin: offline fails with 2 of 3 seeds"]],
  ])("of %s", async (text, lines) => expect(failures(await report, rules(text))).toEqual(lines));

  it("of a scenario without operations are crashes", async () => {
    const idle = await compareScenario({
      scenario,
      variants: variants("pin"),
      seeds: [1],
      version: "0.0.0",
      runner: fakeRunner(() => ({ operations: [], crash })),
    });
    expect(failures(idle, rules("failed"))).toEqual(["pin: the kernel crashes with 1 of 1 seeds"]);
  });
});
