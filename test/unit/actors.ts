/** A small machine with actors, which a test steps one by one. */
import * as abi from "../../assembly/abi.ts";
import { Core, type Exports } from "../../src/core/core.ts";
import { configWords } from "../../src/host/config.ts";
import { type Layer, layers } from "./hosts.ts";

export type Operation = readonly [code: number, page: number];

export interface Placement {
  readonly kind: number;
  readonly operations?: readonly Operation[];
  readonly vcpu?: number;
}

const PAGES = 2;
const FIRST_FRAME = 8;
const FRAMES = 24;

function machineWords(layer: Layer, nrActors: number): Int32Array {
  const words = configWords({
    ...layers[layer],
    kernel: "v3.12",
    nodes: [{ zones: [{ kind: "normal", pages: abi.PAGEBLOCK_PAGES }] }],
    contentBytes: 8,
    limits: {
      ptes: 2 * PAGES,
      processes: 2,
      vmas: 4,
      mappings: 5,
      cacheSlots: 0,
      ksmItems: 0,
      pins: 12,
      vcpus: 2,
      asyncPfs: 4,
      migrations: 1,
      entries: 1,
      events: 0,
      swapSlots: 4,
    },
  });
  words[abi.CFG_ZONES + abi.CFG_ZONE_START] = FIRST_FRAME;
  words[abi.CFG_ZONES + abi.CFG_ZONE_END] = FIRST_FRAME + FRAMES;
  words[abi.CFG_MAX_PFN] = FIRST_FRAME + FRAMES;
  words[abi.CFG_ACTORS] = nrActors;
  return words;
}

/** v3.12 under one layer: a guest of two pages, both written, with two vCPUs, and the actors. */
export class ActorMachine {
  readonly core: Core;
  readonly mm: number;

  private constructor(core: Core, mm: number) {
    this.core = core;
    this.mm = mm;
  }

  static async create(layer: Layer, placements: readonly Placement[]): Promise<ActorMachine> {
    const core = await Core.create(machineWords(layer, placements.length));
    const mm = core.read((x) => {
      const guest = x.createMm(PAGES, 0);
      x.mmapRegion(guest, 0, PAGES, abi.VMA_ANON, abi.PROT_RW);
      for (let page = 0; page < PAGES; page++) x.access(guest, page, true, abi.NEW_CONTENT);
      x.lruAddDrain();
      for (let vcpu = 0; vcpu < 2; vcpu++) x.createVcpu(guest);
      placements.forEach(({ kind, operations = [], vcpu = 0 }, number) => {
        const script = operations.reduce(
          (word, [code, page], i) => word | (((code << 4) | page) << (8 * i)),
          0,
        );
        x.placeActor(number, kind, guest, vcpu, script, 0);
      });
      return guest;
    });
    return new ActorMachine(core, mm);
  }

  call<T>(act: (x: Exports) => T): T {
    const result = this.core.run(act);
    if (result === undefined) throw new Error(`the kernel has crashed: ${JSON.stringify(this.core.crash)}`);
    return result;
  }

  /** The guest's fault of a page and its worker, up to the finished item. */
  pin(vcpu: number, gfn: number): void {
    const item = this.call((x) => x.setupAsyncPf(vcpu, gfn));
    this.call((x) => x.asyncPfExecute(item));
  }

  actor(number: number, field: number): number {
    return this.core.words(abi.TABLE_ACTORS)[(number * abi.ACTOR_SIZE + field) >> 2] ?? 0;
  }

  /** Takes a step. Returns TRANSITION_*, or null if the actor is blocked, or has ended. */
  step(number: number): number | null {
    const before = this.core.arena().slice();
    const result = this.core.run((x) => x.stepActor(number));
    if (result === abi.STEP_BLOCKED) {
      // Nothing has changed but what was tried.
      const actors = this.core.words(abi.TABLE_ACTORS);
      const at = (number * abi.ACTOR_SIZE + abi.ACTOR_TRANSITION) >> 2;
      const tried = actors[at] ?? 0;
      const offset = actors.byteOffset - this.core.arena().byteOffset;
      actors[at] = new Int32Array(before.buffer, offset, actors.length)[at] ?? 0;
      if (!before.every((byte, i) => byte === this.core.arena()[i])) throw new Error("blocked, but changed");
      actors[at] = tried;
      return null;
    }
    return this.actor(number, abi.ACTOR_TRANSITION);
  }

  /** The transitions up to the end of the actor or to where it is blocked. */
  runOut(number: number): number[] {
    const taken: number[] = [];
    for (let at = this.step(number); at !== null; at = this.step(number)) taken.push(at);
    return taken;
  }

  pte(mm: number, page: number): number {
    const first =
      this.core.words(abi.TABLE_PROCESSES)[(mm * abi.PROCESS_SIZE + abi.PROCESS_FIRST_PTE) >> 2] ?? 0;
    return this.core.words(abi.TABLE_PTES)[first + page] ?? 0;
  }

  pfnOf(page: number, mm = this.mm): number {
    return this.pte(mm, page) >> abi.PTE_SHIFT;
  }

  pageField(pfn: number, field: number): number {
    return this.core.words(abi.TABLE_PAGES)[(pfn * abi.PAGE_RECORD_SIZE + field) >> 2] ?? 0;
  }

  setPageFlag(pfn: number, flag: number, on: boolean): void {
    const words = this.core.words(abi.TABLE_PAGES);
    const at = (pfn * abi.PAGE_RECORD_SIZE + abi.PAGE_FLAGS) >> 2;
    words[at] = on ? (words[at] ?? 0) | flag : (words[at] ?? 0) & ~flag;
  }

  /** INV_* that do not hold between two steps, and counters from BROKEN_COUNTERS on. */
  broken(): number[] {
    const set = this.call((x) => BigInt.asUintN(64, x.brokenIn(false)));
    return Array.from({ length: 64 }, (_, bit) => bit).filter((bit) => (set >> BigInt(bit)) & 1n);
  }
}
