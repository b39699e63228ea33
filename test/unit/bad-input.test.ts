/** Values that are not allowed: an error that names value, place and what is allowed; the state stays. */
import { describe, expect, it } from "vitest";
import { Host, type HostConfig, SimError } from "../../src/index.ts";
import { pinByAsyncPf, rfcHost } from "./hosts.ts";

const normal = (pages: number, startPfn?: number) =>
  ({ kind: "normal", pages, ...(startPfn !== undefined && { startPfn }) }) as const;

/** A host with tight limits: pages 0 … 39 of a guest of 100 are mapped and touched. */
async function tight() {
  const host = await Host.create({
    contentBytes: 8,
    nodes: [{ zones: [normal(1024)] }, { zones: [{ kind: "movable", startPfn: 32_768, pages: 1024 }] }],
    limits: { pins: 4, entries: 64, events: 1, vcpus: 2, processes: 2, vmas: 6, cacheSlots: 16, mappings: 6 },
  });
  const guest = host.createGuest({ pages: 100, vcpus: 1 });
  const memory = guest.map({ pages: 40 });
  memory.touch("write");
  const [vcpu] = guest.vcpus;
  if (vcpu === undefined) throw new Error("a vCPU was asked for");
  return { host, guest, memory, vcpu };
}
type Tight = Awaited<ReturnType<typeof tight>>;

/** What a user without type checks may write. */
function untyped(value: unknown): never {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the very thing to be refused at run time
  return value as never;
}

const range = "ERR_RANGE";
const limit = "ERR_LIMIT";
const unknown = "ERR_UNKNOWN_NAME";
const argument = "ERR_ARGUMENT";

