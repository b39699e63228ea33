/** What the package exports. */
export type { KernelCrash } from "./core/core.ts";
export type {
  CounterName,
  Errno,
  HolderKind,
  Invariant,
  FileKind,
  KernelName,
  MigrationMode,
  PageFlag,
  PolicyName,
  Protection,
  RegionKind,
  RepairName,
  ZoneKind,
} from "./core/names.ts";
export { SimError, type SimErrorCode } from "./errors.ts";
export { Host, type Leaks, type Violation } from "./host.ts";
export type { Costs, HostConfig, Limits, NodeConfig, ZoneConfig } from "./host/config.ts";
export type { Blame, Holder, HolderCount } from "./host/holders.ts";
export type { KsmResult } from "./host/ksm.ts";
export type { Migration, MigrationOptions, MigrationStep, StepResult } from "./host/migration.ts";
export type { OfflineOptions, OfflineResult } from "./host/offline.ts";
export type { PageInfo, PageTable } from "./host/pages.ts";
export type { Pin } from "./host/pin.ts";
export type { File, FileOptions, FileRange, FileResult } from "./host/file.ts";
export type { ForkResult, Guest, Process, RegionOptions, Rss } from "./host/process.ts";
export type {
  CallResult,
  KsmPage,
  MigrationResult,
  MovePagesResult,
  PageoutResult,
  Range,
  Region,
  TouchOptions,
  TouchResult,
} from "./host/region.ts";
export type { ReclaimOutcome, SwapDevice, SwapOptions } from "./host/swap.ts";
export type { Trace, TraceEvent } from "./host/trace.ts";
export type { AsyncPf, AsyncPfStart, CompletionStep, Vcpu, WorkerStep } from "./host/vcpu.ts";
