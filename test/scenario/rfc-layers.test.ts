/**
 * What the RFC's patch does to one pinned anonymous page, layer by layer: each layer repairs what hid the
 * next fault. Expected values: the source of mm/migrate.c and virt/kvm/async_pf.c that the patch applies to,
 * and runs of it on Linux 3.11 under QEMU TCG (L0 to L3, and the kernel that takes no reference).
 */
import { describe, expect, it } from "vitest";
import { EAGAIN } from "../../assembly/abi.ts";
import { namesIn } from "../../src/core/names.ts";
import { type Layer, type RfcHost, layers, movableBlock, pinByAsyncPf, rfcHost } from "../unit/hosts.ts";

const GFN = 3;

const mutexOops = {
  kind: "oops",
  trace: ["mutex_lock", "try_to_unmap_file", "try_to_unmap"],
  invariant: "INV-LOCK",
} as const;

const lockup = {
  kind: "lockup",
  function: "_raw_spin_lock_irq",
  trace: ["_raw_spin_lock_irq", "migrate_page_move_mapping", "async_pf_migratepage"],
  invariant: "INV-LOCK",
} as const;

/** Counters since `body` began. */
function counted<T>({ host }: RfcHost, body: () => T) {
  const before = host.counters();
  const result = body();
  const after = host.counters();
  return {
    result,
    attempts: after.attempts - before.attempts,
    unmaps: after.tryToUnmapCalls - before.tryToUnmapCalls,
    ptes: after.ptesUnmapped - before.ptesUnmapped,
    restored: after.removeMigrationPtes - before.removeMigrationPtes,
    targets: after.targetsAllocated - before.targetsAllocated,
    copied: after.pagesCopied - before.pagesCopied,
    callbacks: after.callbackSuccesses - before.callbackSuccesses,
    success: after.pgmigrate_success - before.pgmigrate_success,
    fail: after.pgmigrate_fail - before.pgmigrate_fail,
  };
}

function moveTo(at: RfcHost, node: number) {
  return at.memory.movePages({ node, entries: [GFN] });
}

function refcount(at: RfcHost): number {
  at.host.drainLru();
  return at.host.pages.refcount(at.memory.pfnOf(GFN));
}

