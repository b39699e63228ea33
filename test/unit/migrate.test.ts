/** migrate_pages(): modes, passes and counters of each kernel. */
import { describe, expect, it } from "vitest";
import type { CounterName, Host, KernelName, Region } from "../../src/index.ts";
import { twoNodes } from "./hosts.ts";

async function anon(kernel: KernelName, pages: number, traceRecords = 0) {
  const host = await twoNodes({ kernel, limits: { traceRecords } });
  const process = host.createProcess({ pages: 2 * pages });
  const memory = process.map({ pages, node: 0 });
  memory.touch("write");
  host.drainLru();
  return { host, process, memory };
}

function counted(host: Host, names: readonly CounterName[], body: () => unknown): number[] {
  const before = host.counters();
  body();
  const after = host.counters();
  return names.map((name) => after[name] - before[name]);
}

const tried = ["attempts", "tryToUnmapCalls", "pgmigrate_success", "pgmigrate_fail"] as const;

describe("modes, one call on one page", () => {
  // Attempts, unmaps, PGMIGRATE_SUCCESS and _FAIL. Left with -EAGAIN counts as failed on 6.x only.
  it.each([
    { kernel: "v3.12", mode: "async", flag: "locked", expected: [10, 0, 0, 0] },
    { kernel: "v3.12", mode: "async", flag: "writeback", expected: [1, 0, 0, 1] },
    { kernel: "v3.12", mode: "sync-light", flag: "writeback", expected: [1, 0, 0, 1] },
    { kernel: "v3.12", mode: "sync", flag: "writeback", expected: [4, 1, 1, 0] },
    { kernel: "v6.1", mode: "async", flag: "locked", expected: [10, 0, 0, 1] },
    { kernel: "v6.1", mode: "async", flag: "writeback", expected: [1, 0, 0, 1] },
    { kernel: "v6.1", mode: "sync-light", flag: "writeback", expected: [1, 0, 0, 1] },
  ] as const)("$kernel, $mode, the page is $flag", async ({ kernel, mode, flag, expected }) => {
    const { host, memory } = await anon(kernel, 1);
    host.setPageFlag(memory.pfnOf(0), flag, true);
    expect(counted(host, tried, () => memory.migrate({ node: 1, mode }))).toEqual(expected);
    const moved = expected[2] === 1;
    expect(memory.where()).toEqual([moved ? 1 : 0]);
    host.setPageFlag(memory.pfnOf(0), flag, false);
    expect(host.verify()).toBeNull();
  });

  it.each(["v3.12", "v6.1"] as const)(
    "%s: a lock that nobody will release hangs a forced pass",
    async (kernel) => {
      const { host, memory } = await anon(kernel, 1);
      host.setPageFlag(memory.pfnOf(0), "locked", true);
      const { crash } = memory.migrate({ node: 1, mode: "sync" });
      expect(crash).toMatchObject({ kind: "hang", function: "__lock_page", invariant: "INV-LIVE" });
    },
  );

  it("nothing is drained for it: a page in an LRU batch is passed over", async () => {
    const { host, memory } = await anon("v3.12", 4);
    memory.discard();
    memory.touch("write");
    expect(memory.migrate({ node: 1, mode: "sync-light" })).toMatchObject({ ret: 0 });
    expect(memory.where()).toEqual([0, 0, 0, 0]);
    host.drainLru();
    memory.migrate({ node: 1, mode: "sync-light" });
    expect(memory.where()).toEqual([1, 1, 1, 1]);
  });
});

// Recorded: each pinned page is tried 10 times a call; 6.12 unmaps it twice, 6.x counts it once as failed.
describe.each([
  { kernel: "v3.12", unmaps: 10, checks: 10, targets: 10, fail: 0 },
  { kernel: "v6.1", unmaps: 10, checks: 10, targets: 10, fail: 1 },
  { kernel: "v6.12", unmaps: 2, checks: 10, targets: 2, fail: 1 },
] as const)("$kernel: a pinned page in one call", ({ kernel, unmaps, checks, targets, fail }) => {
  const names = [
    "tryToUnmapCalls",
    "refcountChecks",
    "targetsAllocated",
    "pgmigrate_fail",
    "pagesCopied",
  ] as const;

  it(`FOLL_GET: ${unmaps} unmaps, ${checks} checks, ${targets} targets`, async () => {
    const { host, memory } = await anon(kernel, 1);
    const pin = memory.pin([0]);
    const found = counted(host, names, () => memory.movePages({ node: 1 }));
    expect(found).toEqual([unmaps, checks, targets, fail, 0]);
    pin.release();
    expect(counted(host, names, () => memory.movePages({ node: 1 }))).toEqual([1, 1, 1, 0, 1]);
    expect(host.verify()).toBeNull();
  });

  it("FOLL_PIN counts 1024 references, and holds as well", async () => {
    const { host, memory } = await anon(kernel, 1);
    const pin = memory.pin([0], "pin");
    expect(host.pages.refcount(memory.pfnOf(0))).toBe(1 + 1024);
    memory.movePages({ node: 1 });
    expect(memory.where()).toEqual([0]);
    expect(host.counters()).toMatchObject({ nr_foll_pin_acquired: 1, nr_foll_pin_released: 0 });
    pin.release();
    pin.release();
    host.drainLru();
    expect(host.pages.refcount(memory.pfnOf(0))).toBe(1);
    expect(host.counters().nr_foll_pin_released).toBe(1);
    expect(host.verify()).toBeNull();
  });
});

