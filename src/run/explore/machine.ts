/** The machine of a model: a few frames, a guest in the state that the model asks for, and its actors. */
import * as abi from "../../core/abi.ts";
import { Core, type Exports } from "../../core/core.ts";
import { migrationModes } from "../../core/names.ts";
import type { KernelName, PolicyName, RepairName } from "../../core/names.ts";
import { SimError } from "../../errors.ts";
import { configWords } from "../../host/config.ts";
import type { Model, ModelActor, PageState } from "../../scenario/model/model.ts";

/** Under which rules a model is explored. */
export interface Variant {
  readonly kernel: KernelName;
  readonly policy: PolicyName;
  readonly repairs: readonly RepairName[];
}

/** An actor of the core: a column of a schedule, and the parts of it that are actors of their own. */
export interface PlacedActor {
  readonly name: string;
  readonly kind: number;
}

export interface ModelMachine {
  readonly core: Core;
  readonly model: Model;
  /** By number, as the core has them. */
  readonly actors: readonly PlacedActor[];
  /** The guest's address space. */
  readonly mm: number;
  /** Everything that is state, at the start. */
  readonly initial: Uint8Array;
}

/** Makes the machine what it was when it was built. */
export function resetMachine({ core, initial }: ModelMachine): void {
  core.arena().set(initial);
}

const FIRST_FRAME = 8;
const WRITTEN_BEFORE = 1; // stamp of what the pages hold at the start

interface Placement {
  readonly name: string;
  readonly kind: number;
  readonly vcpu: number;
  readonly script: number;
  readonly options: number;
}

const accessCodes = { read: abi.OP_READ, write: abi.OP_WRITE } as const;
const processCodes = {
  write: abi.OP_WRITE,
  "write-child": abi.OP_WRITE_CHILD,
  unmap: abi.OP_UNMAP,
  discard: abi.OP_DISCARD,
  fork: abi.OP_FORK,
  "exit-child": abi.OP_EXIT_CHILD,
  exit: abi.OP_EXIT,
} as const;

/** Packs up to four operations, the first in the lowest byte. */
function script(operations: readonly { readonly code: number; readonly page: number }[]): number {
  return operations.reduce((word, { code, page }, i) => word | (((code << 4) | page) << (8 * i)), 0);
}

/** The same operation on each page. */
function onPages(code: number, pages: readonly number[]): number {
  return script(pages.map((page) => ({ code, page })));
}

function vcpuPlacements(actor: Extract<ModelActor, { kind: "vcpu" }>, vcpu: number): Placement[] {
  const guest = {
    name: `vcpu ${vcpu}`,
    kind: abi.ACTOR_GUEST,
    vcpu,
    script: script(actor.access.map(({ op, page }) => ({ code: accessCodes[op], page }))),
    options: actor.paravirtual ? 0 : 1,
  };
  const entry = { ...guest, kind: abi.ACTOR_ENTRY, script: 0, options: 0 };
  // As many items can be outstanding as there are pages that tasks wait for.
  const pages = new Set(actor.access.map(({ page }) => page)).size;
  const workers = Array.from({ length: actor.paravirtual ? pages : 1 }, (_, i) => ({
    ...entry,
    name: pages > 1 ? `kworker ${vcpu}/${i}` : `kworker ${vcpu}`,
    kind: abi.ACTOR_WORKER,
  }));
  return [guest, entry, ...workers];
}

function processScript(actor: Extract<ModelActor, { kind: "process" }>): number {
  return script(actor.do.map(({ op, page }) => ({ code: processCodes[op], page })));
}

function pinnerScript(pages: readonly number[]): number {
  const pairs = pages.map((page) => [
    { code: abi.OP_PIN, page },
    { code: abi.OP_UNPIN, page },
  ]);
  return script(pairs.flat());
}

