/** two-vcpus-migrate, explored by Pinshift and by SPIN, whose model of it is in ../spin/. */
import { type Contestant, type Figures, type Question, SEARCH, type Size, TRANSITION } from "../question.ts";
import {
  ALL,
  type Build,
  FIRST,
  NO_REDUCTION,
  type Search,
  buildPan,
  findTools,
  removePan,
  search,
} from "../spin/pan.ts";
import {
  type Finder,
  type Policy,
  type Searcher,
  finder,
  inTransitions,
  keptBy,
  searcher,
  statesNote,
} from "./searches.ts";

const MODEL = "two-vcpus-migrate";
const PINSHIFT = "Pinshift";
const BYTES_PER_MIB = 1 << 20;

const ABSENT = "SPIN is left out: it needs spin and gcc. On Debian: apt-get install -y spin gcc";
const DIFFERENCES =
  "the two models differ, so that their numbers of states are not to be compared: SPIN's leaves out what " +
  "pages hold, pagevecs, writeback and records that are used again, and checks the invariants of the page " +
  "alone; Pinshift's recounts everything in each state. Rates are of each one's own transitions; with " +
  "SPIN the start of a process is in them. SPIN keeps whole states, Pinshift hashes of 128 bits";

interface Spin extends Contestant {
  /** What the last run() came upon. */
  readonly found: () => Search;
}

interface Way {
  readonly build: Build;
  readonly options: readonly string[];
  /** Whether there is something to find. */
  readonly finds: boolean;
}

/** SPIN's verifier as a contestant; `verify` runs it. */
function spin(name: string, { finds }: Way, verify: () => Search, dispose: () => void): Spin {
  let last: Search | undefined;
  const found = (): Search => {
    if (last === undefined) throw new Error(`bench: ${name} has not run`);
    return last;
  };
  return {
    name,
    run() {
      last = verify();
    },
    hash: () => null,
    check() {
      const { complete, errors } = found();
      if (!complete) throw new Error(`bench: ${name} was not completed`);
      if (errors > 0 !== finds) throw new Error(`bench: ${name} has found ${errors} errors`);
    },
    dispose,
    found,
  };
}

function builtBefore(name: string, way: Way): Spin {
  const pan = buildPan(way.build);
  return spin(
    name,
    way,
    () => search(pan, way.options),
    () => {
      removePan(pan);
    },
  );
}

function builtMeanwhile(name: string, way: Way): Spin {
  const verify = (): Search => {
    const pan = buildPan(way.build);
    try {
      return search(pan, way.options);
    } finally {
      removePan(pan);
    }
  };
  return spin(name, way, verify, () => undefined);
}

/** SPIN is not there in smoke runs: to build a verifier takes seconds. */
function withSpin(size: Size, make: () => readonly Spin[]): readonly Spin[] {
  return size === "full" && findTools() !== null ? make() : [];
}

function panNote({ name, found }: Spin, figures: Figures): string {
  const { states, transitions, bytesPerState, hashTableMib } = found();
  const bytes = bytesPerState + (hashTableMib * BYTES_PER_MIB) / states;
  const ns = figures.nsPerUnit(name) * transitions;
  return `${statesNote(name, states, bytes, ns)}, ${bytesPerState} of them beside the hash table`;
}

function notesOf(spins: readonly Spin[], note: (one: Spin) => string): string[] {
  return spins.length === 0 ? [ABSENT] : [...spins.map(note), DIFFERENCES];
}

function allStates(policy: Policy, model: readonly string[], finds: boolean, size: Size): Question {
  let pinshift: readonly Searcher[] = [];
  let spins: readonly Spin[] = [];
  const way = (how: readonly string[]): Way => ({ build: { model, search: how }, options: ALL, finds });
  return {
    title: `${MODEL}, ${policy}: all states`,
    unit: TRANSITION,
    units: 1,
    warmups: 2,
    rounds: 7,
    contestants: async () => {
      pinshift = [inTransitions(await searcher(PINSHIFT, MODEL, policy, { size }))];
      spins = withSpin(size, () => [
        builtBefore("SPIN", way([NO_REDUCTION])),
        builtBefore("SPIN, partial-order reduction", way([])),
      ]);
      return [...pinshift, ...spins.map((one) => ({ ...one, units: () => one.found().transitions }))];
    },
    notes: (figures) => [
      ...pinshift.map((one) => keptBy(one, figures)),
      ...notesOf(spins, (one) => panNote(one, figures)),
    ],
  };
}

function toFirst(...how: readonly string[]): Way {
  return { build: { model: [], search: [NO_REDUCTION, ...how] }, options: FIRST, finds: true };
}

function firstViolation(size: Size): Question {
  const policy = "rfc+L1..L4";
  let pinshift: readonly Finder[] = [];
  let spins: readonly Spin[] = [];
  return {
    title: `${MODEL}, ${policy}: the first violation`,
    unit: SEARCH,
    units: 1,
    warmups: 2,
    rounds: 7,
    contestants: () => {
      pinshift = [
        finder(`${PINSHIFT}, in breadth`, MODEL, policy, "breadth"),
        finder(`${PINSHIFT}, in depth`, MODEL, policy, "depth"),
      ];
      spins = withSpin(size, () => [
        builtBefore("SPIN, in breadth", toFirst("-DBFS")),
        builtBefore("SPIN, in depth", toFirst()),
        builtMeanwhile("SPIN, in breadth, and its build", toFirst("-DBFS")),
        builtMeanwhile("SPIN, in depth, and its build", toFirst()),
      ]);
      return [...pinshift, ...spins];
    },
    notes: () => [
      ...pinshift.map(({ name, progress }) => {
        const { states, transitions } = progress();
        return `${name}: ${states} states, ${transitions} transitions; its machine is built meanwhile`;
      }),
      ...notesOf(spins, ({ name, found }) => {
        const { states, transitions } = found();
        return `${name}: ${states} states, ${transitions} transitions`;
      }),
    ],
  };
}

/** What the two do with the same model. */
export function againstSpin(size: Size): Question[] {
  return [
    allStates("rfc+L1..L4", [], true, size),
    allStates("rfc+L1..L5", ["-DL5"], false, size),
    firstViolation(size),
  ];
}
