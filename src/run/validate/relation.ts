/**
 * Relations of a recording: comparisons of sums and products of numbers and observed fields, as
 * `vmstat.pgmigrate_fail == pinned + (failedCalls - 1)`. They are parsed, never run as code.
 */
import { type Fields, isFields } from "./field.ts";

export interface Relation {
  readonly text: string;
  readonly expression: Expression;
}

type Operator = "==" | "!=" | "<=" | ">=" | "<" | ">" | "+" | "-" | "*" | "/";

type Expression =
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "field"; readonly path: readonly string[] }
  | { readonly kind: "negative"; readonly of: Expression }
  | {
      readonly kind: "operation";
      readonly operator: Operator;
      readonly left: Expression;
      readonly right: Expression;
    };

const token = /\s*(?:(\d+(?:\.\d+)?)|([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)|(==|!=|<=|>=|[<>+\-*/()]))/y;
const LEVELS: readonly (readonly Operator[])[] = [
  ["==", "!=", "<=", ">=", "<", ">"],
  ["+", "-"],
  ["*", "/"],
];

function tokens(text: string): string[] | null {
  const found: string[] = [];
  token.lastIndex = 0;
  let at = 0;
  while (at < text.trimEnd().length) {
    token.lastIndex = at;
    const match = token.exec(text);
    if (match === null) return null;
    found.push(match[0].trim());
    at = token.lastIndex;
  }
  return found;
}

class Parser {
  readonly #tokens: readonly string[];
  #at = 0;

  constructor(found: readonly string[]) {
    this.#tokens = found;
  }

  get atEnd(): boolean {
    return this.#at === this.#tokens.length;
  }

  /** An expression whose operators bind at `level` or tighter, null if there is none. */
  expression(level = 0): Expression | null {
    const operators = LEVELS[level];
    if (operators === undefined) return this.#operand();
    let left = this.expression(level + 1);
    while (left !== null) {
      const operator = operators.find((one) => one === this.#tokens[this.#at]);
      if (operator === undefined) return left;
      this.#at += 1;
      const right = this.expression(level + 1);
      if (right === null) return null;
      left = { kind: "operation", operator, left, right };
      // Python would read a chain of comparisons differently from JavaScript.
      if (level === 0) return left;
    }
    return null;
  }

  #operand(): Expression | null {
    const one = this.#tokens[this.#at];
    if (one === undefined) return null;
    this.#at += 1;
    if (/^\d/.test(one)) return { kind: "number", value: Number(one) };
    if (/^\w/.test(one)) return { kind: "field", path: one.split(".") };
    if (one === "-") {
      const of = this.#operand();
      return of === null ? null : { kind: "negative", of };
    }
    if (one !== "(") return null;
    const inner = this.expression();
    if (inner === null || this.#tokens[this.#at] !== ")") return null;
    this.#at += 1;
    return inner;
  }
}

/** Parses a relation; null if it is none. */
export function parseRelation(text: string): Relation | null {
  const found = tokens(text);
  if (found === null) return null;
  const parser = new Parser(found);
  const expression = parser.expression();
  if (expression === null || !parser.atEnd || expression.kind !== "operation") return null;
  return LEVELS[0]?.includes(expression.operator) ? { text, expression } : null;
}

// Maps from a name to a count: a name that is not there has counted nothing.
const counting = new Set(["vmstat", "whereAfter", "statusCounts"]);

function fieldValue(path: readonly string[], fields: Fields): number | null {
  let value: unknown = fields;
  for (const name of path) {
    if (!isFields(value)) return null;
    value = Object.hasOwn(value, name) ? value[name] : undefined;
  }
  if (
    value === undefined &&
    path.length === 2 &&
    counting.has(path[0] ?? "") &&
    isFields(fields[path[0] ?? ""])
  )
    return 0;
  return typeof value === "number" ? value : null;
}

const apply: Readonly<Record<Operator, (left: number, right: number) => number>> = {
  "==": (left, right) => Number(left === right),
  "!=": (left, right) => Number(left !== right),
  "<=": (left, right) => Number(left <= right),
  ">=": (left, right) => Number(left >= right),
  "<": (left, right) => Number(left < right),
  ">": (left, right) => Number(left > right),
  "+": (left, right) => left + right,
  "-": (left, right) => left - right,
  "*": (left, right) => left * right,
  "/": (left, right) => left / right,
};

function evaluate(expression: Expression, fields: Fields): number | null {
  if (expression.kind === "number") return expression.value;
  if (expression.kind === "field") return fieldValue(expression.path, fields);
  if (expression.kind === "negative") {
    const value = evaluate(expression.of, fields);
    return value === null ? null : -value;
  }
  const left = evaluate(expression.left, fields);
  const right = evaluate(expression.right, fields);
  return left === null || right === null ? null : apply[expression.operator](left, right);
}

/** Whether a relation holds over observed fields; null if it names one that is not a number there. */
export function holds(relation: Relation, fields: Fields): boolean | null {
  const value = evaluate(relation.expression, fields);
  return value === null ? null : value !== 0;
}

/** The values of the fields that a relation names, for a report of why it does not hold. */
export function operands(relation: Relation, fields: Fields): Record<string, number> {
  const values: Record<string, number> = {};
  const visit = (expression: Expression): void => {
    if (expression.kind === "field")
      values[expression.path.join(".")] = fieldValue(expression.path, fields) ?? NaN;
    else if (expression.kind === "negative") visit(expression.of);
    else if (expression.kind === "operation") {
      visit(expression.left);
      visit(expression.right);
    }
  };
  visit(relation.expression);
  return values;
}
