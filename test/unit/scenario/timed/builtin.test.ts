import * as fs from "node:fs";
import { fileURLToPath } from "node:url";
import { Ajv } from "ajv";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { scenarioTexts } from "../../../../src/generated/scenarios/texts.ts";
import {
  builtinScenario,
  builtinScenarioNames,
  builtinScenarioText,
} from "../../../../src/scenario/timed/builtin.ts";
import { scenarioSchema } from "../../../../src/scenario/timed/schema.ts";
import { builtinNotes } from "../../../../src/scenario/timed/notes.ts";

const folder = fileURLToPath(new URL("../../../../src/scenario/scenarios/", import.meta.url));
const files = fs.readdirSync(folder).toSorted();

describe("the built-in scenarios", () => {
  it("are those of the YAML files, as they stand", () => {
    const written = files.map((file) => [
      file.replace(/\.yaml$/, ""),
      fs.readFileSync(`${folder}${file}`, "utf8"),
    ]);
    expect(scenarioTexts).toEqual(Object.fromEntries(written));
  });

  it.each(builtinScenarioNames)("%s loads, and asks a question", (name) => {
    const scenario = builtinScenario(name);
    expect(scenario.name).toBe(name);
    expect(scenario.title).toMatch(/^[A-Z].*\?$/);
  });

  it.each(Object.entries(builtinNotes))("%s says what it is, whence, and what to compare", (_name, notes) => {
    expect(notes.title).toMatch(/\?$/);
    for (const text of [notes.what, notes.source, notes.compare]) expect(text).toMatch(/^\S.*[.?]$/);
  });

  it("are what the schema allows, as an editor would apply it", () => {
    const editor = new Ajv({ strict: true, allowUnionTypes: true }).compile(scenarioSchema());
    expect(Object.entries(scenarioTexts).filter(([, text]) => !editor(parse(text)))).toEqual([]);
  });

  it("take settings", () => {
    const { guests } = builtinScenario("async-pf-gain", { set: ["guests[0].asyncPf=halt"] });
    expect(guests[0]?.asyncPf).toBe("halt");
  });

  it("a name that there is not: the error lists those that there are", () => {
    expect(() => builtinScenarioText("rfc")).toThrow(/^scenario: "rfc" is not one of async-pf-gain, /);
    expect(() => builtinScenario("toString")).toThrow("is not one of");
  });

  it("rfc-under-load has most of its memory in the block, and swaps all the time", () => {
    const { host, guests, operations, policies, seeds } = builtinScenario("rfc-under-load");
    const touched = guests.reduce((sum, guest) => sum + guest.touched, 0);
    expect(host.memoryLimit).toBeGreaterThan(32_768 * 0.8);
    expect(touched).toBeGreaterThan(host.memoryLimit ?? 0);
    expect(operations).toMatchObject([
      { do: "pause", vcpu: 3, atNs: 0.9e9 },
      { do: "offline", block: 2, atNs: 1e9, giveUpNs: 3e9 },
      { do: "resume", vcpu: 3, atNs: 4.5e9 },
    ]);
    expect(host.nodes[0]?.zones).toMatchObject([{ pages: 65_536 }, { kind: "movable", pages: 32_768 }]);
    expect(policies).toEqual([
      "pin",
      "rfc",
      "rfc+L1",
      "rfc+L1+L2+L3+L4",
      "rfc+L1+L2+L3+L4+L5",
      "drop-get",
      "longterm",
    ]);
    expect(seeds).toEqual([1, 2, 3, 4, 5]);
  });
});
