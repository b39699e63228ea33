/** Swap: slots, the swap cache, reading back, and migration of pages that are there. */
import { describe, expect, it } from "vitest";
import {
  type Errno,
  Host,
  type HostConfig,
  type KernelName,
  type Process,
  type Region,
  type SwapDevice,
} from "../../src/index.ts";
import { kernels, sixes, twoNodes } from "./hosts.ts";

interface Swapping {
  readonly host: Host;
  readonly process: Process;
  readonly memory: Region;
  readonly device: SwapDevice;
}

/** A process with 16 pages that it has written, off the batches, and a device of 64 pages. */
async function swapping(
  kernel: KernelName,
  synchronous: boolean,
  options: Partial<HostConfig> = {},
): Promise<Swapping> {
  const host = await twoNodes({ kernel, ...options });
  const device = host.swapOn({ pages: 64, synchronous });
  const process = host.createProcess({ pages: 32 });
  const memory = process.map({ pages: 16, node: 0 });
  memory.touch("write");
  host.drainLru();
  return { host, process, memory, device };
}

function allIndexes(memory: Region): number[] {
  return Array.from({ length: memory.pages }, (_, index) => index);
}

function slotsOf(memory: Region): (number | null)[] {
  return allIndexes(memory).map((index) => memory.swapSlotOf(index));
}

describe.each(kernels)("on %s, with a device that answers at once", (kernel) => {
  it("pages go to slots, and their frames are free", async () => {
    const { host, process, memory, device } = await swapping(kernel, true);
    const free = host.freePages()[0] ?? 0;
    expect(memory.pageout()).toMatchObject({ ret: 0, errno: null, freed: 16 });
    expect(slotsOf(memory)).toEqual(allIndexes(memory).map((index) => index + 1));
    expect(host.freePages()[0]).toBe(free + 16);
    expect(process.rss).toEqual({ file: 0, anon: 0, swap: 16 });
    expect(device.usedPages).toBe(16);
    expect(host.counters()).toMatchObject({ pswpout: 16, nr_anon_pages: 0, nr_file_pages: 0 });
    expect(host.verify()).toBeNull();
  });

  it("what comes back is what was written", async () => {
    const { host, process, memory } = await swapping(kernel, true, { contentBytes: 64 });
    memory.pageout();
    expect(memory.touch("read").faults).toBeGreaterThan(0);
    expect(process.rss).toEqual({ file: 0, anon: 16, swap: 0 });
    expect(host.counters().pswpin).toBe(16);
    expect(host.verify()).toBeNull();
    memory.touch("write");
    memory.pageout();
    expect(host.verify()).toBeNull();
  });

  it("a status of move_pages says that there is no page", async () => {
    const { memory } = await swapping(kernel, true);
    memory.pageout({ count: 4 });
    expect(memory.movePages({ node: 1, entries: [0, 3] })).toMatchObject({ ret: 0, status: [-2, -2] });
  });

  it("munmap and exit give the slots back", async () => {
    const { host, process, memory, device } = await swapping(kernel, true);
    memory.pageout();
    memory.unmap({ count: 4 });
    expect(device.usedPages).toBe(12);
    expect(process.exit()).toEqual({ badRss: null, crash: null });
    expect(device.usedPages).toBe(0);
    expect(host.verify()).toBeNull();
  });

  it("a full device takes no more: pages become active", async () => {
    const host = await twoNodes({ kernel });
    host.swapOn({ pages: 3, synchronous: true });
    const memory = host.createProcess({ pages: 8 }).map({ pages: 8 });
    memory.touch("write");
    expect(memory.pageout()).toMatchObject({ ret: 0, freed: 3 });
    expect(slotsOf(memory)).toEqual([1, 2, 3, null, null, null, null, null]);
    expect(host.counters().pgactivate).toBe(5);
    expect(host.verify()).toBeNull();
  });

  it("mlocked memory stays", async () => {
    const { host, memory } = await swapping(kernel, true);
    memory.mlock({ count: 1 });
    expect(memory.pageout()).toMatchObject({ ret: -1, errno: "EINVAL", freed: 0 });
    expect(host.reclaimPage(memory.pfnOf(0))).toBe("kept");
    expect(memory.swapSlotOf(0)).toBeNull();
    expect(host.verify()).toBeNull();
  });

  it("a child has the slot, too, and each side reads the page", async () => {
    const { host, process, memory, device } = await swapping(kernel, true);
    memory.pageout({ count: 2 });
    const { child } = process.fork();
    const inherited = child?.regions()[0];
    if (child === null || inherited === undefined) throw new Error("fork() was to succeed");
    expect(child.rss.swap).toBe(2);
    host.setPageCluster(0);
    memory.touch("read", { count: 1 });
    inherited.touch("read", { count: 1 });
    expect(inherited.pfnOf(0)).toBe(memory.pfnOf(0));
    expect(host.verify()).toBeNull();
    inherited.touch("write", { count: 2 });
    expect(inherited.pfnOf(0)).not.toBe(memory.pfnOf(0));
    expect(memory.swapSlotOf(1)).toBe(2);
    expect(host.verify()).toBeNull();
    child.exit();
    memory.touch("write");
    expect(device.usedPages).toBe(0);
    expect(host.verify()).toBeNull();
  });

  it("swapoff brings everything back", async () => {
    const { host, process, memory, device } = await swapping(kernel, true);
    memory.pageout();
    memory.protect("none", { start: 8, count: 8 });
    expect(device.off()).toMatchObject({ ret: 0, errno: null });
    expect(process.rss).toEqual({ file: 0, anon: 16, swap: 0 });
    expect(host.swapDevices()).toEqual([]);
    expect(() => device.usedPages).toThrow(expect.objectContaining({ code: "ERR_ARGUMENT" }));
    expect(host.verify()).toBeNull();
  });

  it("swapoff without memory for the pages leaves the device on", async () => {
    const zones = [{ kind: "normal", pages: 512 }] as const;
    const host = await twoNodes({ kernel, nodes: [{ zones }], limits: { ptes: 1024 } });
    const device = host.swapOn({ pages: 64, synchronous: true });
    const memory = host.createProcess({ pages: 8 }).map({ pages: 8 });
    memory.touch("write");
    memory.pageout();
    host.createProcess({ pages: 512 }).map({ pages: 512 }).touch("write");
    expect(device.off()).toMatchObject({ ret: -1, errno: "ENOMEM" });
    expect(host.swapDevices()).toHaveLength(1);
    expect(host.verify()).toBeNull();
  });

  it("continues from a snapshot to the same state", async () => {
    const { host, memory } = await swapping(kernel, true);
    memory.pageout({ count: 8 });
    const other = await Host.restore(host.snapshot());
    const region = other.processes()[0]?.regions()[0];
    memory.touch("read");
    region?.touch("read");
    expect(other.stateHash()).toBe(host.stateHash());
  });
});

