/** A bounded model: a few pages of one guest, and the actors that work on them, as a YAML file has it. */
import type { MigrationMode } from "../../core/names.ts";

export const MAX_PAGES = 4;
export const MAX_ACTORS = 8;
/** Operations or pages in the list of one actor: what its script holds. */
export const MAX_OPERATIONS = 4;

/** What a page of the guest is before anything runs. */
export const pageStates = {
  untouched: "never touched, the PTE is empty",
  mapped: "present and dirty, on the LRU",
  clean: "present and clean, as after a read from swap whose slot has been freed",
  swapped: "on the swap device only",
  "swap-cache": "a swap entry in the PTE; the page is in the swap cache, up to date and unlocked",
  writeback:
    "swapped out a moment ago: a swap entry in the PTE, the page in the swap cache, its write in flight",
  file: "of a shared file mapping, not anonymous, not in memory yet",
  shared: "mapped by the guest and by a child that was forked",
} as const;
export type PageState = keyof typeof pageStates;

/** What a guest task does. */
export const accesses = ["read", "write"] as const;
export type Access = (typeof accesses)[number];

/** What the process behind the guest does: with a page, and without. */
export const pageOperations = ["write", "write-child", "unmap", "discard"] as const;
export const processOperations = ["fork", "exit-child", "exit"] as const;
export type ProcessOperation = (typeof pageOperations)[number] | (typeof processOperations)[number];

export interface Operation<Name extends string> {
  readonly op: Name;
  /** Virtual page of the guest; 0 if the operation is about none. */
  readonly page: number;
}

/** A vCPU, its async_pf worker and its completions. vCPUs are numbered as they are listed, from 0. */
export interface VcpuActor {
  readonly kind: "vcpu";
  readonly access: readonly Operation<Access>[];
  /** The guest knows asynchronous page faults: its task waits and another one runs. */
  readonly paravirtual: boolean;
}

export interface MigratorActor {
  readonly kind: "migrator";
  /** One after the other; a page that stands here twice is migrated twice. */
  readonly pages: readonly number[];
  /** Passes over each page at most. */
  readonly attempts: number;
  readonly mode: MigrationMode;
  /** Waits for the page lock where the mode lets it. */
  readonly force: boolean;
}

export interface ReclaimerActor {
  readonly kind: "reclaimer";
  /** One look each, one after the other. */
  readonly pages: readonly number[];
}

export interface ProcessActor {
  readonly kind: "process";
  readonly do: readonly Operation<ProcessOperation>[];
}

export interface PinnerActor {
  readonly kind: "pinner";
  /** get_user_pages() of each, put_page() later. */
  readonly pages: readonly number[];
}

export interface ResetActor {
  readonly kind: "reset";
  /** The vCPU whose completion queue is cleared. */
  readonly vcpu: number;
}

export type ModelActor = VcpuActor | MigratorActor | ReclaimerActor | ProcessActor | PinnerActor | ResetActor;
export type ActorKind = ModelActor["kind"];

/** Where a search ends at the latest; what is missing is for the search to choose. */
export interface ModelBounds {
  readonly states?: number;
  /** Steps of a schedule. */
  readonly depth?: number;
  /** Times that a schedule goes on with another actor although the one before could. */
  readonly switches?: number;
}

/** A model with its defaults filled in. */
export interface Model {
  readonly name: string;
  /** The question that it asks. */
  readonly title: string;
  /** The guest's virtual pages, from 0. */
  readonly pages: readonly PageState[];
  readonly actors: readonly ModelActor[];
  /** So many of the next allocations of a context of the RFC fail. */
  readonly contextFailures: number;
  /** With latency, reads and writes of the swap device end in transitions of their own. */
  readonly swap: { readonly latency: boolean };
  readonly bounds: ModelBounds;
}
