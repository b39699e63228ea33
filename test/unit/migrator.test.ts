/** A migrator takes one critical section at a time: in a row a migration; and what can come between. */
import { describe, expect, it } from "vitest";
import {
  ACTOR_MIGRATOR,
  ACTOR_SIZE,
  ACTOR_TRANSITION,
  CFG_ACTORS,
  EAGAIN,
  ENOENT,
  HELD_BY_ASYNC_PF,
  HELD_BY_DONE_ASYNC_PF,
  HELD_OTHERWISE,
  MIGRATE_ASYNC,
  MIGRATE_SYNC,
  MIGRATOR_FORCE,
  MIGRATOR_MODE_SHIFT,
  OP_MIGRATE,
  STEP_BLOCKED,
  TABLE_ACTORS,
} from "../../assembly/abi.ts";
import type { HostConfig, Process, Region, Vcpu } from "../../src/index.ts";
import { Core } from "../../src/core/core.ts";
import { transitionName } from "../../src/core/transitions.ts";
import { Host } from "../../src/host.ts";
import { configWords } from "../../src/host/config.ts";
import { type Layer, kernels, layers, pinByAsyncPf, stepWorkerTo } from "./hosts.ts";

const PAGE = 3;
const only = { start: PAGE, count: 1 };
const zones = [{ kind: "normal", pages: 65_536 }] as const;
const config: HostConfig = { contentBytes: 8, nodes: [{ zones }] };
const plain = ["isolate", "allocate target", "lock", "wait for writeback", "hold anon_vma", "unmap"];
const moving = [
  "copy mapping word",
  "pick migratepage",
  "check count",
  "copy",
  "remap",
  "unlock",
  "put back",
];

interface ActorHost {
  readonly host: Host;
  readonly core: Core;
}

interface At extends ActorHost {
  readonly process: Process;
  readonly memory: Region;
  readonly pfn: number;
}

/** A new host with room for one actor. */
async function actorHost(options: Partial<HostConfig>): Promise<ActorHost> {
  const words = configWords({ ...config, ...options });
  words[CFG_ACTORS] = 1;
  const core = await Core.create(words);
  const host: unknown = Reflect.construct(Host, [core, words]);
  if (!(host instanceof Host)) throw new Error("no host was constructed");
  return { host, core };
}

/** 8 anonymous pages that were written, off the batches, and a swap device. */
async function pages(options: Partial<HostConfig> = {}): Promise<At> {
  const at = await actorHost(options);
  at.host.swapOn({ pages: 16 });
  const process = at.host.createProcess({ pages: 8 });
  const memory = process.map({ pages: 8 });
  memory.touch("write");
  at.host.drainLru();
  return { ...at, process, memory, pfn: memory.pfnOf(PAGE) };
}

/** Takes the next transition. Returns its name, null if it has to wait or nothing is left. */
type Step = () => string | null;

/** Places a migrator of page 3; from now on actors take steps. */
function migrator({ core }: ActorHost, options = 0, mode = MIGRATE_SYNC): Step {
  core.run((exports) => {
    exports.placeActor(
      0,
      ACTOR_MIGRATOR,
      1,
      0,
      (OP_MIGRATE << 4) | PAGE,
      options | (mode << MIGRATOR_MODE_SHIFT),
    );
    exports.beginSchedule();
  });
  return () => {
    const rc = core.run((exports) => exports.stepActor(0));
    if (rc === STEP_BLOCKED) return null;
    return transitionName(core.words(TABLE_ACTORS)[ACTOR_TRANSITION >> 2] ?? 0).name;
  };
}

/** Takes transitions up to one, or until it has to wait. Returns their names. */
function upTo(host: Host, step: Step, last?: string): string[] {
  const names: string[] = [];
  for (let name = step(); name !== null; name = step()) {
    names.push(name);
    if (name === last || host.crash !== null) break;
  }
  return names;
}

/** The same, with verify() after each. */
function soundUpTo(host: Host, step: Step, last?: string): string[] {
  const sound: Step = () => {
    const name = step();
    expect([name, host.verify()]).toEqual([name, null]);
    return name;
  };
  return upTo(host, sound, last);
}