describe.each(kernels)("on %s, reading ahead", (kernel) => {
  it("a fault reads the aligned cluster around its slot, in which slot 0 is the header", async () => {
    const { host, memory } = await swapping(kernel, false);
    memory.pageout();
    host.swapDevices()[0]?.endWriteback();
    host.reclaim({ zone: 0, pages: 16 });
    memory.touch("read", { count: 1 });
    // Index 0 has slot 1: with vm.page-cluster 3 the slots 1 … 7 are read, of the indexes 0 … 6.
    expect(host.counters()).toMatchObject({ pswpin: 7, pgmajfault: 1 });
    memory.touch("read", { count: 7 });
    expect(host.counters()).toMatchObject({ pswpin: 7, pgmajfault: 1 });
    memory.touch("read", { start: 7, count: 1 });
    expect(host.counters()).toMatchObject({ pswpin: 15, pgmajfault: 2 });
    expect(host.verify()).toBeNull();
  });

  it("without a cluster one page is read a fault", async () => {
    const { host, memory } = await swapping(kernel, false);
    memory.pageout();
    host.swapDevices()[0]?.endWriteback();
    host.reclaim({ zone: 0, pages: 16 });
    host.setPageCluster(0);
    memory.touch("read", { count: 3 });
    expect(host.counters()).toMatchObject({ pswpin: 3, pgmajfault: 3 });
  });
});

