/** KSM: pages of equal content that processes share, and their migration. */
import { describe, expect, it } from "vitest";
import { Host, type HostConfig, type KernelName, type Region } from "../../src/index.ts";
import { kernels, twoNodes } from "./hosts.ts";

const KSM = 3; // the tag of page->mapping

function tagOf(host: Host, pfn: number): number {
  return host.pages.at(pfn).mapping & 3;
}

/** A process with 8 pages on node 0, all equal. */
async function equalPages(kernel: KernelName, options: Partial<HostConfig> = {}) {
  const host = await twoNodes({ kernel, ...options });
  const process = host.createProcess({ pages: 32 });
  const memory = process.map({ pages: 8, node: 0 });
  memory.touch("write", { content: 1 });
  return { host, process, memory };
}

/** Of those the first four merged. */
async function merged(kernel: KernelName, options: Partial<HostConfig> = {}) {
  const at = await equalPages(kernel, options);
  expect(at.memory.mergeKsm([[0, 1, 2, 3]])).toEqual({ pagesShared: 1, pagesSharing: 3, crash: null });
  expect(at.host.verify()).toBeNull();
  return { ...at, pfn: at.memory.pfnOf(0) };
}

function framesOf(region: Region): number[] {
  return Array.from({ length: region.pages }, (_, index) => region.pfnOf(index));
}

