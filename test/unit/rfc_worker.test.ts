/**
 * Two workers of the RFC on one page. As posted they take no lock, so each load and store of one can come
 * between two of the other.
 */
import { describe, expect, it } from "vitest";
import { type Layer, noLeaks, rfcHost, stepWorkerTo } from "./hosts.ts";

const GFN = 7;
const TOKEN0 = 0;
const TOKEN1 = 1; // the first of vCPU 1

/** Both workers have their reference of the page, and a context each. */
async function twoWorkers(layer: Layer) {
  const at = await rfcHost(layer);
  at.vcpu0.startAsyncPf(GFN);
  at.vcpu1.startAsyncPf(GFN);
  stepWorkerTo(at.vcpu0, TOKEN0, "gup");
  stepWorkerTo(at.vcpu1, TOKEN1, "gup");
  return { ...at, pfn: at.memory.pfnOf(GFN) };
}

describe.each(["L1", "L2", "L3", "L4"] as const)("%s, unlocked", (layer) => {
  it("one that comes after the other finds no anonymous page, and forgets its context", async () => {
    const { host, vcpu0, vcpu1 } = await twoWorkers(layer);
    stepWorkerTo(vcpu0, TOKEN0, "store");
    expect(vcpu1.stepWorker(TOKEN1).done).toBe("test");
    expect(vcpu1.stepWorker(TOKEN1).done).toBe("finish");
    vcpu0.runWorkers();
    vcpu0.complete();
    vcpu1.complete();
    expect(host.leaks().contexts).toBe(1);
  });

  it("if both have read the mapping, the context that is pointed to first is lost", async () => {
    const { host, vcpu0, vcpu1, pfn } = await twoWorkers(layer);
    const original = host.pages.at(pfn).mapping;
    stepWorkerTo(vcpu0, TOKEN0, "read");
    stepWorkerTo(vcpu1, TOKEN1, "read");
    for (const [vcpu, token] of [
      [vcpu0, TOKEN0],
      [vcpu1, TOKEN1],
    ] as const)
      vcpu.runWorkers(token);
    vcpu0.complete();
    expect(host.pages.at(pfn).mapping).toBe(original);
    vcpu1.complete();
    expect(host.leaks().contexts).toBe(1);
    expect(host.verify()).toMatchObject({ invariant: "INV-CTX" });
  });

  it("one that reads what the other has stored keeps the substitute as the original", async () => {
    const { host, vcpu0, vcpu1, pfn } = await twoWorkers(layer);
    stepWorkerTo(vcpu1, TOKEN1, "test");
    vcpu0.runWorkers();
    const substitute = host.pages.at(pfn).mapping;
    vcpu1.runWorkers();
    expect(vcpu0.complete()).toEqual({ completed: 1, crash: null });
    expect(host.pages.at(pfn).mapping).toBe(substitute);
    // The context that page->private still points to has just been freed.
    expect(vcpu1.complete().crash).toMatchObject({
      kind: "oops",
      trace: ["kvm_check_async_pf_completion"],
      pfn,
      invariant: "INV-UAF",
    });
  });
});

it("L5: each worker stores in one step, under the page lock, and the second shares the context", async () => {
  const { host, vcpu0, vcpu1 } = await twoWorkers("L5");
  expect(vcpu0.stepWorker(TOKEN0).done).toBe("store");
  expect(vcpu1.stepWorker(TOKEN1).done).toBe("store");
  expect(host.leaks().contexts).toBe(1);
  vcpu0.runWorkers();
  vcpu1.runWorkers();
  vcpu0.complete();
  vcpu1.complete();
  expect(host.leaks()).toEqual(noLeaks);
  expect(host.verify()).toBeNull();
});
