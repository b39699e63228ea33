/**
 * What the RFC does to reclaim and swap, and they to it: as the patch ran on Linux 3.11 where that was done,
 * else as its source says. Pages are swapped out as MADV_PAGEOUT does it, or by reclaim's look at one page.
 */
import { describe, expect, it } from "vitest";
import { MAPPING_ANON, PRIVATE_POINTER } from "../../assembly/abi.ts";
import type { HostConfig } from "../../src/index.ts";
import { type Layer, pinByAsyncPf, rfcHost } from "../unit/hosts.ts";

const HELD = 8;

/** Pages 0 … 7 of a guest are held by asynchronous page faults, and there is swap. */
async function heldAndSwap(layer: Layer, options: Partial<HostConfig> = {}) {
  const at = await rfcHost(layer, options);
  const device = at.host.swapOn({ pages: 128, synchronous: true });
  for (let gfn = 0; gfn < HELD; gfn++) pinByAsyncPf(at.vcpu0, gfn);
  return { ...at, device };
}

describe("reclaim of pages that asynchronous page faults hold", () => {
  it("plain v3.12: all 8 PTEs become swap entries, the pages stay, the completion is clean", async () => {
    const { host, memory, guest, vcpu0 } = await heldAndSwap("pin");
    const pfns = Array.from({ length: HELD }, (_, gfn) => memory.pfnOf(gfn));
    expect(memory.pageout({ count: HELD })).toMatchObject({ ret: 0, freed: 0 });
    expect(guest.rss.swap).toBe(HELD);
    expect(pfns.map((pfn) => host.pages.refcount(pfn))).toEqual(Array.from(pfns, () => 3)); // + the batch
    vcpu0.complete();
    expect(host.verify()).toBeNull();
    expect(guest.exit()).toEqual({ badRss: null, crash: null });
    expect(host.verify()).toBeNull();
  });

  it.each(["L0", "L1"] as const)("%s: the congestion test follows a bdi that is NULL", async (layer) => {
    const { memory } = await heldAndSwap(layer);
    const pfn = memory.pfnOf(0);
    expect(memory.pageout({ count: HELD }).crash).toMatchObject({
      kind: "oops",
      function: "shrink_page_list",
      pfn,
      invariant: "INV-NULL",
    });
  });

  it("L0 where nothing is read-only: the same", async () => {
    const { memory } = await heldAndSwap("L0", { debugRodata: false });
    expect(memory.pageout({ count: HELD }).crash).toMatchObject({ function: "shrink_page_list" });
  });

  it.each(["L2", "L3"] as const)("%s: nothing is swapped, the completion is clean", async (layer) => {
    const { host, memory, guest, vcpu0 } = await heldAndSwap(layer);
    expect(memory.pageout({ count: HELD })).toMatchObject({ freed: 0, crash: null });
    expect(guest.rss.swap).toBe(0);
    expect(memory.pageout({ start: HELD, count: 8 })).toMatchObject({ freed: 8 });
    vcpu0.complete();
    expect(host.verify()).toBeNull();
  });

  it.each(["L2", "L3"] as const)("%s: nor do accesses count", async (layer) => {
    const { host, memory } = await heldAndSwap(layer);
    // Its PTE is young, so reclaim of v3.12 would make it active; the empty tree has no PTE.
    expect(host.reclaimPage(memory.pfnOf(0))).toBe("kept");
    expect(host.reclaimPage(memory.pfnOf(HELD))).toBe("activated");
  });

  it("L5: they stay mapped while their private word is taken, and are swapped out afterwards", async () => {
    const { host, memory, vcpu0 } = await heldAndSwap("L5");
    expect(memory.pageout({ count: HELD })).toMatchObject({ freed: 0 });
    expect(host.verify()).toBeNull();
    vcpu0.complete();
    expect(memory.pageout({ count: HELD })).toMatchObject({ freed: HELD });
    expect(host.verify()).toBeNull();
    expect(host.leaks().contexts).toBe(0);
  });

  it("U: they are swapped out under the faults that wait for them", async () => {
    const { host, memory, vcpu0 } = await heldAndSwap("U");
    expect(memory.pageout({ count: HELD })).toMatchObject({ freed: HELD });
    vcpu0.complete();
    expect(host.verify()).toBeNull();
  });

  it("L2: an unmapped clean page is freed under its pin; the completion puts what is free", async () => {
    const { host, memory, vcpu0 } = await heldAndSwap("L2");
    const pfn = memory.pfnOf(0);
    memory.discard({ count: 1 });
    host.setPageFlag(pfn, "dirty", false);
    const before = host.counters();
    expect(host.reclaimPage(pfn)).toBe("freed");
    expect(host.pages.refcount(pfn)).toBe(0);
    expect(host.counters().nr_file_pages).toBe(before.nr_file_pages - 1);
    expect(host.counters().nr_shmem).toBe(before.nr_shmem - 1);
    expect(host.verify()).not.toBeNull();
    vcpu0.complete();
    expect(host.crash).toMatchObject({ kind: "bug", function: "put_page", pfn, invariant: "INV-REF" });
  });

  it("L2: a dirty one has no writepage and becomes active each time, for ever", async () => {
    const { host, memory } = await heldAndSwap("L2");
    const pfn = memory.pfnOf(0);
    memory.discard({ count: 1 });
    expect(host.pages.at(pfn).flags).toContain("dirty");
    for (let look = 0; look < 5; look++) expect(host.reclaimPage(pfn)).toBe("activated");
  });
});

