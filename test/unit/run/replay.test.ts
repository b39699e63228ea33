import { describe, expect, it } from "vitest";
import { parseRecording } from "../../../src/run/validate.ts";
import { Machine } from "../../../src/run/validate/machine.ts";
import {
  AGREES,
  type Json,
  host,
  mapStep,
  moveStep,
  outcomeOf,
  pinStep,
  recordingOf,
  replaySteps,
} from "./recordings.ts";

// Its second node is a block of ZONE_MOVABLE that is offline at first.
const dimm = {
  ...host,
  nodes: [
    { id: 0, firstPfn: 0, pages: 65536 },
    { id: 1, firstPfn: 65536, pages: 32768, zone: "movable", onlineAtStart: false },
  ],
};

const unpin = (id: string, more: Json = {}): Json => ({ op: "unpin", id, ...more });

const uring = (id: string, pages: unknown, observed: Json): Json =>
  pinStep(id, pages, { how: "io_uring", observed });

// Answers of the rules that the recorder wrote down for Linux 6.1.192 and 6.12.117, not of a recorded case.
describe("references", () => {
  it("add up: one page held twice moves when both are gone", async () => {
    const fails = {
      ret: 1,
      status: [null],
      vmstat: { pgmigrate_success: 0, pgmigrate_fail: 1 },
      whereAfter: { node0: 1 },
    };
    expect(
      await outcomeOf([
        mapStep(1),
        pinStep("p", [0]),
        pinStep("q", [0]),
        moveStep(1, { ...fails, refsAtTryToMigrate: [{ refcount: 4, mapcount: 1, times: 10 }] }),
        unpin("p"),
        moveStep(1, { ...fails, refsAtTryToMigrate: [{ refcount: 3, mapcount: 1, times: 10 }] }),
        unpin("q"),
        moveStep(1, { ret: 0, status: [1], whereAfter: { node1: 1 } }),
      ]),
    ).toEqual(AGREES);
  });

  it.each([
    ["6.1.192", { refcount: 3, times: 10 }, { unmaps: 10, checks: 10 }],
    ["6.12.117", { refcount: 1026, times: 10 }, { unmaps: 10, checks: 0 }],
  ])("of a direct read on %s go when the read is done", async (kernel, refs, attempts) => {
    const read = { how: "odirect", ioDurationMs: 700 };
    const failed = {
      ret: 1,
      ioStillInFlightAtEnd: true,
      refsAtTryToMigrate: [{ mapcount: 1, ...refs }],
      attemptsPerFolio: [{ moved: false, folios: 1, ...attempts }],
    };
    expect(
      await outcomeOf(
        [
          mapStep(1),
          pinStep("p", [0], read),
          moveStep(1, failed),
          unpin("p", { wait: true }),
          moveStep(1, { ret: 0, ioStillInFlightAtEnd: false, whereAfter: { node1: 1 } }),
        ],
        { kernel },
      ),
    ).toEqual(AGREES);
  });

  it("of a direct read go by themselves while other time passes", async () => {
    expect(
      await outcomeOf([
        mapStep(1),
        pinStep("p", [0], { how: "odirect", ioDurationMs: 700 }),
        { op: "wait", ms: 699 },
        moveStep(1, { ret: 1 }),
        { op: "wait", ms: 1 },
        moveStep(1, { ret: 0, pinned: 0 }),
      ]),
    ).toEqual(AGREES);
  });
});

