/** Every way in which one value of a document can be wrong, as its JSON Schema has it. */
import { alternatives, placesIn, type SchemaNode } from "./schema-nodes.ts";
import { isFields, isList, write, type Fields, type Path, type Value } from "./written.ts";

export function replace(value: Value, path: Path, wrong: Value): Value {
  const [step, ...rest] = path;
  if (step === undefined) return wrong;
  if (isList(value)) return value.map((item, i) => (i === step ? replace(item, rest, wrong) : item));
  if (!isFields(value)) throw new Error(`there is nothing at ${step}`);
  return { ...value, [step]: replace(value[step] ?? null, rest, wrong) };
}

function without(value: Fields, key: string): Fields {
  return Object.fromEntries(Object.entries(value).filter(([name]) => name !== key));
}

function wrongNumbers({ minimum = 0, maximum = 0, type }: SchemaNode): Value[] {
  return ["one", ...(type === "integer" ? [minimum + 0.5] : []), minimum - 1, maximum + 1];
}

function wrongLists(value: Value, { minItems = 0, maxItems = 0 }: SchemaNode): Value[] {
  const first = isList(value) ? (value[0] ?? null) : null;
  return [17, minItems > 0 ? [] : 17, Array.from({ length: maxItems + 1 }, () => first)];
}

/** Values that one alternative of a schema does not allow where `value` stands. */
function wrongOfOne(value: Value, node: SchemaNode): Value[] {
  switch (node.type) {
    case "integer":
    case "number":
      return wrongNumbers(node);
    case "boolean":
      return ["yes", 1];
    case "string":
      return [17, ...((node.enum ?? node.const ?? node.pattern) ? ["No Such"] : []), ""];
    case "array":
      return wrongLists(value, node);
    case "object":
      return [17, []];
    case undefined:
    default:
      throw new Error("a schema without a type");
  }
}

/** Whether a value, which is wrong for one alternative, is of the type of another. */
function isOfAnother(value: Value, node: SchemaNode, one: SchemaNode): boolean {
  return alternatives(node)
    .filter((other) => other !== one)
    .some(({ type }) => {
      if (type === "array") return isList(value);
      if (type === "object") return isFields(value);
      if (type === "integer") return typeof value === "number";
      return typeof value === type;
    });
}

export function pathText(path: Path): string {
  return path
    .map((step) => (typeof step === "number" ? `[${step}]` : `.${step}`))
    .join("")
    .replace(/^\./, "");
}

export interface Case {
  readonly title: string;
  readonly document: Value;
  /** The line of the error, from the line number up to its message. */
  readonly expected: string;
}

export function caseAt(title: string, document: Value, place: string | undefined, path: Path): Case {
  const text = pathText(path);
  return { title, document, expected: `${place}: ${text === "" ? "" : `${text}: `}` };
}

/** The document with another value at `path`, which the error is to be about. */
export function replacedCase(document: Value, path: Path, wrong: Value): Case {
  const replaced = replace(document, path, wrong);
  const title = `${pathText(path)} is ${JSON.stringify(wrong).slice(0, 60)}`;
  return caseAt(title, replaced, write(replaced).valueAt(path), path);
}

/** Values of the wrong type, out of range or unknown; unknown keys; keys that are missing. */
export function wrongDocuments(document: Value, root: SchemaNode): Case[] {
  const places = placesIn(document, root);
  const wrong = places.flatMap(({ path, value, node, chosen }) =>
    [null, ...wrongOfOne(value, chosen)]
      .filter((other) => !isOfAnother(other, node, chosen))
      .map((other) => replacedCase(document, path, other)),
  );
  const maps = places.flatMap(({ path, value, chosen }) =>
    isFields(value) ? [{ path, value, chosen }] : [],
  );
  const missing = maps.flatMap(({ path, value, chosen: { required = [] } }) =>
    required.map((key) => {
      const shortened = replace(document, path, without(value, key));
      const gone = [...path, key];
      return caseAt(`${pathText(gone)} is missing`, shortened, write(shortened).valueAt(path), gone);
    }),
  );
  const unknown = maps.map(({ path, value, chosen }) => {
    // Where any key may stand, only its own form is wrong.
    const [ofRecord = 1] = chosen.additionalProperties === false ? [] : Object.values(value);
    const extended = replace(document, path, { ...value, nonsense: ofRecord });
    const extra = [...path, "nonsense"];
    return caseAt(`${pathText(extra)} is unknown`, extended, write(extended).keyAt(extra), extra);
  });
  return [...wrong, ...missing, ...unknown];
}

/** Maps of which one key may stand, with none or with two. */
export function miscounted(
  document: Value,
  root: SchemaNode,
  others: Readonly<Record<string, Fields>>,
): Case[] {
  return placesIn(document, root).flatMap(({ path, value, chosen }) => {
    if (!isFields(value) || chosen.maxProperties !== 1) return [];
    const known = Object.keys(chosen.properties ?? {});
    const two = others[known.join()];
    if (two === undefined) throw new Error(`no example of ${known.join()}`);
    return [{}, two].map((wrong) => replacedCase(document, path, wrong));
  });
}
