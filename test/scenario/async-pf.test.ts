/**
 * Asynchronous page faults on anonymous guest memory: what Linux 3.11 under QEMU TCG did with them, as it was
 * and with the RFC's patch as posted, beside what one pinned page shows (rfc-layers.test.ts).
 */
import { describe, expect, it } from "vitest";
import { EAGAIN } from "../../assembly/abi.ts";
import type { Region } from "../../src/index.ts";
import { movableBlock, pinByAsyncPf, rfcHost, twoNodes } from "../unit/hosts.ts";

const nothing = { contexts: 0, lostFaults: 0, pins: 0, badPages: 0 };

/**
 * Sets PG_dirty as an attempt to migrate does: unmapping moves the dirty bit of the PTE to the page. A write
 * then leaves both dirty, as after a swap-in for a write.
 */
function dirtyByFailedMigration(memory: Region): void {
  const pin = memory.pin(Array.from({ length: memory.pages }, (_, i) => i));
  const { status } = memory.movePages({ node: 1 });
  expect(new Set(status)).toEqual(new Set([-EAGAIN]));
  pin.release();
  memory.touch("write");
}

describe("plain v3.12", () => {
  it("tokens count up from 0 in steps of 0x1000 and end in the vCPU", async () => {
    const at = await rfcHost("pin");
    const tokens = Array.from({ length: 8 }, (_, gfn) => at.vcpu0.startAsyncPf(gfn));
    expect(tokens).toEqual(
      [0, 0x1000, 0x2000, 0x3000, 0x4000, 0x5000, 0x6000, 0x7000].map((token) => ({
        outcome: "started",
        token,
      })),
    );
    expect(at.vcpu1.startAsyncPf(0)).toEqual({ outcome: "started", token: 0x1 });
    expect(at.vcpu1.startAsyncPf(1)).toEqual({ outcome: "started", token: 0x1001 });
  });

  it("8 pages are held until the vCPU runs again: 80 attempts a call, then they move", async () => {
    const at = await rfcHost("pin", { limits: { traceRecords: 400 } });
    const entries = [0, 1, 2, 3, 4, 5, 6, 7];
    for (const gfn of entries) pinByAsyncPf(at.vcpu0, gfn);
    for (const call of [1, 2]) {
      at.host.startTrace();
      expect(at.memory.movePages({ node: 1, entries }).status).toEqual(entries.map(() => -EAGAIN));
      const unmaps = at.host.stopTrace().events.filter(({ event }) => event === "unmap");
      expect(unmaps).toHaveLength(80);
      expect(unmaps[0]).toMatchObject({ refcount: 3, mapcount: 1 });
      expect(at.host.counters()).toMatchObject({ tryToUnmapCalls: 80 * call, ptesUnmapped: 80 * call });
    }
    expect(at.vcpu0.complete().completed).toBe(8);
    expect(at.vcpu0.notifications).toEqual({ notPresent: 8, ready: 8, kvmRefs: 0 });
    at.host.startTrace();
    expect(at.memory.movePages({ node: 1, entries }).status).toEqual(entries.map(() => 1));
    const unmaps = at.host.stopTrace().events.filter(({ event }) => event === "unmap");
    expect(unmaps[0]).toMatchObject({ refcount: 2 });
  });

  it("two vCPUs on one page: 4 references, then 3, and each of them keeps it", async () => {
    const at = await rfcHost("pin", { limits: { traceRecords: 400 } });
    pinByAsyncPf(at.vcpu0, 3);
    pinByAsyncPf(at.vcpu1, 3);
    const seen = [];
    for (const vcpu of [at.vcpu0, at.vcpu1, null]) {
      at.host.startTrace();
      const { status } = at.memory.movePages({ node: 1, entries: [3] });
      const unmap = at.host.stopTrace().events.find(({ event }) => event === "unmap");
      seen.push([status[0], unmap && "refcount" in unmap ? unmap.refcount : null]);
      vcpu?.complete();
    }
    expect(seen).toEqual([
      [-EAGAIN, 4],
      [-EAGAIN, 3],
      [1, 2],
    ]);
  });

  it("64 outstanding a vCPU; the next fault is synchronous, another vCPU has its own 64", async () => {
    const host = await twoNodes();
    const guest = host.createGuest({ pages: 100, vcpus: 2 });
    guest.map({ pages: 100 }).touch("write");
    const [vcpu0, vcpu1] = guest.vcpus;
    const started = Array.from({ length: 100 }, (_, gfn) => vcpu0?.startAsyncPf(gfn).outcome);
    expect(started.filter((outcome) => outcome === "started")).toHaveLength(64);
    expect(started.slice(64)).toEqual(Array.from({ length: 36 }, () => "refused"));
    expect(vcpu1?.startAsyncPf(99).outcome).toBe("started");
  });

  it("munmap and exit while pinned are clean", async () => {
    const at = await rfcHost("pin");
    for (const gfn of [3, 4]) pinByAsyncPf(at.vcpu0, gfn);
    expect(at.memory.unmap({ start: 3, count: 1 })).toBeNull();
    expect(at.host.verify()).toBeNull();
    expect(at.guest.exit()).toEqual({ badRss: null, crash: null });
    expect(at.host.verify()).toBeNull();
    expect(at.host.freePages()).toEqual([65_534, 65_536]);
  });
});

