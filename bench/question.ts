/** What a benchmark is made of: a question, and contestants that do the same work to answer it. */

/** What work is counted in. */
export interface Unit {
  readonly name: string;
  readonly plural: string;
  /** In which the time of one is told, and how many ns that is. */
  readonly time: { readonly name: string; readonly ns: number };
  /** In which the number of them in a second is told, and how many they are. */
  readonly rate: { readonly name: string; readonly count: number };
}

function small(name: string, plural: string): Unit {
  return { name, plural, time: { name: "ns", ns: 1 }, rate: { name: `million ${plural}`, count: 1e6 } };
}

export const PAGE = small("page", "pages");
export const TRANSITION = small("transition", "transitions");
export const EVENT = small("event", "events");
export const ACCESS = small("access", "accesses");
export const SEARCH: Unit = {
  name: "search",
  plural: "searches",
  time: { name: "ms", ns: 1e6 },
  rate: { name: "searches", count: 1 },
};

export const SCENARIO: Unit = {
  name: "scenario",
  plural: "scenarios",
  time: { name: "s", ns: 1e9 },
  rate: { name: "scenarios", count: 1 },
};

/** One side of a comparison. */
export interface Contestant {
  readonly name: string;
  /** Brings the state to where run() begins; not timed. */
  prepare?(): void;
  /** The work of one sample. */
  run(): void | Promise<void>;
  /** What the state is after run(), the same for all contestants. Null: nothing to compare. */
  hash(): string | null;
  /** Throws if the work of the last run() was not done. For contestants without a hash. */
  check?(): void;
  /** Units of work of each of its samples, if they are not the question's. Asked for after the last run(). */
  units?(): number;
  /** Gives back what is not memory. */
  dispose?(): void;
}

/** A figure to reach, computed from the medians. */
export interface Goal {
  readonly text: string;
  /** The figure, given a contestant's median ns per unit and one contestant's time relative to another's. */
  readonly value: (figures: Figures) => number;
  readonly atLeast?: number;
  readonly atMost?: number;
}

export interface Figures {
  /** Median ns per unit of work. */
  nsPerUnit(name: string): number;
  /** Median over the rounds of one contestant's time for a unit divided by another's in the same round. */
  ratio(name: string, other: string): number;
}

export interface Question {
  readonly title: string;
  /** What work is counted in. Default: PAGE. */
  readonly unit?: Unit;
  /** Units of work of one sample. */
  readonly units: number;
  /** Untimed rounds before the first timed one, of which each is compared. */
  readonly warmups: number;
  readonly rounds: number;
  readonly goals?: readonly Goal[];
  readonly contestants: () => Contestant[] | Promise<Contestant[]>;
  /** Facts beside the times, asked for at the end. */
  readonly notes?: (figures: Figures) => string[];
}

/** A file in suites/: its questions, at full size or at a size that only shows that they work. */
export interface Suite {
  readonly name: string;
  readonly questions: (size: Size) => Question[];
}

export type Size = "full" | "smoke";
