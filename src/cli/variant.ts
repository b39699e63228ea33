/** The policies that --policy names, and the repairs that --repair adds to rfc. */
import type { PolicyVariant } from "../scenario/variant.ts";
import { UsageError } from "./usage-error.ts";

/** The parts of a list on the command line. */
export function items(list: string): string[] {
  return list.split(",").map((item) => item.trim());
}

interface VariantOptions {
  readonly policy?: string;
  readonly repair?: string;
}

/** Variants of which every rfc has the repairs of --repair, too. @throws {UsageError} if none is rfc */
export async function withRepairs(
  variants: readonly PolicyVariant[],
  { policy: policies, repair }: VariantOptions,
): Promise<readonly PolicyVariant[]> {
  if (repair === undefined) return variants;
  const { parseRepairs } = await import("../scenario/variant.ts");
  const repairs = parseRepairs(
    "--repair",
    repair.split(/[,+]/).map((name) => name.trim()),
  );
  if (!variants.some(({ policy }) => policy === "rfc")) {
    throw new UsageError(`--repair: ${repair} is for rfc, and --policy ${policies} has none`);
  }
  return variants.map((variant) =>
    variant.policy === "rfc"
      ? { ...variant, repairs: parseRepairs("--repair", [...variant.repairs, ...repairs]) }
      : variant,
  );
}
