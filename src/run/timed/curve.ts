/** How likely a block is to go offline, and how long it takes, against the number of pages pinned in it. */
import { MEMORY_BLOCK_PAGES } from "../../core/abi.ts";
import type { KernelName } from "../../core/names.ts";
import { SimError } from "../../errors.ts";
import type { CostProfileName } from "../../scenario/cost-profiles.ts";
import type { Distribution, Scenario, ScenarioPinner } from "../../scenario/scenario.ts";
import type { PolicyVariant } from "../../scenario/variant.ts";
import { type CompareOptions, compareScenario, variantKey } from "./compare.ts";
import type { ComparisonReport, OperationSummary, VariantSummary } from "./comparison.ts";
import type { TimedRun } from "./result.ts";
import { type Estimate, type Proportion, estimate } from "./statistics.ts";
import { hasSucceeded } from "./summary.ts";

export interface CurveOptions extends Omit<CompareOptions, "fork"> {
  /** Mean numbers of pages that the pinners hold. */
  readonly loads: readonly number[];
}

export interface CurvePoint extends PolicyVariant {
  /** What the pinners were set to. */
  readonly load: number;
  /** Pins over time, those of async_pf and of other memory included; null if every run crashed. */
  readonly measuredLoad: Estimate | null;
  /** Pins in the block when the offline began. */
  readonly pinsAtStart: Estimate | null;
  /** Of a caller who gives up after one round. */
  readonly success: Proportion;
  readonly crashed: number;
  /** The closed form for the pins that were in the block. */
  readonly expected: number | null;
  /** With the scenario's own patience, ns: of the runs in which the block went offline. Null if none did. */
  readonly timeToOfflineNs: Estimate | null;
  /** In how many it did. */
  readonly patient: Proportion;
}

export interface CurveRun extends PolicyVariant {
  readonly load: number;
  readonly seed: number;
  /** One round, or the scenario's own patience. */
  readonly patience: "one-round" | "own";
  readonly offlined: boolean;
  readonly durationNs: number | null;
  readonly stateHash: string;
}

export interface CurveReport {
  readonly command: "curve";
  readonly version: string;
  readonly scenario: string;
  readonly title: string;
  readonly kernel: KernelName;
  readonly costs: CostProfileName;
  readonly seeds: readonly number[];
  readonly loads: readonly number[];
  readonly blockPages: number;
  readonly interrupted: boolean;
  /** Policies under each load, loads ascending. */
  readonly points: readonly CurvePoint[];
  readonly runs: readonly CurveRun[];
}

/** The mean of what is drawn from a distribution. */
export function meanOfDistribution({ points }: Distribution): number {
  return points.slice(1).reduce((sum, point, nr) => {
    const before = points[nr] ?? point;
    return sum + ((point.share - before.share) * (point.ns + before.ns)) / 2;
  }, 0);
}

/**
 * The probability that none of `pages` is pinned, if `pins` are on average, each on a page of its own with
 * the same probability: ∏(1 − ρ_i) with every ρ_i = pins / pages.
 */
export function probabilityOfNoPin(pins: number, pages: number): number {
  return (1 - Math.min(pins / pages, 1)) ** pages;
}

/** Pages that a pinner holds on average, by Little's law. */
function loadOf({ perSecond, hold }: ScenarioPinner): number {
  return hold === null ? 0 : (perSecond * meanOfDistribution(hold)) / 1e9;
}

/**
 * The scenario with its pinners at another rate, so that they hold `load` pages on average together.
 *
 * @throws {SimError} ERR_ARGUMENT if it has none whose rate could be changed
 */
export function withLoad(scenario: Scenario, load: number): Scenario {
  const now = scenario.pinners.reduce((sum, pinner) => sum + loadOf(pinner), 0);
  if (now === 0) {
    throw new SimError(
      "ERR_ARGUMENT",
      `${scenario.name}: pinners: the load needs one with a rate and an end of its pins`,
    );
  }
  const pinners = scenario.pinners.map((pinner) =>
    pinner.hold === null ? pinner : { ...pinner, perSecond: (pinner.perSecond * load) / now },
  );
  return { ...scenario, pinners };
}

/** The scenario with a caller who gives up after one round. */
function oneRound(scenario: Scenario): Scenario {
  const operations = scenario.operations.map((operation) =>
    operation.do === "offline" ? { ...operation, giveUpRounds: 1 } : operation,
  );
  return { ...scenario, operations };
}