describe.each(kernels)("on %s", (kernel) => {
  it("merged pages are one frame, read-only, tagged, and the other frames are free", async () => {
    const { host, process, memory } = await equalPages(kernel);
    const [free] = host.freePages();
    const first = memory.pfnOf(0);
    expect(memory.mergeKsm([[0, 1, 2, 3]])).toEqual({ pagesShared: 1, pagesSharing: 3, crash: null });
    expect(framesOf(memory).slice(0, 5)).toEqual([first, first, first, first, memory.pfnOf(4)]);
    expect(memory.pfnOf(4)).not.toBe(first);
    expect(host.freePages()[0]).toBe((free ?? 0) + 3);
    expect(host.pages.at(first)).toMatchObject({ refcount: 4, mapcount: 4 });
    expect(tagOf(host, first)).toBe(KSM);
    expect(host.pages.at(first).flags).toEqual(expect.arrayContaining(["dirty", "referenced"]));
    expect(host.pages.at(first).flags).not.toContain("anon_exclusive");
    expect(process.rss).toEqual({ file: 0, anon: 8, swap: 0 });
    expect(host.counters().nr_anon_pages).toBe(5);
    expect(memory.touch("read").faults).toBe(0);
    expect(host.verify()).toBeNull();
  });

  it("a group that names a shared page joins it, and several groups are merged by one call", async () => {
    const { host, memory, pfn } = await merged(kernel);
    const other = memory.pfnOf(6);
    expect(
      memory.mergeKsm([
        [4, 2, 5],
        [6, 7],
      ]),
    ).toEqual({ pagesShared: 1, pagesSharing: 3, crash: null });
    expect(framesOf(memory)).toEqual([pfn, pfn, pfn, pfn, pfn, pfn, other, other]);
    expect(memory.mergeKsm([[0, 7], []])).toEqual({ pagesShared: 0, pagesSharing: 0, crash: null });
    expect(host.verify()).toBeNull();
  });

  it("pages of several processes can be one, and each leaves it alone", async () => {
    const { host, memory, process, pfn } = await merged(kernel);
    const other = host.createProcess({ pages: 32 });
    other.map({ pages: 3 });
    const theirs = other.map({ pages: 2 });
    theirs.touch("write", { content: 1 });
    expect(theirs.mergeKsm([[1, { region: memory, index: 0 }]])).toEqual({
      pagesShared: 0,
      pagesSharing: 1,
      crash: null,
    });
    expect(theirs.pfnOf(1)).toBe(pfn);
    expect(host.pages.mapcount(pfn)).toBe(5);
    process.exit();
    expect(host.pages.at(pfn)).toMatchObject({ refcount: 1, mapcount: 1 });
    expect(host.verify()).toBeNull();
    expect(theirs.movePages({ node: 1, entries: [1] }).status).toEqual([1]);
    expect(other.exit().badRss).toBeNull();
    expect(host.pages.refcount(pfn)).toBe(0);
    expect(host.verify()).toBeNull();
  });

  it("pages whose content differs stay apart, unless there is none to compare", async () => {
    const { host, memory } = await equalPages(kernel);
    memory.touch("write", { start: 2, count: 1 });
    expect(memory.mergeKsm([[2, 0, 1]])).toEqual({ pagesShared: 1, pagesSharing: 1, crash: null });
    expect(memory.pfnOf(2)).not.toBe(memory.pfnOf(0));
    const blind = await equalPages(kernel, { contentBytes: 0 });
    blind.memory.touch("write", { start: 2, count: 1 });
    expect(blind.memory.mergeKsm([[2, 0, 1]])).toEqual({ pagesShared: 1, pagesSharing: 2, crash: null });
    expect(blind.host.verify()).toBeNull();
    expect(host.verify()).toBeNull();
  });

  it("what is no private page of its own is left: zero page, holes, shared memory", async () => {
    const { host, process, memory } = await equalPages(kernel);
    const shared = process.map({ pages: 2, kind: "shmem" });
    shared.touch("write", { content: 1 });
    const untouched = process.map({ pages: 2 });
    untouched.touch("read", { count: 1 });
    const rest = [shared, untouched].flatMap((region) => [0, 1].map((index) => ({ region, index })));
    expect(memory.mergeKsm([rest, [0, ...rest], [1, ...rest, 2]])).toEqual({
      pagesShared: 1,
      pagesSharing: 1,
      crash: null,
    });
    expect(tagOf(host, memory.pfnOf(0))).toBe(1);
    expect(host.verify()).toBeNull();
  });

  it("a page that somebody holds or has locked is not merged", async () => {
    const { host, memory } = await equalPages(kernel);
    const frames = framesOf(memory);
    const pin = memory.pin([0]);
    host.setPageFlag(memory.pfnOf(2), "locked", true);
    expect(memory.mergeKsm([[0, 2, 1]])).toEqual({ pagesShared: 0, pagesSharing: 0, crash: null });
    expect(memory.mergeKsm([[0, 1, 2, 3]])).toEqual({ pagesShared: 1, pagesSharing: 1, crash: null });
    expect(framesOf(memory).slice(0, 4)).toEqual([frames[0], frames[1], frames[2], frames[1]]);
    pin.release();
    host.setPageFlag(memory.pfnOf(2), "locked", false);
    expect(memory.mergeKsm([[0, 1, 2]])).toEqual({ pagesShared: 0, pagesSharing: 2, crash: null });
    expect(host.verify()).toBeNull();
  });

  it("a shared page that is locked takes no page more", async () => {
    const { host, memory, pfn } = await merged(kernel);
    const apart = memory.pfnOf(4);
    host.setPageFlag(pfn, "locked", true);
    expect(memory.mergeKsm([[4, 0]])).toEqual({ pagesShared: 0, pagesSharing: 0, crash: null });
    expect(memory.pfnOf(4)).toBe(apart);
    host.setPageFlag(pfn, "locked", false);
    expect(memory.mergeKsm([[4, 0]])).toEqual({ pagesShared: 0, pagesSharing: 1, crash: null });
    expect(host.verify()).toBeNull();
  });

  it("a write gets a copy, also the last one, and the shared page goes with its last PTE", async () => {
    const { host, memory, pfn } = await merged(kernel);
    for (const index of [1, 0, 3, 2]) {
      expect(memory.touch("write", { start: index, count: 1 }).faults).toBe(1);
      expect(memory.pfnOf(index)).not.toBe(pfn);
      expect(tagOf(host, memory.pfnOf(index))).toBe(1);
      expect(host.verify()).toBeNull();
    }
    expect(host.pages.refcount(pfn)).toBe(0);
    expect(memory.touch("write").faults).toBe(0);
  });

  it("written equal again, a page is merged again at the same place", async () => {
    const { host, memory, pfn } = await merged(kernel, { limits: { ksmItems: 8 } });
    for (let round = 0; round < 4; round++) {
      memory.touch("write", { start: 1, count: 2, content: 1 });
      expect(host.pages.mapcount(pfn)).toBe(2);
      expect(memory.mergeKsm([[1, 2, 3]])).toEqual({ pagesShared: 0, pagesSharing: 2, crash: null });
      expect(host.verify()).toBeNull();
    }
    expect(framesOf(memory).slice(0, 4)).toEqual([pfn, pfn, pfn, pfn]);
  });

  it("unmapping, discarding, protecting and locking do what they do to other pages", async () => {
    const { host, process, memory, pfn } = await merged(kernel);
    memory.mlock({ count: 2 });
    expect(host.pages.at(pfn).flags).toContain("mlocked");
    memory.unmap({ count: 1 });
    expect(host.pages.at(pfn).flags).toContain("mlocked");
    memory.discard({ start: 1, count: 1 });
    expect(host.pages.at(pfn).flags).not.toContain("mlocked");
    memory.protect("read");
    memory.protect("read-write");
    expect(memory.touch("write", { start: 2, count: 1 }).faults).toBe(1);
    expect(host.verify()).toBeNull();
    expect(process.exit()).toEqual({ badRss: null, crash: null });
    expect(host.verify()).toBeNull();
  });

  it("a page that joins from locked memory takes the lock to the shared one", async () => {
    const { host, memory, pfn } = await merged(kernel);
    memory.mlock({ start: 4, count: 2 });
    const given = memory.pfnOf(5);
    expect(host.counters().nr_mlock).toBe(2);
    memory.mergeKsm([[0, 5]]);
    expect(host.pages.at(pfn).flags).toContain("mlocked");
    expect(host.pages.at(given).refcount).toBe(0);
    expect(host.counters().nr_mlock).toBe(2);
    expect(host.verify()).toBeNull();
  });

  it("shared pages move with MOVE_ALL alone, every PTE follows, and they stay shared", async () => {
    const { host, memory, pfn } = await merged(kernel);
    expect(memory.movePages({ node: 1, entries: [0] }).status).toEqual([-13]);
    const before = host.counters();
    expect(memory.movePages({ node: 1, entries: [0], moveAll: true }).status).toEqual([1]);
    expect(host.counters().ptesUnmapped - before.ptesUnmapped).toBe(4);
    const moved = memory.pfnOf(0);
    expect(framesOf(memory).slice(0, 4)).toEqual([moved, moved, moved, moved]);
    expect([host.pages.at(moved).node, tagOf(host, moved)]).toEqual([1, KSM]);
    expect(host.pages.refcount(pfn)).toBe(0);
    expect(host.verify()).toBeNull();
    expect(memory.mergeKsm([[4, 0]])).toEqual({ pagesShared: 0, pagesSharing: 1, crash: null });
    expect(memory.pfnOf(4)).toBe(moved);
    expect(host.verify()).toBeNull();
  });

  it("children forked since it was merged are found, and move along", async () => {
    const { host, process, memory } = await merged(kernel);
    const { child } = process.fork();
    const [theirs] = child?.regions() ?? [];
    const before = host.counters();
    expect(memory.movePages({ node: 1, entries: [2], moveAll: true }).status).toEqual([1]);
    expect(host.counters().ptesUnmapped - before.ptesUnmapped).toBe(8);
    expect(theirs?.pfnOf(3)).toBe(memory.pfnOf(3));
    expect(host.verify()).toBeNull();
    process.exit();
    theirs?.touch("write");
    expect(host.verify()).toBeNull();
  });

  it("a page that a family shares is merged for each of its members", async () => {
    const { host, process, memory } = await equalPages(kernel);
    host.drainLru();
    const { child } = process.fork();
    const [theirs] = child?.regions() ?? [];
    if (theirs === undefined) throw new Error("the child was to inherit the region");
    const pfn = memory.pfnOf(0);
    expect(memory.mergeKsm([[0, 1, { region: theirs, index: 1 }]])).toEqual({
      pagesShared: 1,
      pagesSharing: 2,
      crash: null,
    });
    expect([memory.pfnOf(1), theirs.pfnOf(0), theirs.pfnOf(1)]).toEqual([pfn, pfn, pfn]);
    expect(host.pages.at(pfn)).toMatchObject({ refcount: 4, mapcount: 4 });
    expect(host.verify()).toBeNull();
  });

  it("the last process of a family that shares it gets no write access by mprotect() either", async () => {
    const { host, process, memory } = await equalPages(kernel);
    host.drainLru();
    const { child } = process.fork();
    const [theirs] = child?.regions() ?? [];
    memory.mergeKsm([[0, 1]]);
    process.exit();
    expect(host.pages.mapcount(theirs?.pfnOf(0) ?? 0)).toBe(1);
    theirs?.protect("read");
    theirs?.protect("read-write");
    expect(host.verify()).toBeNull();
    expect(theirs?.touch("write", { count: 1 }).faults).toBe(1);
    expect(host.verify()).toBeNull();
  });

  it("a reference for reading holds the shared page, for writing a copy", async () => {
    const { host, memory, pfn } = await merged(kernel);
    const read = memory.pin([0], "get", "read");
    expect([memory.pfnOf(0), host.pages.refcount(pfn)]).toEqual([pfn, 5]);
    expect(memory.movePages({ node: 1, entries: [1], moveAll: true }).blame.pages).toEqual([pfn]);
    expect(framesOf(memory).slice(0, 4)).toEqual([pfn, pfn, pfn, pfn]);
    const write = memory.pin([3], "pin");
    expect(memory.pfnOf(3)).not.toBe(pfn);
    expect(host.pages.mapcount(memory.pfnOf(3))).toBe(1);
    memory.unmap({ count: 3 });
    host.drainLru();
    expect(host.pages.at(pfn)).toMatchObject({ refcount: 1, mapcount: 0 });
    expect(host.verify()).toBeNull();
    read.release();
    write.release();
    expect(host.pages.refcount(pfn)).toBe(0);
    expect(host.verify()).toBeNull();
  });

  it("a stepped migration of a shared page can be backed out of, or ended", async () => {
    const { host, memory, pfn } = await merged(kernel);
    const back = host.migration(pfn, { node: 1 });
    back.isolate();
    back.unmap();
    expect(host.verify()).toBeNull();
    expect(memory.mergeKsm([[4, 0]])).toEqual({ pagesShared: 0, pagesSharing: 0, crash: null });
    back.finish();
    expect(framesOf(memory).slice(0, 4)).toEqual([pfn, pfn, pfn, pfn]);
    host.drainLru();
    const on = host.migration(pfn, { node: 1 });
    on.isolate();
    on.unmap();
    expect(on.move().ret).toBe(0);
    expect(host.verify()).toBeNull();
    on.finish();
    expect(host.pages.at(memory.pfnOf(0))).toMatchObject({ node: 1, mapcount: 4 });
    expect(host.verify()).toBeNull();
  });

  it("the same calls give the same state, and a snapshot goes on from it", async () => {
    const { host, memory } = await merged(kernel);
    const again = await merged(kernel);
    expect(again.host.stateHash()).toBe(host.stateHash());
    const restored = await Host.restore(host.snapshot());
    const [region] = restored.processes()[0]?.regions() ?? [];
    memory.movePages({ node: 1, moveAll: true });
    region?.movePages({ node: 1, moveAll: true });
    expect(restored.stateHash()).toBe(host.stateHash());
    expect(restored.verify()).toBeNull();
  });
});

