/** Explores models under one variant, and gathers what was found: of equal findings the shortest. */
import { SimError } from "../../errors.ts";
import type { Model } from "../../scenario/model/model.ts";
import { type FindingName, nameOfEvent, tellFinding } from "./finding.ts";
import { type Variant, buildMachine } from "./machine.ts";
import type { ExploreReport, Finding, ModelResult } from "./result.ts";
import {
  type Bounds,
  type FoundEvent,
  type SearchProgress,
  type SearchResult,
  type Strategy,
  runSearch,
} from "./search.ts";

export interface ExploreOptions {
  readonly variant: Variant;
  readonly models: readonly Model[];
  /** Default: breadth first. */
  readonly strategy?: Strategy;
  /** What the model does not bound itself. */
  readonly bounds?: Partial<Bounds>;
  readonly unreduced?: boolean;
  /** For all models together, in ms. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (model: string, progress: SearchProgress) => void;
}

/** What one model has come to, before its findings are told. */
export interface SearchedModel {
  readonly model: Model;
  readonly search: SearchResult;
}

export const defaultBounds: Bounds = { maxStates: 8_000_000, maxDepth: 10_000, maxSwitches: 0 };

function boundsFor(model: Model, bounds: Partial<Bounds>): Bounds {
  return {
    maxStates: bounds.maxStates ?? model.bounds.states ?? defaultBounds.maxStates,
    maxDepth: bounds.maxDepth ?? model.bounds.depth ?? defaultBounds.maxDepth,
    maxSwitches: bounds.maxSwitches ?? model.bounds.switches ?? defaultBounds.maxSwitches,
  };
}

/** Searches each model in turn, until the time is up or the user ends it. */
export async function searchModels(options: ExploreOptions): Promise<SearchedModel[]> {
  const { variant, models, strategy = { kind: "bfs" }, bounds = {}, unreduced, signal } = options;
  const deadlineMs = options.timeoutMs === undefined ? Infinity : performance.now() + options.timeoutMs;
  const searched: SearchedModel[] = [];
  for (const model of models) {
    // oxlint-disable-next-line no-await-in-loop -- one core at a time: its memory is what is scarce
    const machine = await buildMachine(model, variant);
    // oxlint-disable-next-line no-await-in-loop -- the same
    const search = await runSearch(machine.core, {
      strategy,
      bounds: boundsFor(model, bounds),
      deadlineMs,
      ...(unreduced === undefined ? {} : { unreduced }),
      ...(signal === undefined ? {} : { signal }),
      onProgress: (progress) => options.onProgress?.(model.name, progress),
    });
    searched.push({ model, search }); // the core, with all states of the search, is not needed any more
  }
  return searched;
}

export function keyOf({
  invariant,
  transition,
  field,
  kind,
}: Omit<FindingName, "invariant"> & Pick<Finding, "invariant">): string {
  return [invariant, transition, field, kind].join("|");
}

interface Candidate {
  readonly model: Model;
  readonly event: FoundEvent;
  readonly models: string[];
}

/** Of the events with one name the one with the shortest way, and where all of them were seen. */
function distinct(searched: readonly SearchedModel[]): Candidate[] {
  const byName = new Map<string, Candidate>();
  for (const { model, search } of searched) {
    for (const event of search.events) {
      const key = keyOf(nameOfEvent(event)) + String(event.kind);
      const known = byName.get(key);
      const models = [...new Set([...(known?.models ?? []), model.name])];
      const shorter = known === undefined || event.schedule.length < known.event.schedule.length;
      byName.set(key, shorter ? { model, event, models } : { ...known, models });
    }
  }
  return [...byName.values()];
}

function compareFindings(a: Finding, b: Finding): number {
  const length = a.steps.length - b.steps.length;
  if (length !== 0) return length;
  return keyOf(a) < keyOf(b) ? -1 : 1;
}

/** Tells what one model has to tell. */
async function tellCandidates(
  model: Model,
  variant: Variant,
  candidates: readonly Candidate[],
  isShortest: boolean,
): Promise<Finding[]> {
  if (candidates.length === 0) return [];
  const machine = await buildMachine(model, variant);
  return candidates.map(({ event, models }) => ({
    ...tellFinding(machine, variant, event, isShortest),
    models,
  }));
}

/** The findings of searched models, the shortest first. Crashes of one function are one finding. */
export async function tellFindings(
  searched: readonly SearchedModel[],
  variant: Variant,
  isShortest: boolean,
): Promise<Finding[]> {
  const candidates = distinct(searched);
  const found: Finding[] = [];
  for (const { model } of searched) {
    const own = candidates.filter((candidate) => candidate.model === model);
    // oxlint-disable-next-line no-await-in-loop -- one core at a time
    found.push(...(await tellCandidates(model, variant, own, isShortest)));
  }
  const unique = new Map<string, Finding>();
  for (const finding of found.toSorted(compareFindings)) {
    const key = keyOf(finding);
    const known = unique.get(key);
    const models = [...new Set([...(known?.models ?? []), ...finding.models])];
    unique.set(key, { ...(known ?? finding), models });
  }
  return [...unique.values()];
}

function modelResult({ model, search }: SearchedModel): Omit<ModelResult, "findings"> {
  return {
    model: model.name,
    title: model.title,
    complete: search.stoppedBy === null,
    stoppedBy: search.stoppedBy,
    states: search.states,
    transitions: search.transitions,
    depth: search.depth,
  };
}

/**
 * Explores models.
 *
 * @throws {SimError} ERR_ARGUMENT without a model, or for a variant that does not exist.
 */
export async function explore(options: ExploreOptions, version: string): Promise<ExploreReport> {
  const { variant, models, strategy } = options;
  if (models.length === 0) throw new SimError("ERR_ARGUMENT", "models: there is none to explore");
  const searched = await searchModels(options);
  const results = searched.map(modelResult);
  const sum = (count: (result: (typeof results)[number]) => number): number =>
    results.reduce((total, result) => total + count(result), 0);
  return {
    command: "explore",
    version,
    kernel: variant.kernel,
    policy: variant.policy,
    repairs: variant.repairs,
    model: models.length === 1 ? (models[0]?.name ?? "") : "all",
    complete: results.every(({ complete }) => complete),
    states: sum(({ states }) => states),
    transitions: sum(({ transitions }) => transitions),
    findings: await tellFindings(searched, variant, (strategy?.kind ?? "bfs") === "bfs"),
    models: results,
  };
}