describe("S1: one asynchronous page fault holds a mapped page", () => {
  it("plain v3.12 tries 10 times, unmaps and restores each time, and counts no failure", async () => {
    const at = await rfcHost("pin");
    pinByAsyncPf(at.vcpu0, GFN);
    const { result, ...counts } = counted(at, () => moveTo(at, 1));
    expect(result).toMatchObject({ ret: 0, errno: null, status: [-EAGAIN], crash: null });
    expect(result.blame.holders).toEqual([{ kind: "async_pf", vcpu: 0, count: 1 }]);
    const ten = { attempts: 10, unmaps: 10, ptes: 10, restored: 10, targets: 10 };
    expect(counts).toEqual({ ...ten, copied: 0, callbacks: 0, success: 0, fail: 0 });
    expect(refcount(at)).toBe(2); // its PTE and the pin
    at.vcpu0.complete();
    expect(moveTo(at, 1).status).toEqual([1]);
    expect(at.host.verify()).toBeNull();
  });

  it("L0 stops in the mutex of an object that nobody initialised, in the first pass", async () => {
    const at = await rfcHost("L0");
    pinByAsyncPf(at.vcpu0, GFN);
    const pfn = at.memory.pfnOf(GFN);
    const { result, ...counts } = counted(at, () => moveTo(at, 1));
    expect(result.crash).toMatchObject({ ...mutexOops, function: "mutex_lock", pfn });
    expect(counts).toMatchObject({ unmaps: 1, ptes: 0, copied: 0, callbacks: 0, success: 0, fail: 0 });
    // The page stays isolated and locked for good.
    expect(at.host.counters().nr_isolated_anon).toBe(1);
    expect(at.host.pages.at(pfn)).toMatchObject({ refcount: 3, mapcount: 1 });
    expect(at.host.pages.at(pfn).flags).toEqual(expect.arrayContaining(["locked", "isolated"]));
    expect(at.host.pages.at(pfn).flags).not.toContain("lru");
  });

  it.each(["L1", "L2", "L3"] as const)(
    "%s tries 10 times, removes no PTE, never calls the callback; the page moves after completion",
    async (layer) => {
      const at = await rfcHost(layer);
      pinByAsyncPf(at.vcpu0, GFN);
      for (let call = 0; call < 2; call++) {
        const { result, ...counts } = counted(at, () => moveTo(at, 1));
        expect(result).toMatchObject({ ret: 0, errno: null, status: [-EAGAIN], crash: null });
        const tried = { attempts: 10, unmaps: 10, targets: 10 };
        const nothing = { ptes: 0, restored: 0, copied: 0, callbacks: 0, success: 0, fail: 0 };
        expect(counts).toEqual({ ...tried, ...nothing });
      }
      expect(at.host.leaks()).toMatchObject({ contexts: 1, pins: 1 });
      at.vcpu0.complete();
      expect(moveTo(at, 1).status).toEqual([1]);
      expect(at.host.leaks()).toEqual({ contexts: 0, lostFaults: 0, pins: 0, badPages: 0 });
      expect(at.host.verify()).toBeNull();
    },
  );

  it("L4 moves the page in the first pass, once, and leaks its context", async () => {
    const at = await rfcHost("L4");
    pinByAsyncPf(at.vcpu0, GFN);
    const { result, ...counts } = counted(at, () => moveTo(at, 1));
    expect(result).toMatchObject({ ret: 0, status: [1], crash: null });
    const once = { attempts: 1, unmaps: 1, ptes: 1, restored: 1, targets: 1, copied: 1 };
    expect(counts).toEqual({ ...once, callbacks: 1, success: 1, fail: 0 });
    expect(refcount(at)).toBe(2);
    expect(moveTo(at, 0).status).toEqual([-EAGAIN]); // a second migration before completion
    at.vcpu0.complete();
    expect(refcount(at)).toBe(1);
    expect(at.host.leaks()).toEqual({ contexts: 1, lostFaults: 0, pins: 0, badPages: 0 });
    expect(at.host.verify()?.invariant).toBe("INV-CTX");
    expect(moveTo(at, 0).status).toEqual([0]);
  });

  it("L5 moves the page as often as it is asked to and leaves nothing behind", async () => {
    const at = await rfcHost("L5");
    pinByAsyncPf(at.vcpu0, GFN);
    for (const node of [1, 0, 1]) {
      const { result, ...counts } = counted(at, () => moveTo(at, node));
      expect(result).toMatchObject({ ret: 0, status: [node], crash: null });
      expect(counts).toMatchObject({ attempts: 1, ptes: 1, callbacks: 1, success: 1, fail: 0 });
      expect(refcount(at)).toBe(2);
      expect(at.host.verify()).toBeNull();
    }
    at.vcpu0.complete();
    expect(refcount(at)).toBe(1);
    expect(at.host.leaks()).toEqual({ contexts: 0, lostFaults: 0, pins: 0, badPages: 0 });
    expect(at.host.verify()).toBeNull();
  });

  it("U moves the page with the fault unacknowledged: two references at the unmap", async () => {
    const at = await rfcHost("U", { limits: { traceRecords: 16 } });
    pinByAsyncPf(at.vcpu0, GFN);
    at.host.startTrace();
    const { result, ...counts } = counted(at, () => moveTo(at, 1));
    expect(result.status).toEqual([1]);
    expect(counts).toMatchObject({ attempts: 1, unmaps: 1, ptes: 1, callbacks: 0, success: 1, fail: 0 });
    const unmap = at.host.stopTrace().events.find(({ event }) => event === "unmap");
    expect(unmap).toMatchObject({ refcount: 2, mapcount: 1 });
    expect(refcount(at)).toBe(1);
  });
});

async function pinnedTwice(layer: Layer): Promise<RfcHost> {
  const at = await rfcHost(layer);
  pinByAsyncPf(at.vcpu0, GFN);
  pinByAsyncPf(at.vcpu1, GFN);
  return at;
}

