/** The table of mutations fits the kernel that it breaks. */
import * as fs from "node:fs";
import { describe, expect, it } from "vitest";
import { builtinModels } from "../../src/scenario/model/builtin.ts";
import { mutations, notClean } from "./mutations.mjs";

describe("the table of mutations", () => {
  it("finds each text once, and puts another in its place", () => {
    const wrong = mutations.filter(({ file, find, replace }) => {
      const text = fs.readFileSync(new URL(`../../${file}`, import.meta.url), "utf8");
      return text.split(find).length !== 2 || find === replace;
    });
    expect(wrong.map(({ id }) => id)).toEqual([]);
  });

  it("has no id twice", () => {
    const ids = mutations.map(({ id }) => id);
    expect(ids).toHaveLength(new Set(ids).size);
  });

  it("excepts models that there are", () => {
    const names = builtinModels().map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(notClean.map(({ model }) => model)));
  });
});
