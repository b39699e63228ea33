/** Reclaim of one page in transitions: equal to the look in one go, and what can come between. */
import { describe, expect, it } from "vitest";
import { ACTOR_RECLAIMER, OP_RECLAIM } from "../../assembly/abi.ts";
import type { FileKind, Host, HostConfig, Process, Region } from "../../src/index.ts";
import { type ActorHost, actorHost, sameState } from "../helpers/actors.ts";
import { type Layer, kernels, layers, pinByAsyncPf } from "./hosts.ts";

const PAGE = 3;
const config: HostConfig = { contentBytes: 8, nodes: [{ zones: [{ kind: "normal", pages: 65_536 }] }] };

/** A new process with page 3 in a state. */
type Situation = (host: Host) => Process;

function regionWithPage(process: Process): Region {
  const region = process.regions().find(({ start, pages }) => start <= PAGE && PAGE < start + pages);
  if (region === undefined) throw new Error("no region has the page");
  return region;
}

/** The frame that page 3 has, or its slot in the swap cache. */
function frameOf(host: Host, process: Process): number | null {
  const region = regionWithPage(process);
  const slot = region.swapSlotOf(PAGE - region.start);
  if (slot === null) return region.frameOf(PAGE - region.start);
  const { pages } = host;
  for (let pfn = 2; pfn < 64; pfn++) {
    if (pages.at(pfn).flags.includes("swapcache") && pages.at(pfn).private === slot) return pfn;
  }
  return null;
}

/** 8 pages that were written, off the batches, and a device. */
function anonymous(host: Host, synchronous: boolean, slots = 16): Process {
  host.swapOn({ pages: slots, synchronous });
  const process = host.createProcess({ pages: 8 });
  process.map({ pages: 8 }).touch("write");
  host.drainLru();
  return process;
}

/** 8 pages of a file, clean, mapped and read. */
function ofFile(host: Host, kind: FileKind): Process {
  host.swapOn({ pages: 16, synchronous: true });
  const file = host.createFile({ kind, pages: 8 });
  file.write();
  file.sync();
  const process = host.createProcess({ pages: 8 });
  process.map({ file, pages: 8, prot: "read-write" }).touch("read");
  host.drainLru();
  return process;
}

/** Something is done to the region that has page 3. */
function changed(process: Process, change: (region: Region) => void): Process {
  change(regionWithPage(process));
  return process;
}

const only = { start: PAGE, count: 1 };

const situations: Record<string, Situation> = {
  "whose device answers at once": (host) => anonymous(host, true),
  "whose device takes its time": (host) => anonymous(host, false),
  "that finds swap more than half full": (host) =>
    changed(anonymous(host, true, 8), (region) => region.pageout({ start: 4, count: 4 })),
  "that finds no slot": (host) => changed(anonymous(host, true, 4), (region) => region.pageout({ start: 4 })),
  "that is being written": (host) =>
    changed(anonymous(host, false), (region) => {
      region.pageout(only);
      host.drainLru();
      region.touch("read", only);
    }),
  "whose write has ended": (host) =>
    changed(anonymous(host, false), (region) => {
      region.pageout(only);
      for (const device of host.swapDevices()) device.endWriteback();
      host.drainLru();
    }),
  "that is in a batch": (host) => {
    const process = host.createProcess({ pages: 8 });
    process.map({ pages: 8 }).touch("write", only);
    return process;
  },
  "that is locked": (host) =>
    changed(anonymous(host, true), (region) => host.setPageFlag(region.pfnOf(PAGE), "locked", true)),
  "that is pinned": (host) => changed(anonymous(host, true), (region) => region.pin([PAGE])),
  "that is mlocked": (host) => changed(anonymous(host, true), (region) => region.mlock(only)),
  "that a child has, too": (host) => {
    const process = anonymous(host, true);
    process.fork();
    return process;
  },
  "of a file in memory": (host) => ofFile(host, "tmpfs"),
  "of a file": (host) => ofFile(host, "plain"),
  "with buffers": (host) => ofFile(host, "buffered"),
  "of a file, dirty": (host) => changed(ofFile(host, "plain"), (region) => region.touch("write", only)),
};

