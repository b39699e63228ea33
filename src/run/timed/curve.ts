/** How likely a block is to go offline, and how long it takes, against the number of pages pinned in it. */
import { MEMORY_BLOCK_PAGES } from "../../core/abi.ts";
import type { KernelName } from "../../core/names.ts";
import { SimError } from "../../errors.ts";
import type { CostProfileName } from "../../scenario/cost-profiles.ts";
import type { Distribution, Scenario, ScenarioPinner } from "../../scenario/scenario.ts";
import type { PolicyVariant } from "../../scenario/variant.ts";
import { type CompareOptions, compareScenario, variantKey } from "./compare.ts";
import type { VariantSummary } from "./comparison.ts";
import type { TimedRun } from "./result.ts";
import { type Estimate, type Proportion, estimate, proportion } from "./statistics.ts";
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
  /** Went offline with every page moved at the first attempt: what a caller sees who tries once. */
  readonly atOnce: Proportion;
  readonly crashed: number;
  /** The closed form for the pins that were in the block. */
  readonly expected: number | null;
  /** Went offline at last, before the caller's patience was at its end. */
  readonly offlined: Proportion;
  /** How long that took, ns. Null if none did. */
  readonly timeToOfflineNs: Estimate | null;
}

export interface CurveRun extends PolicyVariant {
  readonly load: number;
  readonly seed: number;
  readonly offlined: boolean;
  readonly atOnce: boolean;
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

function offlineName({ name, operations }: Scenario): string {
  const found = operations.find((operation) => operation.do === "offline");
  if (found === undefined)
    throw new SimError("ERR_ARGUMENT", `${name}: operations: none takes memory offline`);
  return found.name;
}

function curveRun(run: TimedRun, load: number, name: string): CurveRun {
  const { policy, repairs, seed, stateHash, crash } = run;
  const result = run.operations.find((operation) => operation.name === name);
  const offlined = crash === null && result !== undefined && hasSucceeded(result);
  return {
    policy,
    repairs,
    load,
    seed,
    offlined,
    atOnce: offlined && result.cleanAtOnce,
    durationNs: result?.durationNs ?? null,
    stateHash,
  };
}

/** What the runs of a load say of a policy. */
function pointOf(summary: VariantSummary, runs: readonly CurveRun[], load: number, name: string): CurvePoint {
  const { policy, repairs, measures, crashed, operations } = summary;
  const own = runs.filter((run) => variantKey(run) === variantKey(summary));
  const operation = operations.find((one) => one.name === name);
  const pinsAtStart = operation?.pinsAtStart.estimate ?? null;
  const times = own.flatMap(({ offlined, durationNs }) =>
    offlined && durationNs !== null ? [durationNs] : [],
  );
  return {
    policy,
    repairs,
    load,
    measuredLoad: measures.meanPins.estimate,
    pinsAtStart,
    atOnce: proportion(own.filter(({ atOnce }) => atOnce).length, own.length),
    crashed,
    expected: pinsAtStart === null ? null : probabilityOfNoPin(pinsAtStart.mean, MEMORY_BLOCK_PAGES),
    offlined: proportion(own.filter(({ offlined }) => offlined).length, own.length),
    timeToOfflineNs: times.length === 0 ? null : estimate(times),
  };
}

/**
 * Takes a block offline while pinners hold `loads` pages on average, and says how often all of it moved at
 * the first attempt and how long it took. A caller of one round (`giveUpRounds`) would not tell that: a round
 * of v3.12 is 256 pages, and one of v6.1 the whole block.
 *
 * @throws {SimError} ERR_ARGUMENT if the scenario has no offline operation, or no pinner whose rate could be
 *   changed; what compareScenario() throws.
 */
export async function pinLoadCurve(options: CurveOptions): Promise<CurveReport> {
  const { scenario, variants, seeds, version, onProgress = () => true } = options;
  const name = offlineName(scenario);
  const loads = [...new Set(options.loads)].toSorted((a, b) => a - b);
  const total = loads.length * variants.length * seeds.length;
  const points: CurvePoint[] = [];
  const runs: CurveRun[] = [];
  let interrupted = false;
  for (const load of loads) {
    const before = runs.length;
    // One after the other: each run takes the memory of a host.
    // oxlint-disable-next-line no-await-in-loop
    const report = await compareScenario({
      ...options,
      scenario: { ...withLoad(scenario, load), untilDone: true },
      onProgress: (progress) => onProgress({ ...progress, done: before + progress.done, total }),
    });
    // The points of a load are complete, or not there.
    interrupted = report.interrupted;
    if (interrupted) break;
    const own = report.runs.map((run) => curveRun(run, load, name));
    points.push(...report.policies.map((summary) => pointOf(summary, own, load, name)));
    runs.push(...own);
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
