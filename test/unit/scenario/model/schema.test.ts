import * as z from "zod";
import { describe, expect, it } from "vitest";
import { SimError } from "../../../../src/errors.ts";
import { loadModel } from "../../../../src/scenario/model/load-model.ts";
import { modelSchema } from "../../../../src/scenario/model/schema.ts";
import { placesIn, properties, type SchemaNode } from "../schema-nodes.ts";
import { miscounted, wrongDocuments } from "../wrong-documents.ts";
import { write, type Value } from "../written.ts";
import { everyField } from "./documents.ts";

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the tests below fail where it is not so
const root = modelSchema() as SchemaNode;

/** The JSON Schema as an editor would apply it. */
const editor = z.fromJSONSchema({ ...modelSchema() });

/** What loadModel() says. */
function refusal(document: Value): string {
  try {
    loadModel(write(document).text, "m.yaml");
  } catch (error) {
    if (error instanceof SimError && error.code === "ERR_MODEL") return error.message;
    throw error;
  }
  return "nothing";
}

describe("the schema of models", () => {
  it.each(properties(root))("has a description for %s", (_name, property) => {
    expect(property.description).toMatch(/^[A-Z].*\.$/);
  });

  it("has one actor an entry", () => {
    expect(root.properties?.["actors"]?.items).toMatchObject({ minProperties: 1, maxProperties: 1 });
  });

  it("has every property in the example of the cases below", () => {
    const shown = new Set(
      placesIn(everyField, root).map(({ path }) => path.filter((step) => typeof step === "string").join(".")),
    );
    expect(properties(root).filter(([name]) => !shown.has(name))).toEqual([]);
  });
});

describe("a value that the schema does not allow", () => {
  const ofSchema = wrongDocuments(everyField, root);
  const counted = miscounted(everyField, root, {
    "vcpu,migrator,reclaimer,process,pinner,reset": { pinner: { pages: [0] }, reclaimer: { pages: [0] } },
  });

  it.each([...ofSchema, ...counted])("has its place in the error: $title", ({ document, expected }) => {
    const message = refusal(document).replace(/^m\.yaml:/, "");
    expect(message.slice(0, expected.length)).toBe(expected);
    expect(message).not.toContain("\n");
  });

  it.each(ofSchema)("is not allowed by editors either: $title", ({ document }) => {
    expect(editor.safeParse(document).success).toBe(false);
  });
});
