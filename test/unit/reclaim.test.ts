/** Reclaim: who may stay, what is written first, and how lists age. */
import { describe, expect, it } from "vitest";
import { PAGE_NEXT, PFN_NONE } from "../../assembly/abi.ts";
import type { FileKind, Host, KernelName, Region } from "../../src/index.ts";
import { kernels, sixes, twoNodes } from "./hosts.ts";

/** 16 written pages of anonymous memory, off the batches, and a device that answers at once. */
async function withMemory(kernel: KernelName): Promise<{ host: Host; memory: Region }> {
  const host = await twoNodes({ kernel });
  host.swapOn({ pages: 64, synchronous: true });
  const memory = host.createProcess({ pages: 16 }).map({ pages: 16, node: 0 });
  memory.touch("write");
  host.drainLru();
  return { host, memory };
}

/** A file of 8 pages, mapped and read; what was written to it is on its device. */
async function withFile(kernel: KernelName, kind: FileKind): Promise<{ host: Host; mapped: Region }> {
  const host = await twoNodes({ kernel });
  const file = host.createFile({ kind, pages: 8 });
  file.write();
  file.sync();
  const mapped = host.createProcess({ pages: 8 }).map({ file, pages: 8, prot: "read-write" });
  mapped.touch("read");
  host.drainLru();
  return { host, mapped };
}

describe("references", () => {
  it("on v3.12 one access makes an anonymous page active", async () => {
    const { host, memory } = await withMemory("v3.12");
    const pfn = memory.pfnOf(0);
    expect(host.reclaimPage(pfn)).toBe("activated");
    expect(host.pages.at(pfn).flags).toContain("active");
    expect(host.reclaimPage(pfn)).toBe("freed");
    expect(host.verify()).toBeNull();
  });

  it.each(sixes)("on %s it takes two looks that find one", async (kernel) => {
    const { host, memory } = await withMemory(kernel);
    const pfn = memory.pfnOf(0);
    expect(host.reclaimPage(pfn)).toBe("kept");
    memory.touch("read", { count: 1 });
    expect(host.reclaimPage(pfn)).toBe("activated");
    // PG_referenced was cleared by the look that found it, and nobody has accessed the page since.
    expect(host.reclaimPage(pfn)).toBe("freed");
  });

  it.each(kernels)("on %s two young PTEs are enough at once", async (kernel) => {
    const host = await twoNodes({ kernel });
    const file = host.createFile({ pages: 1 });
    file.read();
    for (const process of [1, 2].map(() => host.createProcess({ pages: 1 }))) {
      process.map({ file, pages: 1 }).touch("read");
    }
    host.drainLru();
    expect(host.reclaimPage(file.pfnOf(0) ?? 0)).toBe("activated");
  });

  it.each(kernels)("on %s one young PTE keeps a page of a file once", async (kernel) => {
    const { host, mapped } = await withFile(kernel, "plain");
    const pfn = mapped.pfnOf(0);
    expect(host.reclaimPage(pfn)).toBe("kept");
    expect(host.reclaimPage(pfn)).toBe("freed");
    expect(host.verify()).toBeNull();
  });
});

