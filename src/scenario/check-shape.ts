/** What a text's schema says against it, in words and with its place. */
import type * as z from "zod";
import type { Problem, YamlText } from "./yaml-text.ts";

type Issue = z.core.$ZodIssue;
type UnionIssue = Exclude<z.core.$ZodIssueInvalidUnion, { inclusive: false }>;

const SHOWN_CHARACTERS = 60;

const expectations: Readonly<Record<string, string>> = {
  object: "a map",
  array: "a list",
  string: "a string",
  number: "a number",
  int: "an integer",
  boolean: "true or false",
};

/** A value as an error shows it. */
export function shown(value: unknown): string {
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
  const { code, input, message } = issue;
  if (code === "custom") return message;
  if (input === undefined) return "is missing";
  if (isOwn(message)) return `${shown(input)} ${message}`;
  if (code === "invalid_type")
    return `${shown(input)} is not ${expectations[issue.expected] ?? issue.expected}`;
  if (code === "invalid_value") return `${shown(input)} is not one of ${issue.values.join(", ")}`;
  return code === "too_big" || code === "too_small" ? describeSize(issue) : message;
}

/** Words of a schema of ours: those of zod begin with a capital letter. */
function isOwn(message: string): boolean {
  return /^[a-z]/.test(message);
}

/** What is wrong with a value that may be of two kinds: what the kind says that it is of. */
function innerIssues(issue: Issue): Issue[] {
  if (issue.code !== "invalid_union") return [issue];
  const ofItsKind = issue.errors.find(
    (branch) =>
      !branch.some(
        ({ code, path }) => path.length === 0 && (code === "invalid_type" || code === "invalid_value"),
      ),
  );
  if (ofItsKind === undefined || ofItsKind.length === 0) return [issue];
  return ofItsKind.flatMap((inner) => innerIssues({ ...inner, path: [...issue.path, ...inner.path] }));
}

/** A key that selects what else there is, and says nothing known. */
function unknownChoice({ input, options, discriminator = "" }: UnionIssue): string {
  const chosen: unknown = Object.entries(input ?? {}).find(([key]) => key === discriminator)?.[1];
  if (chosen === undefined) return "is missing";
  return `${shown(chosen)} is not one of ${(options ?? []).map(String).join(", ")}`;
}

function problemsOf(issue: Issue, text: YamlText): Problem[] {
  const path = issue.path.map((step) => (typeof step === "number" ? step : String(step)));
  if (issue.code === "invalid_key") {
    const [name = ""] = path.slice(-1);
    const message = `${shown(name)} ${issue.issues[0]?.message ?? issue.message}`;
    return [{ path, message, at: text.keyAt(path) }];
  }
  if (issue.code === "invalid_union" && issue.inclusive !== false && issue.discriminator !== undefined) {
    return [{ path, message: unknownChoice(issue), at: text.valueAt(path) }];
  }
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
  return issues.flatMap(innerIssues).flatMap((issue) => problemsOf(issue, text));
}