/** A page that was moved, and has not been written to since: 6.x knows that it is exclusive. */
async function cleanPages(kernel: KernelName) {
  const at = await equalPages(kernel);
  at.memory.movePages({ node: 1 });
  at.host.drainLru();
  const pin = at.memory.pin([0]);
  at.memory.protect("read");
  return { ...at, pin };
}

it("v3.12 merges a clean page that its process may only read, whoever holds it", async () => {
  const { host, memory, pin } = await cleanPages("v3.12");
  const pfn = memory.pfnOf(0);
  expect(memory.mergeKsm([[0, 1]])).toEqual({ pagesShared: 1, pagesSharing: 1, crash: null });
  expect([memory.pfnOf(0), memory.pfnOf(1)]).toEqual([pfn, pfn]);
  pin.release();
  expect(host.verify()).toBeNull();
});

it.each(["v6.1", "v6.12"] as const)("%s does not if it is exclusive", async (kernel) => {
  const { host, memory, pin } = await cleanPages(kernel);
  expect(memory.mergeKsm([[0, 1]])).toEqual({ pagesShared: 0, pagesSharing: 0, crash: null });
  pin.release();
  expect(memory.mergeKsm([[0, 1]])).toEqual({ pagesShared: 1, pagesSharing: 1, crash: null });
  expect(host.verify()).toBeNull();
});

