/** What must not come of a comparison, as --fail-on has it. */
import { SimError } from "../../errors.ts";
import { nameOf } from "../../host/config.ts";
import { type PolicyVariant, parseVariant } from "../../scenario/variant.ts";
import { variantKey } from "./compare.ts";
import type { ComparisonReport, VariantSummary } from "./comparison.ts";

/** What may come of a run. A crash is a failure of every operation, too. */
const outcomes = { crash: 1, broken: 2, failed: 3 } as const;
type Outcome = keyof typeof outcomes;

export interface FailRule {
  /** Null: any. */
  readonly policy: PolicyVariant | null;
  readonly outcome: Outcome;
}

/** "crash", "drop-get:failed". @throws {SimError} ERR_UNKNOWN_NAME, ERR_ARGUMENT */
export function parseFailRule(place: string, text: string): FailRule {
  const [last = "", ...before] = text.split(":").toReversed();
  if (before.length > 1) throw new SimError("ERR_ARGUMENT", `${place}: ${text}: allowed is POLICY:OUTCOME`);
  const [name] = before;
  const found = nameOf(place, outcomes, last.trim());
  return { policy: name === undefined ? null : parseVariant(place, name), outcome: found };
}

/** @throws {SimError} ERR_ARGUMENT for a rule of a policy that is not run: it could not be broken */
export function checkFailRules(
  place: string,
  rules: readonly FailRule[],
  variants: readonly PolicyVariant[],
): void {
  const names = variants.map(variantKey);
  for (const { policy } of rules) {
    if (policy === null || names.includes(variantKey(policy))) continue;
    throw new SimError(
      "ERR_ARGUMENT",
      `${place}: ${variantKey(policy)} is not among the policies that are run`,
    );
  }
}

/** What the rule forbids and has happened. */
function broken(summary: VariantSummary, outcome: Outcome): string[] {
  const { runs, crashed, violated, operations } = summary;
  const of = (nr: number): string => `with ${nr} of ${runs} seeds`;
  if (outcome === "crash") return crashed === 0 ? [] : [`the kernel crashes ${of(crashed)}`];
  if (outcome === "broken")
    return violated === 0 ? [] : [`a recount finds an invariant broken ${of(violated)}`];
  // Without operations there is nothing that could fail but the kernel.
  if (operations.length === 0 && crashed > 0) return [`the kernel crashes ${of(crashed)}`];
  return operations.flatMap(({ name, success }) =>
    success.successes === success.runs ? [] : [`${name} fails ${of(success.runs - success.successes)}`],
  );
}

/** A line for each policy and rule that it breaks; empty if all is well. */
export function failures(report: ComparisonReport, rules: readonly FailRule[]): string[] {
  return rules.flatMap(({ policy, outcome }) =>
    report.policies
      .filter((summary) => policy === null || variantKey(summary) === variantKey(policy))
      .flatMap((summary) => broken(summary, outcome).map((what) => `${variantKey(summary)}: ${what}`)),
  );
}
