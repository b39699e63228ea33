/** What a few runs, which differ in their seeds, say of all runs: means, intervals of 95 %, paired tests. */
import padjust from "@stdlib/stats-padjust";
import ttest from "@stdlib/stats-ttest";

/** The mean of what the runs gave. */
export interface Estimate {
  readonly runs: number;
  readonly mean: number;
  /** Of 95 %, by Student's t. Null with one run, which says nothing of others. */
  readonly low: number | null;
  readonly high: number | null;
}

/** How many of the runs have succeeded. */
export interface Proportion {
  readonly runs: number;
  readonly successes: number;
  /** Of 95 %, by Wilson's score: it is in 0 … 1 and not empty where all runs or none have succeeded. */
  readonly low: number;
  readonly high: number;
}

/** By how much two policies differ, seed by seed. */
export interface Difference extends Estimate {
  /** The same with every seed: there is nothing to test, and the interval is that number. */
  readonly constant: boolean;
  /** Of the paired t test, two-sided. Null with one run, and if constant. */
  readonly pValue: number | null;
  /** The same, corrected by Holm's method for the number of policies that are compared with the first. */
  readonly pAdjusted: number | null;
}

/** The normal distribution has 0.975 below it. */
const Z = 1.959_963_984_540_054;

/** Of one number or more. */
export function estimate(values: readonly number[]): Estimate {
  const [first = Number.NaN] = values;
  const runs = values.length;
  if (runs < 2) return { runs, mean: first, low: null, high: null };
  // Without spread the library's interval is 0/0.
  if (values.every((value) => value === first)) return { runs, mean: first, low: first, high: first };
  const { mean, ci } = ttest([...values]);
  return { runs, mean, low: ci[0] ?? null, high: ci[1] ?? null };
}

/** Of one run or more. Wilson, J. Am. Stat. Assoc. 22 (1927) 209; Newcombe, Stat. Med. 17 (1998) 857. */
export function proportion(successes: number, runs: number): Proportion {
  const share = successes / runs;
  const centre = share + Z ** 2 / (2 * runs);
  const spread = Z * Math.sqrt((share * (1 - share)) / runs + Z ** 2 / (4 * runs ** 2));
  const scale = 1 + Z ** 2 / runs;
  // Rounding would put an end of 0 or 1 beside it.
  const low = successes === 0 ? 0 : (centre - spread) / scale;
  const high = successes === runs ? 1 : (centre + spread) / scale;
  return { runs, successes, low, high };
}

/** `values` less `base`, which are of the same seeds. Not corrected. */
export function difference(values: readonly number[], base: readonly number[]): Difference {
  const differences = values.map((value, nr) => value - (base[nr] ?? Number.NaN));
  const constant = differences.every((value) => value === differences[0]);
  // The paired test of two samples is the test of their differences.
  const pValue = constant ? null : ttest(differences).pValue;
  return { ...estimate(differences), constant, pValue, pAdjusted: pValue };
}

/** Differences of several policies to one, corrected for their number. */
export function corrected(differences: readonly (Difference | null)[]): (Difference | null)[] {
  const pValues = differences.flatMap((one) => (one === null || one.pValue === null ? [] : [one.pValue]));
  const adjusted = pValues.length === 0 ? [] : padjust(pValues, "holm");
  let nr = 0;
  return differences.map((one) => {
    if (one === null || one.pValue === null) return one;
    const pAdjusted = adjusted[nr] ?? one.pValue;
    nr += 1;
    return { ...one, pAdjusted };
  });
}

/** "**" below 0.01, "*" below 0.05, "=" where there is nothing to test, "" otherwise. */
export function significanceMark({ constant, runs, mean, pAdjusted }: Difference): "**" | "*" | "=" | "" {
  if (constant) return runs > 1 && mean !== 0 ? "=" : "";
  if (pAdjusted === null || pAdjusted >= 0.05) return "";
  return pAdjusted < 0.01 ? "**" : "*";
}