describe.each(kernels)("on %s, with a device that answers later", (kernel) => {
  it("pages that are written out wait in the swap cache", async () => {
    const { host, process, memory, device } = await swapping(kernel, false);
    const pfn = memory.pfnOf(0);
    expect(memory.pageout()).toMatchObject({ ret: 0, freed: 0 });
    expect(process.rss).toEqual({ file: 0, anon: 0, swap: 16 });
    host.drainLru();
    expect(host.holders(pfn)).toEqual([{ kind: "swap-cache", refs: 1 }]);
    expect(host.pages.at(pfn).flags).toContain("writeback");
    expect(host.counters().nr_file_pages).toBe(16);
    device.endWriteback();
    expect(host.pages.at(pfn).flags).not.toContain("writeback");
    expect(host.counters().pgrotated).toBe(16);
    expect(host.verify()).toBeNull();
    // The same frame is mapped again: the device is not asked.
    memory.touch("read", { count: 1 });
    expect(memory.pfnOf(0)).toBe(pfn);
    expect(host.counters()).toMatchObject({ pswpin: 0, pgmajfault: 0 });
    expect(host.verify()).toBeNull();
  });

  it("pages in the swap cache that nobody maps move, and block nothing", async () => {
    const { host, process, device } = await swapping(kernel, false);
    const memory = process.map({ pages: 8, node: 1 }); // block 2, the first of node 1
    memory.touch("write");
    memory.pageout();
    device.endWriteback();
    host.drainLru();
    expect(host.offline(2)).toMatchObject({ ret: 0, moved: 8 });
    expect(host.verify()).toBeNull();
    memory.touch("read");
    expect(host.counters().pswpin).toBe(0);
    expect(host.verify()).toBeNull();
  });

  it("under writeback a page is written to, and stays in the swap cache", async () => {
    const { host, memory, device } = await swapping(kernel, false);
    const pfn = memory.pfnOf(0);
    memory.pageout({ count: 1 });
    memory.touch("write", { count: 1 });
    expect(memory.pfnOf(0)).toBe(pfn);
    expect(host.pages.at(pfn).flags).toEqual(expect.arrayContaining(["writeback", "swapcache"]));
    expect(device.usedPages).toBe(1);
    device.endWriteback();
    expect(host.verify()).toBeNull();
  });

  it("a write of a page that is clean again gives the slot up where that was the last", async () => {
    const { host, memory, device } = await swapping(kernel, false);
    memory.pageout({ count: 1 });
    device.endWriteback();
    host.drainLru();
    memory.touch("write", { count: 1 });
    expect(device.usedPages).toBe(0);
    expect(host.pages.at(memory.pfnOf(0)).flags).not.toContain("swapcache");
    expect(host.verify()).toBeNull();
  });
});

/** As swapping(), with every page in the swap cache and mapped again. */
async function mappedInCache(kernel: KernelName): Promise<Swapping> {
  const at = await swapping(kernel, false);
  at.memory.pageout();
  at.device.endWriteback();
  at.memory.touch("read");
  at.host.drainLru();
  return at;
}

describe("a mapped page in the swap cache that migrates", () => {
  it("on v3.12 is left to its swap entries, and moves with its slot", async () => {
    const { host, process, memory } = await mappedInCache("v3.12");
    expect(memory.movePages({ node: 1 })).toMatchObject({ ret: 0, status: allIndexes(memory).map(() => 1) });
    expect(process.rss).toEqual({ file: 0, anon: 0, swap: 16 });
    expect(slotsOf(memory)).not.toContain(null);
    expect(host.counters().pgmigrate_success).toBe(16);
    expect(host.verify()).toBeNull();
    // A fault finds it in the swap cache, where it is now.
    memory.touch("read");
    expect(memory.where()).toEqual(allIndexes(memory).map(() => 1));
    expect(host.counters().pswpin).toBe(0);
  });

  it.each(sixes)("on %s is mapped again behind migration entries", async (kernel) => {
    const { host, process, memory } = await mappedInCache(kernel);
    expect(memory.movePages({ node: 1 })).toMatchObject({ ret: 0, status: allIndexes(memory).map(() => 1) });
    expect(process.rss).toEqual({ file: 0, anon: 16, swap: 0 });
    expect(memory.where()).toEqual(allIndexes(memory).map(() => 1));
    expect(host.pages.at(memory.pfnOf(0)).flags).toContain("swapcache");
    expect(host.verify()).toBeNull();
  });

  it("on v3.12 stays if it is held, without its PTE", async () => {
    const { host, process, memory } = await mappedInCache("v3.12");
    const pin = memory.pin([2], "get", "read");
    expect(memory.movePages({ node: 1, entries: [2] })).toMatchObject({ ret: 0, status: [-11] });
    expect(process.rss.swap).toBe(1);
    pin.release();
    expect(host.verify()).toBeNull();
  });
});

