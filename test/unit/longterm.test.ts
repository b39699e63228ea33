/** FOLL_LONGTERM: pages are moved out of ZONE_MOVABLE before they are pinned for long. */
import { describe, expect, it } from "vitest";
import { Host, type HostConfig, type KernelName, type Region } from "../../src/index.ts";
import { movableBlock, noLeaks, rfcHost, sixes } from "./hosts.ts";

const GFN = 3;
const MOVABLE_PFN = 65_536;

/** A process with 8 pages in ZONE_MOVABLE, which is the highest zone and filled first. */
async function inMovable(
  kernel: KernelName,
  options: Partial<HostConfig> = {},
): Promise<{ readonly host: Host; readonly memory: Region }> {
  const host = await Host.create({ kernel, ...movableBlock, contentBytes: 64, ...options });
  const memory = host.createProcess({ pages: 8 }).map({ pages: 8 });
  memory.touch("write");
  host.drainLru();
  expect(memory.pfnOf(0)).toBeGreaterThanOrEqual(MOVABLE_PFN);
  return { host, memory };
}

describe.each(sixes)("on %s", (kernel) => {
  it("moves the pages out, one call of migrate_pages() each, and holds them there", async () => {
    const { host, memory } = await inMovable(kernel, { limits: { traceRecords: 100 } });
    const before = host.counters();
    host.startTrace();
    const pin = memory.pin([0, 5], "longterm");
    const calls = host.stopTrace().events.filter(({ event }) => event === "migratePages");
    expect(calls).toHaveLength(2);
    expect(calls[0]).toMatchObject({ succeeded: 1, mode: "MIGRATE_SYNC", reason: "longterm_pin" });
    expect([pin.pages, pin.errno]).toEqual([2, null]);
    expect(host.counters().pgmigrate_success - before.pgmigrate_success).toBe(2);
    for (const index of [0, 5]) {
      const pfn = memory.pfnOf(index);
      expect(pfn).toBeLessThan(MOVABLE_PFN);
      expect(host.holders(pfn)).toContainEqual(expect.objectContaining({ kind: "longterm", refs: 1024 }));
    }
    expect(host.verify()).toBeNull();
    expect(host.offline(2).ret).toBe(0);
    pin.release();
    expect(host.verify()).toBeNull();
  });

  it("with another reference on the page it fails after ten attempts, and says who", async () => {
    const { host, memory } = await inMovable(kernel);
    const other = memory.pin([4], "get");
    const before = host.counters();
    const pin = memory.pin([1, 4, 5], "longterm");
    expect([pin.pages, pin.errno]).toEqual([1, "ENOMEM"]);
    expect(pin.blame.pages).toEqual([memory.pfnOf(4)]);
    expect(pin.blame.holders).toEqual([{ kind: "get", vcpu: null, count: 1 }]);
    expect(host.counters().pgmigrate_fail - before.pgmigrate_fail).toBe(1);
    expect(host.counters().refcountChecks - before.refcountChecks).toBe(1 + 10);
    expect(memory.pfnOf(5)).toBeGreaterThanOrEqual(MOVABLE_PFN);
    other.release();
    expect(memory.pin([4], "longterm").pages).toBe(1);
    expect(host.verify()).toBeNull();
  });

  it("leaves a page alone that may stay, and faults one in where it may", async () => {
    const host = await Host.create({ kernel, nodes: [{ zones: [{ kind: "normal", pages: 1024 }] }] });
    const memory = host.createProcess({ pages: 2 }).map({ pages: 2 });
    memory.touch("write", { count: 1 });
    const pfn = memory.pfnOf(0);
    const calls = host.counters().migratePagesCalls;
    expect(memory.pin([0, 1], "longterm").pages).toBe(2);
    expect(memory.pfnOf(0)).toBe(pfn);
    expect(host.counters().migratePagesCalls).toBe(calls);
    expect(host.verify()).toBeNull();
  });

  it("waits for a page that is isolated by somebody else", async () => {
    const { host, memory } = await inMovable(kernel);
    const migration = host.migration(memory.pfnOf(2), { node: 0 });
    migration.isolate();
    expect(memory.pin([2], "longterm")).toMatchObject({ pages: 0, errno: null });
    migration.unmap();
    migration.move();
    migration.finish();
    expect(memory.pin([2], "longterm").pages).toBe(1);
    expect(host.verify()).toBeNull();
  });

  it("a page without a frame to go to stays, and the call fails", async () => {
    const zones = [
      { kind: "normal", pages: 512 },
      { kind: "movable", pages: 512 },
    ] as const;
    const host = await Host.create({ kernel, nodes: [{ zones }] });
    const memory = host.createProcess({ pages: 1024 }).map({ pages: 1024 });
    const [, movable] = host.freePages();
    memory.touch("write", { count: movable ?? 0 });
    const [normal] = host.freePages();
    memory.touch("write", { start: movable ?? 0, count: normal ?? 0 });
    const pfn = memory.pfnOf(0);
    expect(memory.pin([0], "longterm")).toMatchObject({ pages: 0, errno: "ENOMEM" });
    expect(memory.pfnOf(0)).toBe(pfn);
    expect(host.verify()).toBeNull();
  });
});

