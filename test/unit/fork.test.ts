/** fork(), copy-on-write, and migration of pages that several processes map. */
import { describe, expect, it } from "vitest";
import { SECTION_CONTENT } from "../../assembly/abi.ts";
import { Host, type HostConfig, type KernelName, type Process, type Region } from "../../src/index.ts";
import { kernels, twoNodes } from "./hosts.ts";

interface Family {
  readonly host: Host;
  readonly parent: Process;
  readonly memory: Region;
  readonly child: Process;
  readonly inherited: Region;
}

function childOf(parent: Process): Process {
  const { child } = parent.fork();
  if (child === null) throw new Error("fork() was to succeed");
  return child;
}

function onlyRegion(process: Process): Region {
  const [region] = process.regions();
  if (region === undefined) throw new Error("a region was to be inherited");
  return region;
}

/** A process with 8 pages that it has written, on node 0, and its child. */
async function family(kernel: KernelName, options: Partial<HostConfig> = {}): Promise<Family> {
  const host = await twoNodes({ kernel, ...options });
  const parent = host.createProcess({ pages: 16 });
  const memory = parent.map({ pages: 8, node: 0 });
  memory.touch("write");
  host.drainLru();
  const child = childOf(parent);
  return { host, parent, memory, child, inherited: onlyRegion(child) };
}

