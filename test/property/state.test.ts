/** What holds after any operations, recounted here from the raw records. */
import * as fc from "fast-check";
import { expect, it } from "vitest";
import * as abi from "../../assembly/abi.ts";
import { Host } from "../../src/index.ts";
import { operations } from "../differential/operations.ts";
import { drive, furnish, notDriven } from "../helpers/drive.ts";
import { machine, soundVariant } from "../helpers/machines.ts";
import { fuzzTimeoutMs, runs } from "../helpers/runs.ts";

const FIELDS = abi.PAGE_RECORD_SIZE / 4;

interface Record {
  readonly pfn: number;
  readonly flags: number;
  readonly refcount: number;
  readonly mapcount: number;
  readonly order: number;
  readonly next: number;
  readonly prev: number;
}

function recordsOf(host: Host): Record[] {
  const words = host.pages.copy(0, host.pages.length);
  const field = (pfn: number, offset: number): number => words[pfn * FIELDS + offset / 4] ?? 0;
  return Array.from({ length: host.pages.length }, (_, pfn) => ({
    pfn,
    flags: field(pfn, abi.PAGE_FLAGS),
    refcount: field(pfn, abi.PAGE_REFCOUNT),
    mapcount: field(pfn, abi.PAGE_MAPCOUNT),
    order: field(pfn, abi.PAGE_PRIVATE),
    next: field(pfn, abi.PAGE_NEXT),
    prev: field(pfn, abi.PAGE_PREV),
  }));
}

function isFree({ flags }: Record): boolean {
  return (flags & abi.PG_BUDDY) !== 0;
}

function isOnLru({ flags }: Record): boolean {
  return (flags & abi.PG_LRU) !== 0;
}

/** Every reference has a holder, and every holder a page that is in use. */
function expectAccounted(host: Host, records: readonly Record[]): void {
  const inUse = records.filter(({ pfn, refcount }) => pfn >= abi.FIRST_PFN && refcount > 0);
  for (const { pfn, refcount } of inUse) {
    const held = host.holders(pfn).reduce((sum, { refs }) => sum + refs, 0);
    expect([pfn, refcount]).toEqual([pfn, held]);
  }
}

function expectMapcounts(host: Host, records: readonly Record[]): void {
  const ptes = new Map<number, number>();
  for (const pte of host.processes().flatMap((process) => [...process.ptes()])) {
    const pfn = pte >>> abi.PTE_SHIFT;
    if ((pte & (abi.PTE_PRESENT | abi.PTE_PROTNONE)) !== 0) ptes.set(pfn, (ptes.get(pfn) ?? 0) + 1);
  }
  ptes.delete(abi.ZERO_PFN);
  const mapcounts = records
    .filter(({ mapcount }) => mapcount > 0)
    .map(({ pfn, mapcount }) => [pfn, mapcount]);
  expect(mapcounts).toEqual([...ptes].toSorted(([a], [b]) => a - b));
}

/** What is wrong with the links of a page: they lead there and back, and never from a list to another. */
function isBadlyLinked(record: Record, records: readonly Record[]): boolean {
  if (!isFree(record) && !isOnLru(record)) return record.next !== 0 || record.prev !== 0;
  const next = records[record.next];
  if (record.next === 0 || next === undefined) return false;
  const sameOrder = !isFree(record) || next.order === record.order;
  const sameKind = isFree(next) === isFree(record) && isOnLru(next) === isOnLru(record);
  return next.prev !== record.pfn || !sameKind || !sameOrder;
}

function expectLists(records: readonly Record[]): void {
  expect(records.filter((record) => isBadlyLinked(record, records))).toEqual([]);
  const followers = records.map(({ next }) => next).filter((next) => next !== 0);
  expect(new Set(followers).size).toBe(followers.length);
}

/** A frame is free, or has references, or is in a block that is offline. */
function expectNoFrameLost(host: Host, records: readonly Record[]): void {
  const free = records.filter(isFree).reduce((sum, { order }) => sum + 2 ** order, 0);
  const used = records.filter(({ refcount }) => refcount > 0).length;
  const blocks = Array.from({ length: Math.ceil(records.length / abi.MEMORY_BLOCK_PAGES) }, (_, i) => i);
  const offline = blocks.filter((block) => host.blockState(block) === "offline").length;
  expect(free + used + offline * abi.MEMORY_BLOCK_PAGES).toBe(records.length);
  expect(host.freePages().reduce((sum, nr) => sum + nr, 0)).toBe(free);
}

it(
  "references are accounted for, mapcounts are PTEs, lists are sound, no frame is lost",
  async () => {
    const list = operations({ without: [...notDriven, "offline", "online"], maxLength: 40 });
    const property = fc.asyncProperty(soundVariant, list, async (variant, ops) => {
      const host = await Host.create(machine(variant, "small"));
      furnish(host);
      drive(host, ops);
      const records = recordsOf(host);
      expectAccounted(host, records);
      expectMapcounts(host, records);
      expectLists(records);
      expectNoFrameLost(host, records);
      expect(host.verify()).toBeNull();
    });
    await expect(fc.assert(property, runs())).resolves.toBeUndefined();
  },
  fuzzTimeoutMs,
);

it(
  "so do they when memory goes offline and online",
  async () => {
    const list = operations({ without: notDriven, maxLength: 20 });
    const property = fc.asyncProperty(soundVariant, list, async (variant, ops) => {
      const host = await Host.create(machine(variant, "blocks"));
      furnish(host);
      drive(host, ops);
      const records = recordsOf(host);
      expectMapcounts(host, records);
      expectLists(records);
      expectNoFrameLost(host, records);
      expect(host.verify()).toBeNull();
    });
    await expect(fc.assert(property, runs(0.25))).resolves.toBeUndefined();
  },
  fuzzTimeoutMs,
);
