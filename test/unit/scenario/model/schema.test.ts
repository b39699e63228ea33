import * as z from "zod";
import { describe, expect, it } from "vitest";
import { SimError } from "../../../../src/errors.ts";
import { loadModel } from "../../../../src/scenario/model/load-model.ts";
import { modelSchema } from "../../../../src/scenario/model/schema.ts";
import { everyField } from "./documents.ts";
import { placesIn, properties, root, type SchemaNode } from "./schema-nodes.ts";
import { isFields, isList, write, type Fields, type Path, type Value } from "../written.ts";

/** The JSON Schema as an editor would apply it. */
const editor = z.fromJSONSchema({ ...modelSchema() });

function replace(value: Value, path: Path, wrong: Value): Value {
  const [step, ...rest] = path;
  if (step === undefined) return wrong;
  if (isList(value)) return value.map((item, i) => (i === step ? replace(item, rest, wrong) : item));
  if (!isFields(value)) throw new Error(`there is nothing at ${step}`);
  return { ...value, [step]: replace(value[step] ?? null, rest, wrong) };
}

function without(value: Fields, key: string): Fields {
  return Object.fromEntries(Object.entries(value).filter(([name]) => name !== key));
}

function wrongNumbers({ minimum = 0, maximum = 0 }: SchemaNode): Value[] {
  return ["one", 1.5, minimum - 1, maximum + 1];
}

function wrongLists(value: Value, { minItems = 0, maxItems = 0 }: SchemaNode): Value[] {
  const first = isList(value) ? (value[0] ?? null) : null;
  return [17, minItems > 0 ? [] : 17, Array.from({ length: maxItems + 1 }, () => first)];
}

/** Values that a schema does not allow where `value` stands. */
function wrongValues(value: Value, node: SchemaNode): Value[] {
  switch (node.type) {
    case "integer":
      return [null, ...wrongNumbers(node)];
    case "boolean":
      return [null, "yes", 1];
    case "string":
      return [null, 17, ...((node.enum ?? node.pattern) ? ["No Such"] : []), ""];
    case "array":
      return [null, ...wrongLists(value, node)];
    case "object":
      return [null, 17, []];
    default:
      return [];
  }
}

function pathText(path: Path): string {
  return path
    .map((step) => (typeof step === "number" ? `[${step}]` : `.${step}`))
    .join("")
    .replace(/^\./, "");
}

interface Case {
  readonly title: string;
  readonly document: Value;
  /** The line of the error, up to its message. */
  readonly expected: string;
}

function caseAt(title: string, document: Value, place: string | undefined, path: Path): Case {
  const text = pathText(path);
  return { title, document, expected: `m.yaml:${place}: ${text === "" ? "" : `${text}: `}` };
}

const places = placesIn(everyField);
const maps = places.flatMap(({ path, value, node }) => (isFields(value) ? [{ path, value, node }] : []));

const wrongCases = places.flatMap(({ path, value, node }) =>
  wrongValues(value, node).map((wrong) => {
    const document = replace(everyField, path, wrong);
    const title = `${pathText(path)} is ${JSON.stringify(wrong)}`;
    return caseAt(title, document, write(document).valueAt(path), path);
  }),
);

const missingCases = maps.flatMap(({ path, value, node: { required = [] } }) =>
  required.map((key) => {
    const document = replace(everyField, path, without(value, key));
    const missing = [...path, key];
    return caseAt(`${pathText(missing)} is missing`, document, write(document).valueAt(path), missing);
  }),
);

const unknownCases = maps.map(({ path, value }) => {
  const document = replace(everyField, path, { ...value, nonsense: 1 });
  const unknown = [...path, "nonsense"];
  return caseAt(`${pathText(unknown)} is unknown`, document, write(document).keyAt(unknown), unknown);
});

/** An entry is one actor. */
const countedCases = maps
  .filter(({ path }) => path.length === 2 && path[0] === "actors")
  .flatMap(({ path, value }) =>
    [{}, { ...value, pinner: { pages: [0] }, reclaimer: { pages: [0] } }].map((wrong) => {
      const document = replace(everyField, path, wrong);
      const title = `${pathText(path)} has ${Object.keys(wrong).length} keys`;
      return caseAt(title, document, write(document).valueAt(path), path);
    }),
  );

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
  it.each(properties())("has a description for %s", (_name, property) => {
    expect(property.description).toMatch(/^[A-Z].*\.$/);
  });

  it("has one actor an entry", () => {
    expect(root.properties?.["actors"]?.items).toMatchObject({ minProperties: 1, maxProperties: 1 });
  });

  it("has every property in the example of the cases below", () => {
    const shown = new Set(
      places.map(({ path }) => path.filter((step) => typeof step === "string").join(".")),
    );
    expect(properties().filter(([name]) => !shown.has(name))).toEqual([]);
  });
});

describe("a value that the schema does not allow", () => {
  const ofSchema = [...wrongCases, ...missingCases, ...unknownCases];

  it.each([...ofSchema, ...countedCases])("has its place in the error: $title", ({ document, expected }) => {
    const message = refusal(document);
    expect(message.slice(0, expected.length)).toBe(expected);
    expect(message).not.toContain("\n");
  });

  it.each(ofSchema)("is not allowed by editors either: $title", ({ document }) => {
    expect(editor.safeParse(document).success).toBe(false);
  });
});