describe("the RFC as posted (L0)", () => {
  it("a pinned page is no longer anonymous to whoever looks at its tag", async () => {
    const at = await rfcHost("L0");
    const pfn = at.memory.pfnOf(3);
    const before = at.host.pages.at(pfn).mapping;
    expect(before & 3).toBe(1);
    pinByAsyncPf(at.vcpu0, 3);
    expect(at.host.pages.at(pfn).mapping & 3).toBe(0);
    expect(at.host.verify()).toMatchObject({ invariant: "INV-TAG", pfn });
    at.vcpu0.complete();
    expect(at.host.pages.at(pfn).mapping).toBe(before);
    expect(at.host.verify()).toBeNull();
  });

  it.each([
    { debugRodata: true, trace: ["mutex_lock", "try_to_unmap_file", "try_to_unmap"] },
    { debugRodata: false, trace: ["__mutex_lock_slowpath", "mutex_lock", "try_to_unmap_file"] },
  ])("move_pages, read-only objects $debugRodata: oops in $trace.0", async ({ debugRodata, trace }) => {
    const at = await rfcHost("L0", { debugRodata });
    pinByAsyncPf(at.vcpu0, 3);
    const { crash } = at.memory.movePages({ node: 1, entries: [3] });
    expect(crash).toMatchObject({ kind: "oops", function: trace[0], trace, invariant: "INV-LOCK" });
  });

  it("offline of the block: the same oops; what was isolated stays so", async () => {
    const at = await rfcHost("L0", movableBlock);
    pinByAsyncPf(at.vcpu0, 3);
    const { crash } = at.host.offline(2);
    expect(crash).toMatchObject({ kind: "oops", function: "mutex_lock", invariant: "INV-LOCK" });
    // The pages behind it on the list of the round, and itself.
    expect(at.host.counters().nr_isolated_anon).toBe(64 - 3);
    expect(() => at.host.offline(2)).toThrow(/has stopped \(oops in mutex_lock/);
  });

  it.each(["munmap", "exit"] as const)("%s while pinned: oops below set_page_dirty()", async (how) => {
    const at = await rfcHost("L0");
    dirtyByFailedMigration(at.memory);
    pinByAsyncPf(at.vcpu0, 3);
    const crash = how === "exit" ? at.guest.exit().crash : at.memory.unmap();
    expect(crash).toMatchObject({
      kind: "oops",
      trace: ["_raw_spin_lock", "__set_page_dirty_buffers", "set_page_dirty"],
      invariant: "INV-LOCK",
    });
  });

  it.each([4, 60])("%i pages zapped where nothing is read-only: rss and page classes off", async (pages) => {
    const at = await rfcHost("L0", { debugRodata: false });
    dirtyByFailedMigration(at.memory);
    for (let gfn = 0; gfn < pages; gfn++) pinByAsyncPf(at.vcpu0, gfn);
    expect(at.memory.unmap({ start: 0, count: pages })).toBeNull();
    at.vcpu0.complete();
    expect(at.host.leaks()).toEqual(nothing);
    expect(at.guest.exit()).toEqual({ badRss: { file: -pages, anon: pages, swap: 0 }, crash: null });
    expect(at.host.counters()).toMatchObject({ nr_anon_pages: pages, nr_file_mapped: -pages });
    expect(at.host.verify()).toMatchObject({ invariant: "INV-VMSTAT", expected: 0, found: pages });
  });

  it("GUP on a page that is not anonymous forgets its context; the page moves", async () => {
    const host = await twoNodes({ policy: "rfc" });
    const guest = host.createGuest({ pages: 8, vcpus: 1 });
    const memory = guest.map({ kind: "shmem", pages: 8 });
    memory.touch("write");
    const [vcpu] = guest.vcpus;
    for (let gfn = 0; gfn < 8; gfn++) vcpu?.startAsyncPf(gfn);
    vcpu?.runWorkers();
    vcpu?.complete();
    expect(host.leaks()).toEqual({ ...nothing, contexts: 8 });
    expect(host.verify()).toMatchObject({ invariant: "INV-CTX" });
    expect(memory.movePages({ node: 1 }).status).toEqual(Array.from({ length: 8 }, () => 1));
  });

  it("GUP that fails leaks its context as well", async () => {
    const at = await rfcHost("L0");
    at.memory.unmap({ start: 3, count: 1 });
    pinByAsyncPf(at.vcpu0, 3);
    expect(at.vcpu0.asyncPfs()).toEqual([{ state: "done", token: 0, gfn: 3, pfn: null }]);
    at.vcpu0.complete();
    expect(at.host.leaks()).toEqual({ ...nothing, contexts: 1 });
  });

  it("a context that cannot be allocated loses the fault: never done, never completed", async () => {
    const at = await rfcHost("L0");
    at.host.failContextAllocations(1);
    pinByAsyncPf(at.vcpu0, 3);
    expect(at.vcpu0.asyncPfs()).toEqual([{ state: "lost", token: 0, gfn: 3, pfn: null }]);
    expect(at.vcpu0.complete().completed).toBe(0);
    expect(at.host.leaks()).toEqual({ ...nothing, lostFaults: 1 });
    expect(at.host.verify()).toMatchObject({ invariant: "INV-LIVE" });
    // A clear takes it for cancelled and repairs the references.
    expect(at.vcpu0.notifications.kvmRefs).toBe(1);
    expect(at.vcpu0.clear()).toMatchObject({ cancelled: 1 });
    expect(at.vcpu0.notifications.kvmRefs).toBe(0);
    expect(at.host.verify()).toBeNull();
  });

  it("64 lost faults put an end to asynchronous faults", async () => {
    const host = await twoNodes({ policy: "rfc" });
    const guest = host.createGuest({ pages: 100, vcpus: 1 });
    guest.map({ pages: 100 }).touch("write");
    const [vcpu] = guest.vcpus;
    host.failContextAllocations(64);
    for (let gfn = 0; gfn < 64; gfn++) vcpu?.startAsyncPf(gfn);
    vcpu?.runWorkers();
    expect(vcpu?.startAsyncPf(65)).toEqual({ outcome: "refused" });
  });
});