describe.each(kernels)("pages of files on %s", (kernel) => {
  it("clean ones are dropped, and read again", async () => {
    const { host, mapped } = await withFile(kernel, "buffered");
    const free = host.freePages()[0] ?? 0;
    expect(mapped.pageout()).toMatchObject({ ret: 0, freed: 8 });
    expect(host.freePages()[0]).toBe(free + 8);
    expect(host.counters()).toMatchObject({ nr_file_pages: 0, nr_file_mapped: 0, pswpout: 0 });
    expect(mapped.touch("read").faults).toBe(8);
    expect(host.verify()).toBeNull();
  });

  it("dirty ones wait for the flusher threads", async () => {
    const { host, mapped } = await withFile(kernel, "plain");
    mapped.touch("write", { count: 1 });
    const pfn = mapped.pfnOf(0);
    expect(mapped.pageout({ count: 1 })).toMatchObject({ freed: 0 });
    expect(host.pages.at(pfn).flags).toEqual(expect.arrayContaining(["dirty", "reclaim"]));
    expect(host.pages.at(pfn).flags.includes("active")).toBe(kernel !== "v3.12");
    expect(host.verify()).toBeNull();
  });

  it("under writeback they go to the end of the list when that has ended", async () => {
    const { host, mapped } = await withFile(kernel, "plain");
    const [file] = host.files();
    mapped.touch("write", { count: 1 });
    file?.startWriteback({ count: 1 });
    const pfn = mapped.pfnOf(0);
    expect(host.reclaimPage(pfn)).toBe(kernel === "v3.12" ? "kept" : "activated");
    expect(host.pages.at(pfn).flags).toContain("reclaim");
    file?.sync();
    expect(host.counters().pgrotated).toBe(1);
    expect(host.pages.at(pfn).flags).not.toContain("active");
    const last = host.pages.copy(pfn, 1);
    expect(last[PAGE_NEXT / 4]).toBe(PFN_NONE);
    expect(host.verify()).toBeNull();
  });

  it("one that is written to while it is being written is in use, and stays where it is", async () => {
    const { host, mapped } = await withFile(kernel, "plain");
    const [file] = host.files();
    mapped.touch("write", { count: 1 });
    file?.startWriteback({ count: 1 });
    host.reclaimPage(mapped.pfnOf(0));
    mapped.touch("write", { count: 1 });
    expect(host.pages.at(mapped.pfnOf(0)).flags).not.toContain("reclaim");
    file?.sync();
    expect(host.counters().pgrotated).toBe(0);
    expect(host.verify()).toBeNull();
  });

  it("the first fault of a page that is not in memory is a major one", async () => {
    const host = await twoNodes({ kernel });
    const file = host.createFile({ pages: 2 });
    file.read({ count: 1 });
    const mapped = host.createProcess({ pages: 2 }).map({ file, pages: 2 });
    mapped.touch("read");
    expect(host.counters()).toMatchObject({ pgfault: 2, pgmajfault: 1 });
    const inMemory = host.createFile({ kind: "tmpfs", pages: 1 });
    host.createProcess({ pages: 1 }).map({ file: inMemory, pages: 1 }).touch("read");
    expect(host.counters().pgmajfault).toBe(1);
  });

  it("held ones stay, without a PTE", async () => {
    const { host, mapped } = await withFile(kernel, "plain");
    const pin = mapped.pin([2], "get", "read");
    expect(mapped.pageout()).toMatchObject({ freed: 7 });
    expect(mapped.frameOf(2)).toBeNull();
    pin.release();
    expect(host.verify()).toBeNull();
  });
});

describe.each(kernels)("the lists of a zone on %s", (kernel) => {
  it("give at least what is asked for", async () => {
    const { host, memory } = await withMemory(kernel);
    const free = host.freePages()[0] ?? 0;
    memory.pageout({ start: 8, count: 8 });
    memory.touch("read", { start: 8, count: 8 });
    host.drainLru();
    const freed = host.reclaim({ zone: 0, pages: 4 });
    expect(freed).toBeGreaterThanOrEqual(4);
    expect(host.freePages()[0]).toBe(free + freed);
    expect(host.counters().pgsteal).toBe(freed);
    expect(host.verify()).toBeNull();
  });

  it("are emptied if all of it is asked for", async () => {
    const { host, memory } = await withMemory(kernel);
    let freed = 0;
    // Each call looks at every page about once: what was accessed has to be found old first.
    for (let call = 0; call < 4; call++) freed += host.reclaim({ zone: 0, pages: 1000 });
    expect(freed).toBe(16);
    expect(memory.where()).toEqual(Array.from({ length: 16 }, () => -2));
    expect(host.verify()).toBeNull();
  });

  it("keep anonymous memory where there is no swap", async () => {
    const host = await twoNodes({ kernel });
    const memory = host.createProcess({ pages: 16 }).map({ pages: 16 });
    memory.touch("write");
    expect(host.reclaim({ zone: 0, pages: 16 })).toBe(0);
    expect(host.counters()).toMatchObject({ pgscan: 0, pgactivate: 0 });
    expect(memory.touch("read").faults).toBe(0);
  });

  it("an active page becomes inactive when too few are", async () => {
    const host = await twoNodes({ kernel });
    const file = host.createFile({ pages: 64 });
    file.read();
    host.drainLru();
    const region = host.createProcess({ pages: 64 }).map({ file, pages: 64 });
    for (let look = 0; look < 2; look++) {
      region.touch("read");
      for (let index = 0; index < 64; index++) host.reclaimPage(file.pfnOf(index) ?? 0);
    }
    const active = (): number =>
      [...Array(64).keys()].filter((i) => host.pages.at(file.pfnOf(i) ?? 0).flags.includes("active")).length;
    expect(active()).toBe(64);
    const before = host.counters().pgdeactivate;
    host.reclaim({ zone: 0, pages: 1 });
    expect(host.counters().pgdeactivate).toBeGreaterThan(before);
    expect(host.verify()).toBeNull();
  });
});

it("reclaim of a zone, or a page, that is none is a mistake", async () => {
  const { host } = await withMemory("v3.12");
  expect(() => host.reclaim({ zone: 2, pages: 1 })).toThrow("zone: 2 is not an integer from 0 to 1");
  expect(() => host.reclaim({ zone: 0, pages: 0 })).toThrow("pages: 0 is not an integer from 1");
  expect(() => host.reclaimPage(1)).toThrow("pfn: 1 is not an integer from 2");
  expect(() => host.reclaimPage(100)).toThrow("pfn: 100 is free");
});
