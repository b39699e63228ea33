import { Ajv } from "ajv";
import { describe, expect, it } from "vitest";
import { scenarioSchema } from "../../../../src/scenario/timed/schema.ts";
import { alternatives, placesIn, properties, type SchemaNode } from "../schema-nodes.ts";
import { miscounted, wrongDocuments } from "../wrong-documents.ts";
import { write } from "../written.ts";
import { everyField, refusal, trace } from "./documents.ts";

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the tests below fail where it is not so
const root = scenarioSchema() as SchemaNode;

/** The JSON Schema as an editor would apply it. */
const editor = new Ajv({ strict: true, allowUnionTypes: true }).compile(root);

const names = (path: readonly (string | number)[]): string =>
  path.filter((step) => typeof step === "string").join(".");

describe("the schema of scenarios", () => {
  it("is of draft 7, and editors take it", () => {
    expect(root).toMatchObject({ $schema: "http://json-schema.org/draft-07/schema#", type: "object" });
    expect(editor(everyField)).toBe(true);
  });

  it.each(properties(root))("has a description for %s", (_name, property) => {
    expect(property.description).toMatch(/^[A-Za-z0-9].*\.$/);
  });

  it("has every property and alternative in the example of the cases below", () => {
    const places = placesIn(everyField, root);
    const shown = new Set(places.map(({ path, chosen }) => `${names(path)} ${JSON.stringify(chosen)}`));
    const wanted = properties(root).flatMap(([name, property]) =>
      alternatives(property).map((node) => `${name} ${JSON.stringify(node)}`),
    );
    // Ranges and seeds are a number or a text everywhere: each form once in the example is enough.
    const short = new Set(
      properties(root).flatMap(([name, { anyOf = [] }]) => (anyOf.length > 0 ? [name] : [])),
    );
    const missing = wanted.filter((one) => !shown.has(one) && !short.has(one.slice(0, one.indexOf(" "))));
    expect(missing).toEqual([]);
  });
});

describe("a value that the schema does not allow", () => {
  const ofSchema = wrongDocuments(everyField, root);
  const counted = miscounted(everyField, root, {
    "exponential,quantiles,uniform": { exponential: "1ms", uniform: ["1ms", "2ms"] },
    "zipf,shift,pingPong,trace": { zipf: 1, trace: "t.csv" },
  });

  it("is looked for in all places", () => {
    expect(refusal(write(everyField).text, { trace })).toEqual([]);
    expect(ofSchema.length).toBeGreaterThan(700);
    expect(counted.length).toBe(26);
  });

  it.each([...ofSchema, ...counted])("has its place in the error: $title", ({ document, expected }) => {
    const lines = refusal(write(document).text, { trace });
    expect(lines).toEqual([expect.stringContaining(`s.yaml:${expected}`)]);
  });

  it.each([...ofSchema, ...counted])("is not allowed by editors either: $title", ({ document }) => {
    expect(editor(document)).toBe(false);
  });
});
