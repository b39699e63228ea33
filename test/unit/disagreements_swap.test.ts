/** Where core and reference model once disagreed about swap or reclaim, and the core was wrong. */
import { describe, expect, it } from "vitest";
import { PTE_ACCESSED, TABLE_CACHE_SLOTS } from "../../assembly/abi.ts";
import { Host, type KernelName } from "../../src/index.ts";
import { newHost } from "../helpers/host-and-core.ts";
import { kernels, rfcHost, stepWorkerTo, twoNodes } from "./hosts.ts";

const GFN = 3;
const FIRST_TOKEN = 0; // of vCPU 0

/** Memory of a process with page 0 on a device, while a filler has all that is left of the only node. */
async function swappedOutAndFull(kernel: KernelName) {
  const zones = [{ kind: "normal", pages: 512 }] as const;
  const host = await Host.create({ kernel, nodes: [{ zones }], limits: { ptes: 1024 } });
  host.swapOn({ pages: 8, synchronous: true });
  const memory = host.createProcess({ pages: 1 }).map({ pages: 1 });
  memory.touch("write");
  memory.pageout();
  const filler = host.createProcess({ pages: 512 }).map({ pages: 512 });
  expect(filler.touch("write").errno).toBe("ENOMEM");
  return { host, memory, filler };
}

describe.each(kernels)("on %s", (kernel) => {
  it("MADV_PAGEOUT does not look at the PTE of a page that is isolated", async () => {
    const host = await twoNodes({ kernel });
    const process = host.createProcess({ pages: 1 });
    const memory = process.map({ pages: 1 });
    memory.touch("write");
    host.drainLru();
    host.migration(memory.pfnOf(0), { node: 1 }).isolate();
    memory.pageout();
    expect((process.ptes()[0] ?? 0) & PTE_ACCESSED).not.toBe(0);
  });

  it("a dirty page of a file is left to the flusher threads, however long ago it was accessed", async () => {
    const host = await twoNodes({ kernel });
    const file = host.createFile({ kind: "plain", pages: 1 });
    file.write();
    host.createProcess({ pages: 1 }).map({ file, pages: 1 }).touch("read");
    host.drainLru();
    const pfn = file.pfnOf(0) ?? 0;
    expect(host.reclaimPage(pfn)).toBe("kept"); // its PTE was young
    expect(host.pages.at(pfn).flags).toContain("referenced");
    expect(host.reclaimPage(pfn)).toBe(kernel === "v3.12" ? "kept" : "activated");
    expect(host.pages.at(pfn).flags).toContain("reclaim");
  });

  it("a page of a file that somebody has locked does not become old", async () => {
    const host = await twoNodes({ kernel });
    const file = host.createFile({ pages: 1 });
    file.read();
    host.drainLru();
    const process = host.createProcess({ pages: 1 });
    const region = process.map({ file, pages: 1 });
    const pfn = file.pfnOf(0) ?? 0;
    for (let look = 0; look < 2; look++) {
      region.touch("read");
      host.reclaimPage(pfn);
    }
    expect(host.pages.at(pfn).flags).toContain("active");
    region.touch("read");
    host.setPageFlag(pfn, "locked", true);
    host.reclaim({ zone: 0, pages: 1 });
    expect(host.pages.at(pfn).flags).not.toContain("active");
    expect((process.ptes()[0] ?? 0) & PTE_ACCESSED).not.toBe(0);
  });

  it("an mlocked page that reclaim comes across is unevictable from then on", async () => {
    const host = await twoNodes({ kernel });
    host.swapOn({ pages: 8, synchronous: true });
    const memory = host.createProcess({ pages: 1 }).map({ pages: 1 });
    memory.touch("write");
    memory.pageout();
    memory.mlock();
    memory.touch("read");
    host.drainLru();
    const pfn = memory.pfnOf(0);
    expect(host.pages.at(pfn).flags).toEqual(expect.arrayContaining(["mlocked", "lru"]));
    expect(host.reclaimPage(pfn)).toBe("kept");
    expect(host.pages.at(pfn).flags).toContain("unevictable");
    expect(host.verify()).toBeNull();
  });

  it("a fault that finds no memory to read into is no major one", async () => {
    const { host, memory } = await swappedOutAndFull(kernel);
    expect(memory.touch("read", { count: 1 }).errno).toBe("ENOMEM");
    expect(host.counters()).toMatchObject({ pgmajfault: 0, pswpin: 0 });
    expect(host.verify()).toBeNull();
  });

  it("shared memory that is still in the swap cache comes back without a major fault", async () => {
    const host = await twoNodes({ kernel });
    host.swapOn({ pages: 8 });
    const memory = host.createProcess({ pages: 1 }).map({ kind: "shmem", pages: 1 });
    memory.touch("write");
    memory.pageout();
    memory.touch("read");
    expect(host.counters()).toMatchObject({ pgmajfault: 0, pswpin: 0, pswpout: 1 });
  });

  it("swapoff gives each place of a merged page a page of its own", async () => {
    const host = await twoNodes({ kernel });
    const device = host.swapOn({ pages: 8, synchronous: true });
    const memory = host.createProcess({ pages: 2 }).map({ pages: 2 });
    memory.touch("write", { content: 7 });
    memory.mergeKsm([[0, 1]]);
    host.drainLru();
    const pfn = memory.pfnOf(0);
    host.reclaimPage(pfn); // makes its PTEs old
    expect(host.reclaimPage(pfn)).toBe("freed");
    expect(device.off()).toMatchObject({ ret: 0 });
    expect(memory.pfnOf(0)).not.toBe(memory.pfnOf(1));
    expect(host.verify()).toBeNull();
  });

  it("nothing is remembered of a page that is truncated after reclaim has dropped it", async () => {
    const { host, core } = await newHost({ kernel, nodes: [{ zones: [{ kind: "normal", pages: 512 }] }] });
    const file = host.createFile({ kind: "plain", pages: 1 });
    file.write();
    file.sync();
    host.drainLru();
    expect(host.reclaimPage(file.pfnOf(0) ?? 0)).toBe("freed");
    file.remove();
    // The next file that has this place in the table reads zeros.
    expect(core.words(TABLE_CACHE_SLOTS).every((word) => word === 0)).toBe(true);
  });

  it("pgsteal counts what comes off the lists, which MADV_PAGEOUT does not", async () => {
    const host = await twoNodes({ kernel });
    host.swapOn({ pages: 8, synchronous: true });
    const memory = host.createProcess({ pages: 1 }).map({ pages: 1 });
    memory.touch("write");
    expect(memory.pageout()).toMatchObject({ freed: 1 });
    expect(host.counters()).toMatchObject({ pgscan: 0, pgsteal: 0 });
  });
});