/** What the record of the migrator says. */
function record({ core }: ActorHost): { held: number; tried: number; rc: number } {
  const [tried = 0, , rc = 0, held = 0] = core.words(TABLE_ACTORS).subarray(10, ACTOR_SIZE >> 2);
  return { held, tried, rc };
}

describe("in a row its transitions are a migration", () => {
  it.each(kernels)("%s moves an anonymous page", async (kernel) => {
    const at = await pages({ kernel });
    expect(soundUpTo(at.host, migrator(at))).toEqual([...plain, ...moving]);
    expect(at.memory.pfnOf(PAGE)).not.toBe(at.pfn);
    expect(record(at)).toEqual({ held: HELD_OTHERWISE, tried: 1, rc: 0 });
    const once = await pages({ kernel });
    const migration = once.host.migration(once.pfn, { node: 0 });
    migration.isolate();
    migration.unmap();
    migration.move();
    migration.finish();
    expect(at.memory.pfnOf(PAGE)).toBe(once.memory.pfnOf(PAGE));
    expect(at.host.pages.at(at.memory.pfnOf(PAGE))).toEqual(once.host.pages.at(at.memory.pfnOf(PAGE)));
    expect(at.host.counters()).toEqual(once.host.counters());
  });

  it.each(kernels)(
    "%s moves a page in the swap cache, which has its target before the copy",
    async (kernel) => {
      const at = await pages({ kernel });
      at.memory.pageout();
      at.host.swapDevices()[0]?.endWriteback();
      at.memory.touch("read", only);
      at.host.drainLru();
      const old = at.memory.pfnOf(PAGE);
      expect(at.host.pages.at(old).flags).toContain("swapcache");
      const step = migrator(at);
      soundUpTo(at.host, step, "check count");
      expect(at.host.pages.at(old).flags).toContain("swapcache");
      expect(soundUpTo(at.host, step)).toEqual(["copy", "remap", "unlock", "put back"]);
      at.memory.touch("read", only);
      expect(at.memory.pfnOf(PAGE)).not.toBe(old);
    },
  );

  it("a page that its owners drop before the first attempt is not even locked", async () => {
    const at = await pages();
    const step = migrator(at);
    upTo(at.host, step, "isolate");
    at.memory.discard(only);
    expect(soundUpTo(at.host, step)).toEqual(["allocate target", "put back"]);
    expect(record(at)).toEqual({ held: HELD_OTHERWISE, tried: 1, rc: 0 });
  });

  it("no page, no migration", async () => {
    const at = await pages();
    at.memory.discard(only);
    expect(upTo(at.host, migrator(at))).toEqual(["isolate"]);
    expect(record(at).rc).toBe(-ENOENT);
  });
});

describe("what it waits for", () => {
  it.each([
    { force: 0, mode: MIGRATE_SYNC, last: "put back" },
    { force: MIGRATOR_FORCE, mode: MIGRATE_ASYNC, last: "put back" },
    { force: MIGRATOR_FORCE, mode: MIGRATE_SYNC, last: "allocate target" },
  ])("the page lock: $force, $mode goes as far as $last", async ({ force, mode, last }) => {
    const at = await pages();
    at.host.setPageFlag(at.pfn, "locked", true);
    const step = migrator(at, force, mode);
    expect(upTo(at.host, step).at(-1)).toBe(last);
    at.host.setPageFlag(at.pfn, "locked", false);
    expect(upTo(at.host, step).at(-1)).toBe(last === "put back" ? undefined : "put back");
    expect(record(at).rc).toBe(last === "put back" ? -EAGAIN : 0);
  });

  it("the end of writeback, with the page locked", async () => {
    const at = await pages();
    at.host.setPageFlag(at.pfn, "writeback", true);
    const step = migrator(at, MIGRATOR_FORCE);
    expect(upTo(at.host, step).at(-1)).toBe("lock");
    expect(at.host.pages.at(at.pfn).flags).toContain("writeback");
    at.host.setPageFlag(at.pfn, "writeback", false);
    expect(upTo(at.host, step).at(-1)).toBe("put back");
    expect(record(at).rc).toBe(0);
  });
});

