/** The numbers that both sides of the wasm boundary share, and what core.wasm offers. */
import * as fs from "node:fs";
import { describe, expect, it } from "vitest";
import * as abi from "../../assembly/abi.ts";
import { Host } from "../../src/index.ts";
import { twoNodes } from "./hosts.ts";

const values: [string, number][] = Object.entries(abi);

function named(prefix: string): [string, number][] {
  return values.filter(([name]) => name.startsWith(prefix));
}

it("every value fits in 31 bits, with a sign", () => {
  const outside = values.filter(([, value]) => !Number.isInteger(value) || Math.abs(value) >= 2 ** 31);
  expect(values.length).toBeGreaterThan(200);
  expect(outside).toEqual([]);
});

it.each(["PG_", "REPAIR_L", "PTE_PRESENT|PTE_WRITE|PTE_DIRTY|PTE_ACCESSED|PTE_KVM|PTE_PROTNONE"])(
  "%s: one bit each, no two alike",
  (prefixes) => {
    const bits = prefixes.split("|").flatMap((prefix) => named(prefix).map(([, value]) => value));
    expect(bits.every((bit) => bit > 0 && (bit & (bit - 1)) === 0)).toBe(true);
    expect(new Set(bits).size).toBe(bits.length);
  },
);

it.each(["FN_", "INV_", "HOLDER_", "TABLE_", "MR_", "TRACE_"])("%s: no number is given twice", (prefix) => {
  const numbers = named(prefix).filter(([name]) => name !== "TRACE_RECORD_SIZE");
  expect(numbers.length).toBeGreaterThan(5);
  expect(new Set(numbers.map(([, value]) => value)).size).toBe(numbers.length);
});

it("a PTE has 26 bits of pfn and 6 of flags, and every frame number fits", () => {
  const all = abi.PTE_PRESENT | abi.PTE_WRITE | abi.PTE_DIRTY | abi.PTE_ACCESSED | abi.PTE_KVM;
  expect(all | abi.PTE_PROTNONE).toBe(abi.PTE_FLAG_MASK);
  expect(abi.MAX_PFN * 2 ** abi.PTE_SHIFT).toBe(2 ** 32);
  // An entry is not present; its kind must not collide with what makes it one.
  expect(abi.PTE_MIGRATION & (abi.PTE_PRESENT | abi.PTE_PROTNONE)).toBe(0);
});

it("a page record is eight words, page->mapping 30 bits above the kernel's two tag bits", async () => {
  expect(1 << abi.PAGE_RECORD_SHIFT).toBe(abi.PAGE_RECORD_SIZE);
  expect([abi.MAPPING_ANON, abi.MAPPING_KSM, abi.MAPPING_TAG_MASK]).toEqual([1, 3, 3]);
  const host = await twoNodes();
  const process = host.createProcess({ pages: 2 });
  const anon = process.map({ pages: 1 });
  const shmem = process.map({ pages: 1, kind: "shmem" });
  anon.touch("write");
  shmem.touch("write");
  const tags = [anon, shmem].map((region) => host.pages.at(region.pfnOf(0)).mapping & abi.MAPPING_TAG_MASK);
  expect(tags).toEqual([abi.MAPPING_ANON, 0]);
});

function moduleOf(target: "" | ".debug"): WebAssembly.Module {
  const file = new URL(`../../src/generated/core${target}.wasm`, import.meta.url);
  return new WebAssembly.Module(fs.readFileSync(file));
}

function exportsOf(target: "" | ".debug"): string[] {
  return WebAssembly.Module.exports(moduleOf(target))
    .map(({ name }) => name)
    .toSorted();
}