it("v3.12: a page that try_to_unmap() finds mlocked gives its new slot up", async () => {
  const host = await twoNodes({ kernel: "v3.12" });
  const device = host.swapOn({ pages: 8, synchronous: true });
  const memory = host.createProcess({ pages: 1 }).map({ pages: 1 });
  memory.touch("write");
  memory.protect("none"); // so that mlock() does not find the page
  memory.mlock();
  const pfn = memory.pfnOf(0);
  expect(host.reclaimPage(pfn)).toBe("kept");
  expect(host.pages.at(pfn).flags).toContain("mlocked");
  expect(host.pages.at(pfn).flags).not.toContain("swapcache");
  expect(device.usedPages).toBe(0);
});

it("swapoff of a device of which a page is locked would sleep, and is refused", async () => {
  const host = await twoNodes({ kernel: "v6.1" });
  const device = host.swapOn({ pages: 8 });
  const memory = host.createProcess({ pages: 1 }).map({ pages: 1 });
  memory.touch("write");
  host.drainLru();
  const pfn = memory.pfnOf(0);
  memory.pageout();
  host.setPageFlag(pfn, "locked", true);
  expect(() => device.off()).toThrow("a page of device 1 is locked");
  host.setPageFlag(pfn, "locked", false);
  expect(device.off().ret).toBe(0);
  expect(memory.pfnOf(0)).toBe(pfn);
});

