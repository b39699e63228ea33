/** What a comparison of policies comes to. */
import type { KernelCrash } from "../../core/core.ts";
import type { Errno, KernelName } from "../../core/names.ts";
import type { Violation } from "../../host.ts";
import type { CostProfileName } from "../../scenario/cost-profiles.ts";
import type { PolicyVariant } from "../../scenario/variant.ts";
import type { Percentiles } from "./percentiles.ts";
import type { BlameRow, HistogramName, MetricName, TimedRun } from "./result.ts";
import type { Difference, Estimate, Proportion } from "./statistics.ts";

/** A number of a policy's runs. */
export interface Compared {
  /** Null if no run has it. */
  readonly estimate: Estimate | null;
  /** To the first policy, over the seeds with which both have it. Null for the first, and if none. */
  readonly difference: Difference | null;
}

/** What is compared besides the metrics. */
export type MeasureName = MetricName | "endNs" | "meanPins";

export interface OperationSummary {
  readonly name: string;
  readonly do: string;
  /** A run whose kernel has crashed has not succeeded. */
  readonly success: Proportion;
  /** In how many runs it ended so. Of runs whose kernel has crashed there is `crashed` alone. */
  readonly endings: {
    readonly returned: number;
    readonly gaveUp: number;
    readonly unfinished: number;
    readonly crashed: number;
  };
  /** Errors that the kernel returned. */
  readonly errnos: readonly Errno[];
  /** Runs in which the first attempt at every page moved it. */
  readonly cleanAtOnce: number;
  /** Of the runs in which it has ended, successfully or not, ns. */
  readonly durationNs: Compared;
  readonly rounds: Compared;
  readonly pagesMoved: Compared;
  readonly pagesLeft: Compared;
  readonly pinsAtStart: Compared;
}

/** Of one policy. Runs whose kernel has crashed are counted, and nothing else of them is. */
export interface VariantSummary extends PolicyVariant {
  readonly runs: number;
  readonly crashed: number;
  /** Runs in which a recount has found a broken invariant. */
  readonly violated: number;
  /** The first of each. */
  readonly crash: KernelCrash | null;
  readonly violation: Violation | null;
  readonly operations: readonly OperationSummary[];
  readonly measures: Readonly<Record<MeasureName, Compared>>;
  readonly percentiles: Readonly<Record<HistogramName, Percentiles | null>>;
  /** Summed over the runs, those who blocked longest first. */
  readonly blame: readonly BlameRow[];
}

export interface ComparisonReport {
  readonly command: "run";
  readonly version: string;
  readonly scenario: string;
  readonly title: string;
  readonly kernel: KernelName;
  readonly costs: CostProfileName;
  readonly durationNs: number;
  readonly seeds: readonly number[];
  readonly forked: boolean;
  /** Not every policy has been run with every seed. */
  readonly interrupted: boolean;
  /** Policies that are compared with the first: what p values are corrected for. */
  readonly comparisons: number;
  readonly policies: readonly VariantSummary[];
  /** Policy after policy, seed after seed. */
  readonly runs: readonly TimedRun[];
}
