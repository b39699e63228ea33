/** Charges of memory cgroups: from when to when a page counts. */
import { describe, expect, it } from "vitest";
import * as abi from "../../assembly/abi.ts";
import type { Host, KernelName, Process, Region } from "../../src/index.ts";
import { kernels, pinByAsyncPf, rfcHost, sixes, twoNodes } from "./hosts.ts";
import { add, addToPage, corrupted } from "./verify.ts";

/** 8 written pages of a process, off the batches. */
async function charged(kernel: KernelName): Promise<{ host: Host; process: Process; memory: Region }> {
  const host = await twoNodes({ kernel });
  const process = host.createProcess({ pages: 16 });
  const memory = process.map({ pages: 8 });
  memory.touch("write");
  host.drainLru();
  expect(host.counters().memcg_charged).toBe(8);
  return { host, process, memory };
}

describe.each(kernels)("on %s", (kernel) => {
  it("a page is charged once, whoever maps it, until nobody has it", async () => {
    const { host, process, memory } = await charged(kernel);
    const { child } = process.fork();
    expect(host.counters().memcg_charged).toBe(8);
    memory.unmap();
    expect(host.counters().memcg_charged).toBe(8);
    child?.exit();
    expect(host.counters().memcg_charged).toBe(0);
    expect(host.verify()).toBeNull();
  });

  it("the zero page is nobody's, a page of a file is charged while it is in the page cache", async () => {
    const { host, process } = await charged(kernel);
    process.map({ pages: 2 }).touch("read");
    expect(host.counters().memcg_charged).toBe(8);
    const file = host.createFile({ pages: 4 });
    file.read();
    host.drainLru();
    expect(host.counters().memcg_charged).toBe(12);
    file.remove();
    expect(host.counters().memcg_charged).toBe(8);
    expect(host.verify()).toBeNull();
  });

  it("a charge goes along with a page that moves", async () => {
    const { host, memory } = await charged(kernel);
    const migration = host.migration(memory.pfnOf(0), { node: 1 });
    migration.isolate();
    migration.unmap();
    expect(host.counters().memcg_charged).toBe(8);
    migration.move();
    migration.finish();
    memory.movePages({ node: 1 });
    expect(memory.where()).toEqual(Array.from({ length: 8 }, () => 1));
    expect(host.counters().memcg_charged).toBe(8);
    expect(host.verify()).toBeNull();
  });

  it("a page whose mapping goes while it moves is uncharged", async () => {
    const { host, memory } = await charged(kernel);
    const migration = host.migration(memory.pfnOf(0), { node: 1 });
    migration.isolate();
    migration.unmap();
    memory.unmap({ count: 1 });
    migration.move();
    migration.finish();
    host.drainLru();
    expect(host.counters().memcg_charged).toBe(7);
    expect(host.verify()).toBeNull();
  });

  it("swapped out it is charged no more, and again when it is back", async () => {
    const { host, memory } = await charged(kernel);
    host.swapOn({ pages: 8, synchronous: true });
    memory.pageout();
    expect(host.counters().memcg_charged).toBe(0);
    host.setPageCluster(0);
    memory.touch("read", { count: 3 });
    expect(host.counters().memcg_charged).toBe(3);
    host.drainLru();
    memory.unmap();
    expect(host.counters().memcg_charged).toBe(0);
    expect(host.verify()).toBeNull();
  });

  it("verify() recounts it", async () => {
    const { host, memory } = await charged(kernel);
    const lost = await corrupted(host, (core) =>
      addToPage(core, memory.pfnOf(2), abi.PAGE_FLAGS, -abi.PG_MEMCG),
    );
    expect(lost.verify()).toMatchObject({
      invariant: "INV-VMSTAT",
      pfn: memory.pfnOf(2),
      expected: 1,
      found: 0,
    });
    const kept = await corrupted(host, (core) => add(core, abi.TABLE_COUNTERS, abi.MEMCG_CHARGED * 8, 1));
    expect(kept.verify()).toMatchObject({ invariant: "INV-VMSTAT", pfn: 0, expected: 8, found: 9 });
  });
});

describe("a held page that is unmapped", () => {
  it("on v3.12 is uncharged with its last PTE", async () => {
    const { host, memory } = await charged("v3.12");
    memory.pin([0]);
    memory.unmap();
    expect(host.counters().memcg_charged).toBe(0);
    expect(host.verify()).toBeNull();
  });

  it.each(sixes)("on %s is charged until it is freed", async (kernel) => {
    const { host, memory } = await charged(kernel);
    const pin = memory.pin([0]);
    memory.unmap();
    expect(host.counters().memcg_charged).toBe(1);
    pin.release();
    expect(host.counters().memcg_charged).toBe(0);
  });
});

it("v3.12 charges what was read ahead when it is mapped, 6.x when it is read", async () => {
  const counts = [];
  for (const kernel of kernels) {
    // oxlint-disable-next-line no-await-in-loop -- one host after the other
    const { host, process, memory } = await charged(kernel);
    host.swapOn({ pages: 16, synchronous: true });
    memory.pageout();
    process.fork(); // two have each slot, so that 6.x reads through the swap cache
    memory.touch("read", { count: 1 });
    counts.push(host.counters().memcg_charged);
    expect(host.verify()).toBeNull();
  }
  // Slots 1 … 7 are read for index 0.
  expect(counts).toEqual([1, 7, 7]);
});

describe("the RFC, as it ran on Linux 3.11", () => {
  it("60 pages zapped while they are held stay charged for ever", async () => {
    const { host, guest, memory, vcpu0 } = await rfcHost("L0", { debugRodata: false });
    for (let gfn = 0; gfn < 60; gfn++) {
      pinByAsyncPf(vcpu0, gfn);
      host.setPageFlag(memory.pfnOf(gfn), "dirty", true);
    }
    memory.unmap();
    vcpu0.complete();
    guest.exit();
    expect(host.counters().memcg_charged).toBe(60);
    expect(host.leaks().badPages).toBe(0);
    expect(host.verify()).toMatchObject({ invariant: "INV-VMSTAT" });
  });

  it("with DEBUG_VM the kernel finds all 60 in a bad state when they are freed", async () => {
    const { host, memory, vcpu0 } = await rfcHost("L2", { debugVm: true });
    for (let gfn = 0; gfn < 60; gfn++) pinByAsyncPf(vcpu0, gfn);
    memory.unmap();
    vcpu0.complete();
    expect(host.leaks().badPages).toBe(60);
  });
});
