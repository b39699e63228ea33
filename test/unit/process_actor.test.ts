/** The actors of the VMM: a process, a pinner, a reset, a transition at a time. */
import { describe, expect, it } from "vitest";
import * as abi from "../../assembly/abi.ts";
import { ActorMachine, type Operation } from "./actors.ts";
import type { Layer } from "./hosts.ts";

const process = async (layer: Layer, ...operations: Operation[]): Promise<ActorMachine> =>
  ActorMachine.create(layer, [{ kind: abi.ACTOR_PROCESS, operations }]);

/** Every step of an actor leaves a sound machine. */
function runSoundly(machine: ActorMachine, number: number): number[] {
  const taken: number[] = [];
  for (let at = machine.step(number); at !== null; at = machine.step(number)) {
    taken.push(at);
    expect(machine.broken(), `after transition ${at}`).toEqual([]);
  }
  return taken;
}

describe("a process alone is sound after each transition", () => {
  const zap = [abi.TRANSITION_ZAP_PTE, abi.TRANSITION_ZAP_RMAP];
  const copy = [abi.TRANSITION_COPY_PTE, abi.TRANSITION_COPY_PTE];
  const cow = [abi.TRANSITION_WRITE_TEST, abi.TRANSITION_WRITE_COPY, abi.TRANSITION_WRITE_INSTALL];
  it.each([
    ["munmap", [[abi.OP_UNMAP, 0]], [...zap, abi.TRANSITION_REMOVE_VMA]],
    ["MADV_DONTNEED", [[abi.OP_DISCARD, 1]], zap],
    [
      "MADV_DONTNEED twice",
      [
        [abi.OP_DISCARD, 1],
        [abi.OP_DISCARD, 1],
      ],
      [...zap, abi.TRANSITION_ZAP_PTE],
    ],
    ["a store", [[abi.OP_WRITE, 1]], [abi.TRANSITION_WRITE_STORE]],
    [
      "a first touch",
      [
        [abi.OP_DISCARD, 1],
        [abi.OP_WRITE, 1],
      ],
      [...zap, abi.TRANSITION_WRITE_FAULT],
    ],
    ["fork", [[abi.OP_FORK, 0]], copy],
    [
      "COW of the parent",
      [
        [abi.OP_FORK, 0],
        [abi.OP_WRITE, 0],
      ],
      [...copy, ...cow],
    ],
    [
      "COW of the child, then the parent keeps the page",
      [
        [abi.OP_FORK, 0],
        [abi.OP_WRITE_CHILD, 0],
        [abi.OP_WRITE, 0],
      ],
      [...copy, ...cow, abi.TRANSITION_WRITE_TEST],
    ],
    [
      "exit of the child",
      [
        [abi.OP_FORK, 0],
        [abi.OP_EXIT_CHILD, 0],
      ],
      [...copy, ...zap, ...zap, abi.TRANSITION_REMOVE_VMA],
    ],
    ["exit", [[abi.OP_EXIT, 0]], [...zap, ...zap, abi.TRANSITION_REMOVE_VMA, abi.TRANSITION_EXIT_VCPUS]],
  ] as const)("%s", async (_, operations, transitions) => {
    const machine = await process("pin", ...operations);
    expect(runSoundly(machine, 0)).toEqual(transitions);
    expect(machine.broken()).toEqual([]);
  });
});

describe("L2: a completion between the halves of a zap", () => {
  it("makes it count the class of the one tag and then that of the other", async () => {
    const machine = await process("L2", [abi.OP_DISCARD, 0]);
    machine.pin(0, 0);
    machine.step(0); // rss goes by what the tag says now: a file page
    machine.call((x) => x.checkAsyncPfCompletion(0, 1));
    expect(machine.step(0)).toBe(abi.TRANSITION_ZAP_RMAP);
    expect(machine.broken()).toEqual([abi.INV_RSS]); // but no counter of the host
  });
});

