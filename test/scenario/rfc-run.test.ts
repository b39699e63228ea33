/**
 * Anonymous memory on v3.12: what Linux 3.11 returned when move_pages(2), mbind(2), migrate_pages(2), memory
 * offline and asynchronous page faults were run on it under QEMU TCG, without the RFC's patch.
 */
import { describe, expect, it } from "vitest";
import { EAGAIN, EFAULT, ENOENT } from "../../assembly/abi.ts";
import { movableBlock, pinByAsyncPf, rfcHost, twoNodes } from "../unit/hosts.ts";

const SECOND_NS = 1e9;

/** A process with `pages` touched pages on node 0. */
async function anon(pages: number) {
  const host = await twoNodes();
  const process = host.createProcess({ pages: pages + 100 });
  const memory = process.map({ pages, node: 0 });
  memory.touch("write");
  return { host, process, memory };
}

/** How often each status occurs. */
function tally(status: readonly (number | null)[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const one of status) counts[String(one)] = (counts[String(one)] ?? 0) + 1;
  return counts;
}

describe("move_pages(2)", () => {
  it.each([
    { pages: 1, calls: 1 },
    { pages: 10, calls: 1 },
    { pages: 1000, calls: 6 },
    { pages: 4096, calls: 25 },
  ])(
    "moves $pages unpinned pages, 169 at a time: $calls calls of migrate_pages()",
    async ({ pages, calls }) => {
      const { host, memory } = await anon(pages);
      const result = memory.movePages({ node: 1 });
      expect(result).toMatchObject({ ret: 0, errno: null });
      expect(tally(result.status)).toEqual({ "1": pages });
      expect(host.counters()).toMatchObject({
        migratePagesCalls: calls,
        tryToUnmapCalls: pages,
        ptesUnmapped: pages,
        pgmigrate_success: pages,
        pgmigrate_fail: 0,
      });
      expect(host.verify()).toBeNull();
    },
  );

  it.each([
    { pinned: 1, every: 1000, unmaps: 1009 },
    { pinned: 10, every: 100, unmaps: 1090 },
    { pinned: 100, every: 10, unmaps: 1900 },
    { pinned: 1000, every: 1, unmaps: 10_000 },
  ])("$pinned of 1000 pages pinned: $unmaps calls of try_to_unmap()", async ({ pinned, every, unmaps }) => {
    const { host, memory } = await anon(1000);
    memory.pin(Array.from({ length: pinned }, (_, i) => i * every));
    const result = memory.movePages({ node: 1 });
    expect(result).toMatchObject({ ret: 0, errno: null });
    const moved = 1000 - pinned;
    expect(tally(result.status)).toEqual({ ...(moved > 0 && { "1": moved }), [-EAGAIN]: pinned });
    expect(result.status[0]).toBe(-EAGAIN);
    expect(result.blame).toMatchObject({ nrPages: pinned, holders: [{ kind: "get", count: pinned }] });
    expect(host.counters()).toMatchObject({
      tryToUnmapCalls: unmaps,
      ptesUnmapped: unmaps,
      pgmigrate_success: moved,
      pgmigrate_fail: 0,
    });
    expect(host.verify()).toBeNull();
  });

  it("one pinned page: 10 checks, nothing copied, and the tracepoint reports neither", async () => {
    const host = await twoNodes({ limits: { traceRecords: 64 } });
    const memory = host.createProcess({ pages: 1 }).map({ pages: 1, node: 0 });
    memory.touch("write");
    memory.pin([0]);
    host.startTrace();
    expect(memory.movePages({ node: 1 }).status).toEqual([-EAGAIN]);
    const { events } = host.stopTrace();
    const of = (name: string) => events.filter(({ event }) => event === name);
    expect(of("unmap")).toHaveLength(10);
    expect(of("unmap")[0]).toMatchObject({ refcount: 3, mapcount: 1 }); // PTE, isolation, pin
    expect(of("move")).toEqual(Array.from({ length: 10 }, () => expect.objectContaining({ ret: -EAGAIN })));
    expect(of("migratePages")).toEqual([
      {
        event: "migratePages",
        mode: "MIGRATE_SYNC",
        reason: "syscall_or_cpuset",
        succeeded: 0,
        failed: 0,
        ret: 1,
      },
    ]);
    expect(host.counters()).toMatchObject({ pagesCopied: 0, removeMigrationPtes: 10 });
  });

  it("a pinned page on its target already: its node, nothing attempted", async () => {
    const { host, memory } = await anon(1);
    memory.pin([0]);
    expect(memory.movePages({ node: 0 })).toMatchObject({ ret: 0, status: [0] });
    expect(host.counters()).toMatchObject({ migratePagesCalls: 0, attempts: 0 });
  });

  it("60 pages, pinned at 10, a hole at 30: each entry has its own status", async () => {
    const { memory } = await anon(60);
    memory.pin([10]);
    memory.unmap({ start: 30, count: 1 });
    const result = memory.movePages({ node: 1 });
    expect(result.ret).toBe(0);
    expect(tally(result.status)).toEqual({ "1": 58, [-EAGAIN]: 1, [-EFAULT]: 1 });
    expect([result.status[10], result.status[30]]).toEqual([-EAGAIN, -EFAULT]);
  });

  it.each([63, -1])("node %i: -ENODEV, statuses untouched", async (node) => {
    const { host, memory } = await anon(4);
    expect(memory.movePages({ node })).toMatchObject({
      ret: -1,
      errno: "ENODEV",
      status: [null, null, null, null],
    });
    expect(host.counters().migratePagesCalls).toBe(0);
  });

  it("the zero page and an untouched page: -ENOENT for both", async () => {
    const { memory } = await anon(4);
    memory.discard();
    memory.touch("read", { start: 0, count: 2 });
    const result = memory.movePages({ node: 1 });
    expect(result).toMatchObject({ ret: 0, status: [-ENOENT, -ENOENT, -ENOENT, -ENOENT] });
  });

  it.each(["anon", "shmem"] as const)("8 %s pages, mlocked: moved, a pinned one -EAGAIN", async (kind) => {
    const host = await twoNodes();
    const memory = host.createProcess({ pages: 8 }).map({ kind, pages: 8, node: 0 });
    memory.touch("write");
    memory.mlock();
    expect(tally(memory.movePages({ node: 1 }).status)).toEqual({ "1": 8 });
    memory.pin([2]);
    const before = host.counters().attempts;
    const { status } = memory.movePages({ node: 0 });
    expect(tally(status)).toEqual({ "0": 7, [-EAGAIN]: 1 });
    expect(host.counters().attempts - before).toBe(7 + 10);
    expect(host.counters()).toMatchObject({ nr_mlock: 8, pgmigrate_fail: 0 });
    expect(host.verify()).toBeNull();
  });
});

