/** The end of the RFC's work items: as posted it takes no lock, and two on one page find one context. */
import { describe, expect, it } from "vitest";
import { type Layer, noLeaks, pinByAsyncPf, rfcHost } from "./hosts.ts";

const GFN = 7;
const steps = ["take", "test", "read", "restore", "free", "put"] as const;

async function heldTwice(layer: Layer) {
  const at = await rfcHost(layer);
  pinByAsyncPf(at.vcpu0, GFN);
  pinByAsyncPf(at.vcpu1, GFN);
  return { ...at, pfn: at.memory.pfnOf(GFN) };
}

it("L1: step by step it does what it does at once", async () => {
  const once = await rfcHost("L1");
  const stepped = await rfcHost("L1");
  for (const { vcpu0 } of [once, stepped]) pinByAsyncPf(vcpu0, GFN);
  once.vcpu0.complete();
  for (const done of steps) {
    expect(stepped.vcpu0.stepCompletion()).toEqual({ done, sleeps: false, crash: null });
  }
  expect(stepped.vcpu0.stepCompletion().done).toBeNull();
  expect(stepped.host.stateHash()).toBe(once.host.stateHash());
  expect(once.host.verify()).toBeNull();
});

it.each(["pin", "L5", "U"] as const)("%s: nothing comes between but the put", async (layer) => {
  const { host, vcpu0 } = await rfcHost(layer);
  pinByAsyncPf(vcpu0, GFN);
  expect(vcpu0.stepCompletion().done).toBe("take");
  expect(vcpu0.asyncPfs()).toEqual([]);
  expect(vcpu0.stepCompletion().done).toBe("put");
  host.drainLru();
  expect(host.verify()).toBeNull();
});

/** An end that has got as far as the context. */
async function begun() {
  const at = await rfcHost("L2");
  pinByAsyncPf(at.vcpu0, GFN);
  for (const done of ["take", "test", "read"]) expect(at.vcpu0.stepCompletion().done).toBe(done);
  return at;
}

describe("L2: an end that is begun is finished first", () => {
  it("by complete(), which counts it", async () => {
    const { host, vcpu0 } = await begun();
    expect(vcpu0.complete()).toEqual({ completed: 1, crash: null });
    expect(host.leaks()).toEqual(noLeaks);
    expect(host.verify()).toBeNull();
  });

  it("by clear(), which cancels nothing then", async () => {
    const { host, vcpu0 } = await begun();
    expect(vcpu0.clear()).toEqual({ cancelled: 0, sleeps: false, crash: null });
    expect(host.leaks()).toEqual(noLeaks);
    expect(host.verify()).toBeNull();
  });

  it("by the exit of the guest", async () => {
    const { host, guest } = await begun();
    expect(guest.exit().crash).toBeNull();
    expect(host.leaks()).toEqual(noLeaks);
  });
});

describe("L1: two vCPUs end their items at once", () => {
  it("the second that has read the context restores from freed memory", async () => {
    const { vcpu0, vcpu1, pfn } = await heldTwice("L1");
    for (const done of ["take", "test", "read"]) expect(vcpu1.stepCompletion().done).toBe(done);
    expect(vcpu0.complete()).toEqual({ completed: 1, crash: null });
    expect(vcpu1.stepCompletion().crash).toMatchObject({ kind: "oops", pfn, invariant: "INV-UAF" });
  });

  it("if both have restored, the context is freed twice", async () => {
    const { vcpu0, vcpu1, pfn } = await heldTwice("L1");
    for (const done of steps.slice(0, 3)) {
      for (const vcpu of [vcpu0, vcpu1]) expect(vcpu.stepCompletion().done).toBe(done);
    }
    for (const vcpu of [vcpu0, vcpu1]) expect(vcpu.stepCompletion().done).toBe("restore");
    expect(vcpu0.stepCompletion()).toEqual({ done: "free", sleeps: false, crash: null });
    expect(vcpu1.stepCompletion().crash).toMatchObject({ kind: "oops", pfn, invariant: "INV-UAF" });
  });
});

it("L5: the page lock of a migration keeps an item that was taken from its end", async () => {
  const { host, memory, vcpu0 } = await rfcHost("L5");
  pinByAsyncPf(vcpu0, GFN);
  host.drainLru();
  expect(vcpu0.stepCompletion().done).toBe("take");
  const migration = host.migration(memory.pfnOf(GFN), { node: 1 });
  migration.isolate();
  migration.unmap();
  expect(vcpu0.stepCompletion()).toEqual({ done: null, sleeps: true, crash: null });
  expect(vcpu0.complete().completed).toBe(0);
  expect(vcpu0.clear().sleeps).toBe(true);
  expect(migration.move().ret).toBe(0);
  migration.finish();
  expect(vcpu0.stepCompletion().done).toBe("put");
  host.drainLru();
  expect(host.verify()).toBeNull();
});