function reclaimer(at: ActorHost, process: Process, looks = 1) {
  const script = Array.from({ length: looks }, (): [number, number] => [OP_RECLAIM, PAGE]);
  return at.place({ kind: ACTOR_RECLAIMER, mm: process.id, script });
}

describe.each(kernels)("on %s looks in steps and looks in one go leave the same", (kernel) => {
  it.each(Object.entries(situations))("at a page %s", async (_name, situation) => {
    for (const looks of [1, 2, 3, 4]) {
      const atOnce = await actorHost({ ...config, kernel });
      const process = situation(atOnce.host);
      for (let look = 0; look < looks; look++) {
        const pfn = frameOf(atOnce.host, process);
        atOnce.host.drainLru(); // as shrink_inactive_list() does; one look of the host is at a list as it is
        if (pfn !== null) atOnce.host.reclaimPage(pfn);
      }
      const stepped = await actorHost({ ...config, kernel });
      const actor = reclaimer(stepped, situation(stepped.host), looks);
      for (let name = actor.step(); name !== "blocked"; name = actor.step()) {
        expect([name, stepped.host.verify()]).toEqual([name, null]);
      }
      expect(sameState(atOnce, stepped)).toBe(true);
    }
  });
});

/** A process whose page 3 is old, with a device that takes its time, and a reclaimer for it. */
async function aboutToSwap() {
  const at = await actorHost(config);
  const process = anonymous(at.host, false);
  const memory = regionWithPage(process);
  const pfn = memory.pfnOf(PAGE);
  expect(at.host.reclaimPage(pfn)).toBe("activated");
  return { ...at, memory, pfn, actor: reclaimer(at, process) };
}

describe("another CPU comes between", () => {
  const toTheWrite = [
    "isolate to reclaim",
    "lock to reclaim",
    "test congestion",
    "check references",
    "test anon",
    "give a slot",
    "read mapping again",
    "unmap to reclaim",
    "write",
  ];

  it("nobody does: a page that is being written is put back, unlocked by swap_writepage()", async () => {
    const { host, pfn, actor } = await aboutToSwap();
    expect(actor.stepTo("write")).toEqual(toTheWrite);
    expect(host.pages.at(pfn).flags).toContain("writeback");
    expect(host.pages.at(pfn).flags).not.toContain("locked");
    expect(actor.stepTo()).toEqual(["lock again", "put back, kept"]);
    expect(host.pages.at(pfn).flags).toContain("lru");
    expect(host.verify()).toBeNull();
  });

  it("the write ends before reclaim looks: the page is freed in the same go", async () => {
    const { host, pfn, actor } = await aboutToSwap();
    actor.stepTo("write");
    host.setPageFlag(pfn, "writeback", false);
    expect(actor.stepTo()).toEqual(["lock again", "free"]);
    expect(host.pages.refcount(pfn)).toBe(0);
    expect(host.verify()).toBeNull();
  });

  it("and the process has the page back by then: it is kept", async () => {
    const { host, memory, pfn, actor } = await aboutToSwap();
    actor.stepTo("write");
    host.setPageFlag(pfn, "writeback", false);
    memory.touch("read", only);
    expect(actor.stepTo()).toEqual(["lock again", "free", "unlock, kept", "put back, kept"]);
    expect(memory.pfnOf(PAGE)).toBe(pfn);
    expect(host.verify()).toBeNull();
  });

  it("somebody gets the lock first", async () => {
    const { host, pfn, actor } = await aboutToSwap();
    actor.stepTo("write");
    host.setPageFlag(pfn, "writeback", false);
    host.setPageFlag(pfn, "locked", true);
    expect(actor.stepTo()).toEqual(["lock again", "put back, kept"]);
    expect(host.pages.at(pfn).flags).toEqual(expect.arrayContaining(["locked", "lru"]));
  });

  it("unmapped while reclaim has isolated it: the page is freed where it is put back", async () => {
    const { host, memory, pfn, actor } = await aboutToSwap();
    actor.stepTo("isolate to reclaim");
    memory.unmap(only);
    expect(host.pages.refcount(pfn)).toBe(1);
    expect(actor.stepTo().at(-1)).toBe("put back, kept");
    expect(host.pages.refcount(pfn)).toBe(0);
    expect(host.verify()).toBeNull();
  });

  it("the page has gone before reclaim begins", async () => {
    const { memory, actor } = await aboutToSwap();
    memory.unmap(only);
    expect(actor.stepTo()).toEqual(["isolate to reclaim"]);
  });
});

