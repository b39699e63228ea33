/** JSON Schemas as tests walk them. */
import { isFields, isList, type Path, type Value } from "./written.ts";

export interface SchemaNode {
  /** None where there are alternatives. */
  readonly type?: "object" | "array" | "string" | "integer" | "number" | "boolean";
  readonly description?: string;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  /** What other keys have: a map of values by name, unless false. */
  readonly additionalProperties?: SchemaNode | false;
  readonly required?: readonly string[];
  readonly items?: SchemaNode;
  readonly anyOf?: readonly SchemaNode[];
  readonly oneOf?: readonly SchemaNode[];
  readonly const?: string;
  readonly enum?: readonly string[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minProperties?: number;
  readonly maxProperties?: number;
}

export function alternatives(node: SchemaNode): readonly SchemaNode[] {
  const { anyOf = [], oneOf = [] } = node;
  const found = [...anyOf, ...oneOf];
  return found.length === 0 ? [node] : found.flatMap(alternatives);
}

/** Every property, with the names of those that it is in. */
export function properties(root: SchemaNode, path = ""): [string, SchemaNode][] {
  return alternatives(root).flatMap((node) => {
    const own = Object.entries(node.properties ?? {}).flatMap(([name, property]): [string, SchemaNode][] => [
      [`${path}${name}`, property],
      ...properties(property, `${path}${name}.`),
    ]);
    return node.items === undefined ? own : [...own, ...properties(node.items, path)];
  });
}

/** Where a value stands, and what the schema says of it. */
export interface Place {
  readonly path: Path;
  readonly value: Value;
  /** As it stands, with all alternatives. */
  readonly node: SchemaNode;
  /** The alternative that the value is of. */
  readonly chosen: SchemaNode;
}

function isOf(value: Value, node: SchemaNode): boolean {
  if (isList(value)) return node.type === "array";
  if (isFields(value)) {
    const constants = Object.entries(node.properties ?? {}).filter(([, field]) => field.const !== undefined);
    return node.type === "object" && constants.every(([key, field]) => value[key] === field.const);
  }
  return typeof value === "number"
    ? node.type === "integer" || node.type === "number"
    : node.type === typeof value;
}

/** Every value of a document. */
export function placesIn(value: Value, node: SchemaNode, path: Path = []): Place[] {
  const chosen = alternatives(node).find((alternative) => isOf(value, alternative));
  if (chosen === undefined) throw new Error(`the schema has nothing for ${JSON.stringify(path)}`);
  const here = { path, value, node, chosen };
  const { items, properties: known = {}, additionalProperties = false } = chosen;
  if (isList(value) && items !== undefined) {
    return [here, ...value.flatMap((item, i) => placesIn(item, items, [...path, i]))];
  }
  if (!isFields(value)) return [here];
  const below = Object.entries(value).flatMap(([key, field]) => {
    const property = known[key] ?? additionalProperties;
    if (property === false) throw new Error(`the schema has no ${JSON.stringify([...path, key])}`);
    return placesIn(field, property, [...path, key]);
  });
  return [here, ...below];
}