it.each([
  ["v3.12", []],
  ["v6.1", ["dirty"]],
  ["v6.12", ["dirty"]],
] as const)("on %s a clean page that becomes the shared one is then %j", async (kernel, flags) => {
  const { host, memory, pin } = await cleanPages(kernel);
  pin.release();
  for (const index of [0, 1]) host.setPageFlag(memory.pfnOf(index), "dirty", false);
  memory.mergeKsm([[0, 1]]);
  expect(host.pages.at(memory.pfnOf(0)).flags.filter((flag) => flag === "dirty")).toEqual(flags);
});

it.each([
  [
    "4 pages, and limits.ksmItems leaves 3",
    { ksmItems: 3 },
    [
      [0, 1],
      [2, 3],
    ],
  ],
  [
    "4 pages, and limits.entries leaves 3",
    { entries: 3 },
    [
      [0, 1],
      [2, 3],
    ],
  ],
  [
    "2 groups, and limits.mappings leaves 1",
    { mappings: 1 },
    [
      [0, 1],
      [2, 3],
    ],
  ],
])("more than a limit allows is an error, and nothing is merged: %s", async (message, limits, groups) => {
  const { host, memory } = await equalPages("v6.1", { limits });
  const hash = host.stateHash();
  expect(() => memory.mergeKsm(groups)).toThrowError(`mergeKsm: ${message}`);
  expect(host.stateHash()).toBe(hash);
});

it("what cannot be a page of the host is refused", async () => {
  const { memory } = await equalPages("v6.1");
  const { memory: foreign } = await equalPages("v6.1");
  expect(() => memory.mergeKsm([[0, 8]])).toThrowError(/^page index: 8 is not an integer from 0 to 7$/);
  expect(() => memory.mergeKsm([[{ region: foreign, index: 0 }]])).toThrowError(/a page of another host$/);
});
