/** `run situation`: the situation of the RFC under one policy after the other. */
import { type KernelName, namesIn, repairs } from "../core/names.ts";
import type { PolicyVariant } from "../scenario/variant.ts";
import { type SituationResult, runSituation } from "./situation.ts";
import { verdict } from "./situation-verdict.ts";

/** The policies that answer the RFC's question, and its repairs one upon the other. */
export const defaultVariants: readonly PolicyVariant[] = [
  { policy: "pin", repairs: [] },
  { policy: "rfc", repairs: [] },
  ...namesIn(repairs).map((_, nr): PolicyVariant => ({
    policy: "rfc",
    repairs: namesIn(repairs).slice(0, nr + 1),
  })),
  { policy: "drop-get", repairs: [] },
  { policy: "longterm", repairs: [] },
];

export type JudgedSituation = SituationResult & { readonly verdict: string };

export interface SituationReport {
  readonly command: "run";
  readonly scenario: "situation";
  readonly version: string;
  readonly kernel: KernelName;
  readonly seed: number;
  readonly results: readonly JudgedSituation[];
}

export interface SituationsOptions {
  readonly kernel: KernelName;
  readonly seed: number;
  readonly variants: readonly PolicyVariant[];
  /** Version of the package, for the report. */
  readonly version: string;
  /** Called before each policy. */
  readonly onProgress?: (variant: PolicyVariant, nr: number) => void;
}

/** Runs the situation under every variant, each on a host of its own. */
export async function runSituations(options: SituationsOptions): Promise<SituationReport> {
  const { kernel, seed, variants, version, onProgress } = options;
  const results: JudgedSituation[] = [];
  for (const [nr, variant] of variants.entries()) {
    onProgress?.(variant, nr);
    // One after the other: each host takes megabytes, and there is one thread.
    // oxlint-disable-next-line no-await-in-loop
    const result = await runSituation(variant, { kernel, seed });
    results.push({ ...result, verdict: verdict(result) });
  }
  return { command: "run", scenario: "situation", version, kernel, seed, results };
}
