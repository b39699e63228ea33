/**
 * async_pf_migratepage() of the RFC against the completion of its work item. The callback has the page lock,
 * which the completion as posted does not take.
 */
import { expect, it } from "vitest";
import type { Migration } from "../../src/index.ts";
import { type Layer, type RfcHost, pinByAsyncPf, rfcHost } from "./hosts.ts";

const GFN = 7;

/** A page that vCPU 0 holds, unmapped by a migration that is about to move it. */
async function unmapped(layer: Layer): Promise<RfcHost & { migration: Migration; pfn: number }> {
  const at = await rfcHost(layer);
  pinByAsyncPf(at.vcpu0, GFN);
  const pfn = at.memory.pfnOf(GFN);
  const migration = at.host.migration(pfn, { node: 1 });
  migration.isolate();
  expect(migration.unmap().ret).toBe(0);
  return { ...at, migration, pfn };
}

const usedFreed = { kind: "oops", trace: ["async_pf_migratepage"], invariant: "INV-UAF" };

it("L4: step by step it does what it does at once", async () => {
  const once = await unmapped("L4");
  const stepped = await unmapped("L4");
  expect(once.migration.move().ret).toBe(0);
  for (const step of ["look", "put", "check", "move"]) {
    expect(stepped.migration.stepMove()).toEqual({ ret: 0, errno: null, crash: null, sleeps: false });
    expect(stepped.migration.step).toBe(step);
  }
  expect(stepped.host.stateHash()).toBe(once.host.stateHash());
  for (const { migration, host, vcpu0 } of [once, stepped]) {
    expect(migration.finish().ret).toBe(0);
    vcpu0.complete();
    expect(host.leaks().contexts).toBe(1); // nobody frees it: the new page has its own mapping
  }
});

it("L4: between put and check the page has a reference less than holders", async () => {
  const { host, migration, pfn } = await unmapped("L4");
  migration.stepMove();
  migration.stepMove();
  expect(host.pages.refcount(pfn)).toBe(1); // that of isolation
  expect(host.holders(pfn)).toMatchObject([{ kind: "isolation" }, { kind: "async_pf" }]);
  expect(host.verify()).toBeNull(); // which knows that the work item does not know yet
});

it("L4: a reference taken in between makes it fail, and it gives the work item's back", async () => {
  const { host, memory, migration, pfn } = await unmapped("L4");
  migration.stepMove();
  // A fault on the migration entry waits with a reference.
  expect(memory.touch("read", { start: GFN, count: 1 }).sleeps).toBe(true);
  migration.stepMove();
  expect(migration.stepMove()).toMatchObject({ ret: -1, errno: "EAGAIN" });
  expect(migration.step).toBe("move");
  migration.finish();
  host.drainLru();
  expect(host.pages.refcount(pfn)).toBe(2); // PTE and work item
});

it("L4: a completion after the look frees what the callback goes on to use", async () => {
  const { host, vcpu0, migration, pfn } = await unmapped("L4");
  migration.stepMove();
  expect(vcpu0.complete()).toEqual({ completed: 1, crash: null });
  expect(host.pages.refcount(pfn)).toBe(1);
  expect(migration.stepMove().crash).toBeNull(); // it puts the last reference, of a page that is locked
  expect(host.leaks().badPages).toBe(1);
  expect(migration.stepMove().crash).toMatchObject({ ...usedFreed, pfn });
});

it("L4: a completion after the check puts the last reference, and frees the context", async () => {
  const { host, vcpu0, migration, pfn } = await unmapped("L4");
  for (const step of ["look", "put", "check"]) {
    migration.stepMove();
    expect(migration.step).toBe(step);
  }
  vcpu0.complete();
  expect(host.pages.refcount(pfn)).toBe(0);
  expect(migration.stepMove().crash).toMatchObject({ ...usedFreed, pfn });
  expect(host.counters().callbackSuccesses).toBe(0);
});

it("L5: the callback is one step, and a completion waits for the page lock", async () => {
  const { host, vcpu0, migration } = await unmapped("L5");
  expect(vcpu0.complete().completed).toBe(0);
  expect(migration.stepMove().ret).toBe(0);
  expect(migration.step).toBe("move");
  migration.finish();
  expect(vcpu0.complete().completed).toBe(1);
  host.drainLru();
  expect(host.verify()).toBeNull();
});

it("amid the callback a migration cannot be finished", async () => {
  const { migration, pfn } = await unmapped("L4");
  migration.stepMove();
  expect(() => migration.finish()).toThrow(`finish: the migration of page ${pfn} is after look`);
  expect(migration.move().ret).toBe(0);
  expect(migration.finish().ret).toBe(0);
});
