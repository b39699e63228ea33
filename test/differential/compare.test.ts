/** The comparison finds a word that differs in any of the tables that it looks at. */
import { expect, it } from "vitest";
import * as abi from "../../assembly/abi.ts";
import type { Core } from "../../src/core/core.ts";
import { machine } from "../helpers/machines.ts";
import { begin } from "./check.ts";
import type { Pair } from "./pair.ts";

/** A pair with something in every table: files, pins of all kinds, a batch that is not empty. */
async function furnished(): Promise<Pair> {
  const pair = await begin(machine({ kernel: "v6.1", policy: "pin" }, "tiny"), "tiny");
  pair.perform({ op: "createFile", kind: "buffered", pages: 4 });
  const file = { file: 0, start: 0, count: 4 };
  pair.perform({ op: "accessFile", ...file, node: 0, write: true });
  const mapped = { node: -1, bind: false, dontFork: false };
  pair.perform({ op: "mapFile", file: 0, process: 0, offset: 0, pages: 4, ...mapped });
  pair.perform({ op: "touch", region: 0, start: 0, count: 2, write: true });
  pair.perform({ op: "pin", region: 0, indexes: [0, 1], kind: "pin" });
  // The anonymous memory of the guest, which its children share, behind the region of the file.
  pair.perform({ op: "exit", process: 2 });
  pair.perform({ op: "exit", process: 1 });
  pair.perform({ op: "swapOn", pages: 8, synchronous: false });
  pair.perform({ op: "pageout", region: 1, start: 0, count: 3 });
  expect(pair.comparison.differences()).toBeNull();
  pair.comparison.setInPlay({ few: true });
  return pair;
}

function firstUsed(core: Core, table: number, size: number): number {
  const words = core.words(table);
  for (let at = size >> 2; at < words.length; at += size >> 2) if (words[at] !== 0) return at * 4;
  throw new Error(`table ${table} is empty`);
}

const firstVma = (core: Core): number => firstUsed(core, abi.TABLE_VMAS, abi.VMA_SIZE);
const firstPin = (core: Core): number => firstUsed(core, abi.TABLE_PINS, abi.PIN_SIZE);
const firstProcess = (core: Core): number => firstUsed(core, abi.TABLE_PROCESSES, abi.PROCESS_SIZE);

/** Byte offset of the record of the only file. */
function fileRecord(core: Core): number {
  const words = core.words(abi.TABLE_MAPPINGS);
  const isFile = (id: number): boolean =>
    ((words[(id * abi.MAPPING_SIZE + abi.MAPPING_FLAGS) >> 2] ?? 0) & abi.MAPPING_FLAG_FILE) !== 0;
  const ids = Array.from({ length: words.byteLength / abi.MAPPING_SIZE }, (_, id) => id);
  return (ids.find(isFile) ?? 0) * abi.MAPPING_SIZE;
}

function firstSlot(core: Core): number {
  return (core.words(abi.TABLE_MAPPINGS)[(fileRecord(core) + abi.MAPPING_FIRST_SLOT) >> 2] ?? 0) * 8;
}

const pageOf = 100 * abi.PAGE_RECORD_SIZE;

/** What is damaged: a table, and the byte offset of a word in it. */
const damage: readonly [string, number, (core: Core) => number][] = [
  ["time", abi.TABLE_MACHINE, () => abi.MACHINE_NOW_NS],
  ["contexts", abi.TABLE_MACHINE, () => abi.MACHINE_NR_CTXS],
  ["bad pages", abi.TABLE_MACHINE, () => abi.MACHINE_NR_BAD_PAGES],
  ["a counter", abi.TABLE_COUNTERS, () => abi.NR_FILE_PAGES * 8],
  ["free pages", abi.TABLE_ZONES, () => abi.ZONE_SIZE + abi.ZONE_FREE_PAGES],
  ["the length of a batch", abi.TABLE_BATCHES, () => 0],
  ["a page in a batch", abi.TABLE_BATCHES, () => 4],
  ["a PTE", abi.TABLE_PTES, () => 8],
  ["what is expected behind a PTE", abi.TABLE_EXPECTED, () => 8],
  ["flags of a page that is reserved", abi.TABLE_PAGES, () => pageOf + abi.PAGE_FLAGS],
  ["next of a page", abi.TABLE_PAGES, () => pageOf + abi.PAGE_NEXT],
  ["anon rss", abi.TABLE_PROCESSES, (core) => firstProcess(core) + abi.PROCESS_RSS_ANON],
  ["file rss", abi.TABLE_PROCESSES, (core) => firstProcess(core) + abi.PROCESS_RSS_FILE],
  ["the start of a VMA", abi.TABLE_VMAS, (core) => firstVma(core) + abi.VMA_START],
  ["the object of a VMA", abi.TABLE_VMAS, (core) => firstVma(core) + abi.VMA_OBJECT],
  ["references of a file", abi.TABLE_MAPPINGS, (core) => fileRecord(core) + abi.MAPPING_REFCOUNT],
  ["the size of a file", abi.TABLE_MAPPINGS, (core) => fileRecord(core) + abi.MAPPING_NR_SLOTS],
  ["a cached page", abi.TABLE_CACHE_SLOTS, (core) => firstSlot(core)],
  ["what is expected of it", abi.TABLE_CACHE_SLOTS, (core) => firstSlot(core) + 4],
  ["the kind of a pin", abi.TABLE_PINS, (core) => firstPin(core) + abi.PIN_KIND],
  ["the page of a pin", abi.TABLE_PINS, (core) => firstPin(core) + abi.PIN_PFN],
  ["the group of a pin", abi.TABLE_PINS, (core) => firstPin(core) + abi.PIN_GROUP],
  ["the owner of a pin", abi.TABLE_PINS, (core) => firstPin(core) + abi.PIN_OWNER],
  ["swap rss", abi.TABLE_PROCESSES, (core) => firstProcess(core) + abi.PROCESS_RSS_SWAP],
  ["used slots of a swap area", abi.TABLE_SWAP_AREAS, () => abi.SWAP_AREA_SIZE + abi.SWAP_AREA_USED],
  ["the count of a swap slot", abi.TABLE_SWAP_SLOTS, () => abi.SWAP_SLOT_SIZE + abi.SWAP_SLOT_COUNT],
  ["the page of a swap slot", abi.TABLE_SWAP_SLOTS, () => abi.SWAP_SLOT_SIZE + abi.SWAP_SLOT_PFN],
];

it.each(damage)("%s is compared", async (_, table, offset) => {
  const pair = await furnished();
  const at = offset(pair.core) >> 2;
  const words = pair.core.words(table);
  words[at] = (words[at] ?? 0) + 1;
  expect(pair.comparison.differences()).not.toBeNull();
  words[at] = (words[at] ?? 0) - 1;
  expect(pair.comparison.differences()).toBeNull();
});
