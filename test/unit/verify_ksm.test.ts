/** verify() on KSM pages, their nodes and rmap items; each is broken on purpose. */
import { describe, expect, it } from "vitest";
import * as abi from "../../assembly/abi.ts";
import type { Core } from "../../src/core/core.ts";
import type { Host } from "../../src/host.ts";
import type { KernelName } from "../../src/index.ts";
import { twoNodes } from "./hosts.ts";
import { add, addToPage, corrupted, setWord, word } from "./verify.ts";

/** Two shared pages, of three and of two places; rmap item N is of the Nth place that was merged. */
async function shared(kernel: KernelName = "v6.1") {
  const host = await twoNodes({ kernel });
  const process = host.createProcess({ pages: 8 });
  const memory = process.map({ pages: 8 });
  memory.touch("write", { content: 1 });
  memory.mergeKsm([
    [0, 1, 2],
    [3, 4],
  ]);
  const pfn = memory.pfnOf(0);
  const other = memory.pfnOf(3);
  const [node = 0, otherNode = 0, anonVma = 0] = [pfn, other, memory.pfnOf(7)].map(
    (one) => host.pages.at(one).mapping >> abi.MAPPING_TAG_SHIFT,
  );
  expect(host.verify()).toBeNull();
  return { host, process, memory, pfn, other, node, otherNode, anonVma };
}

function setItem(core: Core, item: number, field: number, value: number): void {
  setWord(core, abi.TABLE_KSM_ITEMS, item * abi.KSM_ITEM_SIZE + field, value);
}

function setNode(core: Core, node: number, field: number, value: number): void {
  setWord(core, abi.TABLE_MAPPINGS, node * abi.MAPPING_SIZE + field, value);
}

async function broken(host: Host, change: (core: Core) => void) {
  return (await corrupted(host, change)).verify();
}