describe("S2: two vCPUs fault the same page", () => {
  // Contexts: before, after the completion of vCPU 1, after that of vCPU 0.
  it.each([
    { layer: "pin", ptes: 10, contexts: [0, 0, 0] },
    { layer: "L1", ptes: 0, contexts: [2, 1, 1] },
    { layer: "L2", ptes: 0, contexts: [2, 1, 1] },
    { layer: "L3", ptes: 0, contexts: [2, 1, 1] },
    { layer: "L4", ptes: 10, contexts: [2, 1, 1] },
  ] as const)("$layer fails, $ptes PTEs removed, contexts $contexts", async ({ layer, ptes, contexts }) => {
    const at = await pinnedTwice(layer);
    const left = [at.host.leaks().contexts];
    const { result, ...counts } = counted(at, () => moveTo(at, 1));
    expect(result).toMatchObject({ ret: 0, status: [-EAGAIN] });
    expect(counts).toMatchObject({ attempts: 10, unmaps: 10, ptes, restored: ptes, success: 0, fail: 0 });
    expect(counts.callbacks).toBe(0);
    at.vcpu1.complete();
    left.push(at.host.leaks().contexts);
    // The other pin is left on a page that looks like any other.
    expect(moveTo(at, 1).status).toEqual([-EAGAIN]);
    expect(at.host.counters().pgmigrate_fail).toBe(0);
    at.vcpu0.complete();
    left.push(at.host.leaks().contexts);
    expect(left).toEqual(contexts);
    expect(moveTo(at, 1).status).toEqual([1]);
  });

  it("L0 stops in the first pass while both hold it", async () => {
    const at = await pinnedTwice("L0");
    expect(moveTo(at, 1).crash).toMatchObject({ ...mutexOops, function: "mutex_lock" });
  });

  it("L0 without a migration in between: one completion unprotects, one context is leaked", async () => {
    const at = await pinnedTwice("L0");
    expect(at.host.leaks().contexts).toBe(2);
    at.vcpu1.complete();
    expect(at.host.leaks().contexts).toBe(1);
    expect(moveTo(at, 1)).toMatchObject({ status: [-EAGAIN], crash: null });
    at.vcpu0.complete();
    expect(moveTo(at, 1)).toMatchObject({ status: [1], crash: null });
    expect(at.host.leaks()).toEqual({ contexts: 1, lostFaults: 0, pins: 0, badPages: 0 });
  });

  it.each(["L5", "U"] as const)("%s moves it in the first pass and leaves nothing", async (layer) => {
    const at = await pinnedTwice(layer);
    const { result, ...counts } = counted(at, () => moveTo(at, 1));
    expect(result.status).toEqual([1]);
    expect(counts).toMatchObject({ attempts: 1, ptes: 1, success: 1 });
    at.vcpu1.complete();
    expect(moveTo(at, 0).status).toEqual([0]);
    at.vcpu0.complete();
    expect(at.host.leaks()).toEqual({ contexts: 0, lostFaults: 0, pins: 0, badPages: 0 });
    expect(at.host.verify()).toBeNull();
  });
});

/** A pinned page of ZONE_MOVABLE that nothing maps any more. */
async function zapped(layer: Layer): Promise<RfcHost & { pfn: number }> {
  const at = await rfcHost(layer, { ...movableBlock, limits: { traceRecords: 2000 } });
  pinByAsyncPf(at.vcpu0, GFN);
  const pfn = at.memory.pfnOf(GFN);
  // Swapped in for a write, so PG_dirty is set already and zapping does not account it.
  at.host.setPageFlag(pfn, "dirty", true);
  expect(at.memory.discard({ start: GFN, count: 1 })).toBeNull();
  expect(at.host.pages.at(pfn)).toMatchObject({ refcount: 1, mapcount: 0 });
  return { ...at, pfn };
}

describe("S4: the PTE of a pinned page is zapped, then its block is offlined", () => {
  it("plain v3.12 refuses it 10 times a round: no anon_vma, nothing unmapped", async () => {
    const at = await zapped("pin");
    const { result, ...counts } = counted(at, () => at.host.offline(2, { maxRounds: 3 }));
    expect(result).toMatchObject({ ending: "budget", rounds: 3, moved: 63 });
    expect(counts).toMatchObject({ attempts: 63 + 30, unmaps: 63, ptes: 63, fail: 0 });
    expect(result.blame.pages).toEqual([at.pfn]);
  });

  it.each(["L1", "L2"] as const)("%s locks up in a lock that is part of an anon_vma", async (layer) => {
    const at = await zapped(layer);
    expect(at.host.offline(2).crash).toMatchObject({ ...lockup, pfn: at.pfn });
    expect(at.host.counters().callbackSuccesses).toBe(0);
  });

  it.each(["L3", "L4"] as const)(
    "%s: the callback succeeds, the pin alone holds the target",
    async (layer) => {
      const at = await zapped(layer);
      at.host.startTrace();
      const { result, ...counts } = counted(at, () => at.host.offline(2));
      expect(result).toMatchObject({ ret: 0, errno: null, ending: "returned", rounds: 1, moved: 64 });
      expect(counts).toMatchObject({ attempts: 64, callbacks: 1, fail: 0 });
      const seen = at.host.stopTrace().events;
      const ofPage = seen.filter((one) => "pfn" in one && one.pfn === at.pfn);
      expect(ofPage).toContainEqual({ event: "unmap", pfn: at.pfn, refcount: 2, mapcount: 0 });
      const check = ofPage.find(({ event }) => event === "check");
      expect(check).toMatchObject({ refcount: 1, ret: 0 });
      const target = at.vcpu0.asyncPfs()[0]?.pfn ?? 0;
      expect(at.host.holders(target)).toEqual([{ kind: "async_pf", refs: 1, vcpu: 0, token: 0 }]);
      at.vcpu0.complete();
      expect(at.host.leaks()).toEqual({ contexts: 1, lostFaults: 0, pins: 0, badPages: 0 });
    },
  );

  it("U: the page was freed by the zap, the block goes offline", async () => {
    const at = await rfcHost("U", movableBlock);
    pinByAsyncPf(at.vcpu0, GFN);
    const pfn = at.memory.pfnOf(GFN);
    at.memory.discard({ start: GFN, count: 1 });
    expect(at.host.pages.refcount(pfn)).toBe(0);
    expect(at.host.offline(2)).toMatchObject({ ret: 0, rounds: 1, moved: 63 });
  });
});

