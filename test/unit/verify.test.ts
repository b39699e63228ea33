/** verify(): each invariant is broken on purpose, and has to be named with its page and both values. */
import { describe, expect, it } from "vitest";
import * as abi from "../../assembly/abi.ts";
import { pinByAsyncPf, rfcHost } from "./hosts.ts";
import { PAGE, add, addToPage, corrupted, pageField, setWord, sound } from "./verify.ts";

describe("pages", () => {
  it("INV-REF: a reference without a holder", async () => {
    const { host, pfn, holders } = await sound();
    const bad = await corrupted(host, (core) => addToPage(core, pfn, abi.PAGE_REFCOUNT, 1));
    expect(bad.verify()).toEqual({ invariant: "INV-REF", pfn, object: 0, expected: 2, found: 3, holders });
  });

  it("INV-MAPC: a mapping without a PTE", async () => {
    const { host, pfn } = await sound();
    const bad = await corrupted(host, (core) => addToPage(core, pfn, abi.PAGE_MAPCOUNT, 1));
    expect(bad.verify()).toMatchObject({ invariant: "INV-MAPC", pfn, expected: 1, found: 2 });
  });

  it("INV-TAG: an anonymous mapping has a page without the tag", async () => {
    const { host, guest, pfn } = await sound();
    const word = host.pages.at(pfn).mapping;
    const bad = await corrupted(host, (core) => addToPage(core, pfn, abi.PAGE_MAPPING, -abi.MAPPING_ANON));
    const object = guest.id;
    expect(bad.verify()).toMatchObject({ invariant: "INV-TAG", pfn, object, found: word - abi.MAPPING_ANON });
  });

  it("INV-UAF: a PTE maps a free frame", async () => {
    const { host, guest } = await sound();
    const free = host.pages.length - 1;
    const bad = await corrupted(host, (core) => {
      core.words(abi.TABLE_PTES)[PAGE] = (free << abi.PTE_SHIFT) | abi.PTE_PRESENT;
    });
    const expected = {
      invariant: "INV-UAF",
      pfn: free,
      object: guest.id,
      expected: 1,
      found: 0,
      holders: [],
    };
    expect(bad.verify()).toEqual(expected);
  });

  it("INV-ENTRY: a migration entry at rest, its page not locked", async () => {
    const { host, guest, pfn } = await sound();
    const entry = (pfn << abi.PTE_SHIFT) | abi.PTE_MIGRATION;
    const bad = await corrupted(host, (core) => {
      core.words(abi.TABLE_PTES)[PAGE] = entry;
    });
    expect(bad.verify()).toMatchObject({ invariant: "INV-ENTRY", pfn, object: guest.id, found: entry });
  });

  it("INV-ENTRY: a page that stays locked", async () => {
    const { host, pfn } = await sound();
    host.setPageFlag(pfn, "locked", true);
    expect(host.verify()).toMatchObject({ invariant: "INV-ENTRY", pfn, expected: 0, found: 1 });
    host.setPageFlag(pfn, "locked", false);
    expect(host.verify()).toBeNull();
  });

  it("INV-FREE: a page that was freed while locked is leaked, not handed out again", async () => {
    const { host, memory } = await sound();
    const pfn = memory.pfnOf(9);
    host.setPageFlag(pfn, "locked", true);
    memory.discard({ start: 9, count: 1 });
    expect(host.verify()).toMatchObject({ invariant: "INV-FREE", pfn, expected: 0, found: 1 });
    expect(host.leaks().badPages).toBe(1);
    memory.touch("write", { start: 9, count: 1 });
    expect(memory.pfnOf(9)).not.toBe(pfn);
  });

  it("INV-DATA: what a guest reads is not what it wrote", async () => {
    const { host, guest, pfn } = await sound();
    const bad = await corrupted(host, (core) => add(core, abi.TABLE_CONTENT, pfn * 8, 1));
    // Pages were written in order: the fourth write left stamp 4.
    expect(bad.verify()).toMatchObject({ invariant: "INV-DATA", pfn, object: guest.id, expected: PAGE + 1 });
  });

  it("INV-DATA: two pages of one process change places", async () => {
    const { host } = await sound();
    const bad = await corrupted(host, (core) => {
      const ptes = core.words(abi.TABLE_PTES);
      [ptes[8], ptes[9]] = [ptes[9] ?? 0, ptes[8] ?? 0];
    });
    expect(bad.verify()).toMatchObject({ invariant: "INV-DATA", expected: 9 });
  });
});

