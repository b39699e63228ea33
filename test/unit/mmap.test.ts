/** What a process does to its own mappings: faults, munmap, mprotect, MADV_DONTNEED, mlock, exit. */
import { describe, expect, it } from "vitest";
import { EFAULT, ENOENT } from "../../assembly/abi.ts";
import { Host } from "../../src/index.ts";
import { twoNodes } from "./hosts.ts";

async function mapped(pages = 10) {
  const host = await twoNodes();
  const process = host.createProcess({ pages: 40 });
  const memory = process.map({ pages });
  return { host, process, memory };
}

describe("first touch", () => {
  it("a read maps the zero page: no rss, no reference; a write then brings a page of its own", async () => {
    const { host, process, memory } = await mapped();
    expect(memory.touch("read", { count: 3 })).toMatchObject({ faults: 3, errno: null });
    expect(process.rss).toEqual({ file: 0, anon: 0, swap: 0 });
    expect(memory.touch("read", { count: 3 }).faults).toBe(0);
    expect(memory.touch("write", { count: 3 }).faults).toBe(3);
    expect(memory.touch("write", { count: 3 }).faults).toBe(0);
    expect(process.rss.anon).toBe(3);
    expect(host.counters()).toMatchObject({ nr_anon_pages: 3, pgfault: 6 });
    expect(host.verify()).toBeNull();
  });

  it("an address in no mapping, or without the right, is -EFAULT", async () => {
    const { memory } = await mapped();
    memory.protect("read");
    expect(memory.touch("write")).toMatchObject({ faults: 0, errno: "EFAULT" });
    memory.protect("none");
    expect(memory.touch("read").errno).toBe("EFAULT");
    memory.unmap({ start: 4, count: 1 });
    expect(memory.touch("read", { start: 4, count: 1 }).errno).toBe("EFAULT");
  });

  it.each([
    { kernel: "v3.12", faults: { dirty: 1, clean: 1 } },
    { kernel: "v6.1", faults: { dirty: 0, clean: 1 } },
    { kernel: "v6.12", faults: { dirty: 0, clean: 0 } },
  ] as const)("$kernel: a write after mprotect() takes a fault where it may have to copy", async (one) => {
    const host = await twoNodes({ kernel: one.kernel });
    const process = host.createProcess({ pages: 3 });
    const dirty = process.map({ pages: 1 });
    const clean = process.map({ pages: 1 });
    const shared = process.map({ pages: 1, kind: "shmem" });
    for (const memory of [dirty, clean, shared]) memory.touch("write");
    clean.movePages({ node: 1 });
    for (const memory of [dirty, clean, shared]) {
      memory.protect("read");
      memory.protect("read-write");
    }
    expect(dirty.touch("write").faults).toBe(one.faults.dirty);
    expect(clean.touch("write").faults).toBe(one.faults.clean);
    expect(shared.touch("write").faults).toBe(0);
    expect(host.verify()).toBeNull();
  });

  it("shared memory is counted as file pages and lives in the page cache", async () => {
    const { host, process } = await mapped();
    const shmem = process.map({ pages: 4, kind: "shmem" });
    shmem.touch("write");
    host.drainLru();
    expect(process.rss).toEqual({ file: 4, anon: 0, swap: 0 });
    expect(host.counters()).toMatchObject({ nr_shmem: 4, nr_file_pages: 4, nr_file_mapped: 4 });
    expect(host.holders(shmem.pfnOf(0)).map(({ kind }) => kind)).toEqual(["pte", "page-cache"]);
    shmem.discard();
    expect(host.counters()).toMatchObject({ nr_shmem: 4, nr_file_mapped: 0 });
    shmem.touch("read", { count: 1 });
    expect(host.verify()).toBeNull(); // the page that was written is mapped again
    shmem.unmap();
    expect(host.counters()).toMatchObject({ nr_shmem: 0, nr_file_pages: 0 });
    expect(host.verify()).toBeNull();
  });
});