describe("core.wasm", () => {
  it("imports nothing but what asc's assertions call", () => {
    const imports = WebAssembly.Module.imports(moduleOf("")).map((one) => `${one.module}.${one.name}`);
    expect(imports).toMatchInlineSnapshot(`
      [
        "env.abort",
      ]
    `);
  });

  it("exports what the host calls, and no more", () => {
    expect(exportsOf("")).toMatchInlineSnapshot(`
      [
        "abiVersion",
        "access",
        "accessFile",
        "accessRange",
        "actorIsUnfinished",
        "actorOf",
        "arenaAddress",
        "arenaChecksum",
        "arenaLimit",
        "asyncPfExecute",
        "asyncPfStep",
        "beginMigratePages",
        "beginSchedule",
        "beginSearch",
        "beginTimed",
        "blockState",
        "brokenByLastStep",
        "brokenIn",
        "checkAsyncPfCompletion",
        "clearAsyncPfQueue",
        "completionStep",
        "configAddress",
        "continueSearch",
        "counter",
        "crashInSearch",
        "createFile",
        "createMm",
        "createVcpu",
        "describeBroken",
        "destroyMm",
        "draw",
        "endMigratePages",
        "endSearch",
        "endSwapWriteback",
        "eventsAddress",
        "exitMustWait",
        "exitProcess",
        "failCtxAllocations",
        "faultinPage",
        "fileMustWait",
        "fileMustWaitForSwap",
        "followPage",
        "forkProcess",
        "freeFrames",
        "freeKsmItems",
        "freeMappings",
        "freePins",
        "freeVmas",
        "independentOf",
        "init",
        "isUnmapped",
        "lastTransition",
        "layOut",
        "lruAddDrain",
        "mbind",
        "memory",
        "mergeKsm",
        "migrateRange",
        "migrateToNode",
        "migrationFinish",
        "migrationIsolate",
        "migrationMove",
        "migrationStepMove",
        "migrationUnmap",
        "mlockRange",
        "mmapFile",
        "mmapRegion",
        "movePages",
        "moveSlowly",
        "mprotect",
        "munmap",
        "newGroup",
        "nodeHasMemory",
        "nodeOf",
        "offlineBlock",
        "onlineBlock",
        "pageoutRange",
        "parentOf",
        "pinPages",
        "placeActor",
        "popEvent",
        "pushEvent",
        "queryPages",
        "randomBelow",
        "reclaimPage",
        "reclaimZone",
        "recordValue",
        "releaseGroup",
        "removeFile",
        "reserveFrame",
        "restartSchedule",
        "runTimed",
        "schedule",
        "scheduleAfterRounds",
        "scheduleStep",
        "searchCuts",
        "searchDepth",
        "searchEvents",
        "searchFrontier",
        "searchImageBytes",
        "searchStates",
        "searchTransitions",
        "sectionHash",
        "setAvoided",
        "setCost",
        "setDevice",
        "setEnd",
        "setPageCluster",
        "setPageFlags",
        "setPolicy",
        "setQuantile",
        "setTracing",
        "setVmaDontCopy",
        "setVmaPolicy",
        "setWalks",
        "setZipf",
        "settleTimed",
        "setupAsyncPf",
        "startJob",
        "startThread",
        "stateHash",
        "stepActor",
        "swapOff",
        "swapOffMustWait",
        "swapOn",
        "tablePtr",
        "tableSize",
        "truncateFile",
        "useArrays",
        "useRange",
        "verify",
        "visitedBytes",
        "vmasToCopy",
        "wait",
        "wakeupAll",
        "wasAvoided",
        "writebackFile",
        "zapRange",
        "zoneNumberOf",
      ]
    `);
  });

  it("has the same exports in the debug core", () => {
    expect(exportsOf(".debug")).toEqual(exportsOf(""));
  });
});

/** The same work on a host and on its copy. */
function goOn(host: Host): unknown[] {
  const [process] = host.processes();
  const region = process?.regions()[0];
  const moved = region?.movePages({ node: 1 });
  host.wait(2e6);
  region?.discard({ start: 100, count: 50 });
  return [moved?.status, host.random(1000), process?.rss, host.stateHash()];
}

async function eightPages(seed: number): Promise<Host> {
  const host = await twoNodes({ seed });
  host.createProcess({ pages: 8 }).map({ pages: 8 }).touch("write");
  return host;
}

describe("snapshots", () => {
  it("continue to the same state, taken in the middle", async () => {
    const host = await twoNodes({ cpus: 2, seed: 7 });
    const process = host.createProcess({ pages: 600, cpu: 1 });
    const memory = process.map({ pages: 600, node: 0 });
    memory.touch("write");
    memory.pin([5, 77]).releaseAt(host.nowNs + 1e6);
    const copy = await Host.restore(host.snapshot());
    expect(copy.stateHash()).toBe(host.stateHash());
    expect(goOn(copy)).toEqual(goOn(host));
    expect(copy.verify()).toBeNull();
  });

  it("are the same bytes for the same operations, and differ with the seed", async () => {
    const [one, two, other] = [await eightPages(1), await eightPages(1), await eightPages(2)];
    expect(Buffer.compare(one.snapshot(), two.snapshot())).toBe(0);
    expect(one.stateHash()).toBe(two.stateHash());
    expect(other.stateHash()).not.toBe(one.stateHash());
  });
});