describe("S7: the page is unmapped while it is pinned, then the process exits", () => {
  const newlyDirty = {
    kind: "oops",
    function: "account_page_dirtied",
    trace: ["account_page_dirtied", "__set_page_dirty_buffers", "set_page_dirty"],
    invariant: "INV-NULL",
  } as const;
  const readOnly = {
    kind: "oops",
    function: "_raw_spin_lock",
    trace: ["_raw_spin_lock", "__set_page_dirty_buffers", "set_page_dirty"],
    invariant: "INV-LOCK",
  } as const;

  it.each([
    { layer: "L0", debugRodata: true, dirty: false, crash: readOnly },
    { layer: "L0", debugRodata: true, dirty: true, crash: readOnly },
    { layer: "L0", debugRodata: false, dirty: false, crash: newlyDirty },
    { layer: "L1", debugRodata: true, dirty: false, crash: newlyDirty },
    { layer: "L1", debugRodata: false, dirty: false, crash: newlyDirty },
  ] as const)(
    "$layer stops (read-only objects $debugRodata, PG_dirty $dirty) in $crash.function",
    async ({ layer, debugRodata, dirty, crash }) => {
      const at = await rfcHost(layer, { debugRodata });
      pinByAsyncPf(at.vcpu0, GFN);
      const pfn = at.memory.pfnOf(GFN);
      at.host.setPageFlag(pfn, "dirty", dirty);
      expect(at.memory.unmap({ start: GFN, count: 1 })).toMatchObject({ ...crash, pfn });
    },
  );

  // L4 teaches only mm/rmap.c to look behind the substitute, so its page classes stay right.
  it.each([
    { layer: "L0", debugRodata: false, dirty: true, drift: 1 },
    { layer: "L1", debugRodata: true, dirty: true, drift: 1 },
    { layer: "L2", debugRodata: true, dirty: false, drift: 1 },
    { layer: "L3", debugRodata: true, dirty: false, drift: 1 },
    { layer: "L4", debugRodata: true, dirty: false, drift: 0 },
  ] as const)(
    "$layer (PG_dirty $dirty) counts it as a file page: rss -1/+1, page classes off by $drift",
    async ({ layer, debugRodata, dirty, drift }) => {
      const at = await rfcHost(layer, { debugRodata });
      pinByAsyncPf(at.vcpu0, GFN);
      at.host.setPageFlag(at.memory.pfnOf(GFN), "dirty", dirty);
      expect(at.memory.unmap({ start: GFN, count: 1 })).toBeNull();
      expect(at.guest.rss).toEqual({ file: -1, anon: 64, swap: 0 });
      expect(at.host.verify()).toMatchObject({ invariant: "INV-RSS", expected: 63, found: 64 });
      expect(at.host.counters()).toMatchObject({ nr_anon_pages: 63 + drift, nr_file_mapped: 0 - drift });
      at.vcpu0.complete();
      expect(at.guest.exit()).toEqual({ badRss: { file: -1, anon: 1, swap: 0 }, crash: null });
      expect(at.host.counters()).toMatchObject({ nr_anon_pages: drift, nr_file_mapped: 0 - drift });
    },
  );

  it.each(["pin", "L5", "U"] as const)("%s is clean", async (layer) => {
    const at = await rfcHost(layer);
    pinByAsyncPf(at.vcpu0, GFN);
    expect(at.memory.unmap({ start: GFN, count: 1 })).toBeNull();
    expect(at.guest.rss).toEqual({ file: 0, anon: 63, swap: 0 });
    expect(at.host.verify()).toBeNull();
    at.vcpu0.complete();
    expect(at.guest.exit()).toEqual({ badRss: null, crash: null });
    expect(at.host.counters()).toMatchObject({ nr_anon_pages: 0, nr_file_mapped: 0 });
    expect(at.host.verify()).toBeNull();
  });
});

it.each(namesIn(layers))("%s: faults that complete undisturbed leave nothing", async (layer) => {
  const at = await rfcHost(layer);
  for (const round of [1, 2, 3]) {
    for (const gfn of [3, 4, 5]) pinByAsyncPf(at.vcpu0, gfn);
    expect(at.vcpu0.complete()).toEqual({ completed: 3, crash: null });
    expect(moveTo(at, round % 2).status).toEqual([round % 2]);
    expect(at.host.leaks()).toEqual({ contexts: 0, lostFaults: 0, pins: 0, badPages: 0 });
    expect(at.host.verify()).toBeNull();
  }
});
