/** verify() on what is no page: objects, processes, totals, isolation; each is broken on purpose. */
import { describe, expect, it } from "vitest";
import * as abi from "../../assembly/abi.ts";
import type { Core } from "../../src/core/core.ts";
import type { Host } from "../../src/host.ts";
import { rfcHost, twoNodes } from "./hosts.ts";
import { PAGE, add, addToPage, corrupted, setWord, sound, word } from "./verify.ts";

/** sound(), with the region cut into three VMAs, whose pages share an anon_vma. */
async function threeVmas() {
  const at = await sound();
  at.memory.protect("read", { start: 20, count: 10 });
  expect(at.host.verify()).toBeNull();
  return { ...at, object: at.host.pages.at(at.pfn).mapping >> abi.MAPPING_TAG_SHIFT };
}

function mappingField(object: number, field: number): number {
  return object * abi.MAPPING_SIZE + field;
}

/** Offset of the first VMA in the chain of an object. */
function firstInChain(core: Core, object: number): number {
  return word(core, abi.TABLE_MAPPINGS, mappingField(object, abi.MAPPING_FIRST_VMA)) * abi.VMA_SIZE;
}

describe("objects", () => {
  it("INV-REF: an anon_vma has one VMA less than its count says", async () => {
    const { host, object } = await threeVmas();
    const bad = await corrupted(host, (core) =>
      add(core, abi.TABLE_MAPPINGS, mappingField(object, abi.MAPPING_REFCOUNT), 1),
    );
    expect(bad.verify()).toMatchObject({ invariant: "INV-REF", pfn: 0, object, expected: 3, found: 4 });
  });

  it("INV-REF: a migration has an anon_vma that is not counted", async () => {
    const { host, memory, object } = await threeVmas();
    const migration = host.migration(memory.pfnOf(40), { node: 1 });
    migration.isolate();
    migration.unmap();
    expect(host.verify()).toBeNull();
    const bad = await corrupted(host, (core) =>
      add(core, abi.TABLE_MAPPINGS, mappingField(object, abi.MAPPING_REFCOUNT), -1),
    );
    expect(bad.verify()).toMatchObject({ invariant: "INV-REF", object, expected: 4, found: 3 });
  });

  it("INV-REF: apf_mapping, which nothing maps, loses its reference", async () => {
    const { host } = await rfcHost("L5");
    const bad = await corrupted(host, (core) =>
      add(core, abi.TABLE_MAPPINGS, mappingField(1, abi.MAPPING_REFCOUNT), -1),
    );
    expect(bad.verify()).toMatchObject({ invariant: "INV-REF", object: 1, expected: 1, found: 0 });
  });

  it("INV-REF: an object with a number above that of the frames", async () => {
    const host = await twoNodes({ nodes: [{ zones: [{ kind: "normal", pages: 512 }] }] });
    const bad = await corrupted(host, (core) =>
      add(core, abi.TABLE_MAPPINGS, mappingField(1300, abi.MAPPING_REFCOUNT), 1),
    );
    expect(bad.verify()).toMatchObject({ invariant: "INV-REF", object: 1300, expected: 0, found: 1 });
  });

  it.each([100, 1_000_000, -1])("INV-UAF: a VMA has object %i, which there is not", async (object) => {
    const { host, object: own } = await threeVmas();
    const bad = await corrupted(host, (core) => {
      setWord(core, abi.TABLE_VMAS, firstInChain(core, own) + abi.VMA_OBJECT, object);
    });
    expect(bad.verify()).toMatchObject({ invariant: "INV-UAF", object, expected: 1, found: 0 });
  });

  it.each([
    { chain: "ends too early", next: () => 0, found: 1 },
    { chain: "is a circle", next: (offset: number) => offset / abi.VMA_SIZE, found: -1 },
    { chain: "leads out of the table", next: () => 1_000_000, found: -1 },
  ])("INV-LIST: the chain of an object $chain", async ({ next, found }) => {
    const { host, object } = await threeVmas();
    const bad = await corrupted(host, (core) => {
      const first = firstInChain(core, object);
      setWord(core, abi.TABLE_VMAS, first + abi.VMA_NEXT_IN_OBJECT, next(first));
    });
    expect(bad.verify()).toMatchObject({ invariant: "INV-LIST", pfn: 0, object, expected: 3, found });
  });

  it("INV-LIST: two objects have the chains of each other", async () => {
    const { host, object } = await threeVmas();
    host.createProcess({ pages: 8 }).map({ pages: 8 }).touch("write");
    const bad = await corrupted(host, (core) => {
      const offsets = [object, object + 1].map((id) => mappingField(id, abi.MAPPING_FIRST_VMA));
      const [first = 0, second = 0] = offsets.map((offset) => word(core, abi.TABLE_MAPPINGS, offset));
      add(core, abi.TABLE_MAPPINGS, offsets[0] ?? 0, second - first);
      add(core, abi.TABLE_MAPPINGS, offsets[1] ?? 0, first - second);
    });
    expect(bad.verify()).toMatchObject({ invariant: "INV-LIST", object, expected: 3, found: -1 });
  });

  it.each([
    { what: "mm_count", field: abi.PROCESS_MM_COUNT, invariant: "INV-REF", expected: 1 },
    { what: "the number of vCPUs", field: abi.PROCESS_NR_VCPUS, invariant: "INV-LIST", expected: 2 },
  ])("$invariant: $what of a process", async ({ field, invariant, expected }) => {
    const { host, guest, vcpu1 } = await sound();
    vcpu1.startAsyncPf(PAGE);
    expect(host.verify()).toBeNull();
    const bad = await corrupted(host, (core) =>
      add(core, abi.TABLE_PROCESSES, guest.id * abi.PROCESS_SIZE + field, 1),
    );
    const object = guest.id;
    expect(bad.verify()).toMatchObject({ invariant, pfn: 0, object, expected, found: expected + 1 });
  });

  it("INV-REF: work that has not run holds a reference of the VM, done work none", async () => {
    const { host, vcpu0 } = await sound();
    vcpu0.startAsyncPf(PAGE + 1);
    const bad = await corrupted(host, (core) =>
      add(core, abi.TABLE_VCPUS, vcpu0.id * abi.VCPU_SIZE + abi.VCPU_KVM_REFS, 1),
    );
    expect(bad.verify()).toMatchObject({ invariant: "INV-REF", object: vcpu0.id, expected: 1, found: 2 });
  });
});

