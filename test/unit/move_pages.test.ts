/** move_pages(2) in the form of each kernel: return value, statuses, and which of them are left alone. */
import { describe, expect, it } from "vitest";
import { EAGAIN, EBUSY, EFAULT, ENOENT } from "../../assembly/abi.ts";
import type { KernelName } from "../../src/index.ts";
import { twoNodes } from "./hosts.ts";

async function anon(kernel: KernelName, pages: number) {
  const host = await twoNodes({ kernel });
  const process = host.createProcess({ pages: pages + 16 });
  const memory = process.map({ pages, node: 0 });
  memory.touch("write");
  return { host, process, memory };
}

function indexesOf<T>(list: readonly T[], value: T): number[] {
  return list.flatMap((one, index) => (one === value ? [index] : []));
}

describe("6.1, recorded", () => {
  it.each([1, 10, 100, 1000])(
    "%i of 1000 pages pinned: that many returned, no status written",
    async (pinned) => {
      const { host, memory } = await anon("v6.1", 1000);
      memory.pin(Array.from({ length: pinned }, (_, i) => (i * 1000) / pinned));
      const result = memory.movePages({ node: 1 });
      expect(result).toMatchObject({ ret: pinned, errno: null });
      expect(indexesOf(result.status, null)).toHaveLength(1000);
      expect(host.counters()).toMatchObject({ pgmigrate_success: 1000 - pinned, pgmigrate_fail: pinned });
    },
  );

  it("the same array again: ends at the first page that fails, 999 not done", async () => {
    const { host, memory } = await anon("v6.1", 1000);
    const pin = memory.pin(Array.from({ length: 100 }, (_, i) => i * 10));
    memory.movePages({ node: 1 });
    const before = host.counters();
    const again = memory.movePages({ node: 1 });
    expect(again.ret).toBe(999);
    expect(indexesOf(again.status, 1)).toEqual([1]);
    expect(host.counters().pgmigrate_fail - before.pgmigrate_fail).toBe(1);
    pin.release();
    const calls = host.counters().migratePagesCalls;
    const last = memory.movePages({ node: 1 });
    expect([last.ret, indexesOf(last.status, 1).length]).toEqual([0, 1000]);
    expect(host.counters().migratePagesCalls - calls).toBe(100);
  });

  it("60 pages, pinned at 10, a hole at 30: 30 = 1 failed + 29 never reached", async () => {
    const { memory } = await anon("v6.1", 60);
    memory.pin([10]);
    memory.unmap({ start: 30, count: 1 });
    const result = memory.movePages({ node: 1 });
    expect(result.ret).toBe(30);
    expect(result.status[30]).toBe(-EFAULT);
    expect(indexesOf(result.status, null)).toHaveLength(59);
  });

  it("a hole at 30, pinned at 40: 1, the run before the hole has its statuses", async () => {
    const { memory } = await anon("v6.1", 60);
    memory.pin([40]);
    memory.unmap({ start: 30, count: 1 });
    const { ret, status } = memory.movePages({ node: 1 });
    expect(ret).toBe(1);
    expect(indexesOf(status, 1)).toEqual(Array.from({ length: 30 }, (_, i) => i));
    expect(indexesOf(status, -EFAULT)).toEqual([30]);
    expect(indexesOf(status, null)).toHaveLength(29);
    expect(indexesOf(memory.where(), 0)).toEqual([40]);
  });

  it("the same page twice in a run: the second entry -EBUSY, and it flushes", async () => {
    const { memory } = await anon("v6.1", 3);
    expect(memory.movePages({ node: 1, entries: [0, 1, 1, 2] })).toMatchObject({
      ret: 0,
      status: [1, 1, -EBUSY, 1],
    });
  });

  it("a pinned page that is on its target: its node", async () => {
    const { memory } = await anon("v6.1", 1);
    memory.pin([0]);
    expect(memory.movePages({ node: 0 })).toMatchObject({ ret: 0, status: [0] });
  });
});