const cases: [string, (at: Tight) => unknown, string, string][] = [
  [
    "createProcess",
    (at) => at.host.createProcess({ pages: 0 }),
    range,
    "pages: 0 is not an integer from 1 to 2048",
  ],
  ["createProcess", (at) => at.host.createProcess({ pages: 1.5 }), range, "pages: 1.5 is not"],
  ["createProcess", (at) => at.host.createProcess({ pages: 2048 }), limit, "no run of 2048 PTEs is left"],
  [
    "createProcess",
    (at) => at.host.createProcess({ pages: 1, cpu: 1 }),
    range,
    "cpu: 1 is not an integer from 0 to 0",
  ],
  [
    "createGuest",
    (at) => at.host.createGuest({ pages: 4, vcpus: 3 }),
    range,
    "vcpus: 3 is not an integer from 0 to 2",
  ],
  [
    "createGuest",
    (at) => at.host.createGuest({ pages: 4, vcpus: 2 }),
    limit,
    "vcpus: 2, and limits.vcpus leaves 1",
  ],
  ["map", (at) => at.guest.map({ pages: 101 }), range, "pages: 101 is not an integer from 1 to 100"],
  ["map", (at) => at.guest.map({ pages: 61 }), limit, "no gap of 61 pages among the 100"],
  ["map", (at) => at.guest.map({ pages: 10, at: 95 }), range, "at: 95 is not an integer from 0 to 90"],
  ["map", (at) => at.guest.map({ pages: 10, at: 35 }), argument, "virtual pages 35…44 are mapped in part"],
  ["map", (at) => at.guest.map({ pages: 1, node: 2 }), range, "node: 2 is not an integer from 0 to 1"],
  [
    "map",
    (at) => at.guest.map({ pages: 17, kind: "shmem" }),
    limit,
    "page-cache slot or frame is left for 17 pages",
  ],
  ["map", (at) => at.guest.map({ pages: 5, kind: "vdso" }), limit, "is left for 5 pages"],
  [
    "map",
    (at) => at.guest.map({ pages: 1, kind: untyped("file") }),
    unknown,
    '"file" is not one of anon, shmem, vdso',
  ],
  ["touch", (at) => at.memory.touch(untyped("peek")), unknown, '"peek" is not one of read, write'],
  [
    "touch",
    (at) => at.memory.touch("read", { start: -1 }),
    range,
    "range.start: -1 is not an integer from 0 to 40",
  ],
  [
    "touch",
    (at) => at.memory.touch("read", { count: 41 }),
    range,
    "range.count: 41 is not an integer from 0 to 40",
  ],
  [
    "unmap",
    (at) => at.memory.unmap({ start: 40, count: 1 }),
    range,
    "range.count: 1 is not an integer from 0 to 0",
  ],
  ["protect", (at) => at.memory.protect(untyped("rw")), unknown, '"rw" is not one of none, read, read-write'],
  ["pin", (at) => at.memory.pin([40]), range, "page index: 40 is not an integer from 0 to 39"],
  ["pin", (at) => at.memory.pin([-1]), range, "page index: -1 is not"],
  ["pin", (at) => at.memory.pin([0, 1, 2, 3, 4]), limit, "pin: 5 pages, and limits.pins leaves 4"],
  ["pin", (at) => at.memory.pin([1], untyped("hold")), unknown, '"hold" is not one of get, pin'],
  ["movePages", (at) => at.memory.movePages({ node: 1, entries: [-2] }), range, "page index: -2 is not"],
  ["movePages", (at) => at.memory.movePages({ node: 1.5 }), range, "node: 1.5 is not an integer"],
  [
    "movePages",
    (at) => at.memory.movePages({ node: [1], entries: [1, 2] }),
    argument,
    "1 nodes for 2 entries",
  ],
  [
    "movePages",
    (at) => at.memory.movePages({ node: 1, entries: Array.from({ length: 65 }, () => 0) }),
    limit,
    "entries: 65, and limits.entries is 64",
  ],
  ["mbind", (at) => at.memory.mbind({ node: Number.NaN }), range, "node: NaN is not an integer"],
  [
    "migrate",
    (at) => at.memory.migrate({ node: 5, mode: "sync" }),
    range,
    "node: 5 is not an integer from 0 to 1",
  ],
  ["migrate", (at) => at.memory.migrate({ node: 0.5, mode: "sync" }), range, "node: 0.5 is not an integer"],
  [
    "migrate",
    (at) => at.memory.migrate({ node: 1, mode: untyped("lazy") }),
    unknown,
    "async, sync-light, sync",
  ],
  ["migratePages", (at) => at.guest.migratePages([0], [0, 1]), argument, "1 nodes to leave, 2 to go to"],
  ["pfnOf", (at) => at.memory.pfnOf(40), range, "page index: 40 is not"],
  ["startAsyncPf", (at) => at.vcpu.startAsyncPf(100), range, "gfn: 100 is not an integer from 0 to 99"],
  ["runWorkers", (at) => at.vcpu.runWorkers(5), argument, "token: 5 is no queued work of vCPU 0"],
  ["stepWorker", (at) => at.vcpu.stepWorker(5), argument, "token: 5 is no queued work of vCPU 0"],
  ["complete", (at) => at.vcpu.complete(0.5), range, "limit: 0.5 is not an integer"],
  ["offline", (at) => at.host.offline(2), range, "block: 2 is not an integer from 0 to 1"],
  ["offline", (at) => at.host.offline(0, { maxRounds: -1 }), range, "maxRounds: -1 is not"],
  [
    "offline",
    (at) => at.host.offline(0, { maxRounds: 0 }),
    range,
    "maxRounds: 0 is not an integer from 1 to 9007199254740991",
  ],
  [
    "offline",
    (at) => at.host.offline(0, { untilNs: 0 }),
    range,
    "untilNs: 0 is not an integer from 1 to 9007199254740991",
  ],
  ["offline", (at) => at.host.offline(0, { untilNs: Number.NaN }), range, "untilNs: NaN is not"],
  ["online", (at) => at.host.online(-1), range, "block: -1 is not an integer from 0 to 1"],
  ["signalAt", (at) => at.host.signalAt(-1), range, "-1 is not an integer from 0"],
  ["wait", (at) => at.host.wait(0.5), range, "ns: 0.5 is not an integer from 0"],
  ["setPageFlag", (at) => at.host.setPageFlag(900, "dirty", true), argument, "pfn: 900 is free"],
  [
    "setPageFlag",
    (at) => at.host.setPageFlag(20_000, "dirty", true),
    range,
    "pfn: 20000 lies in no zone; they are 0…1023, 32768…33791",
  ],
  ["setPageFlag", (at) => at.host.setPageFlag(5, untyped("lru"), true), unknown, "locked, writeback, dirty"],
  ["failContextAllocations", (at) => at.host.failContextAllocations(-1), range, "count: -1 is not"],
  ["random", (at) => at.host.random(0), range, "bound: 0 is not an integer from 1"],
  ["holders", (at) => at.host.holders(33_792), range, "pfn: 33792 is not an integer from 1 to 33791"],
  ["sectionHash", (at) => at.host.sectionHash(5), range, "section: 5 is not an integer from 0 to 4"],
  ["pages.at", (at) => at.host.pages.at(0), range, "pfn: 0 is not an integer from 1 to 33791"],
  ["pages.copy", (at) => at.host.pages.copy(5, 33_792), range, "count: 33792 is not"],
  ["migration", (at) => at.host.migration(20_000, { node: 0 }), range, "pfn: 20000 lies in no zone"],
  ["migration", (at) => at.host.migration(5, { node: 2 }), range, "node: 2 is not an integer from 0 to 1"],
  ["reserveFrame", (at) => at.host.reserveFrame(at.memory.pfnOf(0)), argument, "is not free"],
];

