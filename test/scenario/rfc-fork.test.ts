/**
 * What the RFC does to processes that share a pinned page, and to its own callback where one repair is there
 * without the next: as the patch ran on Linux 3.11 where that was done, else as its source says.
 */
import { describe, expect, it } from "vitest";
import type { HostConfig, Process } from "../../src/index.ts";
import { type RfcHost, type Layer, pinByAsyncPf, rfcHost, twoNodes } from "../unit/hosts.ts";

const HELD = 4;

interface Forked extends RfcHost {
  readonly child: Process;
}

/** Four pages of a guest are held by asynchronous page faults when it forks. */
async function forkedWhileHeld(layer: Layer, options: Partial<HostConfig> = {}): Promise<Forked> {
  const at = await rfcHost(layer, options);
  for (let gfn = 0; gfn < HELD; gfn++) pinByAsyncPf(at.vcpu0, gfn);
  const { child, crash } = at.guest.fork();
  if (child === null) throw new Error(`fork() was to succeed: ${crash?.function}`);
  return { ...at, child };
}

function writeHeld(process: Process): void {
  expect(process.regions()[0]?.touch("write", { count: HELD })).toMatchObject({ faults: HELD, crash: null });
}

describe("fork while pages are held", () => {
  it("L0: the parent survives it, the exit of the child is the oops", async () => {
    const { child, memory } = await forkedWhileHeld("L0");
    expect(child.rss).toEqual({ file: HELD, anon: 60, swap: 0 });
    const pfn = memory.pfnOf(0);
    expect(child.exit().crash).toMatchObject({
      kind: "oops",
      trace: ["_raw_spin_lock", "__set_page_dirty_buffers", "set_page_dirty"],
      pfn,
    });
  });

  it("L0 where nothing is read-only: copied and zapped as file pages, the child is clean", async () => {
    const { host, child, memory } = await forkedWhileHeld("L0", { debugRodata: false });
    for (let index = 0; index < HELD; index++) host.setPageFlag(memory.pfnOf(index), "dirty", true);
    expect(child.exit()).toEqual({ badRss: null, crash: null });
  });

  it("L0 there: a completion between the copy and the zap unbalances it", async () => {
    const { host, child, vcpu0 } = await forkedWhileHeld("L0", { debugRodata: false });
    vcpu0.complete();
    expect(child.exit()).toEqual({ badRss: { file: HELD, anon: -HELD, swap: 0 }, crash: null });
    expect(host.verify()).toBeNull();
  });

  it.each([true, false])(
    "L0, read-only %s: both write, both copy, and the parent is off by 4",
    async (rodata) => {
      const { child, guest } = await forkedWhileHeld("L0", { debugRodata: rodata });
      writeHeld(guest);
      writeHeld(child);
      expect(child.exit()).toEqual({ badRss: null, crash: null });
      expect(guest.exit()).toEqual({ badRss: { file: -HELD, anon: HELD, swap: 0 }, crash: null });
    },
  );

  it.each(["pin", "L5", "U"] as const)("%s: all of this is clean", async (layer) => {
    const { host, child, guest, vcpu0 } = await forkedWhileHeld(layer);
    writeHeld(guest);
    writeHeld(child);
    expect(host.verify()).toBeNull();
    expect(child.exit()).toEqual({ badRss: null, crash: null });
    vcpu0.complete();
    expect(guest.exit()).toEqual({ badRss: null, crash: null });
    expect(host.verify()).toBeNull();
  });
});

/** A held page that is dirty already, so that zapping its PTE accounts nothing. */
async function heldAndDirty(repairs: HostConfig["repairs"]) {
  const host = await twoNodes({ policy: "rfc", ...(repairs && { repairs }) });
  const guest = host.createGuest({ pages: 8, vcpus: 1 });
  const memory = guest.map({ pages: 8 });
  memory.touch("write");
  host.drainLru();
  const [vcpu] = guest.vcpus;
  if (vcpu === undefined) throw new Error("one vCPU was asked for");
  pinByAsyncPf(vcpu, 3);
  const pfn = memory.pfnOf(3);
  host.setPageFlag(pfn, "dirty", true);
  return { host, memory, vcpu, pfn, migration: host.migration(pfn, { node: 1 }) };
}

describe("the callback", () => {
  it("L1 +L3 without L2: copying a dirty page follows the substitute's bdi", async () => {
    const { memory, migration, pfn } = await heldAndDirty(["L1", "L3"]);
    memory.discard({ start: 3, count: 1 });
    migration.isolate();
    migration.unmap();
    expect(migration.move().crash).toMatchObject({
      kind: "oops",
      trace: ["clear_page_dirty_for_io", "migrate_page_copy"],
      pfn,
      invariant: "INV-NULL",
    });
  });

  it("L3: nobody held the anon_vma that the new page is looked up in", async () => {
    const { memory, migration } = await heldAndDirty(["L1", "L2", "L3"]);
    memory.unmap(); // the last VMA of the anon_vma
    migration.isolate();
    migration.unmap();
    expect(migration.move().crash).toMatchObject({
      kind: "oops",
      trace: ["rmap_walk_anon", "remove_migration_ptes"],
      invariant: "INV-UAF",
    });
  });

  it("L5: the page is refused, as plain v3.12 refuses one without an anon_vma", async () => {
    const { host, memory, migration, vcpu } = await heldAndDirty(["L1", "L2", "L3", "L4", "L5"]);
    memory.discard({ start: 3, count: 1 });
    migration.isolate();
    migration.unmap();
    expect(migration.finish()).toMatchObject({ ret: -1, errno: "EAGAIN", crash: null });
    vcpu.complete();
    expect(host.verify()).toBeNull();
    expect(host.leaks()).toEqual({ contexts: 0, lostFaults: 0, pins: 0, badPages: 0 });
  });
});
