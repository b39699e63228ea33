/** Runs a scenario on the timed clock. */
import * as abi from "../../core/abi.ts";
import { policies, repairs as repairCodes } from "../../core/names.ts";
import { SimError } from "../../errors.ts";
import { hex } from "../../core/hex.ts";
import { violationOf } from "../../host/violation.ts";
import type { Violation } from "../../host/violation.ts";
import type { Scenario } from "../../scenario/scenario.ts";
import type { PolicyVariant } from "../../scenario/variant.ts";
import { blameOf, difference, eventsOf, histogramsOf, metricsOf, operationsOf, pinsNow } from "./collect.ts";
import { type TimedMachine, buildTimedMachine } from "./machine.ts";
import type { Interval, Metrics, TimedRun } from "./result.ts";

/** Events of a slice: some tenths of a second. */
const SLICE_EVENTS = 500_000;

export interface TimedOptions {
  readonly scenario: Scenario;
  readonly variant: PolicyVariant;
  readonly seed: number;
  /** Called between slices, with simulated time. A promise is waited for; false ends the run. */
  readonly onProgress?: (nowNs: number) => boolean | Promise<boolean>;
}

type Stop = "until" | "ended" | "crash" | "stopped" | "violation";

/** A run under way: where it is, and what it has seen so far. */
class Run {
  readonly machine: TimedMachine;
  readonly #options: TimedOptions;
  readonly #intervals: Interval[];
  #nowNs: number;
  /** What had been counted at the end of the last interval, null before that. */
  #counted: Metrics | null;
  #violation: Violation | null = null;

  /** From the start on, or from where another run of the scenario has come to. */
  constructor(machine: TimedMachine, options: TimedOptions, prelude: Run | null = null) {
    this.machine = machine;
    this.#options = options;
    this.#intervals = prelude === null ? [] : [...prelude.#intervals];
    this.#nowNs = prelude === null ? 0 : prelude.#nowNs;
    this.#counted = prelude === null ? null : prelude.#counted;
  }

  /** Runs up to `untilNs`, without marks on the way. */
  async #slices(untilNs: number): Promise<Stop> {
    const { core } = this.machine;
    for (;;) {
      const result = core.run((x) => x.runTimed(BigInt(untilNs), SLICE_EVENTS));
      if (result === undefined) return "crash";
      if (result === abi.TIMED_DONE) return "ended";
      if (result !== abi.TIMED_MORE) return "until";
      const { onProgress } = this.#options;
      if (onProgress === undefined) continue;
      // A slice has to end before the next one begins.
      // oxlint-disable-next-line no-await-in-loop
      if (!(await onProgress(core.nowNs))) return "stopped";
    }
  }

  #endInterval(endNs: number): void {
    const { core } = this.machine;
    core.read((x) => x.settleTimed(0n));
    const total = metricsOf(core);
    const metrics = this.#counted === null ? total : difference(total, this.#counted);
    this.#counted = total;
    const freePages = core.read((x) => x.freeFrames());
    this.#intervals.push({ endNs, metrics, pinsNow: pinsNow(core), freePages });
  }

  #verify(): boolean {
    this.#violation = violationOf(this.machine.core);
    return this.#violation === null;
  }

  /** Runs up to `endNs`, with intervals and checks on the way. */
  async runTo(endNs: number): Promise<Stop> {
    const { intervalNs, verifyNs } = this.#options.scenario;
    const next = (every: number | null): number =>
      every === null ? Number.POSITIVE_INFINITY : (Math.floor(this.#nowNs / every) + 1) * every;
    while (this.#nowNs < endNs) {
      const markNs = Math.min(endNs, next(intervalNs), next(verifyNs));
      // oxlint-disable-next-line no-await-in-loop
      const stop = await this.#slices(markNs);
      if (stop !== "until") return stop;
      if (intervalNs !== null && markNs % intervalNs === 0) this.#endInterval(markNs);
      if (verifyNs !== null && markNs % verifyNs === 0 && !this.#verify()) return "violation";
      this.#nowNs = markNs;
    }
    return "until";
  }

  result(stop: Stop): TimedRun {
    const { core, scenario } = this.machine;
    const { variant, seed } = this.#options;
    core.read((x) => x.settleTimed(BigInt(stop === "until" ? scenario.durationNs : 0)));
    if (stop !== "crash" && this.#violation === null) this.#verify();
    return {
      ...variant,
      seed,
      stateHash: hex(core.read((x) => x.stateHash())),
      endNs: core.nowNs,
      events: eventsOf(core),
      metrics: metricsOf(core),
      histograms: histogramsOf(core),
      operations: operationsOf(this.machine),
      blame: blameOf(this.machine),
      intervals: this.#intervals,
      crash: core.crash,
      violation: this.#violation,
    };
  }
}

/**
 * Runs a scenario under one policy with one seed.
 *
 * @throws {SimError} ERR_SCENARIO if its guests do not fit, ERR_LIMIT or ERR_MEMORY if one core cannot
 * hold it.
 */
export async function runScenario(options: TimedOptions): Promise<TimedRun> {
  const run = new Run(await buildTimedMachine(options.scenario, options.variant, options.seed), options);
  return run.result(await run.runTo(options.scenario.durationNs));
}

function setPolicy({ core }: TimedMachine, { policy, repairs }: PolicyVariant): void {
  const bits = repairs.reduce((all, name) => all | repairCodes[name], 0);
  if (core.read((x) => x.setPolicy(policies[policy], bits))) return;
  throw new SimError("ERR_ARGUMENT", "fork: contexts of the RFC exist, which no other policy would free");
}

/**
 * Runs a scenario under the first variant to the instant before its first operation, and from that state on
 * under each variant.
 *
 * @throws {SimError} as runScenario(); ERR_ARGUMENT if the first variant is the RFC and others follow it.
 */
export async function forkScenario(
  options: Omit<TimedOptions, "variant"> & { readonly variants: readonly PolicyVariant[] },
): Promise<TimedRun[]> {
  const { scenario, seed, variants } = options;
  const [first, ...others] = variants;
  if (first === undefined) return [];
  if (first.policy === "rfc" && others.some(({ policy }) => policy !== "rfc")) {
    throw new SimError(
      "ERR_ARGUMENT",
      "fork: the first policy is rfc, whose contexts no other one would free",
    );
  }
  const forkNs = Math.min(...scenario.operations.map(({ atNs }) => atNs), scenario.durationNs);
  const base = await buildTimedMachine(scenario, first, seed);
  const prelude = new Run(base, { ...options, variant: first });
  const stop = await prelude.runTo(forkNs);
  if (stop !== "until") return [prelude.result(stop)];
  const runs: TimedRun[] = [];
  for (const variant of variants) {
    // One after the other: each takes the memory of a host.
    // oxlint-disable-next-line no-await-in-loop
    const machine = { ...base, core: await base.core.copy() };
    if (variant !== first) setPolicy(machine, variant);
    const run = new Run(machine, { ...options, variant }, prelude);
    // oxlint-disable-next-line no-await-in-loop
    runs.push(run.result(await run.runTo(scenario.durationNs)));
  }
  return runs;
}
