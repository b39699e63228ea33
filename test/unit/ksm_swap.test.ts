/** KSM pages that are swapped out: one slot for all places, and a page for each when they come back. */
import { describe, expect, it } from "vitest";
import type { Host, KernelName, Region, SwapDevice } from "../../src/index.ts";
import { kernels, twoNodes } from "./hosts.ts";

interface Merged {
  readonly host: Host;
  readonly memory: Region;
  readonly device: SwapDevice;
  /** The page that all four places map. */
  readonly pfn: number;
}

/** Four pages of one content, merged, off the batches; nobody has accessed them since. */
async function merged(kernel: KernelName, synchronous: boolean): Promise<Merged> {
  const host = await twoNodes({ kernel });
  const device = host.swapOn({ pages: 16, synchronous });
  const memory = host.createProcess({ pages: 8 }).map({ pages: 4 });
  memory.touch("write", { content: 7 });
  memory.mergeKsm([[0, 1, 2, 3]]);
  host.drainLru();
  const pfn = memory.pfnOf(0);
  expect(host.pages.mapcount(pfn)).toBe(4);
  host.reclaimPage(pfn); // finds its PTEs young, and makes them old
  return { host, memory, device, pfn };
}

describe.each(kernels)("on %s", (kernel) => {
  it("MADV_PAGEOUT leaves a page alone that is mapped more than once", async () => {
    const { host, memory } = await merged(kernel, true);
    expect(memory.pageout()).toMatchObject({ ret: 0, freed: 0 });
    expect(memory.swapSlotOf(0)).toBeNull();
    expect(host.verify()).toBeNull();
  });

  it("reclaim replaces all four PTEs by one entry", async () => {
    const { host, memory, device, pfn } = await merged(kernel, true);
    expect(host.reclaimPage(pfn)).toBe("freed");
    expect([0, 1, 2, 3].map((index) => memory.swapSlotOf(index))).toEqual([1, 1, 1, 1]);
    expect(device.usedPages).toBe(1);
    expect(host.verify()).toBeNull();
  });

  it("each place gets a page of its own when it comes back", async () => {
    const { host, memory, device, pfn } = await merged(kernel, true);
    host.reclaimPage(pfn);
    memory.touch("read", { count: 3 });
    memory.touch("write", { start: 3, count: 1, content: 9 });
    const frames = [0, 1, 2, 3].map((index) => memory.pfnOf(index));
    expect(new Set(frames).size).toBe(4);
    expect(frames.map((frame) => host.pages.mapcount(frame))).toEqual([1, 1, 1, 1]);
    expect(host.counters().pswpin).toBe(1);
    expect(host.verify()).toBeNull();
    memory.unmap();
    expect(device.usedPages).toBe(0);
    expect(host.verify()).toBeNull();
  });

  it("while the page is in the swap cache it still serves all of them", async () => {
    const { host, memory, device, pfn } = await merged(kernel, false);
    expect(host.reclaimPage(pfn)).toBe("kept"); // under writeback
    device.endWriteback();
    memory.touch("read");
    expect([0, 1, 2, 3].map((index) => memory.pfnOf(index))).toEqual([pfn, pfn, pfn, pfn]);
    expect(host.verify()).toBeNull();
    memory.touch("write", { start: 1, count: 1 });
    expect(memory.pfnOf(1)).not.toBe(pfn);
    expect(host.verify()).toBeNull();
  });

  it("a page there migrates with its node and its slot", async () => {
    const { host, memory, device, pfn } = await merged(kernel, false);
    host.reclaimPage(pfn);
    device.endWriteback();
    memory.touch("read");
    host.drainLru();
    expect(memory.movePages({ node: 1, entries: [0], moveAll: true })).toMatchObject({ ret: 0, status: [1] });
    expect(host.verify()).toBeNull();
    memory.touch("read");
    expect(memory.where()).toEqual([1, 1, 1, 1]);
    // Found in the swap cache: nothing was read, and it still has its slot.
    expect(host.counters().pswpin).toBe(0);
    expect(device.usedPages).toBe(1);
    expect(host.verify()).toBeNull();
  });
});

it.each(kernels)("on %s: the slot of a page that joins another is given up with the page", async (kernel) => {
  const host = await twoNodes({ kernel });
  const device = host.swapOn({ pages: 16 });
  const memory = host.createProcess({ pages: 2 }).map({ pages: 2 });
  memory.touch("write", { content: 7 });
  host.drainLru();
  memory.pageout();
  device.endWriteback();
  memory.touch("read"); // found in the swap cache
  host.drainLru();
  expect(device.usedPages).toBe(2);
  expect(memory.mergeKsm([[0, 1]]).pagesSharing).toBe(1);
  expect(device.usedPages).toBe(1);
  expect(host.verify()).toBeNull();
});