const LINK = 4; // byte offset of the link in a free record, see assembly/state/pool.ts

/** sound(), with a migration whose entry a fault waits for. */
async function waiting(): Promise<Host> {
  const { host, memory } = await sound();
  const migration = host.migration(memory.pfnOf(40), { node: 1 });
  migration.isolate();
  migration.unmap();
  expect(memory.touch("write", { start: 40 }).sleeps).toBe(true);
  expect(host.verify()).toBeNull();
  return host;
}

describe("totals", () => {
  it.each([
    { field: abi.MACHINE_NR_PROCESSES, object: abi.TABLE_PROCESSES, expected: 1 },
    { field: abi.MACHINE_NR_VMAS, object: abi.TABLE_VMAS, expected: 1 },
    { field: abi.MACHINE_NR_MAPPINGS, object: abi.TABLE_MAPPINGS, expected: 1 },
    { field: abi.MACHINE_NR_PINS, object: abi.TABLE_PINS, expected: 3 },
    { field: abi.MACHINE_NR_CTXS, object: abi.TABLE_CTXS, expected: 0 },
    { field: abi.MACHINE_STEPPING, object: abi.TABLE_MIGRATIONS, expected: 1 },
    { field: abi.MACHINE_LRU_DISABLED, object: abi.TABLE_BATCHES, expected: 0 },
  ])("INV-LIST: the field at $field of the machine", async ({ field, object, expected }) => {
    const host = await waiting();
    const bad = await corrupted(host, (core) => add(core, abi.TABLE_MACHINE, field, 1));
    const found = expected + 1;
    expect(bad.verify()).toMatchObject({ invariant: "INV-LIST", pfn: 0, object, expected, found });
  });

  it("INV-REF: the target of an attempt that is over has not been put back", async () => {
    const { host, memory } = await sound();
    memory.pin([5]);
    const bad = await corrupted(host, (core) =>
      setWord(core, abi.TABLE_PINS, 2 * abi.PIN_SIZE + abi.PIN_KIND, abi.HOLDER_MIGRATION_TARGET),
    );
    expect(bad.verify()).toMatchObject({ invariant: "INV-REF", pfn: 0, expected: 0, found: 1 });
  });

  // A waiter that is not counted is woken by nobody.
  it.each([
    { kind: abi.HOLDER_MIGRATION_WAITER, invariant: "INV-LIVE", object: 0, expected: 1 },
    { kind: abi.HOLDER_ASYNC_PF, invariant: "INV-LIST", object: abi.TABLE_PINS, expected: 2 },
  ])("$invariant: one pin more of kind $kind than is counted", async ({ kind, ...broken }) => {
    const { host, memory } = await sound();
    memory.pin([5]);
    const bad = await corrupted(host, (core) =>
      setWord(core, abi.TABLE_PINS, 2 * abi.PIN_SIZE + abi.PIN_KIND, kind),
    );
    expect(bad.verify()).toMatchObject({ ...broken, pfn: 0, found: broken.expected - 1 });
  });

  // The free list of the pins begins with the fourth.
  it.each([
    { list: "leads to a record in use", next: 1 },
    { list: "is a circle", next: 4 },
    { list: "leads out of the table", next: -1 },
  ])("INV-LIST: a free list $list", async ({ next }) => {
    const host = await waiting();
    const bad = await corrupted(host, (core) => {
      setWord(core, abi.TABLE_PINS, 10 * abi.PIN_SIZE + LINK, next);
    });
    expect(bad.verify()).toMatchObject({ invariant: "INV-LIST", object: abi.TABLE_PINS, found: -1 });
  });

  it.each([
    { records: "process", object: abi.TABLE_PROCESSES, size: abi.PROCESS_SIZE, used: 1 },
    { records: "VMA", object: abi.TABLE_VMAS, size: abi.VMA_SIZE, used: 1 },
    { records: "mapping", object: abi.TABLE_MAPPINGS, size: abi.MAPPING_SIZE, used: 1 },
    { records: "pin", object: abi.TABLE_PINS, size: abi.PIN_SIZE, used: 3 },
    { records: "work item", object: abi.TABLE_APFS, size: abi.APF_SIZE, used: 1 },
    { records: "context", object: abi.TABLE_CTXS, size: abi.CTX_SIZE, used: 0 },
  ])("INV-LIST: the free list of $records records ends with the 20th", async ({ object, size, used }) => {
    const host = await waiting();
    const bad = await corrupted(host, (core) => setWord(core, object, 20 * size + LINK, 0));
    expect(bad.verify()).toMatchObject({ invariant: "INV-LIST", pfn: 0, object, found: 20 - used });
  });
});

