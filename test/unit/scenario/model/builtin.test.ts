import * as fs from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import * as z from "zod";
import { modelTexts } from "../../../../src/generated/models/texts.ts";
import { builtinModel, builtinModels } from "../../../../src/scenario/model/builtin.ts";
import { loadModel } from "../../../../src/scenario/model/load-model.ts";
import { modelSchema } from "../../../../src/scenario/model/schema.ts";
import { documentOf } from "./documents.ts";
import { write } from "../written.ts";

const folder = fileURLToPath(new URL("../../../../src/scenario/models/", import.meta.url));
const files = fs.readdirSync(folder).toSorted();
const models = builtinModels();

describe("the built-in models", () => {
  it("are those of the YAML files, as they stand", () => {
    const built = Object.entries(modelTexts).map(([name, text]) => [`${name}.yaml`, text]);
    const written = files.map((file) => [file, fs.readFileSync(`${folder}${file}`, "utf8")]);
    expect(Object.fromEntries(built)).toEqual(Object.fromEntries(written));
  });

  it("come by name", () => {
    const names = models.map((model) => model.name);
    expect(names).toEqual(files.map((file) => file.replace(/\.yaml$/, "")).toSorted());
    expect(names.map((name) => builtinModel(name))).toEqual(models);
  });

  it.each(models.map((model) => [model.name, model] as const))("%s asks a question", (_name, model) => {
    expect(model.title).toMatch(/^[A-Z].*\?$/);
  });

  it.each(Object.entries(modelTexts))("%s says first what it is for", (_name, text) => {
    expect(text).toMatch(/^# .*\.\n/);
  });

  it.each(models.map((model) => [model.name, model] as const))(
    "%s says the same once more",
    (name, model) => {
      expect(loadModel(write(documentOf(model)).text, `${name}.yaml`)).toEqual(model);
    },
  );

  it("are what the schema allows, as an editor would apply it", () => {
    const editor = z.fromJSONSchema({ ...modelSchema() });
    const refused = Object.entries(modelTexts).filter(([, text]) => !editor.safeParse(parse(text)).success);
    expect(refused).toEqual([]);
  });

  it("no two are the same", () => {
    const setUps = models.map((model) => JSON.stringify({ ...model, name: "", title: "" }));
    expect(new Set(setUps).size).toBe(models.length);
    expect(new Set(models.map((model) => model.title)).size).toBe(models.length);
  });

  it("a name that there is not: the error lists those that there are", () => {
    expect(() => builtinModel("migrat")).toThrow(
      expect.objectContaining({
        code: "ERR_UNKNOWN_NAME",
        message: `model: "migrat" is not one of ${models.map((model) => model.name).join(", ")}`,
      }),
    );
  });
});
