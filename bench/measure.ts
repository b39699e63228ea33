/** Runs a question: equal work first, then interleaved rounds, then statistics. */
import { performance } from "node:perf_hooks";
import { Bench } from "tinybench";
import type { Contestant, Figures, Goal, Question } from "./question.ts";

export interface Row {
  readonly name: string;
  readonly nsPerPage: number;
  /** Relative margin of error of the mean, 95 %. */
  readonly rmePercent: number;
  readonly minNsPerPage: number;
  readonly maxNsPerPage: number;
  readonly samples: number;
  /** Median over the rounds of its time divided by the fastest contestant's. */
  readonly relative: number;
  readonly pagesPerSecond: number;
}

export interface GoalResult {
  readonly text: string;
  readonly value: number;
  readonly reached: boolean;
}

export interface Answer {
  readonly title: string;
  readonly pages: number;
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

/** Only the work and the comparison, no times. */
export async function smoke(question: Question): Promise<void> {
  const contestants = await question.contestants();
  for (let i = 0; i < question.warmups; i++) await runRound(contestants, true);
}

/** Answers a question. @throws if the contestants' states differ before or after the timed rounds. */
export async function measure(question: Question): Promise<Answer> {
  const contestants = await question.contestants();
  for (let i = 0; i < question.warmups; i++) await runRound(contestants, true);
  const times = contestants.map((): number[] => []);
  for (let i = 0; i < question.rounds; i++) {
    const one = await runRound(contestants, false);
    one.forEach((time, contestant) => times[contestant]?.push(time));
  }
  compareHashes(contestants);

  const timesOf = (name: string): number[] => {
    const found = times[contestants.findIndex((contestant) => contestant.name === name)];
    if (found === undefined) throw new Error(`no contestant is called ${name}`);
    return found;
  };
  const figures: Figures = {
    nsPerPage: (name) => (median(timesOf(name)) * NS_PER_MS) / question.pages,
    ratio: (name, other) => medianRatio(timesOf(name), timesOf(other)),
  };
  const fastest = times.reduce((best, one) => (median(one) < median(best) ? one : best));
  const rows = contestants.map(({ name }, index): Row => {
    const samples = times[index] ?? [];
    const { rme, min, max, p50 } = statistics(samples);
    const nsPerPage = (p50 * NS_PER_MS) / question.pages;
    return {
      name,
      nsPerPage,
      rmePercent: rme,
      minNsPerPage: (min * NS_PER_MS) / question.pages,
      maxNsPerPage: (max * NS_PER_MS) / question.pages,
      samples: samples.length,
      relative: medianRatio(samples, fastest),
      pagesPerSecond: 1e9 / nsPerPage,
    };
  });
  return {
    title: question.title,
    pages: question.pages,
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