function thrownBy(body: () => unknown): SimError {
  try {
    body();
  } catch (error) {
    if (error instanceof SimError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

it.each(cases)("%s: %s", async (_name, body, code, message) => {
  const at = await tight();
  const before = at.host.stateHash();
  const error = thrownBy(() => body(at));
  expect(error.message).toContain(message);
  expect(error.code).toBe(code);
  expect(at.host.stateHash()).toBe(before);
  expect(at.host.verify()).toBeNull();
});

it("a process that has exited is refused, also when its record belongs to another", async () => {
  const { host, guest, memory, vcpu } = await tight();
  guest.exit();
  const other = host.createProcess({ pages: 100 });
  expect(other.id).toBe(guest.id);
  const before = host.stateHash();
  const uses = [
    () => guest.exit(),
    () => guest.map({ pages: 1 }),
    () => memory.touch("write"),
    () => memory.unmap(),
    () => memory.movePages({ node: 1 }),
    () => memory.mbind({ node: 1 }),
    () => vcpu.startAsyncPf(1),
    () => vcpu.complete(),
    () => vcpu.wakeupAll(),
    () => vcpu.asyncPfs(),
    () => vcpu.halted,
    () => vcpu.notifications,
    () => guest.rss,
  ];
  for (const use of uses) expect(thrownBy(use).message).toBe(`process ${guest.id} has exited`);
  expect(host.stateHash()).toBe(before);
});

it("more events than limits.events: refused", async () => {
  const { host } = await tight();
  host.signalAt(5e9);
  const before = host.stateHash();
  const message = "limits.events: 1 are scheduled, and it allows no more";
  expect(thrownBy(() => host.signalAt(6e9))).toMatchObject({ code: limit, message });
  expect(host.stateHash()).toBe(before);
});

it("more migrations than 16 at one time: refused", async () => {
  const { host, memory } = await tight();
  host.drainLru();
  const migrations = Array.from({ length: 17 }, (_, i) => host.migration(memory.pfnOf(i), { node: 1 }));
  const last = migrations.pop();
  for (const migration of migrations) expect(migration.isolate().ret).toBe(0);
  const before = host.stateHash();
  const message = "isolate: 16 migrations are under way, all of limits.migrations";
  expect(thrownBy(() => last?.isolate())).toMatchObject({ code: limit, message });
  expect(host.stateHash()).toBe(before);
});

it("a host that has crashed refuses operations and can be inspected", async () => {
  const at = await rfcHost("L0");
  pinByAsyncPf(at.vcpu0, 3);
  at.memory.movePages({ node: 1, entries: [3] });
  const before = at.host.stateHash();
  const operations = [
    () => at.memory.touch("write"),
    () => at.memory.movePages({ node: 1 }),
    () => at.guest.exit(),
    () => at.memory.unmap(),
    () => at.vcpu0.complete(),
    () => at.host.offline(1),
    () => at.host.wait(1),
    () => at.host.createProcess({ pages: 1 }),
  ];
  for (const operation of operations) expect(thrownBy(operation).code).toBe("ERR_STOPPED");
  expect(at.host.stateHash()).toBe(before);
  expect(at.host.crash).toMatchObject({ kind: "oops", function: "mutex_lock" });
  expect(at.host.holders(at.memory.pfnOf(3)).map(({ kind }) => kind)).toEqual([
    "pte",
    "isolation",
    "async_pf",
  ]);
  expect(at.host.verify()?.invariant).toMatch(/^INV-/);
  const copy = await Host.restore(at.host.snapshot());
  expect(copy.crash).toEqual(at.host.crash);
});

describe("Host.create", () => {
  const configurations: [Partial<HostConfig>, string, string][] = [
    [{ nodes: [] }, range, "number of nodes: 0 is not an integer from 1 to 8"],
    [{ nodes: [{ zones: [] }] }, argument, "the host has no memory"],
    [
      { nodes: [{ zones: [normal(1000)] }] },
      range,
      "1000 pages are not both multiples of the pageblock, 512",
    ],
    [{ nodes: [{ zones: [normal(512, 100)] }] }, range, "pfn 100 and 512 pages"],
    [
      { nodes: [{ zones: [normal(1024), normal(512, 512)] }] },
      range,
      "512 lies before the end of the zone before it, 1024",
    ],
    [{ nodes: [{ zones: [normal(2 ** 27)] }] }, limit, "split the host into 2 nodes or more, a core each"],
    [
      { nodes: [{ zones: [normal(2 ** 26), normal(2 ** 26)] }] },
      limit,
      "split the host into 2 nodes or more",
    ],
    [
      { nodes: [{ zones: [normal(2 ** 26)] }], contentBytes: 32 },
      limit,
      "split it into 2 nodes or more, a core each",
    ],
    [{ nodes: [{ zones: [{ kind: untyped("dma"), pages: 512 }] }] }, unknown, "dma32, normal, movable"],
    [{ kernel: untyped("v5.0") }, unknown, '"v5.0" is not one of v3.12, v6.1, v6.12'],
    [{ policy: untyped("hold") }, unknown, '"hold" is not one of pin, rfc, drop-get, longterm'],
    [{ policy: "rfc", repairs: [untyped("L6")] }, unknown, '"L6" is not one of L1, L2, L3, L4, L5'],
    [{ policy: "pin", repairs: ["L1"] }, argument, "the policy pin has none, only rfc has"],
    [{ contentBytes: 12 }, range, "contentBytes: 12 is not a multiple of 8 from 0 to 4096"],
    [{ contentBytes: 4104 }, range, "contentBytes: 4104 is not"],
    [{ cpus: 0 }, range, "cpus: 0 is not an integer from 1"],
    [{ seed: -1 }, range, "seed: -1 is not an integer from 0"],
    [{ limits: { pins: -1 } }, range, "limits.pins: -1 is not"],
    [{ limits: { ptes: 2 ** 27 } }, range, "limits.ptes: 134217728 is not an integer from 1 to 67108864"],
    [
      { limits: { mappings: 2 ** 31 - 1 } },
      range,
      "limits.mappings: 2147483647 is not an integer from 1 to 2147483642",
    ],
    [{ costs: { offlineRoundNs: 0 } }, range, "costs.offlineRoundNs: 0 is not an integer from 1"],
    [{ costs: { syscallNs: 0.5 } }, range, "costs.syscallNs: 0.5 is not"],
  ];

  it.each(configurations)("%j", async (config, code, message) => {
    const error: unknown = await Host.create({ nodes: [{ zones: [normal(512)] }], ...config }).catch(
      (cause: unknown) => cause,
    );
    expect(error).toBeInstanceOf(SimError);
    expect(error).toMatchObject({ code, message: expect.stringContaining(message) });
  });
});

describe("a snapshot that cannot be restored", () => {
  const damages: [string, (bytes: Uint8Array) => Uint8Array, string, string][] = [
    ["empty", () => new Uint8Array(0), "ERR_SNAPSHOT", "0 bytes are less than a header"],
    ["foreign", (bytes) => bytes.fill(0x20, 0, 4), "ERR_SNAPSHOT", "does not begin as one"],
    ["truncated", (bytes) => bytes.subarray(0, -1), "ERR_SNAPSHOT", "bytes where its header says"],
    [
      "of another ABI",
      (bytes) => bytes.fill(0x7f, 4, 5),
      "ERR_ABI_MISMATCH",
      "made by another build (ABI 127",
    ],
    ["of another core", (bytes) => bytes.fill(0x7f, 8, 9), "ERR_ABI_MISMATCH", "made by another build"],
    [
      "damaged",
      (bytes) => bytes.fill(0x7f, bytes.length - 9, bytes.length - 8),
      "ERR_SNAPSHOT",
      "it is damaged",
    ],
  ];

  it.each(damages)("%s", async (_name, damage, code, message) => {
    const { host } = await tight();
    const error: unknown = await Host.restore(damage(host.snapshot())).catch((cause: unknown) => cause);
    expect(error).toMatchObject({ code, message: expect.stringContaining(message) });
  });
});
