/** The RFC and KSM, which both replace page->mapping. */
import { expect, it } from "vitest";
import * as abi from "../../assembly/abi.ts";
import type { Vcpu } from "../../src/index.ts";
import { pinByAsyncPf, rfcHost } from "./hosts.ts";

/** A fault at page 0 whose worker has its page, and has not stored its context yet. */
function getPage(vcpu: Vcpu): void {
  const start = vcpu.startAsyncPf(0);
  if (start.outcome !== "started") throw new Error("the fault was to start");
  vcpu.stepWorker(start.token);
  vcpu.stepWorker(start.token);
}

/** Equal pages of a guest that have moved, so that their PTEs are clean. */
async function cleanGuest(layer: "L4" | "L5") {
  const at = await rfcHost(layer);
  at.memory.touch("write", { content: 1 });
  at.memory.movePages({ node: 1 });
  at.host.drainLru();
  return at;
}

it("with all repairs it keeps its context on a page that KSM would have", async () => {
  const { host, memory, vcpu0 } = await cleanGuest("L5");
  pinByAsyncPf(vcpu0, 0);
  memory.protect("read");
  const word = host.pages.at(memory.pfnOf(0)).mapping;
  expect(memory.mergeKsm([[0, 1]])).toEqual({ pagesShared: 0, pagesSharing: 0, crash: null });
  expect(host.pages.at(memory.pfnOf(0)).mapping).toBe(word);
  expect(vcpu0.complete().completed).toBe(1);
  expect(host.verify()).toBeNull();
});

it("with all repairs it leaves alone what KSM has merged before the worker stores its context", async () => {
  const { host, memory, vcpu0 } = await cleanGuest("L5");
  getPage(vcpu0);
  memory.protect("read");
  expect(memory.mergeKsm([[0, 1]])).toEqual({ pagesShared: 1, pagesSharing: 1, crash: null });
  vcpu0.runWorkers();
  expect(host.pages.at(memory.pfnOf(0)).mapping & abi.MAPPING_TAG_MASK).toBe(abi.MAPPING_KSM);
  expect(host.verify()).toBeNull();
  vcpu0.complete();
  expect(host.leaks()).toMatchObject({ contexts: 0, pins: 0 });
  expect(memory.movePages({ node: 0, entries: [0], moveAll: true }).status).toEqual([0]);
  expect(host.verify()).toBeNull();
});

it("with L4 it takes such a page, whose stable node is lost when it moves", async () => {
  const { host, memory, vcpu0 } = await cleanGuest("L4");
  getPage(vcpu0);
  memory.protect("read");
  memory.mergeKsm([[0, 1]]);
  vcpu0.runWorkers();
  expect(host.verify()?.invariant).toBe("INV-TAG");
  memory.movePages({ node: 0, entries: [0], moveAll: true });
  expect(host.pages.at(memory.pfnOf(0)).node).toBe(0);
  expect(host.verify()?.invariant).toBe("INV-TAG");
  expect(host.crash).toBeNull();
});
