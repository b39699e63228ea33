/** Where core and reference model once disagreed and the core was wrong: the shrunk operations. */
import { describe, expect, it } from "vitest";
import {
  BATCH_SIZE,
  PTE_ACCESSED,
  PTE_DIRTY,
  PTE_PRESENT,
  PTE_SHIFT,
  PTE_WRITE,
  TABLE_BATCHES,
} from "../../assembly/abi.ts";
import { restoreSnapshot } from "../../src/host/snapshot.ts";
import { Host } from "../../src/index.ts";
import { type CoreName, runOn } from "../helpers/cores.ts";
import { movableBlock, noLeaks, pinByAsyncPf, rfcHost, twoNodes } from "./hosts.ts";

const GFN = 3;

/** Node 1 has `free` frames left of 512, node 0 all but a few. */
async function nearlyFull(kernel: "v3.12" | "v6.1" | "v6.12", free: number): Promise<Host> {
  const zones = [{ kind: "normal", pages: 512 }] as const;
  const host = await Host.create({ kernel, nodes: [{ zones }, { zones }], costs: { faultNs: 1000 } });
  const filler = host.createProcess({ pages: 512 });
  filler.map({ pages: 512 - free, node: 1, bind: true }).touch("write");
  return host;
}

describe("L5: several faults share the context of a page", () => {
  it("the one that began it completes first, and the page still moves", async () => {
    const at = await rfcHost("L5");
    pinByAsyncPf(at.vcpu0, GFN);
    pinByAsyncPf(at.vcpu1, GFN);
    at.vcpu0.complete();
    expect(at.host.verify()).toBeNull();
    expect(at.memory.movePages({ node: 1, entries: [GFN] })).toMatchObject({ status: [1], crash: null });
    at.vcpu1.complete();
    expect(at.host.leaks()).toEqual(noLeaks);
    expect(at.host.verify()).toBeNull();
  });

  it("one that got no context is no owner, and its end does not unprotect the page", async () => {
    const at = await rfcHost("L5");
    pinByAsyncPf(at.vcpu0, GFN);
    at.host.failContextAllocations(1);
    pinByAsyncPf(at.vcpu1, GFN);
    at.vcpu1.complete();
    expect(at.host.leaks().contexts).toBe(1);
    expect(at.memory.movePages({ node: 1, entries: [GFN] }).status).toEqual([1]);
    at.vcpu0.complete();
    expect(at.host.leaks()).toEqual(noLeaks);
  });
});

it.each(["v3.12", "v6.1", "v6.12"] as const)(
  "%s: a PTE that a fault makes writable is dirty and young, also if GUP took the fault",
  async (kernel) => {
    const host = await twoNodes({ kernel });
    const process = host.createProcess({ pages: 1 });
    const memory = process.map({ pages: 1 });
    memory.touch("write");
    // The fork makes the PTE read-only, the migration makes it old and clean.
    process.fork().child?.exit();
    memory.movePages({ node: 1 });
    host.drainLru();
    expect(process.ptes()[0]).toBe((memory.pfnOf(0) << PTE_SHIFT) | PTE_PRESENT);
    memory.pin([0], "get");
    const flags = PTE_PRESENT | PTE_WRITE | PTE_DIRTY | PTE_ACCESSED;
    expect(process.ptes()[0]).toBe((memory.pfnOf(0) << PTE_SHIFT) | flags);
  },
);

it.each(["v3.12", "v6.1", "v6.12"] as const)(
  "%s: a locked page whose mapping goes while it is migrated is locked no more, and can be freed",
  async (kernel) => {
    const host = await twoNodes({ kernel });
    const memory = host.createProcess({ pages: 1 }).map({ pages: 1 });
    memory.touch("write");
    memory.mlock();
    const pfn = memory.pfnOf(0);
    const migration = host.migration(pfn, { node: 1 });
    migration.isolate();
    const pin = memory.pin([0], "get");
    migration.unmap();
    memory.unmap();
    migration.move();
    migration.finish();
    expect(host.pages.at(pfn).flags).not.toContain("mlocked");
    expect(host.counters().nr_mlock).toBe(0);
    host.drainLru();
    pin.release();
    expect(host.leaks().badPages).toBe(0);
    expect(host.verify()).toBeNull();
  },
);

it("L2: a write to a page that does not look anonymous copies it; FILE -1 and ANON +1", async () => {
  const at = await rfcHost("L2");
  pinByAsyncPf(at.vcpu0, GFN);
  const page = { start: GFN, count: 1 };
  at.memory.protect("read", page);
  at.memory.protect("read-write", page);
  const old = at.memory.pfnOf(GFN);
  expect(at.memory.touch("write", page)).toMatchObject({ faults: 1, crash: null });
  expect(at.memory.pfnOf(GFN)).not.toBe(old);
  expect(at.host.pages.at(old)).toMatchObject({ refcount: 1, mapcount: 0 });
  expect(at.guest.rss).toEqual({ file: -1, anon: 65, swap: 0 });
});