function offlineName({ name, operations }: Scenario): string {
  const found = operations.find((operation) => operation.do === "offline");
  if (found === undefined)
    throw new SimError("ERR_ARGUMENT", `${name}: operations: none takes memory offline`);
  return found.name;
}

function named(summary: VariantSummary | undefined, name: string): OperationSummary | undefined {
  return summary?.operations.find((operation) => operation.name === name);
}

const NEVER: Proportion = { runs: 0, successes: 0, low: 0, high: 1 };

/** What the runs of one load say of a policy. */
function pointOf(load: number, summary: VariantSummary, patient: ComparisonReport, name: string): CurvePoint {
  const { policy, repairs, measures, crashed } = summary;
  const operation = named(summary, name);
  const pinsAtStart = operation?.pinsAtStart.estimate ?? null;
  const key = variantKey(summary);
  const own = patient.policies.find((other) => variantKey(other) === key);
  const times = patient.runs.flatMap((run) => {
    const result = run.operations.find((one) => one.name === name);
    const counts = variantKey(run) === key && run.crash === null && result !== undefined;
    return counts && hasSucceeded(result) && result.durationNs !== null ? [result.durationNs] : [];
  });
  return {
    policy,
    repairs,
    load,
    measuredLoad: measures.meanPins.estimate,
    pinsAtStart,
    success: operation?.success ?? NEVER,
    crashed,
    expected: pinsAtStart === null ? null : probabilityOfNoPin(pinsAtStart.mean, MEMORY_BLOCK_PAGES),
    timeToOfflineNs: times.length === 0 ? null : estimate(times),
    patient: named(own, name)?.success ?? NEVER,
  };
}

function curveRun(run: TimedRun, load: number, patience: CurveRun["patience"], name: string): CurveRun {
  const { policy, repairs, seed, stateHash, crash } = run;
  const result = run.operations.find((operation) => operation.name === name);
  const offlined = crash === null && result !== undefined && hasSucceeded(result);
  return {
    policy,
    repairs,
    load,
    seed,
    patience,
    offlined,
    durationNs: result?.durationNs ?? null,
    stateHash,
  };
}

/**
 * Takes a block offline while pinners hold `loads` pages on average: once with a caller who gives up after
 * one round, once with the patience that the scenario gives it.
 *
 * @throws {SimError} ERR_ARGUMENT if the scenario has no offline operation, or no pinner whose rate could be
 *   changed; what compareScenario() throws.
 */
export async function pinLoadCurve(options: CurveOptions): Promise<CurveReport> {
  const { scenario, variants, seeds, version, onProgress = () => true } = options;
  const name = offlineName(scenario);
  const loads = [...new Set(options.loads)].toSorted((a, b) => a - b);
  const perComparison = variants.length * seeds.length;
  const total = 2 * loads.length * perComparison;
  const points: CurvePoint[] = [];
  const runs: CurveRun[] = [];
  let done = 0;
  let interrupted = false;
  const compare = async (changed: Scenario): Promise<ComparisonReport> => {
    const before = done;
    const report = await compareScenario({
      ...options,
      scenario: { ...changed, untilDone: true },
      onProgress: (progress) => onProgress({ ...progress, done: before + progress.done, total }),
    });
    done += report.runs.length;
    interrupted ||= report.interrupted;
    return report;
  };
  for (const load of loads) {
    const loaded = withLoad(scenario, load);
    // One after the other: each run takes the memory of a host.
    /* oxlint-disable no-await-in-loop */
    const impatient = await compare(oneRound(loaded));
    if (interrupted) break;
    const patient = await compare(loaded);
    /* oxlint-enable no-await-in-loop */
    // The points of a load are complete, or not there.
    if (interrupted) break;
    points.push(...impatient.policies.map((summary) => pointOf(load, summary, patient, name)));
    runs.push(
      ...impatient.runs.map((run) => curveRun(run, load, "one-round", name)),
      ...patient.runs.map((run) => curveRun(run, load, "own", name)),
    );
  }
  return {
    command: "curve",
    version,
    scenario: scenario.name,
    title: scenario.title,
    kernel: scenario.kernel,
    costs: scenario.costs,
    seeds,
    loads,
    blockPages: MEMORY_BLOCK_PAGES,
    interrupted,
    points,
    runs,
  };
}
