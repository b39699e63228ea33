/** verify() finds PTEs that allow more than their VMA or their page does. */
import { describe, expect, it } from "vitest";
import * as abi from "../../assembly/abi.ts";
import type { KernelName, Protection } from "../../src/index.ts";
import type { Core } from "../../src/core/core.ts";
import type { Host } from "../../src/host.ts";
import { twoNodes } from "./hosts.ts";
import { addToPage, corrupted, setWord, word } from "./verify.ts";

/** One page, written to and then protected; its PTE is the first of the table. */
async function onePage(kernel: KernelName, prot: Protection): Promise<{ host: Host; pfn: number }> {
  const host = await twoNodes({ kernel });
  const region = host.createProcess({ pages: 1 }).map({ pages: 1 });
  region.touch("write");
  const pfn = region.pfnOf(0);
  region.protect(prot);
  expect(host.verify()).toBeNull();
  return { host, pfn };
}

function setInPte(core: Core, set: number, clear = 0): void {
  setWord(core, abi.TABLE_PTES, 0, (word(core, abi.TABLE_PTES, 0) & ~clear) | set);
}

describe.each(["v3.12", "v6.1", "v6.12"] as const)("INV-PTE on %s", (kernel) => {
  it("a page behind PROT_NONE can be read", async () => {
    const { host, pfn } = await onePage(kernel, "none");
    const bad = await corrupted(host, (core) => setInPte(core, abi.PTE_PRESENT, abi.PTE_PROTNONE));
    expect(bad.verify()).toMatchObject({ invariant: "INV-PTE", pfn, expected: abi.PROT_NONE });
  });

  it("a page of a read-only mapping can be written", async () => {
    const { host, pfn } = await onePage(kernel, "read");
    const bad = await corrupted(host, (core) => setInPte(core, abi.PTE_WRITE));
    expect(bad.verify()).toMatchObject({ invariant: "INV-PTE", pfn, expected: abi.PROT_READ });
  });
});

describe.each(["v6.1", "v6.12"] as const)("INV-PTE on %s", (kernel) => {
  it("a page that is not exclusive can be written", async () => {
    const { host, pfn } = await onePage(kernel, "read-write");
    const bad = await corrupted(host, (core) => addToPage(core, pfn, abi.PAGE_FLAGS, -abi.PG_ANON_EXCLUSIVE));
    expect(bad.verify()).toMatchObject({ invariant: "INV-PTE", pfn });
  });

  it("two processes map an exclusive page", async () => {
    const host = await twoNodes({ kernel });
    const parent = host.createProcess({ pages: 1 });
    const region = parent.map({ pages: 1 });
    region.touch("write");
    const pfn = region.pfnOf(0);
    parent.fork();
    const bad = await corrupted(host, (core) => addToPage(core, pfn, abi.PAGE_FLAGS, abi.PG_ANON_EXCLUSIVE));
    expect(bad.verify()).toMatchObject({ invariant: "INV-PTE", pfn, expected: 1, found: 2 });
  });
});
