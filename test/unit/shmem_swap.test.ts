/** Swap of shared anonymous memory and of files in memory. */
import { describe, expect, it } from "vitest";
import type { File, Host, KernelName, Process, Region, SwapDevice } from "../../src/index.ts";
import { kernels, twoNodes } from "./hosts.ts";

interface Swapping {
  readonly host: Host;
  readonly process: Process;
  readonly memory: Region;
  readonly device: SwapDevice;
}

/** 8 written pages of shared anonymous memory, off the batches. */
async function shared(kernel: KernelName, synchronous: boolean): Promise<Swapping> {
  const host = await twoNodes({ kernel });
  const device = host.swapOn({ pages: 32, synchronous });
  const process = host.createProcess({ pages: 16 });
  const memory = process.map({ kind: "shmem", pages: 8 });
  memory.touch("write");
  host.drainLru();
  return { host, process, memory, device };
}

/** A tmpfs file of 8 written pages that nothing maps. */
async function tmpfs(kernel: KernelName): Promise<{ host: Host; file: File; device: SwapDevice }> {
  const host = await twoNodes({ kernel });
  const device = host.swapOn({ pages: 32, synchronous: true });
  const file = host.createFile({ kind: "tmpfs", pages: 8 });
  file.write();
  host.drainLru();
  return { host, file, device };
}

describe.each(kernels)("on %s", (kernel) => {
  it("pages leave the page cache for slots, and come back with what was written", async () => {
    const { host, process, memory, device } = await shared(kernel, true);
    expect(memory.pageout()).toMatchObject({ ret: 0, freed: 8 });
    expect(process.rss).toEqual({ file: 0, anon: 0, swap: 0 });
    expect(device.usedPages).toBe(8);
    expect(host.counters()).toMatchObject({ pswpout: 8, nr_shmem: 0, nr_file_pages: 0 });
    expect(memory.where()).toEqual(Array.from({ length: 8 }, () => -2));
    expect(host.verify()).toBeNull();
    host.setPageCluster(0);
    memory.touch("read", { count: 3 });
    expect(host.counters()).toMatchObject({ pswpin: 3, pgmajfault: 3, nr_shmem: 3, nr_file_pages: 3 });
    expect(device.usedPages).toBe(5);
    expect(host.verify()).toBeNull();
  });

  it("children find the page wherever it is", async () => {
    const { host, process, memory, device } = await shared(kernel, true);
    const inherited = process.fork().child?.regions()[0];
    memory.pageout();
    inherited?.touch("write", { count: 8 });
    memory.touch("read");
    expect(memory.pfnOf(5)).toBe(inherited?.pfnOf(5));
    expect(device.usedPages).toBe(0);
    expect(host.verify()).toBeNull();
  });

  it("its slots go with the memory", async () => {
    const { host, process, memory, device } = await shared(kernel, true);
    memory.pageout({ count: 5 });
    expect(device.usedPages).toBe(5);
    expect(process.exit()).toEqual({ badRss: null, crash: null });
    expect(device.usedPages).toBe(0);
    expect(host.verify()).toBeNull();
  });

  it("a page under writeback is waited for, and is in the page cache again", async () => {
    const { host, memory, device } = await shared(kernel, false);
    const pfn = memory.pfnOf(2);
    expect(memory.pageout()).toMatchObject({ freed: 0 });
    expect(host.counters()).toMatchObject({ nr_shmem: 0, nr_file_pages: 8 });
    expect(host.verify()).toBeNull();
    memory.touch("read", { start: 2, count: 1 });
    expect(memory.pfnOf(2)).toBe(pfn);
    expect(host.pages.at(pfn).flags).not.toContain("writeback");
    expect(host.pages.at(pfn).flags).not.toContain("swapcache");
    expect(device.usedPages).toBe(7);
    expect(host.verify()).toBeNull();
  });

  it("a held page stays in the page cache, without its PTE", async () => {
    const { host, memory, device } = await shared(kernel, true);
    const pfn = memory.pfnOf(1);
    const pin = memory.pin([1]);
    expect(memory.pageout()).toMatchObject({ freed: 7 });
    memory.touch("read", { start: 1, count: 1 });
    expect(memory.pfnOf(1)).toBe(pfn);
    expect(device.usedPages).toBe(7);
    pin.release();
    expect(host.verify()).toBeNull();
  });

  it("without a slot they become active and stay", async () => {
    const host = await twoNodes({ kernel });
    host.swapOn({ pages: 2, synchronous: true });
    const memory = host.createProcess({ pages: 8 }).map({ kind: "shmem", pages: 8 });
    memory.touch("write");
    expect(memory.pageout()).toMatchObject({ freed: 2 });
    expect(host.counters().pgactivate).toBe(6);
    expect(host.verify()).toBeNull();
  });

  it("a file in memory is read and written from where it is", async () => {
    const { host, file, device } = await tmpfs(kernel);
    for (let index = 0; index < 8; index++) expect(host.reclaimPage(file.pfnOf(index) ?? 0)).toBe("freed");
    expect(file.pfnOf(0)).toBeNull();
    expect(device.usedPages).toBe(8);
    expect(host.verify()).toBeNull();
    host.setPageCluster(0);
    expect(file.read({ count: 2 }).errno).toBeNull();
    expect(file.write({ start: 2, count: 2 }).errno).toBeNull();
    expect(device.usedPages).toBe(4);
    expect(host.verify()).toBeNull();
    file.truncate(6);
    expect(device.usedPages).toBe(2);
    file.remove();
    expect(device.usedPages).toBe(0);
    expect(host.verify()).toBeNull();
  });

  it("swapoff brings it back", async () => {
    const { host, file, device } = await tmpfs(kernel);
    host.reclaimPage(file.pfnOf(0) ?? 0);
    host.reclaimPage(file.pfnOf(5) ?? 0);
    expect(device.off()).toMatchObject({ ret: 0 });
    expect(file.pfnOf(0)).not.toBeNull();
    expect(host.counters()).toMatchObject({ nr_shmem: 8, nr_file_pages: 8 });
    expect(host.verify()).toBeNull();
  });

  it("a fault waits for a page that is being migrated in the swap cache, with a reference", async () => {
    const { host, memory } = await shared(kernel, false);
    const pfn = memory.pfnOf(0);
    memory.pageout();
    host.swapDevices()[0]?.endWriteback();
    host.drainLru();
    const migration = host.migration(pfn, { node: 1 });
    migration.isolate();
    migration.unmap();
    expect(memory.touch("read", { count: 1 })).toMatchObject({ sleeps: true });
    migration.move();
    // The reference is one that migration cannot account for.
    expect(migration.finish()).toMatchObject({ ret: -1, errno: "EAGAIN" });
    memory.touch("read", { count: 1 });
    expect(memory.where([0])).toEqual([0]);
    expect(host.verify()).toBeNull();
  });
});