describe("entries that are no page to move", () => {
  it.each([
    { kernel: "v3.12", zero: -ENOENT, untouched: -ENOENT, shared: -ENOENT, none: 1 },
    { kernel: "v6.1", zero: -EFAULT, untouched: -EFAULT, shared: -ENOENT, none: -ENOENT },
    { kernel: "v6.12", zero: -EFAULT, untouched: -ENOENT, shared: -ENOENT, none: 1 },
  ] as const)("$kernel", async ({ kernel, zero, untouched, shared, none }) => {
    const { host, process, memory } = await anon(kernel, 4);
    memory.discard({ start: 0, count: 2 });
    memory.touch("read", { start: 0, count: 1 });
    memory.protect("none", { start: 2, count: 1 });
    expect(memory.movePages({ node: 1 })).toMatchObject({ ret: 0, status: [zero, untouched, none, 1] });
    expect(memory.movePages({ node: 1, entries: [-1] }).status).toEqual([-EFAULT]);
    const shmem = process.map({ pages: 1, kind: "shmem" });
    expect(shmem.movePages({ node: 1 }).status).toEqual([shared]);
    const vdso = process.map({ pages: 1, kind: "vdso" });
    expect(vdso.movePages({ node: 1 }).status).toEqual([-EBUSY]);
    expect(host.verify()).toBeNull();
  });
});

describe("several nodes in one array", () => {
  it.each(["v3.12", "v6.1", "v6.12"] as const)("%s: each page goes where its entry says", async (kernel) => {
    const zones = [{ kind: "normal", pages: 1024 }] as const;
    const host = await twoNodes({ kernel, nodes: [{ zones }, { zones }, { zones }] });
    const memory = host.createProcess({ pages: 6 }).map({ pages: 6, node: 0 });
    memory.touch("write");
    const node = [1, 1, 2, 0, 2, 1];
    expect(memory.movePages({ node })).toMatchObject({ ret: 0, status: node });
    expect(memory.where()).toEqual(node);
    expect(host.verify()).toBeNull();
  });

  it("v3.12: a bad node in the first chunk stops the call before anything moves", async () => {
    const { host, memory } = await anon("v3.12", 4);
    const result = memory.movePages({ node: [1, 1, 63, 1] });
    expect(result).toMatchObject({ errno: "ENODEV", status: [null, null, null, null] });
    expect(host.counters().pgmigrate_success).toBe(0);
  });

  it("6.1: the run before a bad node is moved and reported", async () => {
    const { memory } = await anon("v6.1", 4);
    const result = memory.movePages({ node: [1, 1, 63, 1] });
    expect(result).toMatchObject({ ret: -1, errno: "ENODEV", status: [1, 1, null, null] });
  });
});

it("v3.12: chunks before the one that fails keep their statuses", async () => {
  const { memory } = await anon("v3.12", 400);
  const result = memory.movePages({ node: Array.from({ length: 400 }, (_, i) => (i === 399 ? 63 : 1)) });
  expect(result.errno).toBe("ENODEV");
  expect(indexesOf(result.status, null)).toEqual(Array.from({ length: 400 - 338 }, (_, i) => 338 + i));
});

it("v3.12: a duplicate is -EBUSY, the page isolated already", async () => {
  const { memory } = await anon("v3.12", 2);
  expect(memory.movePages({ node: 1, entries: [0, 0, 1] }).status).toEqual([1, -EBUSY, 1]);
});

it("a plain range longer than limits.entries moves like an array", async () => {
  const host = await twoNodes({ limits: { entries: 100 } });
  const memory = host.createProcess({ pages: 1000 }).map({ pages: 1000, node: 0 });
  memory.touch("write");
  memory.pin([500]);
  expect(memory.movePages({ node: 1 })).toMatchObject({ ret: 0, status: [], blame: { nrPages: 1 } });
  expect(memory.movePages({ node: 1, entries: [500, 501] }).status).toEqual([-EAGAIN, 1]);
  expect(host.counters()).toMatchObject({ pgmigrate_success: 999, migratePagesCalls: 7 });
});

it("blames the pins of a page that stayed, not the LRU batch that it was put back into", async () => {
  const host = await twoNodes();
  const process = host.createProcess({ pages: 4 });
  const memory = process.map({ pages: 4 });
  memory.touch("write");
  const pfn = memory.pfnOf(1);
  memory.pin([1, 1], "get");
  memory.pin([1], "pin");
  expect(memory.movePages({ node: 1 }).blame).toEqual({
    pages: [pfn],
    nrPages: 1,
    holders: [
      { kind: "get", vcpu: null, count: 2 },
      { kind: "pin", vcpu: null, count: 1 },
    ],
  });
  expect(host.holders(pfn).map(({ kind }) => kind)).toContain("lru-batch");
});

it("migrate_pages() that is refused blames nothing, whatever the call before it left", async () => {
  const { memory, process } = await anon("v3.12", 2);
  memory.pin([1]);
  expect(process.migratePages([0], [1])).toMatchObject({ ret: 1, blame: { nrPages: 1 } });
  expect(process.migratePages([0], [63])).toMatchObject({
    errno: "EINVAL",
    blame: { pages: [], nrPages: 0, holders: [] },
  });
});
