/** The migration of one page step by step, and what comes in between its steps. */
import { describe, expect, it } from "vitest";
import { EAGAIN, EBUSY } from "../../assembly/abi.ts";
import type { Migration } from "../../src/index.ts";
import { type Layer, type RfcHost, noLeaks, pinByAsyncPf, rfcHost, stepWorkerTo, twoNodes } from "./hosts.ts";

const PAGE = 3;

/** A process with 8 anonymous pages on node 0, off the LRU batches. */
async function onePage(kernel: "v3.12" | "v6.1" | "v6.12" = "v3.12") {
  const host = await twoNodes({ kernel });
  const process = host.createProcess({ pages: 8 });
  const memory = process.map({ pages: 8, node: 0 });
  memory.touch("write");
  host.drainLru();
  return { host, process, memory, pfn: memory.pfnOf(PAGE) };
}

describe("one attempt in its states", () => {
  // Reference count and mapcount of the page after each step, as on v3.12 for one PTE and no pin.
  it.each(["v3.12", "v6.1", "v6.12"] as const)("%s moves an anonymous page", async (kernel) => {
    const { host, memory, pfn } = await onePage(kernel);
    const state = (page: number) => [host.pages.refcount(page), host.pages.mapcount(page)];
    const migration = host.migration(pfn, { node: 1 });
    expect([migration.step, ...state(pfn)]).toEqual([null, 1, 1]);
    expect(migration.isolate()).toEqual({ ret: 0, errno: null, crash: null, sleeps: false });
    expect([migration.step, ...state(pfn)]).toEqual(["isolate", 2, 1]);
    expect(host.counters().nr_isolated_anon).toBe(1);
    expect(host.verify()).toBeNull();
    expect(migration.unmap().ret).toBe(0);
    expect([migration.step, ...state(pfn)]).toEqual(["unmap", 1, 0]);
    expect(host.verify()).toBeNull();
    expect(migration.move().ret).toBe(0);
    const target = memory.pfnOf(PAGE);
    expect(host.pages.at(target)).toMatchObject({ node: 1, refcount: 2, mapcount: 1 });
    expect(host.holders(target)).toEqual([
      { kind: "pte", refs: 1 },
      expect.objectContaining({ kind: "migration-target", refs: 1 }),
    ]);
    expect(state(pfn)).toEqual([1, 0]);
    expect(host.verify()).toBeNull();
    expect(migration.finish().ret).toBe(0);
    host.drainLru();
    expect(state(pfn)).toEqual([0, 0]);
    expect(state(target)).toEqual([1, 1]);
    expect(host.counters()).toMatchObject({ pgmigrate_success: 1, pgmigrate_fail: 0, nr_isolated_anon: 0 });
    expect(host.verify()).toBeNull();
  });

  it.each([
    { kernel: "v3.12", fail: 0 },
    { kernel: "v6.1", fail: 1 },
    { kernel: "v6.12", fail: 1 },
  ] as const)(
    "$kernel puts a pinned page back where it was; PGMIGRATE_FAIL $fail",
    async ({ kernel, fail }) => {
      const { host, memory, pfn } = await onePage(kernel);
      const pin = memory.pin([PAGE]);
      const migration = host.migration(pfn, { node: 1 });
      migration.isolate();
      expect(migration.unmap().ret).toBe(0);
      expect(migration.move()).toMatchObject({ ret: -1, errno: "EAGAIN" });
      expect(host.pages.mapcount(pfn)).toBe(0);
      expect(migration.finish()).toMatchObject({ ret: -1, errno: "EAGAIN" });
      expect(memory.pfnOf(PAGE)).toBe(pfn);
      expect(host.pages.mapcount(pfn)).toBe(1);
      expect(host.counters()).toMatchObject({ pgmigrate_success: 0, pgmigrate_fail: fail });
      pin.release();
      expect(host.verify()).toBeNull();
    },
  );

  it("finish backs out after isolate and after unmap alike", async () => {
    const { host, memory, pfn } = await onePage();
    for (const steps of [1, 2]) {
      const migration = host.migration(pfn, { node: 1 });
      migration.isolate();
      if (steps === 2) migration.unmap();
      expect(migration.finish().errno).toBe("EAGAIN");
      host.drainLru();
      expect(memory.pfnOf(PAGE)).toBe(pfn);
      expect(host.pages.at(pfn)).toMatchObject({ refcount: 1, mapcount: 1 });
      expect(host.verify()).toBeNull();
    }
  });

  it("refuses steps out of order, and says where the migration is", async () => {
    const { host, pfn } = await onePage();
    const migration = host.migration(pfn, { node: 1 });
    expect(() => migration.unmap()).toThrow(/unmap: .*not begun; the steps are isolate, unmap, move, finish/);
    expect(() => migration.finish()).toThrow(/not begun/);
    migration.isolate();
    expect(() => migration.isolate()).toThrow(/after isolate/);
    expect(() => migration.move()).toThrow(/after isolate/);
    migration.unmap();
    expect(() => migration.unmap()).toThrow(/after unmap/);
    migration.move();
    migration.finish();
    expect(() => migration.move()).toThrow(/not begun/);
  });
});

