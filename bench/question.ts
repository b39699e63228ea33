/** What a benchmark is made of: a question, and contestants that do the same work to answer it. */

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
}

/** A figure to reach, computed from the medians. */
export interface Goal {
  readonly text: string;
  /** The figure, given a contestant's median ns per page and one contestant's time relative to another's. */
  readonly value: (figures: Figures) => number;
  readonly atLeast?: number;
  readonly atMost?: number;
}

export interface Figures {
  /** Median ns per page. */
  nsPerPage(name: string): number;
  /** Median over the rounds of one contestant's time divided by another's in the same round. */
  ratio(name: string, other: string): number;
}

export interface Question {
  readonly title: string;
  /** What one sample is divided by. */
  readonly pages: number;
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