describe("a page and its node", () => {
  it("INV-TAG: the page has the other's node", async () => {
    const { host, pfn, other, node, otherNode } = await shared();
    const taken = (otherNode << abi.MAPPING_TAG_SHIFT) | abi.MAPPING_KSM;
    const bad = await broken(host, (core) =>
      setWord(core, abi.TABLE_PAGES, pfn * abi.PAGE_RECORD_SIZE + abi.PAGE_MAPPING, taken),
    );
    expect(node).not.toBe(otherNode);
    expect(bad).toMatchObject({ invariant: "INV-TAG", pfn, object: otherNode, expected: pfn, found: other });
  });

  it("INV-TAG: the page has lost the tag of KSM", async () => {
    const { host, pfn, node } = await shared();
    const bad = await broken(host, (core) =>
      addToPage(core, pfn, abi.PAGE_MAPPING, abi.MAPPING_ANON - abi.MAPPING_KSM),
    );
    expect(bad).toMatchObject({ invariant: "INV-TAG", pfn, object: node });
  });

  it("INV-TAG: the page has lost its mapping for another's", async () => {
    const { host, memory, pfn, node, anonVma } = await shared();
    const taken = (anonVma << abi.MAPPING_TAG_SHIFT) | abi.MAPPING_ANON;
    memory.touch("write", { start: 1, count: 2 });
    const bad = await broken(host, (core) =>
      setWord(core, abi.TABLE_PAGES, pfn * abi.PAGE_RECORD_SIZE + abi.PAGE_MAPPING, taken),
    );
    const expected = (node << abi.MAPPING_TAG_SHIFT) | abi.MAPPING_KSM;
    expect(bad).toMatchObject({ invariant: "INV-TAG", pfn, object: node, expected, found: taken });
  });

  it("INV-TAG: the node says that another page is its own", async () => {
    const { host, memory, pfn, node } = await shared();
    const wrong = memory.pfnOf(7);
    const bad = await broken(host, (core) => setNode(core, node, abi.MAPPING_KSM_PFN, wrong));
    expect(bad).toMatchObject({ invariant: "INV-TAG", pfn, object: node, expected: pfn, found: wrong });
  });

  it.each([60_000, 10_000_000, -1])("INV-UAF: a node has page %i, which is none", async (wrong) => {
    const { host, anonVma } = await shared();
    const fresh = anonVma + 3;
    const bad = await broken(host, (core) => {
      // A node that no page names, taken from the front of the free list.
      setNode(core, fresh, abi.MAPPING_KIND, 3);
      setNode(core, fresh, abi.MAPPING_KSM_PFN, wrong);
      setNode(core, fresh, abi.MAPPING_REFCOUNT, 1);
      add(core, abi.TABLE_MACHINE, abi.MACHINE_NR_MAPPINGS, 1);
    });
    expect(bad).toMatchObject({ invariant: "INV-UAF", pfn: 0, object: fresh });
  });

  it("INV-UAF: the node of a page is gone", async () => {
    const { host, pfn, node } = await shared();
    const bad = await broken(host, (core) => setNode(core, node, abi.MAPPING_KIND, 0));
    expect(bad).toMatchObject({ invariant: "INV-UAF", pfn, object: node, expected: 3, found: 0 });
  });

  it("INV-REF: a node counts a reference that nobody has", async () => {
    const { host, node } = await shared();
    const bad = await broken(host, (core) =>
      add(core, abi.TABLE_MAPPINGS, node * abi.MAPPING_SIZE + abi.MAPPING_REFCOUNT, 1),
    );
    expect(bad).toMatchObject({ invariant: "INV-REF", pfn: 0, object: node, expected: 1, found: 2 });
  });

  it("INV-PTE: a PTE lets a shared page be written", async () => {
    // v3.12 does not ask whether the page is exclusive.
    const { host, process, memory, pfn } = await shared("v3.12");
    const bad = await broken(host, (core) => {
      const firstPte = word(core, abi.TABLE_PROCESSES, process.id * abi.PROCESS_SIZE + abi.PROCESS_FIRST_PTE);
      add(core, abi.TABLE_PTES, (firstPte + memory.start + 2) * 4, abi.PTE_WRITE);
    });
    expect(bad).toMatchObject({ invariant: "INV-PTE", pfn });
  });

  it("INV-PTE: a shared page is exclusive", async () => {
    const { host, memory, pfn } = await shared();
    memory.touch("write", { start: 1, count: 2 });
    const bad = await broken(host, (core) => addToPage(core, pfn, abi.PAGE_FLAGS, abi.PG_ANON_EXCLUSIVE));
    expect(bad).toMatchObject({ invariant: "INV-PTE", pfn, expected: 1, found: 1 });
  });
});