describe("a page that is held when reclaim comes", () => {
  it.each(kernels)("on %s loses its PTE to a slot, but not its frame (FOLL_GET)", async (kernel) => {
    const { host, memory, device } = await swapping(kernel, true);
    const pfn = memory.pfnOf(3);
    const pin = memory.pin([3]);
    expect(memory.pageout()).toMatchObject({ freed: 15 });
    expect(memory.swapSlotOf(3)).not.toBeNull();
    expect(host.pages.at(pfn).flags).toContain("swapcache");
    memory.touch("read", { start: 3, count: 1 });
    expect(memory.pfnOf(3)).toBe(pfn);
    pin.release();
    memory.unmap();
    expect(device.usedPages).toBe(0);
    expect(host.verify()).toBeNull();
  });

  it.each(sixes)("on %s is not even given a slot (FOLL_PIN)", async (kernel) => {
    const { host, memory } = await swapping(kernel, true);
    memory.pin([3], "pin");
    expect(memory.pageout()).toMatchObject({ freed: 15 });
    expect(memory.swapSlotOf(3)).toBeNull();
    expect(host.pages.at(memory.pfnOf(3)).flags).not.toContain("swapcache");
    expect(host.verify()).toBeNull();
  });
});

describe("reading past the swap cache", () => {
  it.each(sixes)("on %s a page that one PTE has comes from a synchronous device so", async (kernel) => {
    const { host, memory, device } = await swapping(kernel, true);
    memory.pageout({ count: 1 });
    memory.touch("read", { count: 1 });
    expect(device.usedPages).toBe(0);
    expect(host.pages.at(memory.pfnOf(0)).flags).not.toContain("swapcache");
  });

  it("v3.12 knows no other way than through it", async () => {
    const { host, memory, device } = await swapping("v3.12", true);
    memory.pageout({ count: 1 });
    memory.touch("read", { count: 1 });
    expect(device.usedPages).toBe(1);
    expect(host.pages.at(memory.pfnOf(0)).flags).toContain("swapcache");
  });
});

describe("limits", () => {
  it("a device that is off is not the next one, which has its number", async () => {
    const { host } = await swapping("v6.1", true);
    const first = host.swapDevices()[0];
    expect(first?.off().ret).toBe(0);
    const second = host.swapOn({ pages: 16 });
    expect(second.id).toBe(first?.id);
    expect(() => first?.off()).toThrow("swap device 1 is off");
    expect(second.pages).toBe(16);
  });

  it("objects of devices are kept aside from limits.mappings", async () => {
    const host = await twoNodes({ policy: "rfc", limits: { mappings: 1 } });
    const touch = (): Errno | null => host.createProcess({ pages: 1 }).map({ pages: 1 }).touch("write").errno;
    expect([touch(), touch()]).toEqual([null, "ENOMEM"]);
    for (let nr = 0; nr < 4; nr++) expect(host.swapOn({ pages: 4 }).pages).toBe(4);
    expect(() => host.swapOn({ pages: 4 })).toThrow("4 devices are on");
  });

  it("slots are those of all devices together", async () => {
    const host = await twoNodes({ limits: { swapSlots: 10 } });
    const first = host.swapOn({ pages: 6 });
    expect(() => host.swapOn({ pages: 5 })).toThrow(/swapOn: .* fewer than 5 of limits.swapSlots, 10/u);
    expect(host.swapOn({ pages: 4 }).pages).toBe(4);
    expect(host.swapDevices().map(({ pages }) => pages)).toEqual([6, 4]);
    expect(first.off().ret).toBe(0);
    const without = await twoNodes({ limits: { swapSlots: 0 } });
    expect(() => without.swapOn({ pages: 1 })).toThrow("swapOn: limits.swapSlots is 0");
  });

  it("a device of no pages, or of more than there are, is a mistake", async () => {
    const host = await twoNodes({ limits: { swapSlots: 10 } });
    for (const pages of [0, 11, 1.5]) {
      expect(() => host.swapOn({ pages })).toThrow(`pages: ${pages} is not an integer from 1 to 10`);
    }
    expect(() => {
      host.setPageCluster(7);
    }).toThrow("cluster: 7 is not an integer from 0 to 6");
  });
});