function ranges(regions: readonly { start: number; pages: number }[]): number[][] {
  return regions.map(({ start, pages }) => [start, pages]);
}

describe("splitting a mapping", () => {
  it("munmap in the middle leaves two regions, whose other pages stay", async () => {
    const { host, process, memory } = await mapped();
    memory.touch("write");
    memory.unmap({ start: 3, count: 2 });
    expect(ranges(process.regions())).toEqual([
      [0, 3],
      [5, 5],
    ]);
    expect(process.rss.anon).toBe(8);
    expect(memory.where()).toEqual([0, 0, 0, -EFAULT, -EFAULT, 0, 0, 0, 0, 0]);
    expect(memory.movePages({ node: 1 }).status.filter((status) => status === 1)).toHaveLength(8);
    expect(host.verify()).toBeNull();
    expect(ranges([process.map({ pages: 2 })])).toEqual([[3, 2]]);
  });

  it("MADV_DONTNEED takes the pages, not the mapping", async () => {
    const { host, process, memory } = await mapped();
    memory.touch("write");
    memory.discard({ start: 3, count: 2 });
    expect(process.regions()).toHaveLength(1);
    expect(memory.where([2, 3, 4, 5])).toEqual([0, -ENOENT, -ENOENT, 0]);
    expect(memory.touch("write").faults).toBe(2);
    expect(host.verify()).toBeNull();
  });

  it("mprotect of a part splits; the page stays and comes back writable", async () => {
    const { host, process, memory } = await mapped();
    memory.touch("write");
    memory.protect("read", { start: 2, count: 3 });
    expect(ranges(process.regions())).toEqual([
      [0, 2],
      [2, 3],
      [5, 5],
    ]);
    expect(memory.touch("write", { start: 2, count: 1 }).errno).toBe("EFAULT");
    const pfn = memory.pfnOf(2);
    memory.protect("read-write", { start: 2, count: 3 });
    expect(memory.touch("write", { start: 2, count: 3 }).errno).toBeNull();
    expect(memory.pfnOf(2)).toBe(pfn);
    expect(host.verify()).toBeNull();
  });

  it("mlock of a part moves its pages to the unevictable list, and later ones follow", async () => {
    const { host, memory } = await mapped();
    memory.touch("write", { count: 5 });
    memory.mlock({ start: 3, count: 4 });
    expect(host.counters().nr_mlock).toBe(2);
    memory.touch("write", { start: 5, count: 5 });
    host.drainLru();
    expect(host.counters().nr_mlock).toBe(4);
    const locked = [2, 3, 4, 5, 6, 7].map((index) =>
      host.pages.at(memory.pfnOf(index)).flags.includes("unevictable"),
    );
    expect(locked).toEqual([false, true, true, true, true, false]);
    expect(host.verify()).toBeNull();
    memory.unmap();
    expect(host.counters().nr_mlock).toBe(0);
    expect(host.verify()).toBeNull();
  });
});

it("exit gives everything back", async () => {
  const { host, process, memory } = await mapped();
  const before = (await twoNodes()).freePages();
  memory.touch("write");
  process.map({ pages: 5, kind: "shmem" }).touch("write");
  memory.protect("none", { start: 1, count: 1 });
  expect(process.exit()).toEqual({ badRss: null, crash: null });
  host.drainLru();
  expect(host.freePages()).toEqual(before);
  expect(host.processes()).toEqual([]);
  expect(host.verify()).toBeNull();
});

it("a pinned page outlives its process and goes with the pin", async () => {
  const { host, process, memory } = await mapped();
  memory.touch("write");
  const pfn = memory.pfnOf(2);
  const pin = memory.pin([2]);
  process.exit();
  host.drainLru();
  expect(host.holders(pfn)).toEqual([{ kind: "get", refs: 1, process: process.id }]);
  expect(host.verify()).toBeNull();
  pin.release();
  expect(host.pages.refcount(pfn)).toBe(0);
  expect(host.verify()).toBeNull();
});