it("v3.12: mlock of a page of the swap cache ends when a migration leaves it to its slot", async () => {
  const host = await twoNodes({ kernel: "v3.12" });
  const device = host.swapOn({ pages: 8 });
  const memory = host.createProcess({ pages: 1 }).map({ pages: 1 });
  memory.touch("write");
  host.drainLru();
  memory.pageout();
  device.endWriteback();
  memory.touch("read");
  memory.mlock();
  host.drainLru();
  expect(host.counters().nr_mlock).toBe(1);
  expect(memory.movePages({ node: 1 }).status).toEqual([1]);
  expect(host.counters().nr_mlock).toBe(0);
  memory.unmap();
  host.drainLru();
  expect(host.leaks().badPages).toBe(0);
  expect(host.verify()).toBeNull();
});

it("v3.12: a page that draining the batch frees is there for the read", async () => {
  const { host, memory, filler } = await swappedOutAndFull("v3.12");
  const last = filler.where().findLastIndex((node) => node === 0);
  filler.discard({ start: last, count: 1 });
  expect(host.freePages()).toEqual([0]); // the batch has it
  expect(memory.touch("read", { count: 1 }).errno).toBeNull();
  expect(host.counters().pswpin).toBe(1);
});

it.each(["v3.12", "v6.12"] as const)("%s: anonymous pages age also while swap is full", async (kernel) => {
  const host = await twoNodes({ kernel });
  host.swapOn({ pages: 1, synchronous: true });
  const memory = host.createProcess({ pages: 8 }).map({ pages: 8 });
  memory.touch("write");
  host.drainLru();
  expect(memory.pageout({ count: 1 })).toMatchObject({ freed: 1 });
  host.reclaim({ zone: 0, pages: 1 });
  expect(host.counters().pgdeactivate).toBeGreaterThan(0);
});

it("a worker that waits for a page of the swap cache waits for that page, with one reference", async () => {
  const { host, memory, vcpu0 } = await rfcHost("pin");
  const device = host.swapOn({ pages: 8 });
  const pfn = memory.pfnOf(GFN);
  memory.pageout({ start: GFN, count: 1 });
  device.endWriteback();
  host.drainLru();
  host.setPageFlag(pfn, "locked", true);
  vcpu0.startAsyncPf(GFN);
  vcpu0.runWorkers();
  vcpu0.runWorkers();
  expect(host.pages.refcount(pfn)).toBe(2); // swap cache and worker
  host.setPageFlag(pfn, "locked", false);
  vcpu0.runWorkers();
  expect(vcpu0.asyncPfs()).toMatchObject([{ state: "done", pfn }]);
});

it("an exit that is refused changes nothing, also where a worker could go on by now", async () => {
  const { host, guest, memory, vcpu0 } = await rfcHost("pin");
  const device = host.swapOn({ pages: 8 });
  const gfns = [GFN, GFN + 1];
  const pfns = gfns.map((gfn) => memory.pfnOf(gfn));
  memory.pageout({ start: GFN, count: 2 });
  device.endWriteback();
  host.drainLru();
  for (const pfn of pfns) host.setPageFlag(pfn, "locked", true);
  for (const gfn of gfns) vcpu0.startAsyncPf(gfn);
  vcpu0.runWorkers();
  host.setPageFlag(pfns[0] ?? 0, "locked", false);
  const before = host.stateHash();
  expect(() => guest.exit()).toThrow("waits for a page that is being migrated");
  expect(host.stateHash()).toBe(before);
});

it("L0: a fault whose entry the RFC has written over in the page is taken again for ever", async () => {
  const { host, guest, memory, vcpu0 } = await rfcHost("L0");
  const device = host.swapOn({ pages: 8 });
  const page = { start: GFN, count: 1 };
  memory.pageout(page);
  vcpu0.startAsyncPf(GFN);
  for (const step of ["begin", "gup"]) expect(vcpu0.stepWorker(FIRST_TOKEN).done).toBe(step);
  device.endWriteback();
  host.drainLru();
  memory.pageout(page); // the worker holds the page, so it stays in the swap cache
  expect(guest.rss.swap).toBe(1);
  stepWorkerTo(vcpu0, FIRST_TOKEN, "store");
  expect(memory.touch("read", page)).toMatchObject({ sleeps: true, errno: null });
  expect(guest.rss.swap).toBe(1);
});