describe("rmap items", () => {
  it("are part of the state hash", async () => {
    const { host } = await shared();
    const other = await corrupted(host, (core) => setItem(core, 1, abi.KSM_ITEM_INDEX, 7));
    expect(other.stateHash()).not.toBe(host.stateHash());
  });

  it("INV-REF: they hold their anon_vma", async () => {
    const { host, anonVma } = await shared();
    const bad = await broken(host, (core) =>
      add(core, abi.TABLE_MAPPINGS, anonVma * abi.MAPPING_SIZE + abi.MAPPING_REFCOUNT, -5),
    );
    // One VMA and five items.
    expect(bad).toMatchObject({ invariant: "INV-REF", object: anonVma, expected: 6, found: 1 });
  });

  it.each([
    { item: 1, field: abi.KSM_ITEM_INDEX, value: 7, what: "leads to another place" },
    { item: 1, field: abi.KSM_ITEM_INDEX, value: -1, what: "leads out of the VMA" },
    { item: 2, field: abi.KSM_ITEM_NEXT, value: 0, what: "ends the chain too early" },
  ])("INV-LIST: one $what, so that a PTE is not found", async ({ item, field, value }) => {
    const { host, pfn, node } = await shared();
    const bad = await broken(host, (core) => setItem(core, item, field, value));
    expect(bad).toMatchObject({ invariant: "INV-LIST", pfn, object: node, expected: 3, found: 2 });
  });

  it("INV-LIST: two lead to one place", async () => {
    const { host, memory, pfn, node } = await shared();
    memory.touch("write", { start: 2, count: 1 });
    const bad = await broken(host, (core) => setItem(core, 3, abi.KSM_ITEM_INDEX, 1));
    expect(bad).toMatchObject({ invariant: "INV-LIST", pfn, object: node, expected: 2, found: 3 });
  });

  it.each([
    { what: "is a circle", item: 1, next: 3 },
    { what: "leads to an item of another node", item: 1, next: 5 },
    { what: "leads out of the table", item: 2, next: 1_000_000 },
  ])("INV-LIST: the chain of a node $what", async ({ item, next }) => {
    const { host, pfn, node } = await shared();
    const bad = await broken(host, (core) => setItem(core, item, abi.KSM_ITEM_NEXT, next));
    expect(bad).toMatchObject({ invariant: "INV-LIST", pfn, object: node, found: -1 });
  });

  it("INV-UAF: one has an object that is no anon_vma", async () => {
    const { host, pfn, otherNode, anonVma } = await shared();
    const bad = await broken(host, (core) => {
      setItem(core, 2, abi.KSM_ITEM_ANON_VMA, otherNode);
      add(core, abi.TABLE_MAPPINGS, anonVma * abi.MAPPING_SIZE + abi.MAPPING_REFCOUNT, -1);
      add(core, abi.TABLE_MAPPINGS, otherNode * abi.MAPPING_SIZE + abi.MAPPING_REFCOUNT, 1);
    });
    expect(bad).toMatchObject({ invariant: "INV-UAF", pfn, object: otherNode, expected: 2, found: 3 });
  });

  it("INV-LIST: one is in no chain", async () => {
    const { host, memory, pfn, node } = await shared();
    memory.touch("write", { start: 0, count: 1 });
    // The first place has been left, and its item is the last of the chain.
    expect(host.pages.mapcount(pfn)).toBe(2);
    const bad = await broken(host, (core) => setItem(core, 2, abi.KSM_ITEM_NEXT, 0));
    expect(node).toBeGreaterThan(0);
    expect(bad).toMatchObject({ invariant: "INV-LIST", object: abi.TABLE_KSM_ITEMS, expected: 4, found: 5 });
  });

  it("INV-LIST: one more is counted than there is", async () => {
    const { host } = await shared();
    const bad = await broken(host, (core) => add(core, abi.TABLE_MACHINE, abi.MACHINE_NR_KSM_ITEMS, 1));
    expect(bad).toMatchObject({ invariant: "INV-LIST", object: abi.TABLE_KSM_ITEMS, expected: 5, found: 6 });
  });

  it("INV-LIST: the free list ends too early", async () => {
    const { host } = await shared();
    const bad = await broken(host, (core) => setItem(core, 20, abi.KSM_ITEM_NEXT, 0));
    expect(bad).toMatchObject({ invariant: "INV-LIST", object: abi.TABLE_KSM_ITEMS, found: 15 });
  });
});

it("the word of a held page whose anon_vma has gone may come to name a node", async () => {
  const host = await twoNodes();
  const equal = host.createProcess({ pages: 2 }).map({ pages: 2 });
  equal.touch("write", { content: 1 });
  const held = host.createProcess({ pages: 1 }).map({ pages: 1 });
  held.touch("write");
  const pfn = held.pfnOf(0);
  held.pin([0]);
  host.drainLru();
  held.unmap();
  equal.mergeKsm([[0, 1]]);
  const objectOf = (one: number): number => host.pages.at(one).mapping >> abi.MAPPING_TAG_SHIFT;
  expect(objectOf(pfn)).toBe(objectOf(equal.pfnOf(0)));
  expect(host.verify()).toBeNull();
});
