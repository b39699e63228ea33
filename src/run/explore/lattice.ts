/** Every subset of the repairs of the policy rfc: what each still breaks, and which are just enough. */
import { type Invariant, type KernelName, type RepairName, namesIn, repairs } from "../../core/names.ts";
import { SimError } from "../../errors.ts";
import type { Model } from "../../scenario/model/model.ts";
import { type ExploreOptions, type SearchedModel, keyOf, searchModels } from "./explore.ts";
import { type FindingName, nameOfEvent } from "./finding.ts";
import type { StopReason } from "./result.ts";

export interface LatticeOptions extends Omit<ExploreOptions, "variant" | "onProgress"> {
  readonly kernel: KernelName;
  readonly onProgress?: (subset: number, model: string, states: number) => void;
}

/** What is left to find with some repairs. */
export interface SubsetResult {
  readonly repairs: readonly RepairName[];
  /** All reachable states of all models were visited: what is not in `breaks` does not break. */
  readonly complete: boolean;
  /** The models whose search did not end by itself. */
  readonly incomplete: readonly { readonly model: string; readonly stoppedBy: StopReason }[];
  readonly states: number;
  readonly transitions: number;
  readonly breaks: readonly FindingName[];
}

/** The JSON of `pinshift explore --repairs all`. */
export interface LatticeReport {
  readonly command: "explore";
  readonly version: string;
  readonly kernel: KernelName;
  readonly policy: "rfc";
  readonly repairs: "all";
  readonly models: readonly string[];
  readonly subsets: readonly SubsetResult[];
  /**
   * The subsets that are known to keep all invariants ("clean"), or one that some subset breaks, and of which
   * no part is known to.
   */
  readonly minimal: Readonly<Record<string, readonly (readonly RepairName[])[]>>;
}

/** All subsets of the repairs, the smaller ones first. */
export function repairSubsets(): RepairName[][] {
  const names = namesIn(repairs);
  const subsets = Array.from({ length: 1 << names.length }, (_, set) =>
    names.filter((_name, bit) => ((set >> bit) & 1) === 1),
  );
  return subsets.toSorted((a, b) => a.length - b.length || (a.join() < b.join() ? -1 : 1));
}

/** The names of what a search came upon. */
function namesOf({ search }: SearchedModel): FindingName[] {
  return search.events.map(nameOfEvent);
}

function distinctNames(names: readonly FindingName[]): FindingName[] {
  const byKey = new Map(names.map((name) => [keyOf(name), name]));
  return [...byKey.keys()].toSorted().flatMap((key) => byKey.get(key) ?? []);
}

interface ModelOutcome {
  readonly model: string;
  readonly stoppedBy: StopReason | null;
  readonly states: number;
  readonly transitions: number;
  readonly names: readonly FindingName[];
}

/** Why nothing more is to be begun, if so. */
function endedBy({ signal }: LatticeOptions, deadlineMs: number): StopReason | null {
  if (signal?.aborted === true) return "interrupt";
  return performance.now() >= deadlineMs ? "timeout" : null;
}

/** A place in the lattice. */
interface Subset {
  readonly nr: number;
  readonly repairs: readonly RepairName[];
}

async function searchOne(
  model: Model,
  subset: Subset,
  options: LatticeOptions,
  deadlineMs: number,
): Promise<ModelOutcome> {
  const ended = endedBy(options, deadlineMs);
  if (ended !== null) return { model: model.name, stoppedBy: ended, states: 0, transitions: 0, names: [] };
  const { kernel, onProgress, timeoutMs: _, ...rest } = options;
  const searched = await searchModels({
    ...rest,
    variant: { kernel, policy: "rfc", repairs: subset.repairs },
    models: [model],
    ...(deadlineMs === Infinity ? {} : { timeoutMs: deadlineMs - performance.now() }),
    onProgress: (name, { states }) => onProgress?.(subset.nr, name, states),
  });
  const [{ search } = { search: undefined }] = searched;
  return {
    model: model.name,
    stoppedBy: search?.stoppedBy ?? null,
    states: search?.states ?? 0,
    transitions: search?.transitions ?? 0,
    names: searched.flatMap(namesOf),
  };
}

function subsetResult(subset: readonly RepairName[], outcomes: readonly ModelOutcome[]): SubsetResult {
  const incomplete = outcomes.flatMap(({ model, stoppedBy }) =>
    stoppedBy === null ? [] : [{ model, stoppedBy }],
  );
  return {
    repairs: subset,
    complete: incomplete.length === 0,
    incomplete,
    states: outcomes.reduce((sum, { states }) => sum + states, 0),
    transitions: outcomes.reduce((sum, { transitions }) => sum + transitions, 0),
    breaks: distinctNames(outcomes.flatMap(({ names }) => names)),
  };
}

/** The invariants that a subset breaks, in the order of the table. */
export function brokenInvariants(subsets: readonly Pick<SubsetResult, "breaks">[]): Invariant[] {
  return [...new Set(subsets.flatMap(({ breaks }) => breaks.map(({ invariant }) => invariant)))].toSorted();
}

/** The subsets without the ones of which another one is a part. */
function minimalOf(subsets: readonly SubsetResult[]): (readonly RepairName[])[] {
  const isPart = (part: SubsetResult, whole: SubsetResult): boolean =>
    part !== whole && part.repairs.every((repair) => whole.repairs.includes(repair));
  return subsets
    .filter((whole) => !subsets.some((part) => isPart(part, whole)))
    .map((subset) => subset.repairs);
}

/** The minimal subsets for all invariants, "clean", and for each that some subset breaks. */
export function minimalSubsets(subsets: readonly SubsetResult[]): LatticeReport["minimal"] {
  const complete = subsets.filter((subset) => subset.complete);
  const keeping = (invariant: Invariant): SubsetResult[] =>
    complete.filter(({ breaks }) => !breaks.some((broken) => broken.invariant === invariant));
  return Object.fromEntries([
    ["clean", minimalOf(complete.filter(({ breaks }) => breaks.length === 0))],
    ...brokenInvariants(subsets).map((invariant) => [invariant, minimalOf(keeping(invariant))] as const),
  ]);
}

/**
 * Explores models under every subset of the repairs.
 *
 * @throws {SimError} ERR_ARGUMENT without a model.
 */
export async function exploreRepairs(options: LatticeOptions, version: string): Promise<LatticeReport> {
  const { kernel, models, timeoutMs } = options;
  if (models.length === 0) throw new SimError("ERR_ARGUMENT", "models: there is none to explore");
  const deadlineMs = timeoutMs === undefined ? Infinity : performance.now() + timeoutMs;
  const subsets: SubsetResult[] = [];
  for (const [nr, repairNames] of repairSubsets().entries()) {
    const outcomes: ModelOutcome[] = [];
    for (const model of models) {
      // oxlint-disable-next-line no-await-in-loop -- one core at a time: its memory is what is scarce
      outcomes.push(await searchOne(model, { nr, repairs: repairNames }, options, deadlineMs));
    }
    subsets.push(subsetResult(repairNames, outcomes));
  }
  return {
    command: "explore",
    version,
    kernel,
    policy: "rfc",
    repairs: "all",
    models: models.map(({ name }) => name),
    subsets,
    minimal: minimalSubsets(subsets),
  };
}