it("the page stays isolated from pass to pass, and each has a target of its own", async () => {
  const at = await pages();
  const pin = at.memory.pin([PAGE]);
  const step = migrator(at, 3);
  const pass = [...plain.slice(1), ...moving.slice(0, 3), "remap", "unlock", "put back"];
  expect(soundUpTo(at.host, step, "put back")).toEqual(["isolate", ...pass]);
  expect(at.host.holders(at.pfn).map(({ kind }) => kind)).toContain("isolation");
  expect(soundUpTo(at.host, step, "put back")).toEqual(pass);
  pin.release();
  expect(soundUpTo(at.host, step)).toEqual([...plain.slice(1), ...moving]);
  expect(record(at)).toEqual({ held: HELD_OTHERWISE, tried: 3, rc: 0 });
  expect(at.host.counters()).toMatchObject({ targetsAllocated: 3, pgmigrate_success: 1, pgmigrate_fail: 0 });
});

/** A guest with one vCPU and 8 pages that were written. */
async function guestPages(layer: Layer): Promise<At & { vcpu: Vcpu }> {
  const at = await actorHost(layers[layer]);
  const guest = at.host.createGuest({ pages: 8, vcpus: 1 });
  const memory = guest.map({ pages: 8 });
  memory.touch("write");
  at.host.drainLru();
  const [vcpu] = guest.vcpus;
  if (vcpu === undefined) throw new Error("a vCPU was asked for");
  return { ...at, process: guest, memory, pfn: memory.pfnOf(PAGE), vcpu };
}

/** The same with a work item that has ended and holds page 3. */
async function heldByAsyncPf(layer: Layer): Promise<At & { vcpu: Vcpu }> {
  const at = await guestPages(layer);
  pinByAsyncPf(at.vcpu, PAGE);
  return at;
}

describe("a page that async_pf holds", () => {
  it.each([
    { layer: "pin", rc: -EAGAIN, heldBy: HELD_BY_DONE_ASYNC_PF },
    { layer: "L1", rc: -EAGAIN, heldBy: HELD_BY_DONE_ASYNC_PF },
    { layer: "L4", rc: 0, heldBy: HELD_OTHERWISE },
    { layer: "L5", rc: 0, heldBy: HELD_OTHERWISE },
  ] as const)("$layer: $rc, held by $heldBy", async ({ layer, rc, heldBy }) => {
    const at = await heldByAsyncPf(layer);
    upTo(at.host, migrator(at));
    expect([record(at).held, record(at).rc]).toEqual([heldBy, rc]);
  });

  it("L4: another reference beside it is not async_pf's", async () => {
    const at = await heldByAsyncPf("L4");
    at.memory.pin([PAGE]);
    upTo(at.host, migrator(at));
    expect([record(at).held, record(at).rc]).toEqual([HELD_OTHERWISE, -EAGAIN]);
  });

  it("L4: a completion between two passes frees the way", async () => {
    const at = await heldByAsyncPf("L4");
    const pin = at.memory.pin([PAGE]);
    const step = migrator(at, 2);
    upTo(at.host, step, "put back");
    at.vcpu.complete();
    pin.release();
    expect(upTo(at.host, step).at(-1)).toBe("put back");
    expect(record(at).rc).toBe(0);
  });

  it("pin: a worker that has the page and is not done holds it for a while", async () => {
    const at = await guestPages("pin");
    at.vcpu.startAsyncPf(PAGE);
    stepWorkerTo(at.vcpu, 0, "gup");
    upTo(at.host, migrator(at));
    expect(record(at)).toMatchObject({ held: HELD_BY_ASYNC_PF, rc: -EAGAIN });
  });

  it("L4: a completion restores the word of the page when its target has a copy already", async () => {
    const at = await heldByAsyncPf("L4");
    const step = migrator(at);
    upTo(at.host, step, "copy mapping word");
    at.vcpu.complete();
    expect(upTo(at.host, step).at(-1)).toBe("remap");
    expect(at.host.crash).toMatchObject({ kind: "oops", invariant: "INV-UAF" });
  });

  it("L4: what the dispatch has read is stale when a completion comes before the callback", async () => {
    const at = await heldByAsyncPf("L4");
    const step = migrator(at);
    upTo(at.host, step, "pick migratepage");
    at.vcpu.complete();
    expect(upTo(at.host, step)).toEqual(["read context"]);
    expect(at.host.crash).toMatchObject({ trace: ["async_pf_migratepage"], invariant: "INV-UAF" });
  });
});
