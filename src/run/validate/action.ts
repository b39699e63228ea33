/** The operations of a recording that can be replayed, as typed data. */
import type { FileKind, Protection, RegionKind } from "../../core/names.ts";

/** The process under test. */
export const PARENT = "parent";

/** Indexes of pages of a region, in order. */
export type Pages = "all" | readonly number[];

/** Memory of a file, mapped shared. */
export interface FileMemory {
  readonly file: FileKind;
  readonly prot: Protection;
  /** It lies in the root file system, a tmpfs since 3.13. */
  readonly onRootfs: boolean;
}

export interface PlainMemory {
  readonly kind: RegionKind;
}

/** Something that happens after so many ms from the start of the step. */
export interface Timed {
  readonly atMs: number;
}

export interface MoveArray {
  readonly region: string;
  /** Null: whom the last fork names as the mover. */
  readonly by: string | null;
  /** Page indexes, −1 for an address in no mapping; undefined: every page once. */
  readonly entries: readonly number[] | undefined;
  readonly node: number;
  readonly moveAll: boolean;
}

/** How a loop of calls chooses its target: nodes in turn, none for no calls. */
export type Alternation = readonly number[];

export interface TimedVariant {
  readonly name: string;
  readonly nodes: Alternation;
  readonly pinned: boolean;
}

export type Action =
  | {
      readonly op: "map";
      readonly region: string;
      readonly by: string;
      readonly memory: PlainMemory | FileMemory;
      readonly pages: number;
      /** One node for all pages, or one each. */
      readonly node: number | readonly number[];
      readonly touch: "none" | "read" | "write";
      readonly dontFork: boolean;
      /** Indexes of pages that another mapping of the process holds too. */
      readonly mappedTwice: readonly number[];
    }
  | {
      readonly op: "touch";
      readonly access: "read" | "write";
      readonly region: string;
      readonly by: string;
      readonly pages: Pages;
    }
  | { readonly op: "unmap" | "discard"; readonly region: string; readonly by: string; readonly pages: Pages }
  | { readonly op: "protect"; readonly region: string; readonly by: string; readonly prot: Protection }
  | { readonly op: "mlock"; readonly region: string; readonly by: string }
  | {
      readonly op: "ksmMerge";
      readonly region: string;
      readonly by: string;
      /** So many consecutive pages are equal, and different from all others. */
      readonly groupsOf: number;
    }
  | {
      readonly op: "pin";
      readonly region: string;
      readonly by: string;
      readonly pages: Pages;
      readonly how: "vmsplice" | "splice" | "io_uring" | "odirect";
      readonly id: string;
      readonly ioDurationMs: number | null;
    }
  | { readonly op: "unpin"; readonly id: string; readonly wait: boolean }
  | ({ readonly op: "movePages" } & MoveArray)
  | ({
      readonly op: "movePagesUntil";
      readonly untilRet: number;
      readonly maxCalls: number;
      readonly release: (Timed & { readonly pin: string }) | null;
    } & MoveArray)
  | {
      readonly op: "mbind";
      readonly region: string;
      readonly by: string;
      readonly node: number;
      readonly move: boolean;
      readonly strict: boolean;
    }
  | {
      readonly op: "migratePages";
      readonly by: string;
      readonly from: readonly number[];
      readonly to: readonly number[];
    }
  | { readonly op: "fill"; readonly by: string; readonly node: number; readonly pages: number }
  | {
      readonly op: "fork";
      readonly by: string;
      readonly children: number;
      /** What each child does with the regions that it inherits. */
      readonly childTouch: "none" | "read" | "write";
      /** Who calls move_pages(2) from now on. */
      readonly mover: string;
    }
  | { readonly op: "exit"; readonly child: string }
  | { readonly op: "writeback"; readonly region: string; readonly by: string; readonly durationMs: number }
  | {
      readonly op: "swapOn";
      readonly device: string;
      readonly pages: number;
      readonly synchronous: boolean;
      /** Null: the device answers before the next step. */
      readonly ioDurationMs: number | null;
    }
  | { readonly op: "swapOff"; readonly device: string }
  | { readonly op: "pageout"; readonly region: string; readonly by: string; readonly pages: Pages }
  | {
      readonly op: "swapin";
      readonly region: string;
      readonly by: string;
      readonly pages: Pages;
      readonly access: "read" | "write";
      /** vm.page-cluster, from then on. */
      readonly pageCluster: number;
    }
  | { readonly op: "online"; readonly block: number }
  | {
      readonly op: "offline";
      readonly block: number;
      readonly release: (Timed & { readonly pin: string }) | null;
      readonly signal: (Timed & { readonly name: string }) | null;
    }
  | { readonly op: "wait"; readonly ms: number }
  | {
      readonly op: "timeCalls";
      readonly region: string;
      readonly by: string;
      readonly calls: number;
      readonly variants: readonly TimedVariant[];
    }
  | {
      readonly op: "touchWhileMoving";
      readonly region: string;
      readonly by: string;
      readonly durationMs: number;
      readonly nodes: Alternation;
      readonly moveAll: boolean;
    }
  | { readonly op: "notModelled"; readonly reason: string };