describe("counters", () => {
  it.each([
    { field: abi.PROCESS_RSS_ANON, expected: 64 },
    { field: abi.PROCESS_RSS_FILE, expected: 0 },
    { field: abi.PROCESS_RSS_SWAP, expected: 0 },
  ])("INV-RSS: field $field of a process", async ({ field, expected }) => {
    const { host, guest } = await sound();
    const bad = await corrupted(host, (core) =>
      add(core, abi.TABLE_PROCESSES, guest.id * abi.PROCESS_SIZE + field, 1),
    );
    const object = guest.id;
    expect(bad.verify()).toMatchObject({
      invariant: "INV-RSS",
      pfn: 0,
      object,
      expected,
      found: expected + 1,
    });
  });

  it.each([
    ["nr_anon_pages", abi.NR_ANON_PAGES, 64],
    ["nr_file_mapped", abi.NR_FILE_MAPPED, 0],
    ["nr_file_pages", abi.NR_FILE_PAGES, 0],
    ["nr_isolated_anon", abi.NR_ISOLATED_ANON, 0],
    ["nr_isolated_file", abi.NR_ISOLATED_FILE, 0],
    ["nr_mlock", abi.NR_MLOCK, 0],
  ])("INV-VMSTAT: %s", async (_name, counter, expected) => {
    const { host } = await sound();
    const bad = await corrupted(host, (core) => add(core, abi.TABLE_COUNTERS, counter * 8, 1));
    const object = counter;
    expect(bad.verify()).toMatchObject({ invariant: "INV-VMSTAT", object, expected, found: expected + 1 });
  });
});

describe("lists", () => {
  it("INV-LIST: a zone that counts more free pages than its lists hold", async () => {
    const { host } = await sound();
    const bad = await corrupted(host, (core) =>
      add(core, abi.TABLE_ZONES, abi.ZONE_SIZE + abi.ZONE_FREE_PAGES, 1),
    );
    expect(bad.verify()).toMatchObject({ invariant: "INV-LIST", object: 1, expected: 65_536, found: 65_537 });
  });

  it("INV-LIST: a page on an LRU list that does not say so", async () => {
    const { host, pfn } = await sound();
    const bad = await corrupted(host, (core) => addToPage(core, pfn, abi.PAGE_FLAGS, -abi.PG_LRU));
    expect(bad.verify()).toMatchObject({ invariant: "INV-LIST", pfn });
  });

  it("INV-LIST: a link that leads out of the zone", async () => {
    const { host, pfn } = await sound();
    const bad = await corrupted(host, (core) => addToPage(core, pfn, abi.PAGE_NEXT, 100_000));
    expect(bad.verify()).toMatchObject({ invariant: "INV-LIST" });
  });
});