it.each(["v6.1", "v6.12"] as const)(
  "%s does not unmap an exclusive page that may be pinned",
  async (kernel) => {
    const { host, memory } = await anon(kernel, 1);
    memory.pin([0], "pin");
    const names = ["refcountChecks", "ptesUnmapped"] as const;
    expect(counted(host, names, () => memory.movePages({ node: 1 }))).toEqual([0, 0]);
  },
);

describe("batches of 6.x", () => {
  it.each([
    { pages: 512, batches: 1 },
    { pages: 513, batches: 2 },
    { pages: 1000, batches: 2 },
    { pages: 4096, batches: 8 },
  ])("6.1: $pages pages are $batches batches of one call", async ({ pages, batches }) => {
    const { host, memory } = await anon("v6.1", pages);
    const names = ["migratePagesCalls", "migratePagesBatchCalls", "pgmigrate_success"] as const;
    expect(counted(host, names, () => memory.movePages({ node: 1 }))).toEqual([1, batches, pages]);
  });
});

it("a pin that is dropped while the call runs lets the page go in the next pass", async () => {
  const { host, memory } = await anon("v6.1", 52);
  memory.pin([7]).releaseAt(host.nowNs + 40_000);
  const result = memory.movePages({ node: 1 });
  expect(result).toMatchObject({ ret: 0, errno: null });
  expect(host.counters()).toMatchObject({ pgmigrate_success: 52, pgmigrate_fail: 0 });
  expect(host.counters().attempts).toBeGreaterThan(52);
  expect(host.counters().attempts).toBeLessThan(62);
});

it.each(["v3.12", "v6.1", "v6.12"] as const)(
  "%s carries content, flags and mlock to the target",
  async (kernel) => {
    const { host, memory } = await anon(kernel, 8);
    memory.mlock();
    host.setPageFlag(memory.pfnOf(0), "dirty", true);
    const flags = host.pages.at(memory.pfnOf(0)).flags.filter((flag) => flag !== "anon_exclusive");
    memory.movePages({ node: 1 });
    host.drainLru();
    const moved = host.pages.at(memory.pfnOf(0));
    expect(moved.flags).toEqual(expect.arrayContaining(flags));
    expect(moved.flags).toEqual(
      expect.arrayContaining(["dirty", "uptodate", "swapbacked", "mlocked", "unevictable"]),
    );
    expect(host.counters().nr_mlock).toBe(8);
    expect(host.verify()).toBeNull(); // what is read is what was written
  },
);

/** Fills a node so that `free` frames are left on it. */
function fillBut(host: Host, memory: Region, free: number): void {
  const left = host.freePages()[1] ?? 0;
  memory.touch("write", { start: 0, count: left - free });
}

it.each([
  { kernel: "v3.12", fail: 0 },
  { kernel: "v6.1", fail: 1 },
] as const)(
  "$kernel: a full target ends the call with -ENOMEM; PGMIGRATE_FAIL $fail",
  async ({ kernel, fail }) => {
    const zones = [{ kind: "normal", pages: 1024 }] as const;
    const host = await twoNodes({ kernel, nodes: [{ zones }, { zones }] });
    const process = host.createProcess({ pages: 1200 });
    const memory = process.map({ pages: 40, node: 0, bind: true });
    memory.touch("write");
    host.drainLru();
    fillBut(host, process.map({ pages: 1024, node: 1, bind: true }), 20);
    const result = memory.movePages({ node: 1 });
    expect(result).toMatchObject({ ret: -1, errno: "ENOMEM" });
    expect(new Set(result.status)).toEqual(new Set([null]));
    expect(host.counters().pgmigrate_success).toBeGreaterThan(0);
    expect(host.counters().pgmigrate_fail).toBe(fail);
    expect(host.verify()).toBeNull();
  },
);
