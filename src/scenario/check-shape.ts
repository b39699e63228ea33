/** What a text's schema says against it, in words and with its place. */
import type * as z from "zod";
import type { Problem, YamlText } from "./yaml-text.ts";

type Issue = z.core.$ZodIssue;

const SHOWN_CHARACTERS = 60;

const expectations: Readonly<Record<string, string>> = {
  object: "a map",
  array: "a list",
  string: "a string",
  number: "a number",
  int: "an integer",
  boolean: "true or false",
};

function shown(value: unknown): string {
  // JSON has no NaN and no infinity.
  const text = typeof value === "number" ? String(value) : JSON.stringify(value);
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text;
}

function entries(count: number): string {
  return count === 1 ? "1 entry" : `${count} entries`;
}

function describeSize(issue: z.core.$ZodIssueTooBig | z.core.$ZodIssueTooSmall): string {
  const { input, origin } = issue;
  const limit = Number(issue.code === "too_big" ? issue.maximum : issue.minimum);
  const bound = issue.code === "too_big" ? "at most" : "at least";
  if (Array.isArray(input)) return `has ${entries(input.length)}, ${bound} ${limit} may be`;
  if (origin === "string") return "is empty";
  return `${shown(input)} is not ${bound} ${limit}`;
}

function describe(issue: Issue): string {
  const { code, input } = issue;
  if (input === undefined) return "is missing";
  if (code === "invalid_type")
    return `${shown(input)} is not ${expectations[issue.expected] ?? issue.expected}`;
  if (code === "invalid_value") return `${shown(input)} is not one of ${issue.values.join(", ")}`;
  if (code === "invalid_format") return `${shown(input)} is not a name in kebab-case`;
  return code === "too_big" || code === "too_small" ? describeSize(issue) : issue.message;
}

function problemsOf(issue: Issue, text: YamlText): Problem[] {
  const path = issue.path.map((step) => (typeof step === "number" ? step : String(step)));
  if (issue.code !== "unrecognized_keys") {
    return [{ path, message: describe(issue), at: text.valueAt(path) }];
  }
  return issue.keys.map((key) => {
    const unknown = [...path, key];
    return { path: unknown, message: issue.message, at: text.keyAt(unknown) };
  });
}

/** What is there and ought not to be, what is missing, and values of the wrong kind. */
export function shapeProblems(issues: readonly Issue[], text: YamlText): Problem[] {
  return issues.flatMap((issue) => problemsOf(issue, text));
}