it("L3: the callback moves a page whose anon_vma is gone, and the walk of it is an oops", async () => {
  const at = await rfcHost("L3", movableBlock);
  pinByAsyncPf(at.vcpu0, GFN);
  at.memory.unmap();
  expect(at.host.offline(2).crash).toMatchObject({
    kind: "oops",
    trace: ["rmap_walk_anon", "remove_migration_ptes"],
    invariant: "INV-UAF",
  });
});

it("MADV_DONTNEED of a shared page that was read or written notes the access in the page", async () => {
  const host = await twoNodes();
  const memory = host.createProcess({ pages: 1 }).map({ pages: 1, kind: "shmem" });
  memory.touch("write");
  const pfn = memory.pfnOf(0);
  expect(host.pages.at(pfn).flags).not.toContain("referenced");
  memory.discard();
  expect(host.pages.at(pfn).flags).toEqual(expect.arrayContaining(["referenced", "dirty"]));
});

describe("mlock", () => {
  it("takes a page off the active list", async () => {
    const host = await twoNodes();
    const memory = host.createProcess({ pages: 1 }).map({ pages: 1 });
    memory.touch("write");
    expect(host.pages.at(memory.pfnOf(0)).flags).toContain("active");
    memory.mlock();
    const { flags } = host.pages.at(memory.pfnOf(0));
    expect(flags).toEqual(expect.arrayContaining(["mlocked", "unevictable", "lru"]));
    expect(flags).not.toContain("active");
  });

  it("ends with the last PTE: a page that a pin holds is evictable again", async () => {
    const host = await twoNodes();
    const memory = host.createProcess({ pages: 1 }).map({ pages: 1 });
    memory.touch("write");
    memory.mlock();
    const pfn = memory.pfnOf(0);
    memory.pin([0]);
    memory.unmap();
    const { flags } = host.pages.at(pfn);
    expect(flags).toContain("lru");
    expect(flags).not.toContain("unevictable");
    expect(host.verify()).toBeNull();
  });
});

it("targets wait in the LRU batch of the CPU that moves them, not of the one that faulted last", async () => {
  const host = await twoNodes({ cpus: 2 });
  const first = host.createProcess({ pages: 1, cpu: 0 }).map({ pages: 1 });
  const second = host.createProcess({ pages: 13, cpu: 1 }).map({ pages: 13 });
  first.touch("write");
  host.drainLru();
  second.touch("write");
  first.movePages({ node: 1 });
  // One page more fills the batch of CPU 1 (14 pages of v3.12) only if the target is not in it.
  expect(host.holders(first.pfnOf(0))).toContainEqual({ kind: "lru-batch", refs: 1 });
  second.discard();
  second.touch("write");
  expect(host.holders(first.pfnOf(0))).toContainEqual({ kind: "lru-batch", refs: 1 });
});

describe("a node that is full", () => {
  it("counts targets that were allocated, and time of the faults before the one that failed", async () => {
    const host = await nearlyFull("v3.12", 3);
    const memory = host.createProcess({ pages: 5 }).map({ pages: 5, node: 1, bind: true });
    const before = host.nowNs;
    expect(memory.touch("write")).toMatchObject({ errno: "ENOMEM" });
    expect(host.nowNs - before).toBe(3 * 1000);
    const other = host.createProcess({ pages: 2 }).map({ pages: 2, node: 0 });
    other.touch("write");
    expect(other.movePages({ node: 1 })).toMatchObject({ errno: "ENOMEM" });
    expect(host.counters().targetsAllocated).toBe(0);
  });

  it.each([
    // v3.12 counts what failed for good, 6.x also the page without a target and those to be tried again.
    { kernel: "v3.12", fail: 1 },
    { kernel: "v6.1", fail: 2 },
    { kernel: "v6.12", fail: 2 },
  ] as const)(
    "$kernel: a page under writeback fails before the target runs out",
    async ({ kernel, fail }) => {
      const host = await nearlyFull(kernel, kernel === "v6.12" ? 1 : 2);
      const memory = host.createProcess({ pages: 4 }).map({ pages: 4, node: 0 });
      memory.touch("write");
      host.drainLru();
      host.setPageFlag(memory.pfnOf(0), "writeback", true);
      const taken = host.createProcess({ pages: 1 }).map({ pages: 1, node: 1, bind: true });
      if (kernel !== "v6.12") taken.touch("write");
      const result = memory.migrate({ node: 1, mode: "sync-light" });
      expect(result).toMatchObject({ ret: -1, errno: "ENOMEM" });
      expect(host.counters()).toMatchObject({ pgmigrate_success: 1, pgmigrate_fail: fail });
    },
  );

  it.each(["v6.1", "v6.12"] as const)("%s: a bad node behind it is the error of the call", async (kernel) => {
    const host = await nearlyFull(kernel, 0);
    const memory = host.createProcess({ pages: 2 }).map({ pages: 2, node: 0 });
    memory.touch("write");
    expect(memory.movePages({ node: [1, 63] })).toMatchObject({ errno: "ENODEV", status: [null, null] });
  });

  it("6.x puts back what it has tried before what it has not", async () => {
    const zones = [{ kind: "normal", pages: 1024 }] as const;
    const host = await Host.create({ kernel: "v6.1", nodes: [{ zones }, { zones }] });
    host.createProcess({ pages: 1024 }).map({ pages: 1024, node: 1, bind: true }).touch("write");
    const memory = host.createProcess({ pages: 600 }).map({ pages: 600, node: 0 });
    memory.touch("write");
    const order = [...memory.movePages({ node: 1 }).blame.pages];
    expect(order).toEqual(Array.from({ length: 600 }, (_, index) => memory.pfnOf(index)));
  });
});

