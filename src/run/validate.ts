/** Replays recordings of real kernels on the model and compares what happens. */
import type { KernelName } from "../core/names.ts";
import { SimError } from "../errors.ts";
import type { Region } from "../host/region.ts";
import { PARENT } from "./validate/action.ts";
import { type Difference, type NotCompared, compare } from "./validate/compare.ts";
import { type Fields, isFields } from "./validate/field.ts";
import { Machine, NotModelled } from "./validate/machine.ts";
import {
  type Simulated,
  countBy,
  counterFields,
  placeName,
  samplePage,
  traceFields,
} from "./validate/observe.ts";
import { perform } from "./validate/perform.ts";
import type { Recording, Step } from "./validate/recording.ts";
import { deviations } from "./validate/scope.ts";

export { type Recording, parseRecording } from "./validate/recording.ts";

/** A value that the model got otherwise. */
export interface Disagreement extends Difference {
  /** Index in the steps of the recording. */
  readonly step: number;
}

/** A disagreement with a name and a reason in docs/model.md. */
export interface NamedDeviation extends Disagreement {
  readonly id: string;
}

export interface CaseResult {
  readonly file: string;
  readonly name: string;
  /** As recorded; `profile` is the kernel profile that it was replayed on. */
  readonly kernel: string;
  readonly profile: KernelName;
  readonly result: "agree" | "disagree" | "not-modelled";
  /** Why it is not modelled, else null. */
  readonly reason: string | null;
  /** Values that were compared. */
  readonly checked: number;
  readonly disagreements: readonly Disagreement[];
  readonly deviations: readonly NamedDeviation[];
  /** What the recording holds and nothing was compared with, beside what it says itself to depend on time. */
  readonly notCompared: readonly (NotCompared & { readonly step: number })[];
}

export interface ValidationReport {
  readonly cases: readonly CaseResult[];
  readonly agree: number;
  readonly disagree: number;
  readonly notModelled: number;
}

/** Indexes of the pages that a step's record shows one by one. */
function sampleIndexes(fields: Fields): number[] {
  const samples = [fields["samplePagesBefore"], fields["samplePagesAfter"]].flat().filter(isFields);
  return samples.flatMap(({ index }) => (typeof index === "number" ? [index] : []));
}

function recordedIndexes(samples: unknown): number[] {
  return Array.isArray(samples) ? samples.filter(isFields).map(({ index }) => Number(index)) : [];
}

/** The region of the caller that "the pages" are, if it has one. */
function onlyRegion(machine: Machine, { action }: Step): Region | null {
  return machine.onlyRegion("by" in action ? action.by : PARENT);
}

/** Where the entries of a call are after it, or all pages of the only region. */
function whereAfter(machine: Machine, step: Step): Simulated {
  const { action } = step;
  const region = "region" in action ? machine.region(action.by, action.region) : onlyRegion(machine, step);
  if (region === null) return {};
  const entries = "entries" in action ? action.entries : undefined;
  return { whereAfter: countBy(region.where(entries), placeName) };
}

/** Sample pages before and after a step. The function returned looks at them again. */
function watchSamples(machine: Machine, step: Step, fields: Fields): () => Simulated {
  const { action } = step;
  const indexes = sampleIndexes(fields);
  const region = "region" in action && indexes.length > 0 ? machine.region(action.by, action.region) : null;
  if (region === null) return () => ({});
  const showsKsm = machine.recording.profile !== "v6.12";
  const look = (index: number): ReturnType<typeof samplePage> =>
    samplePage(machine.host, region, index, showsKsm);
  const before = new Map(indexes.map((index) => [index, look(index)]));
  return () => ({
    samplePagesBefore: recordedIndexes(fields["samplePagesBefore"]).map((index) => before.get(index)),
    samplePagesAfter: recordedIndexes(fields["samplePagesAfter"]).map((index) => {
      const page = look(index);
      return { ...page, sameFrame: page.frame === before.get(index)?.frame };
    }),
  });
}

interface Measured {
  readonly simulated: Simulated;
  /** Why there are no fields from the trace, null if there are. */
  readonly missing: string | null;
}

/** Performs a step with all instruments on. */
function measure(machine: Machine, step: Step, fields: Fields): Measured {
  const { host } = machine;
  const pinned = machine.pinned.size;
  const samples = watchSamples(machine, step, fields);
  const before = host.counters();
  host.startTrace();
  const own = perform(machine, step);
  const trace = host.stopTrace();
  const after = host.counters();
  const skipped = after.offlineRoundsSkipped - before.offlineRoundsSkipped;
  let missing: string | null = null;
  if (trace.lost > 0) missing = `the trace ring had no room for ${trace.lost} events`;
  else if (skipped > 0) missing = `${skipped} rounds were counted, not executed`;
  else if (fields["traceTruncated"] === true) missing = "the recorder's ring was full";
  const traced = missing === null ? traceFields(trace, machine.recording.profile === "v6.12") : {};
  const simulated = {
    pinned,
    pages: onlyRegion(machine, step)?.pages,
    basePagesPerPinnedFolio: 1,
    ioStillInFlightAtEnd: machine.ioInFlight,
    ...counterFields(before, after),
    ...traced,
    ...samples(),
    ...("whereAfter" in fields ? whereAfter(machine, step) : {}),
    ...("dataCorruptPages" in fields ? corruption(machine) : {}),
    ...own,
  };
  return { simulated, missing };
}

