/** The buddy allocator, zone fall-back and the LRU batches, as far as processes see them. */
import { describe, expect, it } from "vitest";
import { Host, type KernelName } from "../../src/index.ts";

const zone = (kind: "dma32" | "normal" | "movable", pages: number) => ({ kind, pages }) as const;

/** Free blocks by order of the frames from `start` on. */
function blocks(host: Host, start: number, end: number): Record<number, number> {
  const counts: Record<number, number> = {};
  for (let pfn = start; pfn < end;) {
    const page = host.pages.at(pfn);
    if (page.flags.includes("buddy")) {
      counts[page.private] = (counts[page.private] ?? 0) + 1;
      pfn += 1 << page.private;
    } else pfn += 1;
  }
  return counts;
}

describe("buddy blocks", () => {
  it("taking one page splits a block into its halves; giving it back merges them", async () => {
    const host = await Host.create({ nodes: [{ zones: [zone("normal", 1024), zone("movable", 1024)] }] });
    const memory = host.createProcess({ pages: 8 }).map({ pages: 8 });
    expect(blocks(host, 1024, 2048)).toEqual({ 10: 1 });
    memory.touch("write", { count: 1 });
    const halves = { 0: 1, 1: 1, 2: 1, 3: 1, 4: 1, 5: 1, 6: 1, 7: 1, 8: 1, 9: 1 };
    expect(blocks(host, 1024, 2048)).toEqual(halves);
    expect(host.freePages()).toEqual([1022, 1023]);
    memory.discard();
    host.drainLru();
    expect(blocks(host, 1024, 2048)).toEqual({ 10: 1 });
    expect(host.freePages()).toEqual([1022, 1024]);
    expect(host.verify()).toBeNull();
  });

  it("frames 0 and 1 belong to the kernel: the first zone starts with the blocks behind them", async () => {
    const host = await Host.create({ nodes: [{ zones: [zone("normal", 512)] }] });
    expect(blocks(host, 2, 512)).toEqual({ 1: 1, 2: 1, 3: 1, 4: 1, 5: 1, 6: 1, 7: 1, 8: 1 });
    expect(host.pages.at(1).flags).toEqual(["reserved"]);
  });

  it("a frame taken at boot leaves the halves around it", async () => {
    const host = await Host.create({ nodes: [{ zones: [zone("normal", 1024), zone("movable", 1024)] }] });
    host.reserveFrame(1500);
    expect(Object.values(blocks(host, 1024, 2048))).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
    expect(host.freePages()[1]).toBe(1023);
    expect(() => host.reserveFrame(1500)).toThrow(/pfn: 1500 is not free/);
    expect(host.verify()).toBeNull();
  });

  it("when all is used, a fault is -ENOMEM and what is there stays", async () => {
    const host = await Host.create({ nodes: [{ zones: [zone("normal", 512)] }], limits: { ptes: 600 } });
    const memory = host.createProcess({ pages: 600 }).map({ pages: 600 });
    expect(memory.touch("write")).toMatchObject({ errno: "ENOMEM" });
    expect(host.freePages()).toEqual([0]);
    expect(memory.where([509, 510])).toEqual([0, -2]);
    expect(host.verify()).toBeNull();
    memory.unmap();
    host.drainLru();
    expect(host.freePages()).toEqual([510]);
    expect(host.verify()).toBeNull();
  });
});

/** Number of pages by zone, in the order of the configuration. */
async function taken(nodes: Parameters<typeof Host.create>[0]["nodes"], node: number, pages: number) {
  const host = await Host.create({ nodes, limits: { ptes: 8192 } });
  const before = host.freePages();
  host.createProcess({ pages }).map({ pages, node }).touch("write");
  const after = host.freePages();
  return before.map((free, i) => free - (after[i] ?? 0));
}