describe("pins for long", () => {
  const inDimm = [{ op: "onlineMovable", block: 2 }, mapStep(8, { node: 1 })];

  it.each(["6.1.192", "6.12.117"])("are all or nothing on %s", async (kernel) => {
    const refused = {
      ret: -12,
      errno: "ENOMEM",
      // Two have moved before the one that cannot; the last is not tried.
      vmstat: { pgmigrate_success: 2, pgmigrate_fail: 1 },
      firstPinnedPage: { nodeBefore: 1, nodeAfter: 0, sameFrame: false },
    };
    const steps = [
      ...inDimm,
      pinStep("p", [5]),
      uring("u", [1, 2, 5, 6], refused),
      unpin("p"),
      // Nothing of the registration is left: all go back, in one attempt each.
      moveStep(1, { ret: 0, pinned: 0, vmstat: { pgmigrate_success: 2 }, whereAfter: { node1: 8 } }),
      unpin("u"),
    ];
    expect(await outcomeOf(steps, { kernel, host: dimm })).toEqual(AGREES);
  });

  it.each(["6.1.192", "6.12.117"])("leave the block free to go offline on %s", async (kernel) => {
    const there = { firstPinnedPage: { nodeBefore: 1, nodeAfter: 0, sameFrame: false } };
    const gone = { ret: 0, rounds: 1, pinned: 2, vmstat: { pgmigrate_success: 6 }, whereAfter: { node0: 8 } };
    const offline = { op: "offline", block: 2, by: "child:0", observed: gone };
    const steps = [...inDimm, uring("u", [0, 7], { ret: 0, errno: null, ...there }), offline];
    expect(await outcomeOf(steps, { kernel, host: dimm })).toEqual(AGREES);
  });

  it("add up with other references: 1024, and one of vmsplice", async () => {
    const observed = {
      ret: 1,
      refsAtTryToMigrate: [{ refcount: 1027, mapcount: 1, times: 10 }],
      attemptsPerFolio: [{ moved: false, unmaps: 10, checks: 0, folios: 1 }],
    };
    const steps = [mapStep(1), uring("u", [0], { ret: 0 }), pinStep("p", [0]), moveStep(1, observed)];
    expect(await outcomeOf(steps)).toEqual(AGREES);
  });

  it.each([
    ["io_uring", "always 1", "toucherMinorFaults > 0"],
    ["vmsplice", "always 1", "toucherMinorFaults > 0"],
    ["io_uring", "none", "toucherMinorFaults == 0"],
  ])("cost a writer faults while calls fail: %s, %s", async (how, moves, relation) => {
    const touch = { op: "touchWhileMoving", region: "a", durationMs: 100, moves, flags: "MOVE" };
    const observed = { ret0: 0, relations: [relation] };
    expect(await outcomeOf([mapStep(1), pinStep("p", [0], { how }), { ...touch, observed }])).toEqual(AGREES);
  });
});

describe("arrays", () => {
  it("that name a page twice: the second entry is busy, and ends the run", async () => {
    expect(
      await outcomeOf([
        mapStep(3),
        moveStep(1, { ret: 0, status: [1, -16, 1], migratePagesCalls: 2 }, { entries: [0, 0, 2] }),
      ]),
    ).toEqual(AGREES);
  });

  it.each([
    ["6.1.192", { status: [-2, -2], whereAfter: { "-ENOENT": 2 } }],
    ["6.12.117", { status: [1, 1], whereAfter: { node1: 2 } }],
  ])("of pages made PROT_NONE on %s", async (kernel, observed) => {
    const steps = [
      mapStep(2),
      { op: "protect", region: "a", prot: "none" },
      moveStep(1, { ret: 0, ...observed }),
    ];
    expect(await outcomeOf(steps, { kernel })).toEqual(AGREES);
  });

  it("of pages on several nodes: only those elsewhere move", async () => {
    expect(
      await outcomeOf([
        mapStep(4, { node: null, nodeOfPage: [1, 0, 0, 1] }),
        moveStep(1, {
          ret: 0,
          status: [1, 1, 1, 1],
          vmstat: { pgmigrate_success: 2, pgmigrate_fail: 0 },
          samplePagesBefore: [
            { index: 3, node: 1 },
            { index: 1, node: 0 },
          ],
          samplePagesAfter: [
            { index: 3, sameFrame: true },
            { index: 1, node: 1, sameFrame: false },
          ],
        }),
      ]),
    ).toEqual(AGREES);
  });
});