/** The recount names the first page whose content is wrong. */
function corruption(machine: Machine): Simulated {
  return { dataCorruptPages: machine.host.verify()?.invariant === "INV-DATA" ? 1 : 0 };
}

class Replay {
  readonly #recording: Recording;
  #checked = 0;
  readonly #disagreements: Disagreement[] = [];
  readonly #deviations: NamedDeviation[] = [];
  readonly #notCompared: (NotCompared & { readonly step: number })[] = [];

  constructor(recording: Recording) {
    this.#recording = recording;
  }

  async run(): Promise<void> {
    const machine = await Machine.build(this.#recording);
    for (const step of this.#recording.steps) {
      this.#runLocated(machine, step);
      const { crash } = machine.host;
      if (crash === null) continue;
      this.#disagree({ step: step.index, what: "crash", recorded: null, simulated: crash });
      return;
    }
    if (this.#checked === 0) throw new NotModelled("nothing was recorded that is compared");
    const violation = machine.host.verify();
    this.#checked += 1;
    if (violation === null) return;
    const step = this.#recording.steps.length - 1;
    this.#disagree({ step, what: "invariants", recorded: null, simulated: violation });
  }

  /** A step that the host refuses is a mistake of the recording. */
  #runLocated(machine: Machine, step: Step): void {
    try {
      this.#runStep(machine, step);
    } catch (cause) {
      if (!(cause instanceof SimError) || cause.code === "ERR_CORE_PANIC") throw cause;
      const place = `${this.#recording.file}: steps[${step.index}] (${step.action.op})`;
      throw new SimError("ERR_RECORDING", `${place}: ${cause.message}`, { cause });
    }
  }

  #runStep(machine: Machine, step: Step): void {
    for (const name of step.ignored) {
      this.#notCompared.push({ step: step.index, what: name, reason: "is a parameter that is not known" });
    }
    if (step.observed === null) {
      perform(machine, step);
      return;
    }
    const { simulated, missing } = measure(machine, step, step.observed.fields);
    const { checked, differences, notCompared } = compare(step.observed, simulated, missing);
    this.#checked += checked;
    for (const one of notCompared) this.#notCompared.push({ step: step.index, ...one });
    for (const difference of differences) {
      const fields = step.observed.fields;
      const known = deviations.find(({ applies }) => applies(difference.what, fields));
      const disagreement = { step: step.index, ...difference };
      if (known === undefined) this.#disagree(disagreement);
      else this.#deviations.push({ id: known.id, ...disagreement });
    }
  }

  #disagree(disagreement: Disagreement): void {
    this.#disagreements.push(disagreement);
  }

  /** The result of the case; with a reason it counts as not modelled. */
  result(reason: string | null): CaseResult {
    const { file, name, kernel, profile } = this.#recording;
    if (reason !== null) {
      const nothing = { disagreements: [], deviations: [], notCompared: [] };
      return { file, name, kernel, profile, result: "not-modelled", reason, checked: 0, ...nothing };
    }
    return {
      file,
      name,
      kernel,
      profile,
      result: this.#disagreements.length === 0 ? "agree" : "disagree",
      reason: null,
      checked: this.#checked,
      disagreements: this.#disagreements,
      deviations: this.#deviations,
      notCompared: this.#notCompared,
    };
  }
}

/**
 * Replays one recording on a host of its own.
 *
 * @throws {SimError} ERR_RECORDING if its steps do not fit together, as a region that was never mapped.
 */
export async function replay(recording: Recording): Promise<CaseResult> {
  const run = new Replay(recording);
  if (recording.notModelled !== null) return run.result(recording.notModelled);
  try {
    await run.run();
  } catch (cause) {
    if (cause instanceof NotModelled) return run.result(cause.message);
    throw cause;
  }
  return run.result(null);
}

/** Replays recordings one after the other. */
export async function validate(recordings: readonly Recording[]): Promise<ValidationReport> {
  const cases: CaseResult[] = [];
  for (const recording of recordings) {
    // oxlint-disable-next-line no-await-in-loop -- one host at a time: each holds tens of MiB
    cases.push(await replay(recording));
  }
  const count = (result: CaseResult["result"]): number => cases.filter((one) => one.result === result).length;
  return {
    cases,
    agree: count("agree"),
    disagree: count("disagree"),
    notModelled: count("not-modelled"),
  };
}