async function tenOfHundredPinned() {
  const at = await anon(100);
  at.memory.pin(Array.from({ length: 10 }, (_, i) => i * 10));
  return at;
}

describe("memory policies", () => {
  it.each([
    { strict: true, ret: -1, errno: "EIO" },
    { strict: false, ret: 0, errno: null },
  ])("mbind(BIND, MOVE), strict $strict, 10 of 100 pages pinned: $errno, 90 moved", async (expected) => {
    const { strict, ...result } = expected;
    const { host, memory } = await tenOfHundredPinned();
    expect(memory.mbind({ node: 1, move: true, strict })).toMatchObject(result);
    expect(tally(memory.where())).toEqual({ "0": 10, "1": 90 });
    expect(host.counters()).toMatchObject({ pgmigrate_success: 90, pgmigrate_fail: 0 });
  });

  it("migrate_pages(2) returns the pinned pages that it left and counts no failure for them", async () => {
    const { host, process, memory } = await tenOfHundredPinned();
    const result = process.migratePages([0], [1]);
    expect(result).toMatchObject({ ret: 10, errno: null, blame: { nrPages: 10 } });
    expect(tally(memory.where())).toEqual({ "0": 10, "1": 90 });
    expect(host.counters()).toMatchObject({ pgmigrate_success: 90, pgmigrate_fail: 0 });
  });
});

/** A movable block that is full of the pages of one process. */
async function fullBlock(pages = 32_768) {
  const host = await twoNodes(movableBlock);
  const process = host.createProcess({ pages });
  const memory = process.map({ pages, node: 0 });
  memory.touch("write");
  host.drainLru();
  return { host, process, memory };
}

