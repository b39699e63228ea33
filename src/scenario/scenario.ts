/** A scenario of the timed clock, as a YAML file has it, with its defaults filled in. */
import type { KernelName, ZoneKind } from "../core/names.ts";
import type { CostProfileName } from "./cost-profiles.ts";

/**
 * A quantity that is drawn anew each time: its inverse distribution function at some points, linear
 * between.
 */
export interface Distribution {
  /**
   * Ascending shares 0 … 1 of draws, and the value in ns below which they lie. The first is 0, the last 1.
   */
  readonly points: readonly { readonly share: number; readonly ns: number }[];
}

export interface ScenarioZone {
  readonly kind: ZoneKind;
  /** Frames of 4 KiB. */
  readonly pages: number;
}

/** Which kinds of swap device there are: what they stand for is in the schema's defaults. */
export const deviceKinds = ["zram", "nvme", "ssd", "hdd"] as const;
export type DeviceKind = (typeof deviceKinds)[number];

export interface ScenarioDevice {
  readonly kind: DeviceKind;
  /** Pages that it holds. */
  readonly pages: number;
  /** Requests that it works on at one time. A device of depth 0 is synchronous: the CPU does the I/O. */
  readonly queueDepth: number;
  /** From the start of a request to its end, its transfer not counted. */
  readonly read: Distribution;
  readonly write: Distribution;
  /** Bytes a second, of all requests together. */
  readonly bytesPerSecond: number;
}

export interface ScenarioHost {
  readonly nodes: readonly { readonly zones: readonly ScenarioZone[] }[];
  /** Physical CPUs for vCPUs; kernel threads do not take time from them. */
  readonly cpus: number;
  /** How long a vCPU runs while others wait for its CPU, ns. */
  readonly sliceNs: number;
  /** 1/HZ, ns: a vCPU that runs guest code leaves the guest at the latest then. */
  readonly tickNs: number;
  /** Pages that all guests together may have charged (the limit of their cgroup); null: no limit. */
  readonly memoryLimit: number | null;
  /** vm.page-cluster: a read from swap takes 2^n slots. */
  readonly pageCluster: number;
  readonly swap: readonly ScenarioDevice[];
  /** Work items of the system workqueue that may have begun at one time, for each CPU (WQ_DFL_ACTIVE). */
  readonly maxActive: number;
}

/** How a task picks the pages that it accesses. Pages are those of the task's range, counted from 0. */
export type Pattern =
  | { readonly kind: "none" } // it computes
  | { readonly kind: "uniform" }
  | { readonly kind: "zipf"; readonly skew: number } // 0 < skew, in steps of 0.01
  | { readonly kind: "sequential" }
  /** Uniform in a window of `pages`, which moves on by `step` pages every `everyNs`. */
  | { readonly kind: "shift"; readonly pages: number; readonly step: number; readonly everyNs: number }
  /** Sequential through one half of the range for `everyNs`, then through the other. */
  | { readonly kind: "ping-pong"; readonly everyNs: number }
  /**
   * The accesses of a trace, again and again. Pages are those of the trace, in order of their first access.
   */
  | { readonly kind: "trace"; readonly accesses: readonly TraceAccess[] };

export interface TraceAccess {
  readonly page: number;
  readonly write: boolean;
}

/** Tasks of a guest that do the same. They are dealt out to its vCPUs in turn. */
export interface ScenarioTasks {
  readonly name: string;
  readonly count: number;
  readonly pattern: Pattern;
  /** Range of guest pages that it accesses. */
  readonly firstPage: number;
  readonly pages: number;
  /** CPU time from one access to the next, ns. */
  readonly accessNs: number;
  /** Accesses in a hundred that write. */
  readonly writePercent: number;
  /** How often it sleeps, once in so many accesses, and for how long; 0: never. */
  readonly sleepEvery: number;
  readonly sleepNs: number;
}

/**
 * off: the vCPU thread sleeps in the fault. halt: asynchronous page faults without paravirtual delivery, the
 * vCPU halts. paravirtual: the guest lets another task run.
 */
export const asyncPfModes = ["off", "halt", "paravirtual"] as const;
export type AsyncPfMode = (typeof asyncPfModes)[number];

