/** A scenario under several policies with several seeds, and what that says of the policies. */
import { SimError } from "../../errors.ts";
import type { Scenario } from "../../scenario/scenario.ts";
import type { PolicyVariant } from "../../scenario/variant.ts";
import type { ComparisonReport } from "./comparison.ts";
import type { TimedRun } from "./result.ts";
import * as thisThread from "./run-scenario.ts";
import { summarise } from "./summary.ts";

/** Where runs happen. */
export interface Runner {
  readonly runScenario: typeof thisThread.runScenario;
  readonly forkScenario: typeof thisThread.forkScenario;
}

export interface CompareProgress {
  /** Runs that have ended, and all of them. */
  readonly done: number;
  readonly total: number;
  readonly seed: number;
  /** Null where one state is run on under every policy. */
  readonly variant: PolicyVariant | null;
  /** Simulated time of the run that is under way. */
  readonly nowNs: number;
}

export interface CompareOptions {
  readonly scenario: Scenario;
  /** The others are compared with the first. */
  readonly variants: readonly PolicyVariant[];
  readonly seeds: readonly number[];
  /** Every policy goes on from the state that the first has before the first operation. */
  readonly fork?: boolean;
  /** Called before each run, and now and then. A promise is waited for; false ends it with what there is. */
  readonly onProgress?: (progress: CompareProgress) => boolean | Promise<boolean>;
  /** Version of the package, for the report. */
  readonly version: string;
  /** Default: this thread. */
  readonly runner?: Runner;
}

function refuseRepeated(what: string, names: readonly string[]): void {
  if (names.length === 0) throw new SimError("ERR_ARGUMENT", `${what}: there has to be one`);
  const repeated = names.find((name, nr) => names.indexOf(name) < nr);
  if (repeated !== undefined) throw new SimError("ERR_ARGUMENT", `${what}: ${repeated} is there twice`);
}

/** "rfc+L1": what tells two variants apart. */
export function variantKey({ policy, repairs }: PolicyVariant): string {
  return [policy, ...repairs].join("+");
}

/** All runs that are complete; those of one seed one after the other, so that an end leaves pairs. */
async function allRuns(
  options: CompareOptions,
  runner: Runner,
): Promise<{ runs: TimedRun[]; stopped: boolean }> {
  const { scenario, variants, seeds, fork = false, onProgress = () => true } = options;
  const total = variants.length * seeds.length;
  const runs: TimedRun[] = [];
  let stopped = false;
  const watch = (seed: number, variant: PolicyVariant | null) => async (nowNs: number) => {
    stopped ||= !(await onProgress({ done: runs.length, total, seed, variant, nowNs }));
    return !stopped;
  };
  // One after the other: each run takes the memory of a host.
  /* oxlint-disable no-await-in-loop */
  for (const seed of seeds) {
    if (fork) {
      // A run may be too short to be asked while it runs.
      if (!(await watch(seed, null)(0))) return { runs, stopped };
      const found = await runner.forkScenario({ scenario, variants, seed, onProgress: watch(seed, null) });
      if (stopped) return { runs, stopped };
      runs.push(...found);
      continue;
    }
    for (const variant of variants) {
      if (!(await watch(seed, variant)(0))) return { runs, stopped };
      const run = await runner.runScenario({ scenario, variant, seed, onProgress: watch(seed, variant) });
      if (stopped) return { runs, stopped };
      runs.push(run);
    }
  }
  /* oxlint-enable no-await-in-loop */
  return { runs, stopped };
}

/**
 * Runs a scenario under every policy with every seed, and compares the policies with the first. The same seed
 * gives the same random numbers under every policy, so that runs with one seed are pairs.
 *
 * @throws {SimError} ERR_ARGUMENT if there are no policies or seeds, or one of them twice; what runScenario()
 *   and forkScenario() throw.
 */
export async function compareScenario(options: CompareOptions): Promise<ComparisonReport> {
  const { scenario, variants, seeds, fork = false, version, runner = thisThread } = options;
  refuseRepeated("policies", variants.map(variantKey));
  refuseRepeated("seeds", seeds.map(String));
  const { runs, stopped } = await allRuns(options, runner);
  const byVariant = variants.map((variant) => runs.filter((run) => variantKey(run) === variantKey(variant)));
  return {
    command: "run",
    version,
    scenario: scenario.name,
    title: scenario.title,
    kernel: scenario.kernel,
    costs: scenario.costs,
    durationNs: scenario.durationNs,
    seeds,
    forked: fork,
    interrupted: stopped,
    comparisons: variants.length - 1,
    policies: summarise(variants, byVariant),
    runs: byVariant.flat(),
  };
}
