/** What a migration may change, and what it may not. */
import * as fc from "fast-check";
import { expect, it } from "vitest";
import * as abi from "../../assembly/abi.ts";
import { Host, type KernelName, type PageInfo, type Process, type Region } from "../../src/index.ts";
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

interface Use {
  readonly pages: readonly ("none" | "read" | "write" | "protect" | "mlock")[];
  readonly kind: "anon" | "shmem";
  /** Each the child of the one before. */
  readonly forks: number;
}

/** A region of which each page was read, written, protected, locked or left alone, all off the batches. */
async function prepare(kernelName: KernelName, { pages: uses, kind, forks }: Use): Promise<Prepared> {
  const host = await Host.create(machine({ kernel: kernelName, policy: "pin" }, "small"));
  const first = host.createProcess({ pages: PAGES });
  const region = first.map({ pages: PAGES, kind });
  for (const [start, use] of uses.entries()) {
    const page = { start, count: 1 };
    if (use === "read") region.touch("read", page);
    if (use !== "none" && use !== "read") region.touch("write", page);
    if (use === "protect") region.protect("read", page);
    if (use === "mlock") region.mlock(page);
  }
  for (let i = 0, last: Process | null = first; i < forks; i++) last = last?.fork().child ?? null;
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

const use: fc.Arbitrary<Use> = fc.record({
  pages: fc.array(fc.constantFrom("none", "read", "write", "protect", "mlock"), {
    minLength: PAGES,
    maxLength: PAGES,
  }),
  kind: fc.constantFrom("anon", "shmem"),
  forks: fc.nat({ max: 3 }),
});

/**
 * A page that was unmapped for a while has its PTEs back old and clean; that one was dirty is noted in the
 * page.
 */
function afterFailure(
  before: { readonly pages: readonly (PageInfo | null)[]; readonly ptes: readonly number[] },
  { tried, unmapped }: { readonly tried: ReadonlySet<number>; readonly unmapped: boolean },
): typeof before {
  const wasUnmapped = (pte: number): boolean => unmapped && tried.has(pte >>> abi.PTE_SHIFT);
  const dirty = new Set(
    before.ptes
      .filter((pte) => tried.has(pte >>> abi.PTE_SHIFT) && (pte & abi.PTE_DIRTY) !== 0)
      .map((pte) => pte >>> abi.PTE_SHIFT),
  );
  return {
    ptes: before.ptes.map((pte) => (wasUnmapped(pte) ? pte & ~(abi.PTE_DIRTY | abi.PTE_ACCESSED) : pte)),
    pages: before.pages.map(
      (page) =>
        page && { ...page, flags: dirty.has(page.pfn) ? [...page.flags, "dirty" as const] : page.flags },
    ),
  };
}

function sortFlags(page: PageInfo | null): PageInfo | null {
  return page === null ? null : { ...page, flags: [...new Set(page.flags)].toSorted() };
}

it(
  "a failed migration changes counters, places on the LRU, and where it is noted that a page is dirty",
  async () => {
    const pin = fc.constantFrom("get", "pin", "read");
    const property = fc.asyncProperty(kernel, use, pin, async (one, used, how) => {
      const at = await prepare(one, used);
      const mapped = used.pages.flatMap((page, index) =>
        page === "write" || page === "mlock" ? [index] : [],
      );
      if (how === "read") at.region.pin(mapped, "get", "read");
      else at.region.pin(mapped, how);
      at.host.drainLru();
      const before = { pages: pagesOf(at), ptes: ptesOf(at), free: at.host.freePages() };
      at.region.movePages({ node: 1, entries: mapped, moveAll: true });
      at.host.drainLru();
      // 6.x finds a page that FOLL_PIN holds and nobody else maps before it is unmapped, and has noted that
      // it is dirty by then.
      const exclusive = how === "pin" && one !== "v3.12" && used.kind === "anon";
      const tried = new Set(mapped.map((index) => at.region.pfnOf(index)));
      const expected = afterFailure(before, { tried, unmapped: !exclusive });
      expect(ptesOf(at)).toEqual(expected.ptes);
      expect(pagesOf(at).map(sortFlags)).toEqual(expected.pages.map(sortFlags));
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
    const property = fc.asyncProperty(kernel, use, async (one, used) => {
      const at = await prepare(one, used);
      const before = { pages: pagesOf(at), ptes: ptesOf(at) };
      const entries = Array.from({ length: PAGES }, (_, index) => index);
      for (const index of entries) at.region.movePages({ node: 1, entries: [index], moveAll: true });
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
    const property = fc.asyncProperty(kernel, use, index, async (one, used, which) => {
      const at = await prepare(one, used);
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
        for (const region of regionsOf(host)) region.movePages({ node, moveAll: true });
        expect(host.verify()).toBeNull();
      }
    });
    await expect(fc.assert(property, runs(0.5))).resolves.toBeUndefined();
  },
  fuzzTimeoutMs,
);