describe.each(kernels)("on %s", (kernel) => {
  it("parent and child map the same frames, read-only", async () => {
    const { host, memory, inherited, child, parent } = await family(kernel);
    const pfn = memory.pfnOf(3);
    expect(inherited.pfnOf(3)).toBe(pfn);
    expect(host.pages.mapcount(pfn)).toBe(2);
    expect(host.pages.refcount(pfn)).toBe(2);
    expect(child.rss).toEqual({ file: 0, anon: 8, swap: 0 });
    expect(parent.rss).toEqual(child.rss);
    expect(inherited.touch("read").faults).toBe(0);
    expect(host.verify()).toBeNull();
  });

  it("the first to write gets a copy, the last one keeps the frame", async () => {
    const { host, memory, inherited } = await family(kernel);
    const pfn = memory.pfnOf(0);
    expect(inherited.touch("write", { count: 1 }).faults).toBe(1);
    expect(inherited.pfnOf(0)).not.toBe(pfn);
    expect(memory.touch("write", { count: 1 }).faults).toBe(1);
    expect(memory.pfnOf(0)).toBe(pfn);
    expect(host.pages.mapcount(pfn)).toBe(1);
    expect(host.verify()).toBeNull();
  });

  it("each reads what it wrote last", async () => {
    const { host, memory, inherited } = await family(kernel, { contentBytes: 64 });
    inherited.touch("write", { count: 4 });
    memory.touch("write", { start: 2, count: 4 });
    expect(host.verify()).toBeNull();
  });

  it("what a child leaves is the parent's alone again", async () => {
    const { host, memory, child } = await family(kernel);
    const pfn = memory.pfnOf(0);
    expect(child.exit()).toEqual({ badRss: null, crash: null });
    expect(memory.touch("write", { count: 1 }).faults).toBe(1);
    expect(memory.pfnOf(0)).toBe(pfn);
    expect(host.verify()).toBeNull();
  });

  it("the child's pages outlive the parent", async () => {
    const { host, parent, inherited } = await family(kernel);
    const pfn = inherited.pfnOf(0);
    parent.exit();
    expect(host.pages.refcount(pfn)).toBe(1);
    expect(inherited.movePages({ node: 1 }).status).toEqual(Array.from({ length: 8 }, () => 1));
    expect(host.verify()).toBeNull();
  });

  it("shared pages move with MOVE_ALL alone, and every PTE follows", async () => {
    const { host, memory, child, inherited } = await family(kernel);
    const grandchild = onlyRegion(childOf(child));
    const before = host.counters();
    expect(memory.movePages({ node: 1 }).status).toEqual(Array.from({ length: 8 }, () => -13));
    expect(memory.movePages({ node: 1, moveAll: true }).ret).toBe(0);
    expect(host.counters().ptesUnmapped - before.ptesUnmapped).toBe(3 * 8);
    expect(grandchild.pfnOf(5)).toBe(memory.pfnOf(5));
    expect(inherited.pfnOf(5)).toBe(memory.pfnOf(5));
    expect(host.pages.at(memory.pfnOf(5)).node).toBe(1);
    expect(host.verify()).toBeNull();
  });

  it("a reference that somebody else holds keeps all of them where they are", async () => {
    const { host, memory, inherited } = await family(kernel);
    const pin = inherited.pin([0], "get");
    // The pin has broken the sharing: the parent's page moves, the child's does not.
    expect(memory.movePages({ node: 1, entries: [0] }).status).toEqual([1]);
    const left = inherited.movePages({ node: 1, entries: [0] });
    expect(left.blame.pages).toEqual([inherited.pfnOf(0)]);
    pin.release();
    expect(host.verify()).toBeNull();
  });

  it("a reference for reading, as vmsplice takes it, leaves a page shared and keeps it for all", async () => {
    const { host, memory, inherited } = await family(kernel);
    const pfn = memory.pfnOf(0);
    const pin = inherited.pin([0], "get", "read");
    expect([memory.pfnOf(0), inherited.pfnOf(0)]).toEqual([pfn, pfn]);
    expect(host.pages.refcount(pfn)).toBe(3);
    expect(memory.movePages({ node: 1, moveAll: true }).blame.pages).toEqual([pfn]);
    pin.release();
    expect(memory.movePages({ node: 1, moveAll: true, entries: [0] }).status).toEqual([1]);
    expect(host.verify()).toBeNull();
  });

  it("a reference for reading of a page that nobody has written to is one of the zero page", async () => {
    const host = await twoNodes({ kernel });
    const memory = host.createProcess({ pages: 1 }).map({ pages: 1 });
    const before = host.pages.refcount(1);
    const pin = memory.pin([0], "get", "read");
    expect([pin.pages, memory.frameOf(0), host.pages.refcount(1)]).toEqual([1, 1, before + 1]);
    expect(host.verify()).toBeNull();
    pin.release();
    expect(host.pages.refcount(1)).toBe(before);
    expect(() => memory.pin([0], "pin", "read")).toThrowError(/^pin: pin is for writing$/);
  });

  it("shared anonymous memory is the same in both, and faults in on the child's side", async () => {
    const host = await twoNodes({ kernel });
    const parent = host.createProcess({ pages: 8 });
    const memory = parent.map({ pages: 4, kind: "shmem", node: 0 });
    memory.touch("write");
    const child = onlyRegion(childOf(parent));
    expect(child.touch("write", { count: 2 }).faults).toBe(2);
    expect(child.pfnOf(0)).toBe(memory.pfnOf(0));
    expect(host.pages.mapcount(memory.pfnOf(0))).toBe(2);
    expect(host.pages.mapcount(memory.pfnOf(2))).toBe(1);
    expect(host.verify()).toBeNull();
  });

  it("a region with MADV_DONTFORK stays the parent's", async () => {
    const host = await twoNodes({ kernel });
    const parent = host.createProcess({ pages: 8 });
    parent.map({ pages: 4, dontFork: true }).touch("write");
    expect(childOf(parent).regions()).toEqual([]);
    expect(host.verify()).toBeNull();
  });

  it("a migration in progress is resolved in both, and writable in neither", async () => {
    const host = await twoNodes({ kernel });
    const parent = host.createProcess({ pages: 1 });
    const memory = parent.map({ pages: 1, node: 0 });
    memory.touch("write");
    host.drainLru();
    const migration = host.migration(memory.pfnOf(0), { node: 1 });
    migration.isolate();
    migration.unmap();
    const child = onlyRegion(childOf(parent));
    migration.move();
    migration.finish();
    expect(child.pfnOf(0)).toBe(memory.pfnOf(0));
    expect(host.pages.at(child.pfnOf(0)).node).toBe(1);
    const pfn = memory.pfnOf(0);
    memory.touch("write");
    expect([memory.pfnOf(0) === pfn, child.pfnOf(0) === pfn]).toEqual([false, true]);
    expect(host.verify()).toBeNull();
  });

  it("mlock is not inherited, and ends with the mapping that has it", async () => {
    const { host, memory, inherited } = await family(kernel);
    const pfn = inherited.pfnOf(0);
    memory.mlock();
    expect(host.pages.at(pfn).flags).toContain("mlocked");
    inherited.unmap({ count: 1 });
    expect(host.pages.at(pfn).flags).toContain("mlocked");
    const other = memory.pfnOf(1);
    memory.unmap();
    expect(host.pages.at(other).flags).not.toContain("mlocked");
    expect(host.pages.refcount(other)).toBe(1);
    expect(host.verify()).toBeNull();
  });

  it("limits are errors that leave everything as it was", async () => {
    const host = await twoNodes({ kernel, limits: { processes: 1, ptes: 1024 } });
    const parent = host.createProcess({ pages: 16 });
    parent.map({ pages: 8 }).touch("write");
    const hash = host.stateHash();
    expect(() => parent.fork()).toThrowError(/fork: no process/);
    expect(host.stateHash()).toBe(hash);
  });
});

