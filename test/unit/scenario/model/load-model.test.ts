import { describe, expect, it } from "vitest";
import { SimError } from "../../../../src/errors.ts";
import { loadModel } from "../../../../src/scenario/model/load-model.ts";
import { documentOf, everyField } from "./documents.ts";
import { write } from "../written.ts";

const head = "name: a\ntitle: What?\npages: [swapped, mapped]\n";

function refusal(text: string, name?: string): string[] {
  try {
    loadModel(text, "m.yaml", name);
  } catch (error) {
    if (error instanceof SimError && error.code === "ERR_MODEL") return error.message.split("\n");
    throw error;
  }
  return [];
}

describe("loadModel", () => {
  it("fills in the defaults", () => {
    const text = `${head}actors:\n  - vcpu: {access: [read 1]}\n  - migrator: {pages: [0]}\n`;
    expect(loadModel(text, "m.yaml")).toEqual({
      name: "a",
      title: "What?",
      pages: ["swapped", "mapped"],
      actors: [
        { kind: "vcpu", access: [{ op: "read", page: 1 }], paravirtual: true },
        { kind: "migrator", pages: [0], attempts: 1, mode: "sync", force: true },
      ],
      contextFailures: 0,
      swap: { latency: true },
      bounds: {},
    });
  });

  it("keeps everything that is said", () => {
    expect(documentOf(loadModel(write(everyField).text, "m.yaml"))).toEqual(everyField);
  });

  it("takes an operation for what it is", () => {
    const text = `${head}actors:\n  - process: {do: [fork, write-child 1, exit-child, exit]}\n`;
    expect(loadModel(text, "m.yaml").actors).toEqual([
      {
        kind: "process",
        do: [
          { op: "fork", page: 0 },
          { op: "write-child", page: 1 },
          { op: "exit-child", page: 0 },
          { op: "exit", page: 0 },
        ],
      },
    ]);
  });
});

describe("a text that is not YAML, or more than a model may be", () => {
  it.each([
    ["a bracket that is not closed", "pages: [swapped\n", "m.yaml:2:1: "],
    ["brackets that are not closed", "pages: [[[\n", "m.yaml:2:1: "],
    ["a quote that is not closed", "title: 'What?\n", "m.yaml:2:1: "],
    ["a tab", "swap:\n\tlatency: true\n", "m.yaml:2:1: "],
    ["a map in a line", "name: title: a\n", "m.yaml:1:7: "],
    ["a key twice", "name: a\nname: a\n", "m.yaml:2:1: name: is there twice"],
    [
      "a key twice further in",
      "swap:\n  latency: true\n  latency: true\n",
      "m.yaml:3:3: swap.latency: is there",
    ],
    [
      "a key twice in braces",
      "swap: {latency: true, latency: true}\n",
      "m.yaml:1:23: swap.latency: is there",
    ],
    ["a key that is no string", "[1]: 2\n", "m.yaml:1:1: a key is not a string"],
    ["a tag", "name: !kebab a\n", "m.yaml:1:7: "],
    ["an alias", "name: &a b\ntitle: *a\n", "m.yaml:2:8: title: is an alias"],
    ["an alias of nothing", "title: *a\n", "m.yaml:1:8: title: is an alias"],
    ["a second document", "name: a\n---\nname: b\n", "m.yaml:2:1: a second document begins"],
  ])("%s", (_what, text, expected) => {
    expect(refusal(text)).toEqual([expect.stringContaining(expected)]);
  });

  it.each([
    ["nothing", ""],
    ["a comment", "# nothing\n"],
  ])("%s is no model", (_what, text) => {
    expect(refusal(text)).toEqual(["m.yaml:1:1: null is not a map"]);
  });

  it("a key that every object has is unknown, too", () => {
    const text = `${head}actors: [{pinner: {pages: [0]}}]\n__proto__: 1\n`;
    expect(refusal(text)).toEqual([expect.stringMatching(/^m\.yaml:5:1: __proto__: is not a known key/)]);
  });
});

