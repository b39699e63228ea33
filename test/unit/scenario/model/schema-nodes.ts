/** The JSON Schema of models as tests walk it. */
import { modelSchema } from "../../../../src/scenario/model/schema.ts";
import { isFields, isList, type Path, type Value } from "../written.ts";

export interface SchemaNode {
  readonly type: "object" | "array" | "string" | "integer" | "boolean";
  readonly description?: string;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly required?: readonly string[];
  readonly items?: SchemaNode;
  readonly enum?: readonly string[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
}

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the tests below fail where it is not so
export const root = modelSchema() as SchemaNode;

/** Every property, with the names of those that it is in. */
export function properties(node: SchemaNode = root, path = ""): [string, SchemaNode][] {
  const own = Object.entries(node.properties ?? {}).flatMap(([name, property]): [string, SchemaNode][] => [
    [`${path}${name}`, property],
    ...properties(property, `${path}${name}.`),
  ]);
  return node.items === undefined ? own : [...own, ...properties(node.items, path)];
}

/** Where a value stands, and what the schema says of it. */
export interface Place {
  readonly path: Path;
  readonly value: Value;
  readonly node: SchemaNode;
}

/** Every value of a document. */
export function placesIn(value: Value, node: SchemaNode = root, path: Path = []): Place[] {
  const here = { path, value, node };
  const { items, properties: known = {} } = node;
  if (isList(value) && items !== undefined) {
    return [here, ...value.flatMap((item, i) => placesIn(item, items, [...path, i]))];
  }
  if (!isFields(value)) return [here];
  const below = Object.entries(value).flatMap(([key, field]) => placesIn(field, known[key], [...path, key]));
  return [here, ...below];
}