describe("where pages come from", () => {
  it("the highest zone of a node first, then the ones below it", async () => {
    const zones = [zone("dma32", 1024), zone("normal", 1024), zone("movable", 1024)];
    expect(await taken([{ zones }], 0, 1000)).toEqual([0, 0, 1000]);
    expect(await taken([{ zones }], 0, 2500)).toEqual([452, 1024, 1024]);
  });

  it("other nodes behind all zones of the preferred one, those without CPUs first", async () => {
    const one = { zones: [zone("normal", 1024)] };
    const nodes = [
      { ...one, cpus: true },
      { ...one, cpus: true },
      { ...one, cpus: false },
      { ...one, cpus: false },
    ];
    expect(await taken(nodes, 1, 2500)).toEqual([0, 1024, 1024, 452]);
    expect(await taken(nodes, 3, 2500)).toEqual([452, 0, 1024, 1024]);
  });

  it("MPOL_BIND takes no other node", async () => {
    const one = { zones: [zone("normal", 512)] };
    const host = await Host.create({ nodes: [one, one], limits: { ptes: 1000 } });
    const memory = host.createProcess({ pages: 600 }).map({ pages: 600, node: 1, bind: true });
    expect(memory.touch("write").errno).toBe("ENOMEM");
    expect(host.freePages()).toEqual([510, 0]);
  });

  it("the kernel's own pages never come from ZONE_MOVABLE", async () => {
    const host = await Host.create({ nodes: [{ zones: [zone("normal", 512), zone("movable", 512)] }] });
    host.createProcess({ pages: 4 }).map({ kind: "vdso", pages: 4 });
    expect(host.freePages()).toEqual([506, 512]);
    expect(host.verify()).toBeNull();
  });
});

describe("LRU-add batches", () => {
  // PAGEVEC_SIZE of each kernel: a page waits, with a reference, until its batch is full or drained.
  it.each([
    { kernel: "v3.12", size: 14 },
    { kernel: "v6.1", size: 15 },
    { kernel: "v6.12", size: 31 },
  ] as const)("$kernel: $size pages", async ({ kernel, size }: { kernel: KernelName; size: number }) => {
    const host = await Host.create({ kernel, nodes: [{ zones: [zone("normal", 1024)] }] });
    const memory = host.createProcess({ pages: 40 }).map({ pages: 40 });
    memory.touch("write", { count: size - 1 });
    const pfn = memory.pfnOf(0);
    expect(host.holders(pfn)).toEqual([
      { kind: "pte", refs: 1 },
      { kind: "lru-batch", refs: 1 },
    ]);
    expect(host.pages.at(pfn).flags).not.toContain("lru");
    expect(host.migration(pfn, { node: 0 }).isolate().errno).toBe("EBUSY");
    expect(host.verify()).toBeNull();
    memory.touch("write", { start: size - 1, count: 1 });
    expect(host.pages.at(pfn)).toMatchObject({ refcount: 1 });
    expect(host.pages.at(pfn).flags).toContain("lru");
  });

  it("each CPU has its own; draining empties all of them", async () => {
    const host = await Host.create({ cpus: 2, nodes: [{ zones: [zone("normal", 1024)] }] });
    const regions = [0, 1].map((cpu) => host.createProcess({ pages: 13, cpu }).map({ pages: 13 }));
    for (const region of regions) region.touch("write");
    const counts = () => regions.map((region) => host.pages.refcount(region.pfnOf(0)));
    expect(counts()).toEqual([2, 2]);
    host.drainLru();
    expect(counts()).toEqual([1, 1]);
    expect(host.verify()).toBeNull();
  });

  it("a page that is unmapped while it waits is freed by the drain", async () => {
    const host = await Host.create({ nodes: [{ zones: [zone("normal", 512)] }] });
    const memory = host.createProcess({ pages: 1 }).map({ pages: 1 });
    memory.touch("write");
    memory.unmap();
    expect(host.freePages()).toEqual([509]);
    host.drainLru();
    expect(host.freePages()).toEqual([510]);
    expect(host.verify()).toBeNull();
  });
});