describe("what ends an attempt early", () => {
  it("a page in an LRU batch cannot be isolated", async () => {
    const { host, memory } = await onePage();
    memory.discard({ start: PAGE, count: 1 });
    memory.touch("write", { start: PAGE, count: 1 });
    const pfn = memory.pfnOf(PAGE);
    expect(host.migration(pfn, { node: 1 }).isolate()).toMatchObject({ ret: -1, errno: "EBUSY" });
    host.drainLru();
    expect(host.migration(pfn, { node: 1 }).isolate().ret).toBe(0);
  });

  it("a page that is isolated already cannot be isolated again", async () => {
    const { host, pfn } = await onePage();
    host.migration(pfn, { node: 1 }).isolate();
    expect(host.migration(pfn, { node: 1 }).isolate().errno).toBe("EBUSY");
  });

  it.each([
    { mode: "async", force: false, sleeps: false },
    { mode: "async", force: true, sleeps: false },
    { mode: "sync-light", force: false, sleeps: false },
    { mode: "sync-light", force: true, sleeps: true },
    { mode: "sync", force: false, sleeps: false },
    { mode: "sync", force: true, sleeps: true },
  ] as const)("a locked page, $mode, forced $force: sleeps $sleeps", async ({ mode, force, sleeps }) => {
    const { host, pfn } = await onePage();
    const migration = host.migration(pfn, { node: 1, mode, force });
    migration.isolate();
    host.setPageFlag(pfn, "locked", true);
    const result = migration.unmap();
    expect(result.sleeps).toBe(sleeps);
    expect(result.errno).toBe(sleeps ? null : "EAGAIN");
    host.setPageFlag(pfn, "locked", false);
    const again = sleeps ? migration.unmap() : result;
    expect(again).toMatchObject({ ret: sleeps ? 0 : -1, sleeps: false });
    migration.finish();
    expect(host.verify()).toBeNull();
  });

  it.each([
    { mode: "async", force: false, rc: -EBUSY },
    { mode: "async", force: true, rc: -EBUSY },
    { mode: "sync-light", force: false, rc: -EBUSY },
    { mode: "sync-light", force: true, rc: -EBUSY },
    { mode: "sync", force: false, rc: -EAGAIN },
    { mode: "sync", force: true, rc: 0 },
  ] as const)("a page under writeback, $mode, forced $force: $rc", async ({ mode, force, rc }) => {
    const { host, pfn } = await onePage();
    const migration = host.migration(pfn, { node: 1, mode, force });
    migration.isolate();
    host.setPageFlag(pfn, "writeback", true);
    const result = migration.unmap();
    expect(result.ret).toBe(rc === 0 ? 0 : -1);
    expect(result.errno).toBe({ [-EBUSY]: "EBUSY", [-EAGAIN]: "EAGAIN", 0: null }[rc]);
    expect(host.pages.mapcount(pfn)).toBe(rc === 0 ? 0 : 1);
    migration.finish();
    expect(host.pages.mapcount(pfn)).toBe(1);
  });

  it("no target: -ENOMEM, and the page stays", async () => {
    const host = await twoNodes({
      nodes: [{ zones: [{ kind: "normal", pages: 1024 }] }, { zones: [{ kind: "normal", pages: 512 }] }],
    });
    const process = host.createProcess({ pages: 520 });
    process.map({ pages: 512, node: 1, bind: true }).touch("write");
    const memory = process.map({ pages: 8, node: 0 });
    memory.touch("write");
    host.drainLru();
    const migration = host.migration(memory.pfnOf(PAGE), { node: 1 });
    migration.isolate();
    expect(migration.unmap()).toMatchObject({ ret: -1, errno: "ENOMEM" });
    expect(migration.finish().errno).toBe("ENOMEM");
    expect(host.verify()).toBeNull();
  });

  it("a page that its owners drop while it is isolated counts as moved, and is freed", async () => {
    const { host, memory, pfn } = await onePage();
    const migration = host.migration(pfn, { node: 1 });
    migration.isolate();
    memory.discard({ start: PAGE, count: 1 });
    expect(host.pages.refcount(pfn)).toBe(1);
    expect(migration.unmap().ret).toBe(0);
    expect(migration.move().ret).toBe(0);
    expect(migration.finish().ret).toBe(0);
    expect(host.pages.refcount(pfn)).toBe(0);
    expect(host.counters()).toMatchObject({ pgmigrate_success: 1, tryToUnmapCalls: 0, pagesCopied: 0 });
    expect(host.verify()).toBeNull();
  });

  it("v3.12 refuses a pinned anonymous page that nobody maps: its anon_vma is not to be had", async () => {
    const { host, memory, pfn } = await onePage();
    const pin = memory.pin([PAGE]);
    memory.discard({ start: PAGE, count: 1 });
    const migration = host.migration(pfn, { node: 1 });
    migration.isolate();
    expect(migration.unmap().errno).toBe("EAGAIN");
    expect(host.counters().tryToUnmapCalls).toBe(0);
    migration.finish();
    pin.release();
    expect(host.verify()).toBeNull();
  });
});