describe("mmap_sem", () => {
  it("is held by munmap() for writing: a pinner and MADV_DONTNEED wait", async () => {
    const machine = await ActorMachine.create("pin", [
      { kind: abi.ACTOR_PROCESS, operations: [[abi.OP_UNMAP, 0]] },
      { kind: abi.ACTOR_PINNER, operations: [[abi.OP_PIN, 1]] },
      { kind: abi.ACTOR_PROCESS, operations: [[abi.OP_DISCARD, 1]] },
    ]);
    machine.step(0);
    expect(machine.step(1)).toBeNull();
    expect(machine.step(2)).toBeNull();
    machine.runOut(0);
    expect(machine.step(1)).toBe(abi.TRANSITION_PIN_GET);
    expect(machine.runOut(2)).toEqual([abi.TRANSITION_ZAP_PTE, abi.TRANSITION_ZAP_RMAP]);
    expect(machine.broken()).toEqual([]);
  });
});

/** A page that parent and child share, locked. */
async function shared(kind: number): Promise<ActorMachine> {
  const machine = await ActorMachine.create("pin", [
    {
      kind: abi.ACTOR_PROCESS,
      operations: [
        [abi.OP_FORK, 0],
        [abi.OP_WRITE, 0],
      ],
    },
    { kind, operations: [[kind === abi.ACTOR_PINNER ? abi.OP_PIN : abi.OP_UNMAP, 0]] },
  ]);
  machine.step(0);
  machine.step(0);
  machine.setPageFlag(machine.pfnOf(0), abi.PG_LOCKED, true);
  return machine;
}

describe("a write that needs a lock which is held", () => {
  it("goes to sleep with a reference, and keeps mmap_sem", async () => {
    const machine = await shared(abi.ACTOR_PROCESS);
    const pfn = machine.pfnOf(0);
    expect(machine.step(0)).toBe(abi.TRANSITION_WRITE_SLEEP);
    expect(machine.pageField(pfn, abi.PAGE_REFCOUNT)).toBe(3);
    expect(machine.step(0)).toBeNull();
    expect(machine.step(1)).toBeNull(); // munmap()
    expect(machine.broken()).toEqual([]);
    machine.setPageFlag(pfn, abi.PG_LOCKED, false);
    expect(machine.runOut(0)).toContain(abi.TRANSITION_WRITE_INSTALL);
  });

  it("does so within get_user_pages()", async () => {
    const machine = await shared(abi.ACTOR_PINNER);
    expect(machine.step(1)).toBe(abi.TRANSITION_PIN_SLEEP);
    expect(machine.step(1)).toBeNull();
    machine.setPageFlag(machine.pfnOf(0), abi.PG_LOCKED, false);
    expect(machine.runOut(1)).toEqual([
      abi.TRANSITION_PIN_TEST,
      abi.TRANSITION_PIN_COPY,
      abi.TRANSITION_PIN_INSTALL,
    ]);
  });
});

it("a copy whose PTE has changed meanwhile is given up, and the fault starts anew", async () => {
  const machine = await ActorMachine.create("pin", [
    {
      kind: abi.ACTOR_PROCESS,
      operations: [
        [abi.OP_FORK, 0],
        [abi.OP_WRITE, 0],
      ],
    },
    { kind: abi.ACTOR_PROCESS, operations: [[abi.OP_DISCARD, 0]] },
  ]);
  for (let i = 0; i < 4; i++) machine.step(0);
  expect(machine.actor(0, abi.ACTOR_TRANSITION)).toBe(abi.TRANSITION_WRITE_COPY);
  runSoundly(machine, 1);
  expect(runSoundly(machine, 0)).toEqual([abi.TRANSITION_WRITE_INSTALL, abi.TRANSITION_WRITE_FAULT]);
});

it("a pin is held from OP_PIN to OP_UNPIN", async () => {
  const machine = await ActorMachine.create("pin", [
    {
      kind: abi.ACTOR_PINNER,
      operations: [
        [abi.OP_PIN, 0],
        [abi.OP_UNPIN, 0],
      ],
    },
  ]);
  const pfn = machine.pfnOf(0);
  expect(machine.step(0)).toBe(abi.TRANSITION_PIN_GET);
  expect(machine.pageField(pfn, abi.PAGE_REFCOUNT)).toBe(2);
  expect(machine.broken()).toEqual([]);
  expect(machine.step(0)).toBe(abi.TRANSITION_UNPIN);
  expect(machine.pageField(pfn, abi.PAGE_REFCOUNT)).toBe(1);
  expect(machine.step(0)).toBeNull();
});

const reset = async (layer: Layer): Promise<ActorMachine> =>
  ActorMachine.create(layer, [{ kind: abi.ACTOR_RESET }, { kind: abi.ACTOR_WORKER }]);