describe("a target that is full", () => {
  // 6000 pages for the 1000 that are left: the statuses stay untouched and one page counts as failed.
  const observed = {
    ret: -1,
    errno: "ENOMEM",
    statusCounts: { untouched: 6000 },
    vmstat: { pgmigrate_success: 1000, pgmigrate_fail: 1 },
    whereAfter: { node0: 5000, node1: 1000 },
  };
  const nodes = [
    { id: 0, firstPfn: 0, pages: 16384, freeAtRunStart: 15000 },
    { id: 1, firstPfn: 16384, pages: 16384, freeAtRunStart: 13000 },
  ];

  it.each(["6.1.192", "6.12.117"])("because a case filled it, on %s", async (kernel) => {
    const fill = { op: "fill", by: "child:0", node: 1, pages: 12000 };
    const steps = [mapStep(6000), fill, moveStep(1, observed), { op: "exit", child: "all" }];
    expect(await outcomeOf(steps, { kernel, host: { ...host, nodes } })).toEqual(AGREES);
  });

  it("as the recording says how much was free, and what the kernel kept", async () => {
    const free = { nodeFreeKbBefore: 4 * 1600, nodeFreeKbAfter: 4 * 600 };
    const { result, disagreements } = await replaySteps([
      mapStep(6000),
      moveStep(1, { ...observed, ...free }),
    ]);
    expect({ result, disagreements }).toEqual({ result: "agree", disagreements: [] });
  });
});

describe("children", () => {
  it("that inherit nothing map and move memory of their own", async () => {
    const by = "child:0";
    expect(
      await outcomeOf([
        { op: "fork", children: 1, childTouch: "none" },
        mapStep(10, { by }),
        pinStep("p", [3], { by }),
        {
          op: "migratePages",
          by,
          fromNodes: [0],
          toNodes: [1],
          observed: { ret: 1, pinned: 1, whereAfter: { node0: 1, node1: 9 }, relations: ["ret == pinned"] },
        },
        { op: "exit", child: "all" },
      ]),
    ).toEqual(AGREES);
  });
});

describe("releases", () => {
  const relations = ["lastRet == 0", "calls == failedCalls + 1"];

  function until(firstRet: number, timing: Json, more: string): Json {
    const release = { pin: "p", atMs: 20 };
    const observed = { firstRet, timeDependent: ["firstRet"], relations: [...relations, more], timing };
    return {
      ...moveStep(1, observed),
      op: "movePagesUntil",
      untilRet: 0,
      release,
    };
  }

  // The first call takes longer than 20 ms here; whether it did there, the recording knows.
  it("come after the first call if that one failed", async () => {
    const steps = [mapStep(512), pinStep("p", { every: 10, count: 52 }), until(52, {}, "firstRet == pinned")];
    expect((await replaySteps(steps)).disagreements).toEqual([]);
  });

  it("come during the first call if that one succeeded", async () => {
    const steps = [mapStep(1), pinStep("p", [0]), until(0, { releasedAtMs: 20.4 }, "firstRet == 0")];
    expect((await replaySteps(steps)).disagreements).toEqual([]);
  });

  it("come at the time that was recorded, not at the one that was asked for", async () => {
    const early = [mapStep(1), pinStep("p", [0]), until(1, { releasedAtMs: 30 }, "failedCalls >= 70")];
    expect((await replaySteps(early)).disagreements).toEqual([]);
    const late = [mapStep(1), pinStep("p", [0]), until(1, { releasedAtMs: 3 }, "failedCalls < 9")];
    expect((await replaySteps(late)).disagreements).toEqual([]);
  });
});

describe("a trace", () => {
  it("that is too long for its ring says nothing", async () => {
    const observed = { lastRet: 0, batches: { "1": 7 } };
    const release = { pin: "p", atMs: 900 };
    const loop = { ...moveStep(1, { ...observed, firstRet: 1 }), op: "movePagesUntil", untilRet: 0, release };
    const { disagreements, notCompared } = await replaySteps([mapStep(1), pinStep("p", [0]), loop]);
    expect(disagreements).toEqual([]);
    const reason: unknown = expect.stringMatching(/^the trace ring had no room for \d+ events$/);
    expect(notCompared).toEqual([{ step: 2, what: "batches", reason }]);
  });

  it("that was too long for the recorder's ring is not compared either", async () => {
    const moved = moveStep(1, { ret: 0, batches: { "0": 1 }, traceTruncated: true });
    const { result, notCompared } = await replaySteps([mapStep(600), moved]);
    expect(result).toBe("agree");
    expect(notCompared).toEqual([
      { step: 1, what: "batches", reason: "the recorder's ring was full" },
      { step: 1, what: "traceTruncated", reason: "says that the recorder's ring was full" },
    ]);
  });
});

