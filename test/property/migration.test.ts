/** What a migration may change, and what it may not. */
import * as fc from "fast-check";
import { expect, it } from "vitest";
import * as abi from "../../assembly/abi.ts";
import { Host, type KernelName, type PageInfo, type Region } from "../../src/index.ts";
import { operations } from "../differential/operations.ts";
import { drive, furnish, notDriven, regionsOf } from "../helpers/drive.ts";
import { machine, soundVariant } from "../helpers/machines.ts";
import { fuzzTimeoutMs, runs } from "../helpers/runs.ts";

const kernel = fc.constantFrom("v3.12", "v6.1", "v6.12");
const PAGES = 12;

interface Prepared {
  readonly host: Host;
  readonly region: Region;
}

/** A region of which each page was read, written, protected, locked or left alone, all off the batches. */
async function prepare(
  kernelName: KernelName,
  uses: readonly ("none" | "read" | "write" | "protect" | "mlock")[],
  kind: "anon" | "shmem",
): Promise<Prepared> {
  const host = await Host.create(machine({ kernel: kernelName, policy: "pin" }, "small"));
  const region = host.createProcess({ pages: PAGES }).map({ pages: PAGES, kind });
  for (const [start, use] of uses.entries()) {
    const page = { start, count: 1 };
    if (use === "read") region.touch("read", page);
    if (use !== "none" && use !== "read") region.touch("write", page);
    if (use === "protect") region.protect("read", page);
    if (use === "mlock") region.mlock(page);
  }
  host.drainLru();
  return { host, region };
}

function pagesOf({ host, region }: Prepared): (PageInfo | null)[] {
  return Array.from({ length: PAGES }, (_, index) => {
    const pfn = region.frameOf(index);
    return pfn === null || pfn === abi.ZERO_PFN ? null : host.pages.at(pfn);
  });
}

function ptesOf({ host }: Prepared): number[] {
  return host.processes().flatMap((process) => [...process.ptes()]);
}

const uses = fc.array(fc.constantFrom("none", "read", "write", "protect", "mlock"), {
  minLength: PAGES,
  maxLength: PAGES,
});
const kind = fc.constantFrom("anon", "shmem");

/**
 * A page that was unmapped for a while has its PTE back old and clean; that it was dirty is noted in the
 * page. A page of 6.x that FOLL_PIN holds and nobody else maps was never unmapped.
 */
function afterFailure(pte: number, page: PageInfo | null, wasUnmapped: boolean): [number, PageInfo | null] {
  if (page === null || !wasUnmapped) return [pte, page];
  const dirty = (pte & abi.PTE_DIRTY) !== 0 || page.flags.includes("dirty");
  const flags = [...page.flags.filter((flag) => flag !== "dirty"), ...(dirty ? (["dirty"] as const) : [])];
  return [pte & ~(abi.PTE_DIRTY | abi.PTE_ACCESSED), { ...page, flags }];
}

function sortFlags(page: PageInfo | null): PageInfo | null {
  return page === null ? null : { ...page, flags: page.flags.toSorted() };
}

it(
  "a failed migration changes counters, places on the LRU, and where it is noted that a page is dirty",
  async () => {
    const pin = fc.constantFrom("get", "pin");
    const property = fc.asyncProperty(kernel, kind, uses, pin, async (one, regionKind, list, how) => {
      const at = await prepare(one, list, regionKind);
      const mapped = list.flatMap((use, index) => (use === "write" || use === "mlock" ? [index] : []));
      at.region.pin(mapped, how);
      const before = { pages: pagesOf(at), ptes: ptesOf(at), free: at.host.freePages() };
      at.region.movePages({ node: 1, entries: mapped });
      at.host.drainLru();
      const exclusive = how === "pin" && one !== "v3.12" && regionKind === "anon";
      const expected = before.ptes.map((pte, index) =>
        afterFailure(pte, before.pages[index] ?? null, mapped.includes(index) && !exclusive),
      );
      expect(ptesOf(at)).toEqual(expected.map(([pte]) => pte));
      expect(pagesOf(at).map(sortFlags)).toEqual(expected.map(([, page]) => sortFlags(page)));
      expect(at.host.freePages()).toEqual(before.free);
      expect(at.host.verify()).toBeNull();
    });
    await expect(fc.assert(property, runs())).resolves.toBeUndefined();
  },
  fuzzTimeoutMs,
);

function accountOf(page: PageInfo | null): unknown {
  return page && { ...page, pfn: 0, node: 0, flags: [] };
}

/** What a PTE lets its process do. */
function rightsOf(pte: number): number {
  return pte & (abi.PTE_WRITE | abi.PTE_PRESENT | abi.PTE_PROTNONE);
}

it(
  "a migration that succeeds changes frames, and nothing that a process can see",
  async () => {
    const property = fc.asyncProperty(kernel, kind, uses, async (one, regionKind, list) => {
      const at = await prepare(one, list, regionKind);
      const before = { pages: pagesOf(at), ptes: ptesOf(at) };
      const entries = Array.from({ length: PAGES }, (_, index) => index);
      for (const index of entries) at.region.movePages({ node: 1, entries: [index] });
      at.host.drainLru();
      const moved = pagesOf(at);
      expect(moved.map((page) => page?.node ?? 1)).toEqual(moved.map(() => 1));
      expect(moved.map(accountOf)).toEqual(before.pages.map(accountOf));
      expect(ptesOf(at).map(rightsOf)).toEqual(before.ptes.map(rightsOf));
      expect(at.host.verify()).toBeNull(); // the content among it
    });
    await expect(fc.assert(property, runs())).resolves.toBeUndefined();
  },
  fuzzTimeoutMs,
);

it(
  "isolating a page and putting it back leaves it as it was, in front of its list",
  async () => {
    const index = fc.nat({ max: PAGES - 1 });
    const property = fc.asyncProperty(kernel, kind, uses, index, async (one, regionKind, list, which) => {
      const at = await prepare(one, list, regionKind);
      const before = pagesOf(at)[which];
      fc.pre(before !== null && before !== undefined);
      const migration = at.host.migration(before.pfn, { node: 1 });
      expect(migration.isolate().ret).toBe(0);
      migration.finish();
      at.host.drainLru();
      expect(at.host.pages.at(before.pfn)).toEqual(before);
      expect(at.host.pages.copy(before.pfn, 1)[abi.PAGE_PREV / 4]).toBe(0);
      expect(at.host.counters()).toMatchObject({ nr_isolated_anon: 0, nr_isolated_file: 0 });
    });
    await expect(fc.assert(property, runs())).resolves.toBeUndefined();
  },
  fuzzTimeoutMs,
);

it(
  "contents seen through every virtual address stay what was written last, whatever the page size in bytes",
  async () => {
    const moves = operations({ without: [...notDriven, "offline", "online"], maxLength: 30 });
    const bytes = fc.constantFrom(8, 64, 4096);
    const property = fc.asyncProperty(soundVariant, bytes, moves, async (variant, contentBytes, ops) => {
      const host = await Host.create({ ...machine(variant, "small"), contentBytes });
      furnish(host);
      drive(host, ops);
      for (const node of [1, 0, 1]) {
        for (const region of regionsOf(host)) region.movePages({ node });
        expect(host.verify()).toBeNull();
      }
    });
    await expect(fc.assert(property, runs(0.5))).resolves.toBeUndefined();
  },
  fuzzTimeoutMs,
);
