/** Reports of an exploration, written by hand: the RFC, whose page is migrated with a fault in flight. */
import type { ExploreReport, Finding, PageView, ScheduleStep } from "../../../src/run/explore/result.ts";

const mapped: PageView = {
  pfn: 9,
  count: 1,
  mapcount: 1,
  mapping: "anon_vma 3",
  private: null,
  pte: "pfn 9 rw",
  ctx: null,
  flags: ["uptodate", "lru"],
};

const tagged: PageView = {
  ...mapped,
  count: 3,
  mapping: "apf_mapping",
  private: "ctx 1",
  ctx: "ctx 1 → apf 1",
};

function step(actor: string, where: string, transition: string, page: PageView): ScheduleStep {
  return { actor, function: where, transition, page };
}

/** Four actors, eight steps; lost two steps before it shows. */
export const crash: Finding = {
  invariant: "INV-LOCK",
  transition: "lock i_mmap_mutex",
  field: "mapping",
  pfn: 9,
  kind: "oops",
  detail: "mutex_lock ← try_to_unmap_file takes a lock that nobody initialised",
  schedule: "v1:rfc:one-fault:0,1,1,2,3,2,2,2",
  brokenBy: 7,
  inevitableFrom: 5,
  models: ["one-fault", "two-faults"],
  before: mapped,
  steps: [
    step("vcpu 0", "kvm_setup_async_pf", "queue", mapped),
    step("async_pf 1", "get_user_pages", "take reference", { ...mapped, count: 2 }),
    step("async_pf 1", "kvm_async_pf_set_mapping", "set mapping", tagged),
    step("migrator", "isolate_lru_page", "isolate", { ...tagged, count: 4, flags: ["uptodate"] }),
    step("reclaimer", "shrink_inactive_list", "skip", { ...tagged, count: 4, flags: ["uptodate"] }),
    step("migrator", "__unmap_and_move", "trylock", { ...tagged, count: 4, flags: ["uptodate", "locked"] }),
    step("migrator", "try_to_unmap", "test", { ...tagged, count: 4, flags: ["uptodate", "locked"] }),
    step("migrator", "try_to_unmap_file", "lock i_mmap_mutex", {
      ...tagged,
      count: 4,
      flags: ["uptodate", "locked"],
    }),
  ],
};

/** Two actors, two steps, the last of which another order would have avoided. */
export const miscount: Finding = {
  invariant: "INV-REF",
  transition: "put",
  field: "count",
  pfn: 9,
  kind: "invariant",
  detail: "expected 2, found 1",
  schedule: "v1:rfc:two-faults:0,1",
  brokenBy: 1,
  inevitableFrom: 1,
  models: ["two-faults"],
  before: mapped,
  steps: [
    step("vcpu 0", "get_page", "take reference", { ...mapped, count: 2 }),
    step("vcpu 1", "kvm_release_page_clean", "put", { ...mapped, flags: ["uptodate"], private: "swap|2" }),
  ],
};

const oneFault = {
  model: "one-fault",
  title: "one fault in flight while its page is migrated",
  complete: true,
  stoppedBy: null,
  states: 1234,
  transitions: 4321,
  depth: 21,
} as const;

const twoFaults = {
  ...oneFault,
  model: "two-faults",
  title: "two vCPUs fault on the same page",
  states: 1_000_000,
  transitions: 3_500_000,
  depth: 33,
} as const;

/** Two models, two findings, one of them in both. */
export const found: ExploreReport = {
  command: "explore",
  version: "0.1.0",
  kernel: "v3.12",
  policy: "rfc",
  repairs: [],
  model: "all",
  complete: false,
  states: 1_001_234,
  transitions: 3_504_321,
  findings: [crash, miscount],
  models: [oneFault, { ...twoFaults, complete: false, stoppedBy: "max-states" }],
};

export const clean: ExploreReport = {
  ...found,
  repairs: ["L1", "L2", "L3"],
  complete: true,
  findings: [],
  models: [oneFault, twoFaults],
};

export const bounded: ExploreReport = { ...clean, complete: false, models: found.models };

/** The report with every name that the explorer might have from elsewhere replaced by this one. */
export function named(name: string): ExploreReport {
  const finding: Finding = {
    ...miscount,
    transition: name,
    field: name,
    detail: name,
    schedule: name,
    models: [name],
    steps: miscount.steps.map(({ page }) => ({
      actor: name,
      transition: name,
      function: name,
      page: { ...page, mapping: name, private: name, pte: name, ctx: name, flags: [name] },
    })),
  };
  return {
    ...found,
    model: name,
    findings: [finding],
    models: [{ ...oneFault, model: name, title: name }],
  };
}