describe("offline of a 128 MiB block of ZONE_MOVABLE", () => {
  it("13 423 pages, no pin: 53 calls of migrate_pages(), 256 pages each", async () => {
    const { host } = await fullBlock(13_423);
    expect(host.offline(2)).toMatchObject({ ret: 0, ending: "returned", rounds: 53, moved: 13_423 });
    expect(host.counters().migratePagesCalls).toBe(53);
    expect(host.blockState(2)).toBe("offline");
    expect(host.verify()).toBeNull();
  });

  it.each([
    { pins: [5000], seconds: 3 },
    { pins: Array.from({ length: 10 }, (_, i) => 300 + i * 3000), seconds: 3 },
  ])("$pins.length pins released after $seconds s: 0, at once on the release", async ({ pins, seconds }) => {
    const { host, memory } = await fullBlock();
    memory.pin(pins).releaseAt(host.nowNs + seconds * SECOND_NS);
    const result = host.offline(2);
    expect(result).toMatchObject({ ret: 0, errno: null, moved: 32_768 });
    expect(result.durationNs / SECOND_NS).toBeGreaterThanOrEqual(seconds);
    expect(result.durationNs / SECOND_NS).toBeLessThan(seconds + 0.05);
    expect(host.counters().pgmigrate_fail).toBe(0);
  });

  it("1 pin, a signal after 5 s: -EINTR", async () => {
    const { host, memory } = await fullBlock();
    memory.pin([5000]);
    host.signalAt(host.nowNs + 5 * SECOND_NS);
    const result = host.offline(2);
    expect(result).toMatchObject({ ret: -1, errno: "EINTR", ending: "returned", moved: 32_767 });
    expect(result.durationNs / SECOND_NS).toBeCloseTo(5, 1);
    expect(host.blockState(2)).toBe("online");
  });

  it.each([[[5]], [[1, 2, 3, 50, 90, 200, 249]]])(
    "pins that are never released: -EAGAIN after 120 s, all others moved",
    async (pins) => {
      const { host, memory } = await fullBlock();
      memory.pin(pins);
      const result = host.offline(2);
      expect(result).toMatchObject({ ret: -1, errno: "EAGAIN", ending: "returned" });
      expect(result.moved).toBe(32_768 - pins.length);
      expect(result.durationNs / SECOND_NS).toBeCloseTo(120, 2);
      expect(result.blame).toMatchObject({ nrPages: pins.length, holders: [{ count: pins.length }] });
      expect(host.counters()).toMatchObject({ pgmigrate_fail: 0, offlineRounds: result.rounds });
      // Every round tries each pinned page 10 times.
      expect(host.counters().attempts).toBe(result.moved + result.rounds * 10 * pins.length);
      expect(host.blockState(2)).toBe("online");
      expect(host.verify()).toBeNull();
    },
  );

  it("an early boot allocation in it: -EBUSY after exactly 5 isolation failures", async () => {
    const { host, process, memory } = await fullBlock();
    const pfn = memory.pfnOf(1000);
    memory.discard({ start: 1000, count: 1 });
    host.reserveFrame(pfn);
    const result = host.offline(2);
    expect(result).toMatchObject({ ret: -1, errno: "EBUSY", ending: "returned" });
    // Frames 0 … 767 of the block go in three rounds; the fourth and every later one meets the page.
    expect(result).toMatchObject({ rounds: 3 + 5, moved: 768 });
    expect(host.blockState(2)).toBe("online");
    expect(process.rss.anon).toBe(32_767);
    expect(host.verify()).toBeNull();
  });

  it("12 pages held by async_pf, their vCPU resumes after 8 s: offlined at once on completion", async () => {
    const at = await rfcHost("pin", movableBlock);
    for (let gfn = 0; gfn < 12; gfn++) pinByAsyncPf(at.vcpu0, gfn);
    const first = at.host.offline(2, { untilNs: at.host.nowNs + 8 * SECOND_NS });
    expect(first).toMatchObject({ ret: -1, ending: "budget", moved: 64 - 12 });
    expect(first.blame.holders).toEqual([{ kind: "async_pf", vcpu: 0, count: 12 }]);
    expect(at.host.counters().attempts).toBe(64 - 12 + first.rounds * 12 * 10);
    expect(at.vcpu0.complete().completed).toBe(12);
    expect(at.host.offline(2)).toMatchObject({ ret: 0, rounds: 1, moved: 12 });
    expect(at.host.verify()).toBeNull();
  });

  it("without the reference the block goes offline with the faults unacknowledged", async () => {
    const at = await rfcHost("U", movableBlock);
    for (let gfn = 0; gfn < 12; gfn++) pinByAsyncPf(at.vcpu0, gfn);
    expect(at.host.offline(2)).toMatchObject({ ret: 0, rounds: 1, moved: 64 });
    expect(at.vcpu0.complete().completed).toBe(12);
    expect(at.guest.exit()).toEqual({ badRss: null, crash: null });
    expect(at.host.verify()).toBeNull();
  });
});
