/** What fork() gives a child, and that nothing of a family is left when it is gone. */
import * as fc from "fast-check";
import { expect, it } from "vitest";
import * as abi from "../../assembly/abi.ts";
import { Host, type KernelName, type Process } from "../../src/index.ts";
import { machine } from "../helpers/machines.ts";
import { fuzzTimeoutMs, runs } from "../helpers/runs.ts";

const PAGES = 6;
/** Regions in this order. The last one is private memory with MADV_DONTFORK. */
const kinds = ["anon", "shmem", "vdso", "notForked"] as const;
type Kind = (typeof kinds)[number];

/** What was done with each page of a region before the fork. */
const uses = fc.array(fc.constantFrom("none", "read", "write", "get", "pin", "protect", "forbid"), {
  minLength: PAGES,
  maxLength: PAGES,
});
const regions = fc.record({ anon: uses, shmem: uses, vdso: uses, notForked: uses });
type Regions = typeof regions extends fc.Arbitrary<infer T> ? T : never;
const kernel = fc.constantFrom("v3.12", "v6.1", "v6.12");

function mapAndUse(process: Process, kind: Kind, list: Regions[Kind]): void {
  const dontFork = kind === "notForked";
  const region = process.map({ pages: PAGES, kind: dontFork ? "anon" : kind, dontFork });
  for (const [start, use] of list.entries()) {
    const page = { start, count: 1 };
    if (use === "read") region.touch("read", page);
    if (use === "write" || use === "protect" || use === "forbid") region.touch("write", page);
    if (use === "get" || use === "pin") region.pin([start], use);
    if (use === "protect") region.protect("read", page);
    if (use === "forbid") region.protect("none", page);
  }
}

async function prepare(kernelName: KernelName, used: Regions): Promise<[Host, Process]> {
  const host = await Host.create(machine({ kernel: kernelName, policy: "pin" }, "small"));
  const parent = host.createProcess({ pages: kinds.length * PAGES });
  for (const kind of kinds) mapAndUse(parent, kind, used[kind]);
  return [host, parent];
}

function childOf(process: Process): Process {
  const { child } = process.fork();
  if (child === null) throw new Error("fork() was to succeed");
  return child;
}

const kindAt = (vpn: number): Kind => kinds[Math.floor(vpn / PAGES)] ?? "anon";
const frameOf = (pte: number): number => pte >>> abi.PTE_SHIFT;
const mapcountOf = (host: Host, pte: number): number => (pte === 0 ? 0 : host.pages.mapcount(frameOf(pte)));
const freeFrames = (host: Host): number => host.freePages().reduce((sum, nr) => sum + nr, 0);

/** PTE of the parent, PTE of the child or that it has a copy, PTEs of the parent's page. */
type Fate = readonly [number, number | "a copy", number];

function fateOf(host: Host, parent: number, child: number): Fate {
  const isCopy = child !== 0 && frameOf(child) !== frameOf(parent);
  return [parent, isCopy ? "a copy" : child, mapcountOf(host, parent)];
}

/** What is to become of a page, by its PTE before the fork and how many there were. */
function fateAfter(pte: number, mapcount: number, kind: Kind, mustCopy: boolean): Fate {
  if (mustCopy) return [pte, "a copy", 1];
  if (pte === 0 || kind === "shmem" || kind === "notForked") return [pte, 0, mapcount];
  const readOnly = pte & ~abi.PTE_WRITE;
  const more = frameOf(pte) === abi.ZERO_PFN ? 0 : 1;
  return [readOnly, readOnly & ~abi.PTE_ACCESSED, mapcount + more];
}

it(
  "private pages and the vDSO are mapped in both, read-only, the child's old; the rest is not there",
  async () => {
    const property = fc.asyncProperty(kernel, regions, async (one, used) => {
      const [host, parent] = await prepare(one, used);
      const expected = [...parent.ptes()].map((pte, vpn) => {
        const mustCopy = one !== "v3.12" && used.anon[vpn] === "pin";
        return fateAfter(pte, mapcountOf(host, pte), kindAt(vpn), mustCopy);
      });
      const child = childOf(parent);
      const copies = child.ptes();
      expect([...parent.ptes()].map((pte, vpn) => fateOf(host, pte, copies[vpn] ?? 0))).toEqual(expected);
      const inherited = parent.regions().filter(({ start }) => kindAt(start) !== "notForked");
      expect(child.regions().map(({ start, pages }) => [start, pages])).toEqual(
        inherited.map(({ start, pages }) => [start, pages]),
      );
      expect(host.verify()).toBeNull();
    });
    await expect(fc.assert(property, runs())).resolves.toBeUndefined();
  },
  fuzzTimeoutMs,
);

/** Exits: what is wrong with the counters that are left, and with the machine. */
function exitOf(host: Host, process: Process): unknown[] {
  return [process.exit().badRss, host.verify()];
}

it(
  "a family leaves nothing behind, whoever forks, writes and goes first",
  async () => {
    const member = fc.nat({ max: 7 });
    const act = fc.constantFrom("fork", "write", "exit");
    const acts = fc.array(fc.record({ act, member }), { maxLength: 20 });
    const property = fc.asyncProperty(kernel, regions, acts, async (one, used, list) => {
      const [host, parent] = await prepare(one, used);
      const exits: unknown[] = [];
      let family = [parent];
      for (const { act: what, member: number } of list) {
        const process = family[number % family.length];
        if (process === undefined) break;
        if (what === "fork" && family.length < 8) family.push(childOf(process));
        if (what === "write") for (const region of process.regions()) region.touch("write");
        if (what !== "exit") continue;
        exits.push(exitOf(host, process));
        family = family.filter((other) => other !== process);
      }
      for (const process of family) exits.push(exitOf(host, process));
      expect(exits).toEqual(exits.map(() => [null, null]));
      for (const pin of host.pins()) pin.release();
      host.drainLru();
      // The vDSO stays: it is the kernel's.
      const unused = await Host.create(machine({ kernel: one, policy: "pin" }, "small"));
      expect(freeFrames(host)).toBe(freeFrames(unused) - PAGES);
      const {
        nr_anon_pages: anon,
        nr_file_mapped: mapped,
        nr_file_pages: cached,
        nr_mlock: locked,
      } = host.counters();
      expect([anon, mapped, cached, locked]).toEqual([0, 0, 0, 0]);
      expect(host.verify()).toBeNull();
    });
    await expect(fc.assert(property, runs())).resolves.toBeUndefined();
  },
  fuzzTimeoutMs,
);
