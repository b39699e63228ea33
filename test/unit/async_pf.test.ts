/** The queue of a vCPU's asynchronous page faults: repeated faults, completion, clear, broadcast. */
import { expect, it } from "vitest";
import { namesIn } from "../../src/core/names.ts";
import { layers, noLeaks, pinByAsyncPf, rfcHost } from "./hosts.ts";

it("a second fault on a pending page halts the vCPU until a completion", async () => {
  const { host, vcpu0, vcpu1 } = await rfcHost("pin");
  vcpu0.startAsyncPf(3);
  expect(vcpu0.halted).toBe(false);
  expect(vcpu0.startAsyncPf(3)).toEqual({ outcome: "repeated" });
  expect(vcpu0.halted).toBe(true);
  expect(vcpu1.startAsyncPf(3).outcome).toBe("started"); // pending is per vCPU
  expect(vcpu0.asyncPfs()).toHaveLength(1);
  expect(vcpu0.complete().completed).toBe(0);
  expect(vcpu0.halted).toBe(true);
  vcpu0.runWorkers();
  expect(vcpu0.complete().completed).toBe(1);
  expect(vcpu0.halted).toBe(false);
  expect(vcpu0.startAsyncPf(3).outcome).toBe("started");
  expect(host.verify()).toBeNull();
});

it("completions come in the order in which the workers finished, one a guest entry", async () => {
  const { vcpu0 } = await rfcHost("pin");
  for (const gfn of [1, 2, 3]) vcpu0.startAsyncPf(gfn);
  for (const token of [0x2000, 0]) vcpu0.runWorkers(token);
  expect(vcpu0.asyncPfs().map(({ state }) => state)).toEqual(["done", "queued", "done"]);
  expect(vcpu0.complete(1).completed).toBe(1);
  expect(vcpu0.asyncPfs().map(({ gfn }) => gfn)).toEqual([1, 2]);
  expect(vcpu0.complete(5).completed).toBe(1);
  expect(vcpu0.asyncPfs().map(({ gfn, state }) => [gfn, state])).toEqual([[2, "queued"]]);
  expect(vcpu0.notifications).toEqual({ notPresent: 3, ready: 2, kvmRefs: 1 });
});

it("clear cancels what has not run and puts the pages of what has", async () => {
  const { host, memory, vcpu0 } = await rfcHost("pin");
  for (const gfn of [1, 2, 3]) vcpu0.startAsyncPf(gfn);
  vcpu0.runWorkers(0x1000);
  expect(host.pages.refcount(memory.pfnOf(2))).toBe(2);
  expect(vcpu0.clear()).toEqual({ cancelled: 2, sleeps: false, crash: null });
  expect(host.pages.refcount(memory.pfnOf(2))).toBe(1);
  expect(vcpu0.asyncPfs()).toEqual([]);
  expect(vcpu0.notifications).toEqual({ notPresent: 3, ready: 0, kvmRefs: 0 });
  expect(host.verify()).toBeNull();
});

it("clear waits for a worker that has begun", async () => {
  const { host, vcpu0 } = await rfcHost("L0");
  vcpu0.startAsyncPf(1);
  vcpu0.startAsyncPf(2);
  vcpu0.stepWorker(0);
  vcpu0.stepWorker(0);
  expect(vcpu0.clear()).toMatchObject({ cancelled: 1 });
  expect(host.leaks()).toEqual(noLeaks);
  expect(host.verify()).toBeNull();
});

it("wake-all is a pseudo item, unless a completion is waiting anyway", async () => {
  const { host, vcpu0 } = await rfcHost("pin");
  vcpu0.wakeupAll();
  expect(vcpu0.asyncPfs()).toHaveLength(1);
  expect(vcpu0.complete().completed).toBe(1);
  expect(vcpu0.notifications).toEqual({ notPresent: 0, ready: 1, kvmRefs: 0 });
  pinByAsyncPf(vcpu0, 3);
  vcpu0.wakeupAll();
  expect(vcpu0.complete().completed).toBe(1);
  expect(host.verify()).toBeNull();
});

it("the queue counts a broadcast: 63 faults beside it", async () => {
  const { vcpu0 } = await rfcHost("pin");
  vcpu0.wakeupAll();
  const started = Array.from({ length: 64 }, (_, gfn) => vcpu0.startAsyncPf(gfn).outcome);
  expect(started.filter((outcome) => outcome === "started")).toHaveLength(63);
});

it.each(namesIn(layers))("%s: exit of a guest clears its queues", async (layer) => {
  const { host, guest, vcpu0, vcpu1 } = await rfcHost(layer);
  for (const gfn of [1, 2]) vcpu0.startAsyncPf(gfn);
  vcpu1.startAsyncPf(3);
  expect(guest.exit()).toEqual({ badRss: null, crash: null });
  expect(host.processes()).toEqual([]);
  expect(host.verify()).toBeNull();
});