describe("memory offline", () => {
  const setUp = [
    { op: "onlineMovable", block: 2, observed: { ret: 0 } },
    mapStep(100, { node: 1 }),
    pinStep("p", [7]),
  ];

  it("ends with its writer: nobody sees what it would have returned", async () => {
    const observed = {
      ret: null,
      errno: null,
      writerExit: "signal 9",
      stateAfter: "online",
      relations: ["vmstat.pgmigrate_fail == rounds * pinned", "vmstat.pgmigrate_success == pages - pinned"],
    };
    const signal = { name: "SIGKILL", atMs: 1000 };
    const steps = [...setUp, { op: "offline", block: 2, by: "child:0", signal, observed }];
    const { result, disagreements, notCompared } = await replaySteps(steps, { host: dimm });
    expect({ result, disagreements }).toEqual({ result: "agree", disagreements: [] });
    expect(notCompared.map(({ what }) => what)).toEqual(["ret", "errno"]);
  });

  it("has rounds that are counted, not executed: what they would have traced is not compared", async () => {
    const observed = { ret: -1, errno: "EINTR", batches: { "1": 7 }, migratePagesReturns: { "1": 7 } };
    const signal = { name: "SIGUSR1", atMs: 1000 };
    const steps = [...setUp, { op: "offline", block: 2, by: "child:0", signal, observed }];
    const { disagreements, notCompared } = await replaySteps(steps, { host: dimm });
    expect(disagreements).toEqual([]);
    const reason: unknown = expect.stringMatching(/^\d+ rounds were counted, not executed$/);
    expect(notCompared).toEqual([
      { step: 3, what: "batches", reason },
      { step: 3, what: "migratePagesReturns", reason },
    ]);
  });

  it("that nothing would ever end does not hang the replay", async () => {
    const steps = [...setUp, { op: "offline", block: 2, by: "child:0", observed: { ret: 0 } }];
    const { disagreements } = await replaySteps(steps, { host: dimm });
    expect(disagreements).toEqual([{ step: 3, what: "ret", recorded: 0, simulated: -1 }]);
  });
});

describe("times of an emulator", () => {
  const variants = [
    { name: "move", nodes: "alternate 1, 0" },
    { name: "fail", pin: "vmsplice", node: 1 },
    { name: "noop", node: 0 },
  ];

  it("say what takes longer than what", async () => {
    const times = { timing: { moveUs: 45, failUs: 154, noopUs: 15 }, timeDependent: ["timing"] };
    const step = { op: "timeCalls", region: "a", calls: 20, variants };
    expect(await outcomeOf([mapStep(1), { ...step, observed: times }])).toEqual(AGREES);
    const wrong = { ...times, timing: { moveUs: 45, failUs: 40, noopUs: 15 } };
    expect((await replaySteps([mapStep(1), { ...step, observed: wrong }])).disagreements).toEqual([
      {
        step: 1,
        what: "order of timing",
        recorded: ["noopUs", "failUs", "moveUs"],
        simulated: ["noopUs", "moveUs", "failUs"],
      },
    ]);
  });
});

describe("the rebuilt machine", () => {
  it("has ZONE_MOVABLE at the end of each node, in equal parts, as movablecore= makes it", async () => {
    const text = recordingOf([mapStep(1)], { kernel: "3.11.0", host: { ...host, movableCore: 16384 } });
    const machine = await Machine.build(parseRecording(text, "case.json"));
    // Frames 0 and 1 are never handed out.
    expect(machine.host.freePages()).toEqual([8190, 8192, 8192, 8192]);
    const memory = machine.process("parent").map({ pages: 1, node: 1 });
    memory.touch("write");
    expect(memory.pfnOf(0)).toBeGreaterThanOrEqual(16384 + 8192);
    // A page that is to be pinned for long leaves ZONE_MOVABLE first.
    memory.pin([0], "longterm");
    expect(memory.pfnOf(0)).toBeGreaterThanOrEqual(16384);
    expect(memory.pfnOf(0)).toBeLessThan(16384 + 8192);
  });
});
