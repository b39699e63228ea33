/** Memory offline and online: what is refused, what it costs, and what comes back. */
import { describe, expect, it } from "vitest";
import { Host, type HostConfig, type KernelName } from "../../src/index.ts";
import { movableBlock } from "./hosts.ts";

const normal = (pages: number) => ({ kind: "normal", pages }) as const;

/** 100 pages in the movable block 2, off the LRU batches. */
async function inBlock(kernel: KernelName, options: Partial<HostConfig> = {}) {
  const host = await Host.create({ kernel, contentBytes: 8, ...movableBlock, ...options });
  const memory = host.createProcess({ pages: 1000 }).map({ pages: 100 });
  memory.touch("write");
  host.drainLru();
  return { host, memory };
}

describe("what is refused with -EINVAL", () => {
  it.each([
    ["a block with a hole", { zones: [normal(65_536), { kind: "movable", pages: 16_384 }] }, 2],
    ["a block of two zones", { zones: [normal(49_152), { kind: "movable", pages: 49_152 }] }, 1],
    ["the last memory that the kernel itself can use", { zones: [normal(32_768)] }, 0],
  ] as const)("%s", async (_name, node, block) => {
    const host = await Host.create({ nodes: [node] });
    const before = host.freePages();
    expect(host.offline(block)).toMatchObject({ ret: -1, errno: "EINVAL", rounds: 0 });
    expect(host.freePages()).toEqual(before);
    expect(host.verify()).toBeNull();
  });

  it.each(["v3.12", "v6.1"] as const)(
    "%s: a block that is offline; online of one that is online",
    async (kernel) => {
      const { host } = await inBlock(kernel);
      expect(host.online(2).errno).toBe("EINVAL");
      expect(host.offline(2).ret).toBe(0);
      expect(host.offline(2).errno).toBe("EINVAL");
      expect(host.online(2).ret).toBe(0);
    },
  );
});

describe.each(["v3.12", "v6.1", "v6.12"] as const)("%s", (kernel) => {
  it("a block goes, its pages stay readable, its frames come back for reuse", async () => {
    const { host, memory } = await inBlock(kernel);
    const first = memory.pfnOf(0);
    expect(first).toBeGreaterThanOrEqual(65_536);
    expect(host.offline(2)).toMatchObject({ ret: 0, ending: "returned", rounds: 1, moved: 100 });
    expect(host.blockState(2)).toBe("offline");
    expect(host.freePages()[1]).toBe(0);
    expect(memory.pfnOf(0)).toBeLessThan(65_536);
    expect(host.verify()).toBeNull();
    expect(host.online(2).ret).toBe(0);
    expect(host.freePages()[1]).toBe(32_768);
    memory.discard();
    memory.touch("write");
    expect(memory.pfnOf(0)).toBeGreaterThanOrEqual(65_536);
    expect(host.verify()).toBeNull();
  });

  it("the caller's budget ends it like a signal, and says so", async () => {
    const { host, memory } = await inBlock(kernel);
    memory.pin([7]);
    expect(host.offline(2, { maxRounds: 50 })).toMatchObject({
      errno: "EINTR",
      ending: "budget",
      rounds: 50,
    });
    const untilNs = host.nowNs + 2e9;
    const timed = host.offline(2, { untilNs });
    expect(timed).toMatchObject({ errno: "EINTR", ending: "budget" });
    expect(Math.abs(host.nowNs - untilNs)).toBeLessThan(1e6);
    expect(host.blockState(2)).toBe("online");
    expect(host.verify()).toBeNull();
  });

  it("rounds counted and rounds executed leave the same state", async () => {
    const ends = [];
    for (const executeAll of [false, true]) {
      const { host, memory } = await inBlock(kernel);
      memory.pin([7, 50]).releaseAt(host.nowNs + 20_000_000);
      const { ret, rounds, moved, durationNs } = host.offline(2, { executeAll });
      expect(host.counters().offlineRoundsSkipped > 0).toBe(!executeAll);
      ends.push([ret, rounds, moved, durationNs, host.stateHash()]);
    }
    expect(ends[0]).toEqual(ends[1]);
  });
});

it.each([51, 52, 53])(
  "6.12, where two rounds alternate: %i counted rounds leave what executed ones do",
  async (maxRounds) => {
    const ends = [];
    for (const executeAll of [false, true]) {
      const { host, memory } = await inBlock("v6.12");
      memory.pin([7, 50]);
      expect(host.offline(2, { maxRounds, executeAll }).rounds).toBe(maxRounds);
      ends.push(host.stateHash());
    }
    expect(ends[0]).toBe(ends[1]);
  },
);

describe("a pin that is never released", () => {
  it("v3.12 returns -EAGAIN by itself after 120 s", async () => {
    const { host, memory } = await inBlock("v3.12");
    memory.pin([7]);
    expect(host.offline(2)).toMatchObject({ errno: "EAGAIN", ending: "returned", moved: 99 });
  });

  // With several pins, two rounds alternate on 6.12: it takes both to see that nothing moves.
  it.each([
    { kernel: "v6.1", pins: [7] },
    { kernel: "v6.1", pins: [7, 50, 51] },
    { kernel: "v6.12", pins: [7] },
    { kernel: "v6.12", pins: [7, 50, 51] },
  ] as const)("$kernel with $pins.length pins would never return", async ({ kernel, pins }) => {
    const { host, memory } = await inBlock(kernel);
    memory.pin(pins);
    expect(host.offline(2)).toMatchObject({ ret: -1, ending: "forever", moved: 100 - pins.length });
    expect(host.blockState(2)).toBe("online");
  });

  it.each(["v6.1", "v6.12"] as const)(
    "%s: a signal ends it with -EINTR, one failure a round",
    async (kernel) => {
      const { host, memory } = await inBlock(kernel);
      memory.pin([7]);
      host.signalAt(host.nowNs + 4e9);
      const result = host.offline(2);
      expect(result).toMatchObject({ errno: "EINTR", ending: "returned", moved: 99 });
      expect(host.counters().pgmigrate_fail).toBe(result.rounds);
      // 10 attempts of the pinned page a round.
      expect(host.counters().refcountChecks).toBe(99 + 10 * result.rounds);
    },
  );
});

describe("unmovable pages", () => {
  it.each(["v6.1", "v6.12"] as const)(
    "%s: a reserved page of ZONE_MOVABLE is -EBUSY at once",
    async (kernel) => {
      const { host } = await inBlock(kernel);
      host.reserveFrame(80_000);
      expect(host.offline(2)).toMatchObject({ errno: "EBUSY", rounds: 0, moved: 0 });
      expect(host.verify()).toBeNull();
    },
  );

  it.each(["v6.1", "v6.12"] as const)(
    "%s: a kernel page of ZONE_NORMAL is -EBUSY at once",
    async (kernel) => {
      const host = await Host.create({ kernel, nodes: [{ zones: [normal(65_536)] }] });
      const vdso = host.createProcess({ pages: 4 }).map({ kind: "vdso", pages: 2 });
      expect(host.offline(vdso.pfnOf(0) >> 15)).toMatchObject({ errno: "EBUSY", rounds: 0 });
      expect(host.verify()).toBeNull();
    },
  );
});