function placementsOf(actor: ModelActor, vcpu: number): Placement[] {
  const one = (kind: number, operations: number, options = 0): Placement[] => [
    { name: actor.kind, kind, vcpu: 0, script: operations, options },
  ];
  if (actor.kind === "vcpu") return vcpuPlacements(actor, vcpu);
  if (actor.kind === "process") return one(abi.ACTOR_PROCESS, processScript(actor));
  if (actor.kind === "pinner") return one(abi.ACTOR_PINNER, pinnerScript(actor.pages));
  if (actor.kind === "reclaimer") return one(abi.ACTOR_RECLAIMER, onPages(abi.OP_RECLAIM, actor.pages));
  if (actor.kind === "reset") {
    return [{ name: `vcpu ${actor.vcpu}`, kind: abi.ACTOR_RESET, vcpu: actor.vcpu, script: 0, options: 0 }];
  }
  const mode = migrationModes[actor.mode] << abi.MIGRATOR_MODE_SHIFT;
  const force = actor.force ? abi.MIGRATOR_FORCE : 0;
  return one(abi.ACTOR_MIGRATOR, onPages(abi.OP_MIGRATE, actor.pages), actor.attempts | mode | force);
}

/** Actors of one kind are numbered if there are several. */
function numbered(placements: readonly Placement[]): Placement[] {
  const seen = new Map<string, number>();
  return placements.map((placement) => {
    const alike = placements.filter(({ name, kind }) => name === placement.name && kind === placement.kind);
    if (alike.length === 1) return placement;
    const nr = seen.get(placement.name) ?? 0;
    seen.set(placement.name, nr + 1);
    return { ...placement, name: `${placement.name} ${nr}` };
  });
}

function allPlacements(model: Model): Placement[] {
  let vcpu = 0;
  const placements = model.actors.flatMap((actor) => placementsOf(actor, actor.kind === "vcpu" ? vcpu++ : 0));
  const moves = model.pages.length > 1 ? [0, 1] : [0];
  const io = moves.map((options) => ({
    name: moves.length > 1 ? `swap I/O ${options}` : "swap I/O",
    kind: abi.ACTOR_IO,
    vcpu: 0,
    script: 0,
    options,
  }));
  return [...numbered(placements), ...io];
}

function checkNumber({ name }: Model, actors: number): void {
  if (actors <= abi.EXPLORE_ACTORS) return;
  throw new SimError(
    "ERR_MODEL",
    `model ${name}: actors: with entries of vCPUs, workers and swap I/O they are ${actors}, ` +
      `at most ${abi.EXPLORE_ACTORS} may be`,
  );
}

/** Address spaces of the guest and of all children that there will be. */
function processesOf(model: Model): number {
  const operations = model.actors.flatMap((actor) => (actor.kind === "process" ? actor.do : []));
  const forks = operations.filter(({ op }) => op === "fork").length;
  return 1 + forks + (model.pages.includes("shared") ? 1 : 0);
}

/** References that an actor may hold at one time, beside those of async_pf. */
function pinsOf(actor: ModelActor): number {
  if (actor.kind === "pinner") return actor.pages.length + 3;
  return actor.kind === "process" ? 3 : 1; // a copy and its original, and the page that it waits for
}

/** Words of a machine that is as small as the model lets it be. */
function machineWords(model: Model, variant: Variant, nrActors: number): Int32Array {
  const pages = model.pages.length;
  const processes = processesOf(model);
  const vcpus = model.actors.flatMap((actor) => (actor.kind === "vcpu" ? [actor.access.length] : []));
  const migrators = model.actors.filter(({ kind }) => kind === "migrator").length;
  const vmas = pages * processes;
  const words = configWords({
    ...variant,
    nodes: [{ zones: [{ kind: "normal", pages: abi.PAGEBLOCK_PAGES }] }],
    contentBytes: 8,
    limits: {
      ptes: pages * processes,
      processes,
      vmas,
      mappings: vmas + 1,
      cacheSlots: model.pages.filter((state) => state === "file").length,
      ksmItems: 0,
      pins: model.actors.reduce((sum, actor) => sum + pinsOf(actor), 0),
      vcpus: vcpus.length,
      asyncPfs: vcpus.reduce((sum, accesses) => sum + accesses, 0),
      migrations: migrators,
      entries: 1,
      events: 0,
      swapSlots: pages + 1,
    },
    costs: { syscallNs: 0, movedPageNs: 0, failedAttemptNs: 0, faultNs: 0 },
  });
  const frames = FIRST_FRAME * Math.ceil((pages * processes + migrators + 3) / FIRST_FRAME);
  words[abi.CFG_ZONES + abi.CFG_ZONE_START] = FIRST_FRAME;
  words[abi.CFG_ZONES + abi.CFG_ZONE_END] = FIRST_FRAME + frames;
  words[abi.CFG_MAX_PFN] = FIRST_FRAME + frames;
  words[abi.CFG_ACTORS] = nrActors;
  return words;
}