it.each([
  ["v6.1", 1],
  ["v6.12", 0],
] as const)("a file that is written back: %s pins %i page of it for long", async (kernel, pages) => {
  const host = await Host.create({ kernel, ...movableBlock });
  const process = host.createProcess({ pages: 8 });
  for (const kind of ["plain", "tmpfs"] as const) {
    const region = process.map({ file: host.createFile({ kind, pages: 2 }), pages: 2 });
    const pin = region.pin([0], "longterm");
    expect([pin.pages, pin.errno]).toEqual(kind === "tmpfs" || pages === 1 ? [1, null] : [0, "EFAULT"]);
  }
});

describe("as a policy of async_pf", () => {
  it("the worker moves its page out of the block, and holds it there", async () => {
    const host = await Host.create({ kernel: "v3.12", policy: "longterm", ...movableBlock });
    const guest = host.createGuest({ pages: 16, vcpus: 1 });
    const memory = guest.map({ pages: 16 });
    memory.touch("write");
    host.drainLru();
    const [vcpu] = guest.vcpus;
    vcpu?.startAsyncPf(GFN);
    vcpu?.runWorkers();
    const pfn = memory.pfnOf(GFN);
    expect(pfn).toBeLessThan(MOVABLE_PFN);
    expect(host.holders(pfn)).toContainEqual(expect.objectContaining({ kind: "async_pf", vcpu: 0 }));
    expect(host.offline(2).ret).toBe(0);
    vcpu?.complete();
    expect(host.leaks()).toEqual(noLeaks);
    expect(host.verify()).toBeNull();
  });

  it("a page that somebody else holds there is not had: the fault completes without it", async () => {
    const host = await Host.create({ kernel: "v3.12", policy: "longterm", ...movableBlock });
    const guest = host.createGuest({ pages: 16, vcpus: 1 });
    const memory = guest.map({ pages: 16 });
    memory.touch("write");
    const pin = memory.pin([GFN], "get");
    const [vcpu] = guest.vcpus;
    vcpu?.startAsyncPf(GFN);
    vcpu?.runWorkers();
    expect(host.leaks().pins).toBe(0);
    expect(vcpu?.complete().completed).toBe(1);
    pin.release();
    expect(host.verify()).toBeNull();
  });

  it("pages in other zones are held as by pin", async () => {
    const { host, memory, vcpu0 } = await rfcHost("pin", { policy: "longterm" });
    vcpu0.startAsyncPf(GFN);
    vcpu0.runWorkers();
    expect(memory.movePages({ node: 1, entries: [GFN] }).status).toEqual([-11]);
    expect(host.verify()).toBeNull();
  });
});