describe("a fault on the migration entry", () => {
  it("on v3.12 takes a reference of the old page, and so makes the check fail", async () => {
    const { host, memory, pfn } = await onePage();
    const migration = host.migration(pfn, { node: 1 });
    migration.isolate();
    migration.unmap();
    expect(memory.touch("write", { start: PAGE })).toMatchObject({ faults: 1, sleeps: true, crash: null });
    expect(host.holders(pfn)).toContainEqual(expect.objectContaining({ kind: "migration-waiter", refs: 1 }));
    expect(host.pages.refcount(pfn)).toBe(2);
    expect(host.verify()).toBeNull();
    expect(migration.move().errno).toBe("EAGAIN");
    expect(migration.finish().errno).toBe("EAGAIN");
    // Woken by the unlock; the reference is gone and the next attempt succeeds.
    host.drainLru();
    expect(host.pages.refcount(pfn)).toBe(1);
    expect(memory.movePages({ node: 1, entries: [PAGE] }).status).toEqual([1]);
    expect(host.verify()).toBeNull();
  });

  it("on v3.12 does no harm behind the check", async () => {
    const { host, memory, pfn } = await onePage();
    const migration = host.migration(pfn, { node: 1 });
    migration.isolate();
    migration.unmap();
    migration.move();
    expect(memory.touch("write", { start: PAGE, count: 1 })).toMatchObject({ sleeps: false });
    expect(migration.finish().ret).toBe(0);
    expect(host.verify()).toBeNull();
  });

  it.each(["v6.1", "v6.12"] as const)("on %s takes none, and the page moves", async (kernel) => {
    const { host, memory, pfn } = await onePage(kernel);
    const migration = host.migration(pfn, { node: 1 });
    migration.isolate();
    migration.unmap();
    expect(memory.touch("read", { start: PAGE }).sleeps).toBe(true);
    expect(host.pages.refcount(pfn)).toBe(1);
    expect(migration.move().ret).toBe(0);
    expect(migration.finish().ret).toBe(0);
    expect(host.verify()).toBeNull();
  });

  it("munmap of it takes the page away under the migration", async () => {
    const { host, process, memory, pfn } = await onePage();
    const migration = host.migration(pfn, { node: 1 });
    migration.isolate();
    migration.unmap();
    memory.unmap();
    expect(process.rss).toEqual({ file: 0, anon: 0, swap: 0 });
    expect(host.verify()).toBeNull();
    expect(migration.move().ret).toBe(0);
    expect(migration.finish().ret).toBe(0);
    expect(host.verify()).toBeNull();
    expect(host.counters().nr_anon_pages).toBe(0);
  });

  it("an async_pf worker sleeps on it with its item queued, and goes on behind the unlock", async () => {
    const at = await rfcHost("pin");
    const migration = at.host.migration(at.memory.pfnOf(PAGE), { node: 1 });
    migration.isolate();
    migration.unmap();
    at.vcpu0.startAsyncPf(PAGE);
    at.vcpu0.runWorkers();
    expect(at.vcpu0.asyncPfs()).toEqual([{ state: "queued", token: 0, gfn: PAGE, pfn: null }]);
    at.vcpu0.runWorkers(); // still asleep: it takes no second reference
    expect(at.host.holders(migration.pfn).filter(({ kind }) => kind === "migration-waiter")).toHaveLength(1);
    migration.move();
    migration.finish();
    at.vcpu0.runWorkers();
    expect(at.vcpu0.asyncPfs()[0]).toMatchObject({ state: "done", pfn: at.memory.pfnOf(PAGE) });
    at.vcpu0.complete();
    expect(at.host.verify()).toBeNull();
  });
});