export interface ScenarioGuest {
  readonly name: string;
  /** Memory in pages. */
  readonly pages: number;
  readonly vcpus: number;
  readonly asyncPf: AsyncPfMode;
  /** Pages that are touched, in order, before the clock starts; those that do not fit are swapped out. */
  readonly touched: number;
  /**
   * Of them those that are swapped out before the clock starts whatever fits, in thousandths, spread
   * evenly.
   */
  readonly swappedOut: number;
  /** 1/HZ of the guest, ns: its timer interrupt. */
  readonly tickNs: number;
  /** How long a task runs while others of the same vCPU can, ns. */
  readonly sliceNs: number;
  readonly tasks: readonly ScenarioTasks[];
}

/** Somebody else who pins guest pages: one page at a time, at random, at a rate. */
export interface ScenarioPinner {
  /** get: O_DIRECT on v3.12. pin: FOLL_PIN. longterm: FOLL_LONGTERM. */
  readonly kind: "get" | "pin" | "longterm";
  /** Name of the guest. */
  readonly guest: string;
  readonly firstPage: number;
  readonly pages: number;
  /** Pins a second, in intervals of exponential distribution. 0: `atOnce` only. */
  readonly perSecond: number;
  /** Pins that are taken when it starts. */
  readonly atOnce: number;
  /** How long each is held; null: for ever. */
  readonly hold: Distribution | null;
  readonly startNs: number;
}

/** One page of a node moves to another at a rate, as by NUMA balancing: a background of migrations. */
export interface ScenarioMigration {
  readonly guest: string;
  readonly firstPage: number;
  readonly pages: number;
  readonly perSecond: number;
  readonly toNode: number;
}

export type Operation =
  | {
      readonly do: "offline";
      /** Memory block: pfn / 32768. */
      readonly block: number;
      /** The caller's patience, as `timeout T`; null: the kernel's own. */
      readonly giveUpNs: number | null;
      /** Rounds that leave a page behind, after which the caller gives up; null: no such limit. */
      readonly giveUpRounds: number | null;
    }
  | {
      readonly do: "move-pages";
      readonly guest: string;
      readonly firstPage: number;
      readonly pages: number;
      readonly toNode: number;
      /** Pages of one call. */
      readonly batch: number;
      /** Threads that share the calls. */
      readonly threads: number;
    }
  | { readonly do: "fork"; readonly guest: string }
  | { readonly do: "pause"; readonly guest: string; readonly vcpu: number | null } // null: all of it
  | { readonly do: "resume"; readonly guest: string; readonly vcpu: number | null }
  /** The limit of the guests' cgroup. */
  | { readonly do: "resize"; readonly memoryLimit: number }
  | { readonly do: "kill"; readonly guest: string }
  /** A signal to whoever takes memory offline. */
  | { readonly do: "signal" }
  /** get_user_pages() of a range at once, held for ever, as VFIO does; kind as of a pinner. */
  | {
      readonly do: "pin";
      readonly guest: string;
      readonly kind: ScenarioPinner["kind"];
      readonly firstPage: number;
      readonly pages: number;
    }
  /** lru_add_drain_all(). */
  | { readonly do: "drain" };

export type TimedOperation = Operation & {
  readonly atNs: number;
  /** What the operation is called in results; default: what it does, numbered if there are several. */
  readonly name: string;
};

export interface Scenario {
  readonly name: string;
  /** The question that it asks, in a line. */
  readonly title: string;
  readonly kernel: KernelName;
  readonly costs: CostProfileName;
  /** Simulated time, ns. It ends earlier when the last operation has ended, if `untilDone`. */
  readonly durationNs: number;
  readonly untilDone: boolean;
  /** Policies as --policy takes them; the first is what the others are compared with. */
  readonly policies: readonly string[];
  readonly seeds: readonly number[];
  /** Length of an interval of metrics; null: none are taken. */
  readonly intervalNs: number | null;
  /** How often everything is recounted; null: at the end alone. */
  readonly verifyNs: number | null;
  /** Bytes of content per page. */
  readonly contentBytes: number;
  readonly host: ScenarioHost;
  readonly guests: readonly ScenarioGuest[];
  readonly pinners: readonly ScenarioPinner[];
  readonly migrations: readonly ScenarioMigration[];
  readonly operations: readonly TimedOperation[];
}
