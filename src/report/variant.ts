/** What a policy with its repairs is called in tables and files. */
import type { PolicyVariant } from "../scenario/variant.ts";

/** "rfc as posted", "rfc +L1 … +L4", "drop-get": the name of a variant in a table. */
export function variantLabel({ policy, repairs }: PolicyVariant): string {
  if (policy === "drop-get") return "drop-get (v3.13)";
  if (policy !== "rfc") return policy;
  const [first] = repairs;
  const last = repairs.at(-1);
  if (first === undefined || last === undefined) return "rfc as posted";
  const cumulative = first === "L1" && last === `L${repairs.length}`;
  if (cumulative && repairs.length > 2) return `rfc +L1 … +${last}`;
  return `rfc ${repairs.map((repair) => `+${repair}`).join(" ")}`;
}

/** "rfc+L1+L2": the name that --policy takes. */
export function variantName({ policy, repairs }: PolicyVariant): string {
  return [policy, ...repairs].join("+");
}

/** "rfc +L1, +L1 +L2": labels, the policy named once. */
export function joinLabels(labels: readonly string[]): string {
  return labels
    .map((label, nr) => {
      const [policy = ""] = label.split(" ");
      return labels[nr - 1]?.startsWith(`${policy} `) === true ? label.slice(policy.length + 1) : label;
    })
    .join(", ");
}
