/** verify() on swap: slots, entries, the swap cache; each is broken on purpose. */
import { describe, expect, it } from "vitest";
import * as abi from "../../assembly/abi.ts";
import type { Host, Process, Region } from "../../src/index.ts";
import { twoNodes } from "./hosts.ts";
import { add, addToPage, corrupted, setWord } from "./verify.ts";

interface Swapped {
  readonly host: Host;
  readonly process: Process;
  readonly memory: Region;
  /** The frame of page 0, which is in the swap cache; page 1 is on the device alone. */
  readonly pfn: number;
}

/** On 6.1: page 0 has slot 1 and a frame, page 1 has slot 2, both are swapped out. */
async function swapped(): Promise<Swapped> {
  const host = await twoNodes({ kernel: "v6.1" });
  const device = host.swapOn({ pages: 8 });
  const process = host.createProcess({ pages: 4 });
  const memory = process.map({ pages: 2 });
  memory.touch("write");
  const pfn = memory.pfnOf(0);
  const pin = memory.pin([0], "get", "read");
  memory.pageout();
  device.endWriteback();
  host.reclaim({ zone: 0, pages: 4 });
  pin.release();
  expect(host.verify()).toBeNull();
  expect([memory.swapSlotOf(0), memory.swapSlotOf(1)]).toEqual([1, 2]);
  expect(host.counters().pgsteal).toBe(1);
  return { host, process, memory, pfn };
}

function slotField(slot: number, field: number): number {
  return slot * abi.SWAP_SLOT_SIZE + field;
}

describe("swap", () => {
  it("INV-REF: a slot counts a PTE more than name it", async () => {
    const { host } = await swapped();
    const bad = await corrupted(host, (core) =>
      add(core, abi.TABLE_SWAP_SLOTS, slotField(2, abi.SWAP_SLOT_COUNT), 1),
    );
    expect(bad.verify()).toMatchObject({ invariant: "INV-REF", object: 2, expected: 1, found: 2 });
  });

  it("INV-PRIV: a page in the swap cache has the slot of another", async () => {
    const { host, pfn } = await swapped();
    const bad = await corrupted(host, (core) => addToPage(core, pfn, abi.PAGE_PRIVATE, 1));
    expect(bad.verify()).toMatchObject({ invariant: "INV-PRIV", pfn, object: 2, expected: pfn, found: 0 });
  });

  it("INV-PRIV: its private word is a pointer", async () => {
    const { host, pfn } = await swapped();
    const bad = await corrupted(host, (core) => addToPage(core, pfn, abi.PAGE_PRIVATE, abi.PRIVATE_POINTER));
    expect(bad.verify()).toMatchObject({ invariant: "INV-PRIV", pfn, expected: 1, found: 0 });
  });

  it("INV-PRIV: a slot has a page that is not in the swap cache", async () => {
    const { host, pfn } = await swapped();
    const bad = await corrupted(host, (core) => addToPage(core, pfn, abi.PAGE_FLAGS, -abi.PG_SWAPCACHE));
    expect(bad.verify()).toMatchObject({ invariant: "INV-PRIV", pfn, object: 1, expected: 1, found: 0 });
  });

  it("INV-REF: the swap cache holds a page that does not count it", async () => {
    const { host, pfn } = await swapped();
    const bad = await corrupted(host, (core) => addToPage(core, pfn, abi.PAGE_REFCOUNT, -1));
    expect(bad.verify()).toMatchObject({ invariant: "INV-REF", pfn });
  });

  it("INV-LIST: a device counts a slot in use too few", async () => {
    const { host } = await swapped();
    const bad = await corrupted(host, (core) =>
      add(core, abi.TABLE_SWAP_AREAS, abi.SWAP_AREA_SIZE + abi.SWAP_AREA_USED, -1),
    );
    expect(bad.verify()).toMatchObject({ invariant: "INV-LIST", expected: 2, found: 1 });
  });

  it("INV-RSS: a swapped page is not counted", async () => {
    const { host, process } = await swapped();
    const bad = await corrupted(host, (core) =>
      add(core, abi.TABLE_PROCESSES, process.id * abi.PROCESS_SIZE + abi.PROCESS_RSS_SWAP, -1),
    );
    expect(bad.verify()).toMatchObject({ invariant: "INV-RSS", expected: 2, found: 1 });
  });

  it("INV-PTE: an entry names a slot of no device", async () => {
    const { host, memory } = await swapped();
    const bad = await corrupted(host, (core) =>
      setWord(core, abi.TABLE_PTES, (memory.start + 1) * 4, 9 << abi.PTE_SHIFT),
    );
    expect(bad.verify()).toMatchObject({ invariant: "INV-PTE", expected: 1, found: 9 });
  });

  it("INV-PTE: an exclusive entry is not the only one", async () => {
    const { host, memory } = await swapped();
    const bad = await corrupted(host, (core) => {
      const entries = core.words(abi.TABLE_PTES);
      entries[memory.start] = entries[memory.start + 1] ?? 0;
      add(core, abi.TABLE_SWAP_SLOTS, slotField(1, abi.SWAP_SLOT_COUNT), -1);
      add(core, abi.TABLE_SWAP_SLOTS, slotField(2, abi.SWAP_SLOT_COUNT), 1);
    });
    expect(bad.verify()).toMatchObject({ invariant: "INV-PTE", object: 2, expected: 1, found: 2 });
  });

  it.each([
    ["the device", abi.TABLE_SWAP_CONTENT, () => 2],
    ["the swap cache", abi.TABLE_CONTENT, (pfn: number) => pfn],
  ])("INV-DATA: %s has not what the process wrote", async (_, table, at) => {
    const { host, pfn } = await swapped();
    const bad = await corrupted(host, (core) => add(core, table, at(pfn) * 8, 1));
    expect(bad.verify()).toMatchObject({ invariant: "INV-DATA", found: -1 });
  });

  it("INV-VMSTAT: pages in the swap cache are pages of nr_file_pages", async () => {
    const { host } = await swapped();
    const bad = await corrupted(host, (core) => add(core, abi.TABLE_COUNTERS, abi.NR_FILE_PAGES * 8, -1));
    expect(bad.verify()).toMatchObject({ invariant: "INV-VMSTAT", expected: 1, found: 0 });
  });
});