describe("asynchronous page faults", () => {
  it("INV-LIVE: vcpu.queued is not the length of the queue", async () => {
    const { host, vcpu0 } = await sound();
    const bad = await corrupted(host, (core) =>
      add(core, abi.TABLE_VCPUS, vcpu0.id * abi.VCPU_SIZE + abi.VCPU_QUEUED, 1),
    );
    expect(bad.verify()).toMatchObject({ invariant: "INV-LIVE", object: 0, expected: 1, found: 2 });
  });

  it("INV-OWN: apf->page is not the page that the item holds", async () => {
    const { host, pfn } = await sound();
    const bad = await corrupted(host, (core) => add(core, abi.TABLE_APFS, abi.APF_SIZE + abi.APF_PAGE, 1));
    expect(bad.verify()).toMatchObject({ invariant: "INV-OWN", pfn: pfn + 1, expected: pfn, found: pfn + 1 });
  });

  it("INV-LIVE: a work item in no queue", async () => {
    const { host, vcpu0 } = await sound();
    const bad = await corrupted(host, (core) => {
      for (const field of [abi.VCPU_FIRST_QUEUED, abi.VCPU_FIRST_DONE, abi.VCPU_QUEUED]) {
        setWord(core, abi.TABLE_VCPUS, vcpu0.id * abi.VCPU_SIZE + field, 0);
      }
    });
    expect(bad.verify()).toMatchObject({ invariant: "INV-LIVE", expected: 0, found: 1 });
  });
});

/** Two pages with a context each. */
async function twoContexts() {
  const at = await rfcHost("L5");
  const [first, second] = [at.memory.pfnOf(3), at.memory.pfnOf(4)];
  const { mapping } = at.host.pages.at(first);
  for (const gfn of [3, 4]) pinByAsyncPf(at.vcpu0, gfn);
  expect(at.host.verify()).toBeNull();
  return { host: at.host, first, second, mapping };
}

describe("contexts of the RFC", () => {
  it("INV-CTX: no page names one", async () => {
    const { host, first, mapping } = await twoContexts();
    const bad = await corrupted(host, (core) =>
      setWord(core, abi.TABLE_PAGES, pageField(first, abi.PAGE_MAPPING), mapping),
    );
    expect(bad.verify()).toMatchObject({ invariant: "INV-CTX", pfn: 0, object: 1, expected: 1, found: 0 });
  });

  it("INV-CTX: two pages name one, and none the other", async () => {
    const { host, second: pfn } = await twoContexts();
    const bad = await corrupted(host, (core) => addToPage(core, pfn, abi.PAGE_PRIVATE, -1));
    expect(bad.verify()).toMatchObject({ invariant: "INV-CTX", pfn, object: 1, expected: 1, found: 2 });
  });

  it.each([
    ["no context", 0, 0],
    ["a swap slot", 3, 0],
    ["context 3, which there is not", abi.PRIVATE_POINTER | 3, 3],
    ["context 1,000,000, which there is not", abi.PRIVATE_POINTER | 1_000_000, 1_000_000],
  ])("INV-CTX: a page names %s", async (_, word, object) => {
    const { host, second: pfn } = await twoContexts();
    const bad = await corrupted(host, (core) =>
      setWord(core, abi.TABLE_PAGES, pageField(pfn, abi.PAGE_PRIVATE), word),
    );
    expect(bad.verify()).toMatchObject({ invariant: "INV-CTX", pfn, object, expected: 1, found: 0 });
  });

  it("INV-CTX: the work item of one has gone", async () => {
    const { host } = await twoContexts();
    const bad = await corrupted(host, (core) =>
      add(core, abi.TABLE_CTXS, abi.CTX_SIZE + abi.CTX_CONTEXT, 10),
    );
    expect(bad.verify()).toMatchObject({ invariant: "INV-CTX", pfn: 0, object: 1, expected: 1, found: 0 });
  });

  it.each(["v3.12", "v6.1", "v6.12"] as const)("all is well while a page moves on %s", async (kernel) => {
    const at = await rfcHost("L5", { kernel });
    pinByAsyncPf(at.vcpu0, PAGE);
    const migration = at.host.migration(at.memory.pfnOf(PAGE), { node: 1 });
    for (const step of ["isolate", "unmap", "move", "finish"] as const) {
      expect(migration[step]().ret).toBe(0);
      expect([step, at.host.verify()]).toEqual([step, null]);
    }
  });
});