/** sound(), with a migration that has isolated a page. */
async function isolated() {
  const { host, memory } = await sound();
  const pfn = memory.pfnOf(40);
  host.migration(pfn, { node: 1 }).isolate();
  expect(host.verify()).toBeNull();
  return { host, pfn };
}

describe("isolation", () => {
  it("INV-REF: the migration that isolated a page has been forgotten", async () => {
    const { host, pfn } = await isolated();
    const bad = await corrupted(host, (core) => {
      core.words(abi.TABLE_MIGRATIONS).fill(0);
      add(core, abi.TABLE_MACHINE, abi.MACHINE_STEPPING, -1);
    });
    expect(bad.verify()).toMatchObject({ invariant: "INV-REF", pfn, object: 0, expected: 1, found: 2 });
  });

  it("INV-REF: two migrations have isolated one page", async () => {
    const { host, pfn } = await isolated();
    const bad = await corrupted(host, (core) => {
      const size = abi.MIGRATION_SIZE >> 2;
      core.words(abi.TABLE_MIGRATIONS).copyWithin(2 * size, size, 2 * size);
      add(core, abi.TABLE_MACHINE, abi.MACHINE_STEPPING, 1);
    });
    expect(bad.verify()).toMatchObject({ invariant: "INV-REF", pfn, object: 2, expected: 3, found: 2 });
  });

  it("INV-REF: the page of a migration is not isolated", async () => {
    const { host, pfn } = await isolated();
    const bad = await corrupted(host, (core) => {
      addToPage(core, pfn, abi.PAGE_FLAGS, -abi.PG_ISOLATED);
      addToPage(core, pfn, abi.PAGE_REFCOUNT, -1);
      add(core, abi.TABLE_COUNTERS, abi.NR_ISOLATED_ANON * 8, -1);
    });
    expect(bad.verify()).toMatchObject({ invariant: "INV-REF", pfn, object: 1, expected: 2, found: 1 });
  });
});