/** The worker has its reference before the migration isolates the page, and stores after the unmap. */
async function stored(layer: Layer): Promise<{ at: RfcHost; migration: Migration }> {
  const at = await rfcHost(layer);
  at.vcpu0.startAsyncPf(PAGE);
  expect(at.vcpu0.stepWorker(0).done).toBe("begin");
  expect(at.vcpu0.stepWorker(0).done).toBe("gup");
  expect(at.host.verify()).toBeNull();
  const migration = at.host.migration(at.memory.pfnOf(PAGE), { node: 1 });
  migration.isolate();
  expect(migration.unmap().ret).toBe(0);
  return { at, migration };
}

describe("the RFC's worker stores the mapping between the unmap and the move", () => {
  it.each(["L0", "L1", "L2"] as const)(
    "%s: the callback spins in a lock inside the anon_vma",
    async (layer) => {
      const { at, migration } = await stored(layer);
      stepWorkerTo(at.vcpu0, 0, "store");
      expect(migration.move().crash).toMatchObject({
        kind: "lockup",
        trace: ["_raw_spin_lock_irq", "migrate_page_move_mapping", "async_pf_migratepage"],
        invariant: "INV-LOCK",
      });
      expect(at.host.counters().callbackSuccesses).toBe(0);
    },
  );

  it("L3: the callback succeeds, and the worker then overwrites the page that it wrote", async () => {
    const { at, migration } = await stored("L3");
    const old = migration.pfn;
    stepWorkerTo(at.vcpu0, 0, "store");
    expect(migration.move().ret).toBe(0);
    expect(at.vcpu0.stepWorker(0).done).toBe("finish");
    expect(at.vcpu0.asyncPfs()[0]?.pfn).toBe(old);
    expect(at.host.verify()).toMatchObject({ invariant: "INV-OWN", pfn: old });
  });

  it("L5: the worker waits for the page lock, the migration fails on its reference", async () => {
    const { at, migration } = await stored("L5");
    expect(at.vcpu0.stepWorker(0)).toEqual({ done: null, sleeps: true, crash: null });
    expect(migration.move().errno).toBe("EAGAIN");
    migration.finish();
    expect(at.vcpu0.stepWorker(0).done).toBe("store");
    expect(at.host.verify()).toBeNull();
    expect(at.vcpu0.stepWorker(0).done).toBe("finish");
    at.host.drainLru();
    expect(at.memory.movePages({ node: 1, entries: [PAGE] }).status).toEqual([1]);
    at.vcpu0.complete();
    expect(at.host.verify()).toBeNull();
  });
});

it("L5: a page that moves between the worker's store and its end stays the one that it holds", async () => {
  const at = await rfcHost("L5");
  at.vcpu0.startAsyncPf(PAGE);
  for (const step of ["begin", "gup", "store"]) expect(at.vcpu0.stepWorker(0).done).toBe(step);
  expect(at.memory.movePages({ node: 1, entries: [PAGE] }).status).toEqual([1]);
  expect(at.vcpu0.stepWorker(0).done).toBe("finish");
  expect(at.vcpu0.asyncPfs()[0]?.pfn).toBe(at.memory.pfnOf(PAGE));
  expect(at.host.verify()).toBeNull();
});

it("L5: a completion waits for the page lock of a migration", async () => {
  const at = await rfcHost("L5");
  pinByAsyncPf(at.vcpu0, PAGE);
  const migration = at.host.migration(at.memory.pfnOf(PAGE), { node: 1 });
  migration.isolate();
  migration.unmap();
  expect(at.vcpu0.complete().completed).toBe(0);
  expect(at.vcpu0.clear()).toEqual({ cancelled: 0, sleeps: true, crash: null });
  expect(() => at.guest.exit()).toThrow(/finish that first/);
  expect(migration.move().ret).toBe(0);
  migration.finish();
  expect(at.vcpu0.complete().completed).toBe(1);
  expect(at.host.leaks()).toEqual(noLeaks);
  expect(at.host.verify()).toBeNull();
});

it.each(["v3.12", "v6.1", "v6.12"] as const)(
  "%s: mlock ends with the last entry that has it",
  async (kernel) => {
    const { host, process, memory, pfn } = await onePage(kernel);
    const { child } = process.fork();
    child?.regions()[0]?.mlock();
    memory.mlock();
    const migration = host.migration(pfn, { node: 1 });
    migration.isolate();
    migration.unmap();
    process.exit();
    expect(host.pages.at(pfn).flags).toContain("mlocked");
    expect(host.counters().nr_mlock).toBe(8);
    child?.exit();
    expect(host.counters().nr_mlock).toBe(0);
    migration.finish();
    host.drainLru();
    expect(host.pages.refcount(pfn)).toBe(0);
    expect(host.verify()).toBeNull();
  },
);