describe("a model that contradicts itself", () => {
  // The mark stands before what is wrong.
  it.each([
    ["vcpu: {access: [read 1, ~write 2]}", "vcpu.access[1]", "there is no page 2"],
    ["migrator: {pages: [0, 1, ~3]}", "migrator.pages[2]", "there is no page 3"],
    ["reclaimer: {pages: [~2]}", "reclaimer.pages[0]", "there is no page 2"],
    ["pinner: {pages: [~2]}", "pinner.pages[0]", "there is no page 2"],
    ["process: {do: [~unmap 3]}", "process.do[0]", "there is no page 3"],
    ["reset: {vcpu: ~0}", "reset.vcpu", "there is no vCPU 0: the model has none"],
    ["process: {do: [~exit, write 0]}", "process.do[0]", "nothing can come after it"],
    ["process: {do: [~write-child 0, fork]}", "process.do[0]", "there is no child: fork first"],
    ["process: {do: [~exit-child]}", "process.do[0]", "there is no child: fork first"],
    ["process: {do: [fork, exit-child, ~write-child 0]}", "process.do[2]", "there is no child: fork first"],
    ["process: {do: [fork, ~fork]}", "process.do[1]", "there is a child already"],
  ])("%s", (entry, path, message) => {
    const column = "- ".length + entry.indexOf("~") + 1;
    expect(refusal(`${head}actors:\n- ${entry.replace("~", "")}\n`)).toEqual([
      expect.stringContaining(`m.yaml:5:${column}: actors[0].${path}: ${message}`),
    ]);
  });

  it("counts vCPUs wherever they are listed", () => {
    const text = `${head}actors:\n- reset: {vcpu: 1}\n- vcpu: {access: [read 0]}\n`;
    expect(refusal(text)).toEqual([
      "m.yaml:5:17: actors[0].reset.vcpu: there is no vCPU 1: the model has one vCPU, counted from 0",
    ]);
    expect(refusal(`${text}- vcpu: {access: [read 0]}\n`)).toEqual([]);
  });

  it("may fork again once the child is gone", () => {
    const text = `${head}actors:\n- process: {do: [fork, exit-child, fork, exit]}\n`;
    expect(refusal(text)).toEqual([]);
  });

  it("has another name than its file", () => {
    const text = `${head}actors: [{pinner: {pages: [0]}}]\n`;
    expect(refusal(text, "b")).toEqual([`m.yaml:1:7: name: "a" is not the file's name, b`]);
    expect(refusal(text, "a")).toEqual([]);
  });
});

describe("several mistakes", () => {
  it("are all there, a line each, in the order of the text", () => {
    const actors = "- vcpu: {acess: [read 0]}\n- migrator: {pages: [x], mode: fast}\n";
    const text = `${head}swap: 1\nactors:\n${actors}speed: 1\n`;
    expect(refusal(text).map((line) => line.slice(0, 40))).toEqual([
      expect.stringMatching(/^m\.yaml:4:7: swap: 1 is not a map/),
      expect.stringMatching(/^m\.yaml:6:9: actors\[0\]\.vcpu\.access/),
      expect.stringMatching(/^m\.yaml:6:10: actors\[0\]\.vcpu\.acess/),
      expect.stringMatching(/^m\.yaml:7:22: actors\[1\]\.migrator\.pages/),
      expect.stringMatching(/^m\.yaml:7:32: actors\[1\]\.migrator\.mode/),
      expect.stringMatching(/^m\.yaml:8:1: speed: /),
    ]);
  });

  it("say what they are about", () => {
    const text = `${head}actors:\n- pinner: {pages: [0, 0, 0]}\nbounds: {depth: 0}\n`;
    expect(refusal(text)).toEqual([
      "m.yaml:5:19: actors[0].pinner.pages: has 3 entries, at most 2 may be",
      "m.yaml:6:17: bounds.depth: 0 is not at least 1",
    ]);
  });
});