/** The frame behind a PTE, or of the swap cache behind a swap entry. */
export function frameOf(core: Core, pte: number): number {
  const number = pte >>> abi.PTE_SHIFT;
  const swapped = pte !== 0 && (pte & (abi.PTE_PRESENT | abi.PTE_MIGRATION)) === 0;
  if (!swapped) return number;
  return core.words(abi.TABLE_SWAP_SLOTS)[(number * abi.SWAP_SLOT_SIZE + abi.SWAP_SLOT_PFN) >> 2] ?? 0;
}

interface Guest {
  readonly core: Core;
  readonly x: Exports;
  readonly mm: number;
  /** Its swap device. */
  readonly device: number;
}

/** Brings an anonymous page, which is mapped and dirty, into the state that a model asks for. */
function bringTo({ core, x, mm, device }: Guest, page: number, state: PageState): void {
  if (state === "mapped" || state === "shared" || state === "untouched" || state === "file") return;
  const pfn = frameOf(core, core.words(abi.TABLE_PTES)[page] ?? 0);
  x.pageoutRange(mm, page, page + 1);
  x.lruAddDrain();
  if (state === "writeback") return;
  x.endSwapWriteback(device);
  if (state === "swap-cache") return;
  x.reclaimPage(pfn);
  if (state === "swapped") return;
  x.access(mm, page, false, 0);
  x.lruAddDrain();
}

interface SetUp {
  readonly mm: number;
  /** The child that shares pages from the start, 0 if there is none. */
  readonly child: number;
}

function setUpPages(core: Core, x: Exports, model: Model): SetUp {
  const device = x.swapOn(model.pages.length + 1, !model.swap.latency);
  x.setPageCluster(0);
  const mm = x.createMm(model.pages.length, 0);
  model.pages.forEach((state, page) => {
    if (state === "file") {
      x.mmapFile(mm, page, page + 1, x.createFile(abi.FILE_PLAIN, 1), 0, abi.PROT_RW);
      return;
    }
    x.mmapRegion(mm, page, page + 1, abi.VMA_ANON, abi.PROT_RW);
    if (state !== "untouched") x.access(mm, page, true, WRITTEN_BEFORE + 1 + page);
  });
  x.lruAddDrain();
  model.pages.forEach((state, page) => bringTo({ core, x, mm, device }, page, state));
  const child = model.pages.includes("shared") ? x.forkProcess(mm) : 0;
  x.lruAddDrain();
  return { mm, child };
}

/**
 * Builds the machine of a model.
 *
 * @throws {SimError} ERR_MODEL if there are more actors than a search can have, ERR_CORE_PANIC if the initial
 * state is not sound, a bug of ours.
 */
export async function buildMachine(model: Model, variant: Variant): Promise<ModelMachine> {
  const placements = allPlacements(model);
  checkNumber(model, placements.length);
  const core = await Core.create(machineWords(model, variant, placements.length));
  const mm = core.read((x) => {
    const guest = setUpPages(core, x, model);
    const vcpus = model.actors.filter(({ kind }) => kind === "vcpu").map(() => x.createVcpu(guest.mm));
    placements.forEach((placement, number) => {
      const vcpu = vcpus[placement.vcpu] ?? 0;
      const options = placement.kind === abi.ACTOR_PROCESS ? guest.child : placement.options;
      x.placeActor(number, placement.kind, guest.mm, vcpu, placement.script, options);
    });
    x.failCtxAllocations(model.contextFailures);
    return guest.mm;
  });
  const broken = core.read((x) => x.verify());
  if (broken !== 0) {
    throw new SimError("ERR_CORE_PANIC", `model ${model.name}: its initial state breaks invariant ${broken}`);
  }
  const actors = placements.map(({ name, kind }) => ({ name, kind }));
  return { core, model, actors, mm, initial: core.arena().slice() };
}