describe("pages that may be pinned", () => {
  it("v3.12 shares them: the parent's next write takes the copy, and the device the old page", async () => {
    const host = await twoNodes({ kernel: "v3.12" });
    const parent = host.createProcess({ pages: 1 });
    const memory = parent.map({ pages: 1 });
    memory.touch("write");
    const pin = memory.pin([0], "get");
    const pfn = memory.pfnOf(0);
    expect(onlyRegion(childOf(parent)).pfnOf(0)).toBe(pfn);
    memory.touch("write");
    expect(memory.pfnOf(0)).not.toBe(pfn);
    expect(host.verify()).toBeNull();
    pin.release();
  });

  it.each(["v6.1", "v6.12"] as const)("%s copies them for the child at once", async (kernel) => {
    const host = await twoNodes({ kernel });
    const parent = host.createProcess({ pages: 2 });
    const memory = parent.map({ pages: 2 });
    memory.touch("write");
    memory.pin([0], "pin");
    const [pinned, shared] = [memory.pfnOf(0), memory.pfnOf(1)];
    const child = onlyRegion(childOf(parent));
    expect(child.pfnOf(0)).not.toBe(pinned);
    expect(child.pfnOf(1)).toBe(shared);
    expect(memory.touch("write", { count: 1 }).faults).toBe(0);
    expect(child.touch("write", { count: 1 }).faults).toBe(0);
    expect(host.verify()).toBeNull();
  });

  it("without a frame for the copy fork() fails and leaves nothing", async () => {
    const host = await Host.create({
      kernel: "v6.1",
      nodes: [{ zones: [{ kind: "normal", pages: 1024 }] }],
      contentBytes: 8,
      limits: { ptes: 2048 },
    });
    const parent = host.createProcess({ pages: 1 });
    const memory = parent.map({ pages: 1 });
    memory.touch("write");
    memory.pin([0], "pin");
    const [free] = host.freePages();
    host
      .createProcess({ pages: 1024 })
      .map({ pages: free ?? 0 })
      .touch("write");
    const content = host.sectionHash(SECTION_CONTENT);
    expect(parent.fork()).toEqual({ child: null, errno: "ENOMEM", crash: null });
    expect(host.sectionHash(SECTION_CONTENT)).toBe(content);
    expect(host.processes()).toHaveLength(2);
    expect(parent.rss.anon).toBe(1);
    expect(host.verify()).toBeNull();
  });

  it("of a page that is shared no more but held, v3.12 asks who maps it, 6.x who holds it", async () => {
    const inPlace: boolean[] = [];
    for (const kernel of kernels) {
      // oxlint-disable-next-line no-await-in-loop -- one host after the other
      const host = await twoNodes({ kernel });
      const parent = host.createProcess({ pages: 1 });
      const memory = parent.map({ pages: 1 });
      memory.touch("write");
      const pfn = memory.pfnOf(0);
      memory.pin([0], "get");
      childOf(parent).exit();
      memory.touch("write");
      inPlace.push(memory.pfnOf(0) === pfn);
      expect(host.verify()).toBeNull();
    }
    expect(inPlace).toEqual([true, false, false]);
  });
});

it.each(["v6.1", "v6.12"] as const)("a copy behind PROT_NONE stays behind it (%s)", async (kernel) => {
  const hashes: string[] = [];
  for (const traced of [false, true]) {
    // oxlint-disable-next-line no-await-in-loop -- one host after the other
    const host = await twoNodes({ kernel });
    const parent = host.createProcess({ pages: 1 });
    const memory = parent.map({ pages: 1 });
    memory.touch("write");
    memory.pin([0], "pin");
    memory.protect("none");
    const child = onlyRegion(childOf(parent));
    expect(child.touch("read").errno).toBe("EFAULT");
    expect(child.where()).toEqual(memory.where());
    memory.unmap();
    if (traced) host.startTrace();
    child.movePages({ node: 1 });
    hashes.push(host.stateHash());
    expect(host.verify()).toBeNull();
  }
  expect(hashes[0]).toBe(hashes[1]);
});

it("a region that is not inherited takes no VMA of the child's", async () => {
  const host = await twoNodes({ limits: { vmas: 3 } });
  const parent = host.createProcess({ pages: 8 });
  parent.map({ pages: 2, dontFork: true });
  parent.map({ pages: 2, dontFork: true });
  expect(childOf(parent).regions()).toEqual([]);
});
