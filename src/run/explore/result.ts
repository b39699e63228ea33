/** What an exploration found: the shape of the JSON, and what the other reports are written from. */
import type { KernelName, PolicyName, RepairName } from "../../core/names.ts";

/** One page as it is after a step. */
export interface PageView {
  /** The frame; 0 if the virtual page has none. */
  readonly pfn: number;
  /** page->_count. */
  readonly count: number;
  /** PTEs that map the page. */
  readonly mapcount: number;
  /** What page->mapping is: `anon_vma 3`, `file 2`, `apf_mapping`, `NULL`. */
  readonly mapping: string;
  /** What page->private is, if anything: `ctx 1`, `swap 2`. */
  readonly private: string | null;
  /** The PTE: `none`, `pfn 9 rw`, `swap 1`, `migration 9`. */
  readonly pte: string;
  /** The RFC's context on the page and the work item that it names: `ctx 1 → apf 1`; null if none. */
  readonly ctx: string | null;
  /** Page flags that are set, in the kernel's names: `locked`, `swapcache`, … */
  readonly flags: readonly string[];
}

export interface ScheduleStep {
  /** The actor that takes the step: a column of the story. */
  readonly actor: string;
  /** What it does: the name of the transition. */
  readonly transition: string;
  /** The kernel function in which that happens. */
  readonly function: string;
  /** The page that the finding is about, after the step. */
  readonly page: PageView;
}

/** What the kernel did: it went on with an invariant broken, it stopped, or it can never go on. */
export type FindingKind = "invariant" | "oops" | "bug" | "hang" | "lockup" | "deadlock" | "lost wake-up";

export interface Finding {
  readonly invariant: string;
  /** The transition that broke it. */
  readonly transition: string;
  /** The field or counter that is wrong. */
  readonly field: string;
  readonly pfn: number;
  readonly kind: FindingKind;
  /** What was expected and what was found, or the trace of a crash: one line. */
  readonly detail: string;
  /** The shortest schedule that leads there, as a replay string. */
  readonly schedule: string;
  /** The page before the first step. */
  readonly before: PageView;
  readonly steps: readonly ScheduleStep[];
  /** Index in `steps` of the step that broke it. */
  readonly brokenBy: number;
  /**
   * Index in `steps` of the first step after which no order of the rest ends well without the finding, that
   * is where no work is left, over no crash and no corrupt memory; as far as that was searched. Null if none
   * does from the beginning.
   */
  readonly inevitableFrom: number | null;
  /** The models in which it was found; the schedule is one of the first. */
  readonly models: readonly string[];
}

/** Why a search did not visit every reachable state. */
export type StopReason =
  | "max-states"
  | "max-depth"
  | "max-switches"
  | "max-findings"
  | "memory"
  | "timeout"
  | "interrupt"
  | "strategy";

/** The search of one model. */
export interface ModelResult {
  readonly model: string;
  readonly title: string;
  /** All reachable states were visited: what was not found does not exist within the model. */
  readonly complete: boolean;
  readonly stoppedBy: StopReason | null;
  readonly states: number;
  readonly transitions: number;
  /** Steps of the longest of the shortest ways to a state. */
  readonly depth: number;
  readonly findings: readonly Finding[];
}

/** The JSON of `pinshift explore`: of one model, or with `model` "all" of several. */
export interface ExploreReport {
  readonly command: "explore";
  readonly version: string;
  readonly kernel: KernelName;
  readonly policy: PolicyName;
  readonly repairs: readonly RepairName[];
  readonly model: string;
  readonly complete: boolean;
  readonly states: number;
  readonly transitions: number;
  /** Distinct by invariant, transition, field and kind: of several models the shortest. */
  readonly findings: readonly Finding[];
  readonly models: readonly Omit<ModelResult, "findings">[];
}
