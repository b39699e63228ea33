import { describe, expect, it } from "vitest";
import { write } from "../written.ts";
import { everyField, load, refusal, smallest } from "./documents.ts";

describe("--set", () => {
  it("puts values in the place of others", () => {
    const loaded = load(
      write(everyField).text,
      "guests[0].vcpus=8",
      "host.cpus=4",
      "operations[0].giveUp=3s",
      "seeds=1..2",
      "policies=[rfc]",
      "guests[0].tasks[0].pattern={zipf: 0.5}",
    );
    expect(loaded).toMatchObject({ seeds: [1, 2], policies: ["rfc"], host: { cpus: 4 } });
    expect(loaded.guests[0]).toMatchObject({ vcpus: 8, tasks: [{ pattern: { skew: 0.5 } }, {}, {}, {}, {}] });
    expect(loaded.operations[0]).toMatchObject({ giveUpNs: 3_000_000_000 });
  });

  it("adds maps that the text leaves out, and entries behind the last", () => {
    const loaded = load(
      smallest,
      "host.cpus=4",
      "operations=[]",
      "operations[0]={do: drain}",
      "guests[0].tasks=[{}]",
    );
    expect(loaded).toMatchObject({ host: { cpus: 4 }, operations: [{ do: "drain" }] });
    expect(loaded.guests[0]?.tasks).toHaveLength(1);
  });

  it("has the last one win", () => {
    expect(load(smallest, "contentBytes=16", "contentBytes=24").contentBytes).toBe(24);
  });

  it.each([
    ["guests[0].vcpu=8", "guests[0].vcpu: is not a known key: name, memory, vcpus"],
    ["hosts.cpus=8", "hosts: is not a known key: name, title"],
    ["guests[0].vcpus=many", 'guests[0].vcpus: "many" is not a number'],
    ["guests[0].vcpus=", "guests[0].vcpus: null is not a number"],
    ["guests[2].vcpus=8", "guests: has no entry [2]: there are 1"],
    ["guests[1].vcpus=8", "guests[1].memory: is missing"],
    ["guests.vcpus=8", "guests: is a list: [0] is its first entry"],
    ["guests[0][0]=8", "guests[0]: is not a list"],
    ["title.x=8", "title: is not a map"],
    ["duration=3", "duration: 3 is not a duration with its unit"],
    ["guests[0].touched=1025", "guests[0].touched: the guest has 1024 pages, not 1025"],
    ["__proto__.x=1", "__proto__: is not a known key"],
    ["constructor=1", "constructor: is not a known key"],
    ["guests[0].vcpus", "is not path=value, as guests[0].vcpus=8"],
    ["=8", "is not path=value, as guests[0].vcpus=8"],
    ["guests[x].vcpus=8", "is not path=value, as guests[0].vcpus=8"],
    ["guests..vcpus=8", "is not path=value, as guests[0].vcpus=8"],
    ["", "is not path=value, as guests[0].vcpus=8"],
  ])("%s is refused where it is given", (setting, message) => {
    expect(refusal(smallest, { set: [setting] })).toEqual([
      expect.stringContaining(`--set ${setting}: ${message}`),
    ]);
  });

  it("refuses what is no YAML", () => {
    const [line = ""] = refusal(smallest, { set: ["policies=[pin"] });
    expect(line.startsWith("--set policies=[pin: ")).toBe(true);
    expect(refusal(smallest, { set: ["title=*a"] })).toEqual([
      "--set title=*a: is an alias: write the value here",
    ]);
  });

  it("leaves problems of the text where they are, and comes after them", () => {
    const text = `${smallest}speed: 1\n`;
    expect(refusal(text, { set: ["host.cpus=0", "duration=x"] })).toEqual([
      expect.stringMatching(/^s\.yaml:5:1: speed: is not a known key/),
      "--set host.cpus=0: host.cpus: 0 is not at least 1",
      expect.stringMatching(/^--set duration=x: duration: /),
    ]);
  });

  it("takes away the place of what it replaces", () => {
    const text = `${smallest}host: {cpus: 0, tick: 1ms}\n`;
    expect(refusal(text, { set: ["host={cpus: 0}"] })).toEqual([
      "--set host={cpus: 0}: host.cpus: 0 is not at least 1",
    ]);
  });
});
