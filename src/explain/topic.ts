/** One thing that can be asked about. All texts are paragraphs without line breaks. */
export interface Topic {
  /** A line for lists. */
  readonly summary: string;
  /** What it is. */
  readonly what: string;
  /** Where it comes from. */
  readonly source: string;
  /** How it shows in Pinshift. */
  readonly shows: string;
}

export type TopicKind =
  | "policy"
  | "repair"
  | "invariant"
  | "errno"
  | "kernel profile"
  | "crash kind"
  | "set-up"
  | "scenario";