describe("a reset", () => {
  const release = [
    abi.TRANSITION_CLEAR_TEST,
    abi.TRANSITION_CLEAR_READ,
    abi.TRANSITION_CLEAR_RESTORE,
    abi.TRANSITION_CLEAR_FREE,
    abi.TRANSITION_CLEAR_PUT,
  ];

  it.each([
    ["pin", [abi.TRANSITION_CLEAR_TEST, abi.TRANSITION_CLEAR_TEST]],
    ["L2", [...release, ...release]],
    ["L5", [abi.TRANSITION_CLEAR_TEST, abi.TRANSITION_CLEAR_TEST]],
  ] as const)("%s: ends what is done, and leaves what clear() leaves", async (layer, transitions) => {
    const once = await reset(layer);
    const stepped = await reset(layer);
    for (const machine of [once, stepped]) {
      machine.pin(0, 0);
      machine.pin(0, 1);
    }
    once.call((x) => x.clearAsyncPfQueue(0));
    expect(stepped.runOut(0)).toEqual(transitions);
    for (const table of [abi.TABLE_PAGES, abi.TABLE_VCPUS, abi.TABLE_APFS, abi.TABLE_CTXS, abi.TABLE_PINS]) {
      expect(stepped.core.words(table)).toEqual(once.core.words(table));
    }
    // As posted page->private is left to point to what has been freed.
    expect(stepped.broken()).toEqual(layer === "L2" ? [abi.BROKEN_DANGLING] : []);
  });

  it("cancels what has not begun, and waits for what has", async () => {
    const machine = await reset("pin");
    machine.call((x) => x.setupAsyncPf(0, 0));
    const second = machine.call((x) => x.setupAsyncPf(0, 1));
    machine.call((x) => x.asyncPfStep(second));
    expect(machine.runOut(0)).toEqual([abi.TRANSITION_CLEAR_CANCEL]);
    machine.call((x) => x.asyncPfExecute(second));
    expect(machine.runOut(0)).toEqual([abi.TRANSITION_CLEAR_TEST]);
    expect(machine.broken()).toEqual([]);
  });

  it("L2: does not begin while the vCPU ends an item", async () => {
    const machine = await reset("L2");
    machine.pin(0, 0);
    machine.call((x) => x.completionStep(0));
    expect(machine.step(0)).toBeNull();
    machine.call((x) => x.checkAsyncPfCompletion(0, 1));
    expect(machine.runOut(0)).toHaveLength(1);
  });

  it("L5: sleeps for the page lock before it takes that of the vCPU", async () => {
    const machine = await reset("L5");
    machine.pin(0, 0);
    const pfn = machine.pfnOf(0);
    machine.setPageFlag(pfn, abi.PG_LOCKED, true);
    expect(machine.step(0)).toBeNull();
    machine.setPageFlag(pfn, abi.PG_LOCKED, false);
    expect(machine.runOut(0)).toEqual([abi.TRANSITION_CLEAR_TEST]);
  });
});

describe("exit beside a worker", () => {
  it("a page that GUP brings back behind the zap is left, and with it its rss", async () => {
    const machine = await ActorMachine.create("pin", [
      { kind: abi.ACTOR_PROCESS, operations: [[abi.OP_EXIT, 0]] },
      { kind: abi.ACTOR_WORKER },
    ]);
    machine.call((x) => x.setupAsyncPf(0, 0));
    for (let i = 0; i < 2; i++) machine.step(0); // page 0 has gone
    expect(machine.runOut(1)[0]).toBe(abi.TRANSITION_WORKER_GUP);
    machine.runOut(0);
    expect(machine.broken()).toContain(abi.INV_RSS);
  });

  it("L2: clears the queues of the vCPUs in the steps of a reset", async () => {
    const machine = await process("L2", [abi.OP_EXIT, 0]);
    machine.pin(1, 1);
    const taken = machine.runOut(0);
    expect(taken.slice(-6)).toEqual([
      abi.TRANSITION_CLEAR_TEST,
      abi.TRANSITION_CLEAR_READ,
      abi.TRANSITION_CLEAR_RESTORE,
      abi.TRANSITION_CLEAR_FREE,
      abi.TRANSITION_CLEAR_PUT,
      abi.TRANSITION_EXIT_VCPUS,
    ]);
  });
});