/** The worker of an asynchronous page fault on page 3 comes after a transition of reclaim. */
async function withWorkerAfter(layer: Layer, last: string) {
  const at = await actorHost({ ...config, ...layers[layer] });
  at.host.swapOn({ pages: 16, synchronous: true });
  const guest = at.host.createGuest({ pages: 8, vcpus: 1 });
  const memory = guest.map({ pages: 8 });
  memory.touch("write");
  at.host.drainLru();
  const pfn = memory.pfnOf(PAGE);
  expect(at.host.reclaimPage(pfn)).toBe("activated");
  const actor = reclaimer(at, guest);
  actor.stepTo(last);
  const [vcpu] = guest.vcpus;
  if (vcpu === undefined) throw new Error("a vCPU was asked for");
  pinByAsyncPf(vcpu, PAGE);
  return { ...at, memory, vcpu, pfn, actor };
}

describe("the RFC's worker stores page->private and page->mapping without the page lock", () => {
  it.each<[Layer, string, string, string[]]>([
    ["L0", "lock to reclaim", "test congestion", ["shrink_page_list"]],
    ["L0", "test congestion", "check references", ["mutex_lock", "page_referenced_file", "page_referenced"]],
    ["L0", "test anon", "unmap to reclaim", ["mutex_lock", "try_to_unmap_file", "try_to_unmap"]],
    ["L0", "give a slot", "read mapping again", ["page_mapping"]],
    ["L2", "give a slot", "read mapping again", ["page_mapping"]],
    ["L4", "read mapping again", "unmap to reclaim", ["page_mapping"]],
  ])("%s: after %s the kernel stops in %s", async (layer, last, step, trace) => {
    const { host, pfn, actor } = await withWorkerAfter(layer, last);
    expect(actor.stepTo().at(-1)).toBe(step);
    expect(host.crash).toMatchObject({ kind: "oops", trace, pfn });
  });

  it("L0: after page_referenced() reclaim goes on with the mapping that it has read, NULL", async () => {
    const { host, pfn, actor } = await withWorkerAfter("L0", "check references");
    expect(actor.stepTo()).toEqual([
      "test anon",
      "unmap to reclaim",
      "write",
      "free",
      "unlock, kept",
      "put back, kept",
    ]);
    expect(host.pages.at(pfn).flags).not.toContain("swapcache");
    expect(host.crash).toBeNull();
  });

  it("L2: the page gets a slot over its context, and no PTE of it is found", async () => {
    const { host, pfn, actor } = await withWorkerAfter("L2", "test anon");
    expect(actor.stepTo()).toEqual([
      "give a slot",
      "read mapping again",
      "unmap to reclaim",
      "unlock, kept",
      "put back, kept",
    ]);
    expect(host.pages.at(pfn)).toMatchObject({ private: 1, mapcount: 1 });
    expect(host.pages.at(pfn).flags).toContain("swapcache");
  });

  it.each(["test congestion", "test anon", "give a slot", "unmap to reclaim"])(
    "L5: not after %s",
    async (last) => {
      const { host, actor } = await withWorkerAfter("L5", last);
      expect(actor.stepTo().at(-1)).toBe("put back, kept");
      expect(host.verify()).toBeNull();
    },
  );

  it("L2: the completion gives the mapping back before __remove_mapping() compares", async () => {
    const { host, memory, vcpu, pfn, actor } = await withWorkerAfter("L2", "isolate to reclaim");
    memory.discard(only);
    host.setPageFlag(pfn, "dirty", false);
    expect(actor.stepTo("write").at(-1)).toBe("write");
    expect(vcpu.complete().crash).toBeNull();
    expect(actor.stepTo()).toEqual(["free"]);
    expect(host.crash).toMatchObject({
      kind: "bug",
      function: "__remove_mapping",
      pfn,
      invariant: "INV-TAG",
    });
  });
});
