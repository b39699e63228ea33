/** A machine on the timed clock as a contestant: each sample is the next stretch of simulated time. */
import * as abi from "../../assembly/abi.ts";
import type { Core } from "../../src/core/core.ts";
import { eventsOf, metricsOf } from "../../src/run/timed/collect.ts";
import { buildTimedMachine } from "../../src/run/timed/machine.ts";
import type { MetricName, Metrics } from "../../src/run/timed/result.ts";
import type { Scenario } from "../../src/scenario/scenario.ts";
import type { Contestant } from "../question.ts";

/** More events than a sample has. */
const NO_BUDGET = 2 ** 31 - 1;
const SEED = 1;
const NS_PER_S = 1e9;

export interface TimedSubject extends Contestant {
  /** Events of a sample, in the mean of all so far. */
  events(): number;
  /** Accesses of a sample, likewise. */
  accesses(): number;
  /** What happens in a second of simulated time, in the mean of all samples. */
  perSecond(metric: MetricName): number;
  readonly memoryBytes: number;
}

/** Runs up to `untilNs`. @throws if the machine has come to an end before. */
function runTo(core: Core, untilNs: number): void {
  const result = core.run((x) => x.runTimed(BigInt(untilNs), NO_BUDGET));
  if (result !== abi.TIMED_UNTIL) throw new Error(`bench: runTimed() returned ${result}`);
}

/** What has been counted is the same, and so many things happened in as many steps: for `hash`. */
function counted(core: Core): string {
  const { accesses, faults } = metricsOf(core);
  return `${accesses} accesses, ${faults} faults, ${eventsOf(core)} events`;
}

export interface TimedSubjectOptions {
  readonly name: string;
  readonly scenario: Scenario;
  /** Simulated time of a sample. */
  readonly sampleNs: number;
  /** Whether all contestants of the question count the same. */
  readonly compares: boolean;
}

export async function timedSubject(options: TimedSubjectOptions): Promise<TimedSubject> {
  const { name, scenario, sampleNs, compares } = options;
  const { core } = await buildTimedMachine(scenario, { policy: "pin", repairs: [] }, SEED);
  let samples = 0;
  const metrics = (): Metrics => metricsOf(core);
  const before = metrics(); // what the set-up has swapped out
  return {
    name,
    run() {
      samples += 1;
      runTo(core, samples * sampleNs);
    },
    hash: () => (compares ? counted(core) : null),
    check() {
      if (metrics().accesses === 0) throw new Error(`bench: the guest of ${name} does nothing`);
    },
    events: () => eventsOf(core) / samples,
    accesses: () => metrics().accesses / samples,
    perSecond: (metric) => ((metrics()[metric] - before[metric]) / (samples * sampleNs)) * NS_PER_S,
    memoryBytes: core.memoryBytes,
  };
}