it("pins outlive a snapshot, and are released one call of pin() at a time", async () => {
  const { host, memory } = await mapped();
  memory.touch("write");
  memory.pin([1, 2, 2]);
  memory.pin([3]).release();
  memory.pin([2, 4], "pin");
  const copy = await Host.restore(host.snapshot());
  const [first, second, ...more] = copy.pins();
  expect([first?.pages, second?.pages, more]).toEqual([3, 2, []]);

  const kinds = (index: number) =>
    copy
      .holders(memory.pfnOf(index))
      .map(({ kind }) => kind)
      .filter((kind) => kind === "get" || kind === "pin")
      .toSorted();
  expect(kinds(2)).toEqual(["get", "get", "pin"]);
  first?.release();
  expect([1, 2, 4].map(kinds)).toEqual([[], ["pin"], ["pin"]]);
  expect(copy.pins().map(({ pages }) => pages)).toEqual([2]);
  second?.release();
  expect([1, 2, 4].map(kinds)).toEqual([[], [], []]);
  expect(copy.pins()).toEqual([]);
  expect(copy.verify()).toBeNull();
  expect(host.pins()).toHaveLength(2);
});

/** Of so many VMAs two are in use: pages 0 … 9 and 10 … 19, which `over` spans. */
async function withVmas(vmas: number) {
  const host = await twoNodes({ limits: { vmas } });
  const process = host.createProcess({ pages: 40 });
  const over = process.map({ pages: 20 });
  over.unmap();
  const low = process.map({ pages: 10 });
  const high = process.map({ pages: 10 });
  low.touch("write");
  high.touch("write");
  return { host, process, over, low, high };
}

describe("a full table of VMAs", () => {
  it("allows what splits nothing", async () => {
    const { host, process, low, high, over } = await withVmas(2);
    low.protect("read");
    low.mlock();
    low.discard({ start: 3, count: 2 });
    over.mbind({ node: 1 });
    expect(low.where([2, 3])).toEqual([0, -ENOENT]);
    high.unmap();
    expect(ranges(process.regions())).toEqual([[0, 10]]);
    expect(host.verify()).toBeNull();
  });

  it("refuses what splits, with what that takes, and changes nothing", async () => {
    const { host, low } = await withVmas(2);
    const before = host.stateHash();
    const message = /limits\.vmas: splitting takes 1 more VMAs, and 2 leave 0/;
    for (const range of [{ start: 4 }, { count: 4 }]) {
      expect(() => low.unmap(range)).toThrow(message);
      expect(() => low.protect("none", range)).toThrow(message);
      expect(() => low.mlock(range)).toThrow(message);
    }
    expect(() => low.unmap({ start: 4, count: 2 })).toThrow("splitting takes 2 more VMAs, and 2 leave 0");
    expect(host.stateHash()).toBe(before);
  });

  it("of which one is left: one end may be inside a VMA, not both", async () => {
    const { host, process, low } = await withVmas(3);
    expect(() => low.unmap({ start: 4, count: 2 })).toThrow("splitting takes 2 more VMAs, and 3 leave 1");
    low.unmap({ start: 4 });
    expect(ranges(process.regions())).toEqual([
      [0, 4],
      [10, 10],
    ]);
    expect(host.verify()).toBeNull();
  });

  it("refuses mbind() of a region over whose end another has been mapped since", async () => {
    const { host, process, low } = await withVmas(2);
    for (const region of process.regions()) region.unmap();
    process.map({ pages: 15 });
    process.map({ pages: 1 });
    const before = host.stateHash();
    expect(() => low.mbind({ node: 1 })).toThrow("splitting takes 1 more VMAs, and 2 leave 0");
    expect(host.stateHash()).toBe(before);
    expect(low.mbind({ node: 5 }).errno).toBe("EINVAL");
  });
});
