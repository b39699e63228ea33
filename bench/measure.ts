/** Runs a question: equal work first, then interleaved rounds, then statistics. */
import { performance } from "node:perf_hooks";
import { Bench } from "tinybench";
import { type Contestant, type Figures, type Goal, PAGE, type Question, type Unit } from "./question.ts";

export interface Row {
  readonly name: string;
  /** Units of work of a sample. */
  readonly units: number;
  readonly nsPerUnit: number;
  /** Relative margin of error of the mean, 95 %. */
  readonly rmePercent: number;
  readonly minNsPerUnit: number;
  readonly maxNsPerUnit: number;
  readonly samples: number;
  /** Median over the rounds of its time divided by the fastest contestant's, for a unit of work each. */
  readonly relative: number;
  readonly unitsPerSecond: number;
}

export interface GoalResult {
  readonly text: string;
  readonly value: number;
  readonly reached: boolean;
}

export interface Answer {
  readonly title: string;
  readonly unit: Unit;
  /** Units of work of a sample, unless a row says otherwise. */
  readonly units: number;
  readonly rows: readonly Row[];
  readonly goals: readonly GoalResult[];
  readonly notes: readonly string[];
}

const RME_LIMIT_PERCENT = 5;
const NS_PER_MS = 1e6;

/** Runs every contestant once and compares what they left. Returns the times in ms. */
async function runRound(contestants: readonly Contestant[], compare: boolean): Promise<number[]> {
  const times: number[] = [];
  for (const contestant of contestants) {
    contestant.prepare?.();
    const start = performance.now();
    const pending = contestant.run();
    if (pending !== undefined) await pending;
    times.push(performance.now() - start);
    contestant.check?.();
  }
  if (compare) compareHashes(contestants);
  return times;
}

/** @throws if two contestants differ. */
function compareHashes(contestants: readonly Contestant[]): void {
  const hashes = contestants
    .map((contestant) => ({ name: contestant.name, hash: contestant.hash() }))
    .filter((entry) => entry.hash !== null);
  const differing = hashes.find(({ hash }) => hash !== hashes[0]?.hash);
  if (differing === undefined) return;
  throw new Error(
    `${hashes[0]?.name} and ${differing.name} did different work: ${hashes[0]?.hash} and ${differing.hash}`,
  );
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (index: number): number => sorted[index] ?? Number.NaN;
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? at(middle) : (at(middle - 1) + at(middle)) / 2;
}

function medianRatio(times: readonly number[], others: readonly number[]): number {
  return median(times.map((time, round) => time / (others[round] ?? Number.NaN)));
}

/**
 * tinybench's statistics of samples that were taken here: tinybench runs a task to its end before the next
 * one, and contestants that take turns see the same disturbances.
 */
function statistics(samples: readonly number[]) {
  let next = 0;
  const bench = new Bench({ iterations: samples.length, time: 0, warmup: false });
  bench.add("samples", () => ({ overriddenDuration: samples[next++ % samples.length] ?? 0 }));
  const [task] = bench.runSync();
  const result = task?.result;
  if (result?.state !== "completed") throw new Error("tinybench did not complete");
  return result.latency;
}

function goalResult(goal: Goal, figures: Figures): GoalResult {
  const value = goal.value(figures);
  const reached = value >= (goal.atLeast ?? -Infinity) && value <= (goal.atMost ?? Infinity);
  return { text: goal.text, value, reached };
}

async function warmUp(contestants: readonly Contestant[], rounds: number): Promise<void> {
  for (let i = 0; i < rounds; i++) await runRound(contestants, true);
}

/** Has `ask` use the contestants of a question, and gives back what they hold. */
async function withContestants<T>(
  question: Question,
  ask: (contestants: readonly Contestant[]) => Promise<T>,
): Promise<T> {
  const contestants = await question.contestants();
  try {
    return await ask(contestants);
  } finally {
    for (const contestant of contestants) contestant.dispose?.();
  }
}

/** Only the work and the comparison, no times. */
export function smoke(question: Question): Promise<void> {
  return withContestants(question, (contestants) => warmUp(contestants, question.warmups));
}

/** Answers a question. @throws if the contestants' states differ before or after the timed rounds. */
export function measure(question: Question): Promise<Answer> {
  return withContestants(question, (contestants) => measureThem(question, contestants));
}

/** Times of a contestant in ms, one a round, and the units of work of each. */
interface Timed {
  readonly name: string;
  readonly times: readonly number[];
  readonly units: number;
}

async function timed(question: Question, contestants: readonly Contestant[]): Promise<Timed[]> {
  await warmUp(contestants, question.warmups);
  const rounds: number[][] = [];
  for (let i = 0; i < question.rounds; i++) rounds.push(await runRound(contestants, false));
  compareHashes(contestants);
  return contestants.map((contestant, index) => ({
    name: contestant.name,
    times: rounds.map((round) => round[index] ?? Number.NaN),
    units: contestant.units?.() ?? question.units,
  }));
}

function nsPerUnit({ times, units }: Timed): number {
  return (median(times) * NS_PER_MS) / units;
}

/** Of two times for a unit of work each. */
function relative(one: Timed, other: Timed): number {
  return medianRatio(one.times, other.times) * (other.units / one.units);
}

function rowOf(one: Timed, fastest: Timed): Row {
  const { name, times, units } = one;
  const { rme, min, max, p50 } = statistics(times);
  const ns = (p50 * NS_PER_MS) / units;
  return {
    name,
    units,
    nsPerUnit: ns,
    rmePercent: rme,
    minNsPerUnit: (min * NS_PER_MS) / units,
    maxNsPerUnit: (max * NS_PER_MS) / units,
    samples: times.length,
    relative: relative(one, fastest),
    unitsPerSecond: 1e9 / ns,
  };
}

async function measureThem(question: Question, contestants: readonly Contestant[]): Promise<Answer> {
  const all = await timed(question, contestants);
  const named = (name: string): Timed => {
    const found = all.find((one) => one.name === name);
    if (found === undefined) throw new Error(`no contestant is called ${name}`);
    return found;
  };
  const figures: Figures = {
    nsPerUnit: (name) => nsPerUnit(named(name)),
    ratio: (name, other) => relative(named(name), named(other)),
  };
  const fastest = all.reduce((best, one) => (nsPerUnit(one) < nsPerUnit(best) ? one : best));
  const rows = all.map((one) => rowOf(one, fastest));
  return {
    title: question.title,
    unit: question.unit ?? PAGE,
    units: question.units,
    rows,
    goals: (question.goals ?? []).map((goal) => goalResult(goal, figures)),
    notes: [...(question.notes?.(figures) ?? []), ...warnings(rows)],
  };
}

function warnings(rows: readonly Row[]): string[] {
  return rows
    .filter(({ rmePercent }) => rmePercent > RME_LIMIT_PERCENT)
    .map(
      ({ name, rmePercent }) =>
        `warning: ${name} varies by ±${rmePercent.toFixed(1)} %, above ${RME_LIMIT_PERCENT} %: ` +
        "the machine was busy with something else",
    );
}