/** Of a frame that has what another page left in it: as the target of a migration, and reserved. */
async function hashesOfUsedFrame(core: CoreName): Promise<string[]> {
  runOn(core);
  const host = await twoNodes({ contentBytes: 64 });
  runOn("release");
  const [guard, used] = [1, 2].map(() => host.createProcess({ pages: 1 }).map({ pages: 1, node: 1 }));
  for (const region of [guard, used]) region?.touch("write");
  const frame = used?.pfnOf(0) ?? 0;
  used?.unmap();
  host.drainLru();
  const source = host.createProcess({ pages: 1 }).map({ pages: 1, node: 0 });
  source.touch("write");
  host.drainLru();
  const migration = host.migration(source.pfnOf(0), { node: 1 });
  migration.isolate();
  migration.unmap();
  const target = host.stateHash();
  expect(host.pages.refcount(frame)).toBe(1);
  migration.finish();
  host.reserveFrame(frame);
  return [target, host.stateHash()];
}

it("a used frame that is a target or reserved hashes alike on both cores", async () => {
  expect(await hashesOfUsedFrame("debug")).toEqual(await hashesOfUsedFrame("release"));
});

it("a page that is moved out of the way of a pin waits in the batch of the CPU that pins it", async () => {
  const host = await Host.create({ kernel: "v6.1", ...movableBlock, cpus: 2 });
  const memory = host.createProcess({ pages: 1, cpu: 1 }).map({ pages: 1 });
  memory.touch("write");
  host.createProcess({ pages: 1, cpu: 0 }).map({ pages: 1 }).touch("write");
  host.drainLru();
  expect(memory.pin([0], "longterm").pages).toBe(1);
  const { core } = await restoreSnapshot(host.snapshot());
  const ofCpu1 = core.words(TABLE_BATCHES).subarray(BATCH_SIZE / 4);
  expect([ofCpu1[0], ofCpu1[1]]).toEqual([1, memory.pfnOf(0)]);
});

it("runWorkers() stops at the worker in which the kernel crashes", async () => {
  const host = await Host.create({ kernel: "v3.12", policy: "longterm", ...movableBlock });
  const guest = host.createGuest({ pages: 2, vcpus: 1 });
  const memory = guest.map({ pages: 2 });
  memory.touch("write");
  host.drainLru();
  // Nobody unlocks it, and the forced passes of the migration out of ZONE_MOVABLE wait for that.
  host.setPageFlag(memory.pfnOf(0), "locked", true);
  const [vcpu] = guest.vcpus;
  vcpu?.startAsyncPf(0);
  vcpu?.startAsyncPf(1);
  expect(vcpu?.runWorkers()).toMatchObject({ kind: "hang" });
});

it("6.x: mprotect() leaves the write access to a page without its anonymous tag to the fault", async () => {
  const { guest, memory, vcpu0 } = await rfcHost("L3", { kernel: "v6.12" });
  const { child } = guest.fork();
  child?.exit();
  pinByAsyncPf(vcpu0, GFN);
  memory.protect("read");
  // The page is the guest's alone, but does not look like one of private memory.
  memory.protect("read-write");
  expect((guest.ptes()[GFN] ?? 0) & PTE_WRITE).toBe(0);
});