/** Page 3 is being written to the device when an asynchronous page fault maps and holds it. */
async function underWriteback(layer: Layer) {
  const at = await rfcHost(layer);
  const device = at.host.swapOn({ pages: 16 });
  const pfn = at.memory.pfnOf(3);
  at.memory.pageout({ start: 3, count: 1 });
  at.host.drainLru();
  pinByAsyncPf(at.vcpu0, 3);
  expect(at.memory.pfnOf(3)).toBe(pfn);
  expect(at.host.pages.at(pfn).flags).toEqual(expect.arrayContaining(["swapcache", "writeback"]));
  return { ...at, device, pfn };
}

describe("the worker gets a page that is in the swap cache under writeback", () => {
  it.each(["pin", "U", "L5"] as const)("%s: its swap entry stays what it was", async (layer) => {
    const { host, guest, device, vcpu0 } = await underWriteback(layer);
    expect(host.verify()).toBeNull();
    expect(device.endWriteback()).toBeNull();
    vcpu0.complete();
    expect(host.verify()).toBeNull();
    expect(guest.exit()).toEqual({ badRss: null, crash: null });
    expect(device.usedPages).toBe(0);
  });

  it.each(["L0", "L1", "L2", "L3", "L4"] as const)(
    "%s: a pointer is stored over it, and the end of the write follows that",
    async (layer) => {
      const { host, device, pfn } = await underWriteback(layer);
      const { mapping, private: word } = host.pages.at(pfn);
      expect(mapping & MAPPING_ANON).toBe(0);
      expect(word & PRIVATE_POINTER).not.toBe(0);
      expect(device.endWriteback()).toMatchObject({
        kind: "oops",
        function: "test_clear_page_writeback",
        trace: ["test_clear_page_writeback", "end_page_writeback"],
        pfn,
        invariant: "INV-PRIV",
      });
    },
  );

  it("L4: the recount names the word", async () => {
    const { host, pfn } = await underWriteback("L4");
    expect(host.verify()).toMatchObject({ pfn, invariant: "INV-TAG" });
  });

  it("L4: the entry is not restored by the completion", async () => {
    const { host, pfn, vcpu0 } = await underWriteback("L4");
    vcpu0.complete();
    expect(host.verify()).toMatchObject({ pfn, invariant: "INV-PRIV" });
  });

  it("L4: after munmap the page stays in the swap cache under an entry that is none", async () => {
    const { host, memory, pfn, vcpu0 } = await underWriteback("L4");
    vcpu0.complete();
    expect(memory.unmap({ start: 3, count: 1 })).toBeNull();
    expect(host.verify()).toMatchObject({ pfn, invariant: "INV-PRIV" });
  });
});
