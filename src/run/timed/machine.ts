/** The machine of a scenario: a core with its memory, guests, devices and jobs, at time 0. */
import * as abi from "../../core/abi.ts";
import { Core, type Exports } from "../../core/core.ts";
import { SimError } from "../../errors.ts";
import { type HostConfig, configWords } from "../../host/config.ts";
import type { Scenario, ScenarioGuest, ScenarioHost } from "../../scenario/scenario.ts";
import type { PolicyVariant } from "../../scenario/variant.ts";
import { costsOf } from "./cost-profiles.ts";
import { Distributions } from "./distributions.ts";
import { type Placement, jobsOf, placeJob } from "./jobs.ts";
import { type TaskPlacement, placeTask, tasksOf } from "./tasks.ts";

export interface PlacedGuest {
  readonly guest: ScenarioGuest;
  readonly mm: number;
  /** Its first vCPU; the others follow. */
  readonly firstVcpu: number;
}

export interface TimedMachine {
  readonly core: Core;
  readonly scenario: Scenario;
  readonly guests: readonly PlacedGuest[];
  readonly jobs: readonly Placement[];
}

/** Pages that are touched between two looks at the limit, before the clock starts. */
const CHUNK_PAGES = 256;
/** A reclaim of the set-up frees in its second round what the first one has written. */
const SET_UP_ROUNDS = 8;

const asyncPfModes = {
  off: abi.ASYNC_PF_OFF,
  halt: abi.ASYNC_PF_HALT,
  paravirtual: abi.ASYNC_PF_PARAVIRTUAL,
} as const;

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function framesOf(host: ScenarioHost): number {
  return sum(host.nodes.flatMap(({ zones }) => zones.map(({ pages }) => pages)));
}

/** Pins that there may be at one time: of a pinner what comes within its longest hold, and some more. */
function pinsOf(scenario: Scenario): number {
  const ofPinners = scenario.pinners.map(({ perSecond, atOnce, hold }) => {
    const longest = hold === null ? scenario.durationNs : Math.max(...hold.points.map(({ ns }) => ns));
    return atOnce + Math.ceil((perSecond * Math.min(longest, scenario.durationNs)) / 1e9) + 64;
  });
  const ofOperations = scenario.operations.map((operation) => (operation.do === "pin" ? operation.pages : 0));
  return sum(ofPinners) + sum(ofOperations) + 4096;
}

function configOf(scenario: Scenario, variant: PolicyVariant, seed: number): HostConfig {
  const { host, guests, operations } = scenario;
  const forks = operations.filter((operation) => operation.do === "fork");
  const pagesOf = (name: string): number => guests.find((guest) => guest.name === name)?.pages ?? 0;
  const slots = sum(host.swap.map(({ pages }) => pages));
  return {
    ...variant,
    kernel: scenario.kernel,
    nodes: host.nodes,
    cpus: host.cpus,
    contentBytes: scenario.contentBytes,
    seed,
    limits: {
      ptes: sum(guests.map(({ pages }) => pages)) + sum(forks.map(({ guest }) => pagesOf(guest))),
      processes: guests.length + forks.length + 1,
      vmas: (guests.length + forks.length + 1) * 4,
      mappings: guests.length + forks.length + 8,
      cacheSlots: 0,
      ksmItems: 0,
      pins: pinsOf(scenario),
      vcpus: sum(guests.map(({ vcpus }) => vcpus)),
      migrations: 64,
      entries: 65_536,
      events: 0,
      swapSlots: slots,
    },
    costs: { syscallNs: 0, movedPageNs: 0, failedAttemptNs: 0, offlineRoundNs: 1, faultNs: 0 },
  };
}

function wordsOf(scenario: Scenario, variant: PolicyVariant, seed: number, counts: Counts): Int32Array {
  const words = configWords(configOf(scenario, variant, seed));
  words[abi.CFG_TASKS] = counts.tasks;
  // There are tables of the timed clock only where there may be something that uses them.
  words[abi.CFG_JOBS] = Math.max(counts.jobs, 1);
  words[abi.CFG_ACTORS] = counts.jobs;
  words[abi.CFG_REQUESTS] = Math.min(framesOf(scenario.host), 262_144);
  words[abi.CFG_QUANTILES] = counts.points;
  words[abi.CFG_ACCESSES] = counts.accesses;
  return words;
}

interface Counts {
  readonly tasks: number;
  readonly jobs: number;
  readonly points: number;
  readonly accesses: number;
}

/** Pages that are charged. */
function charged(x: Exports): number {
  return Number(x.counter(abi.MEMCG_CHARGED));
}

/** Swaps out until the limit holds and frames are free, before anything runs. */
function makeRoom(x: Exports, scenario: Scenario, areas: readonly number[], wanted: number): void {
  const { memoryLimit, nodes } = scenario.host;
  const zones = nodes.flatMap(({ zones: of }) => of);
  const spare = Math.max(1024, Math.floor(framesOf(scenario.host) / 64));
  const over = (): number =>
    Math.max(memoryLimit === null ? 0 : charged(x) + wanted - memoryLimit, spare + wanted - x.freeFrames());
  for (let round = 0; round < SET_UP_ROUNDS && over() > 0; round++) {
    const pages = Math.max(over(), CHUNK_PAGES);
    for (let zone = zones.length - 1; zone >= 0; zone--) {
      const share = (pages * (zones[zone]?.pages ?? 0)) / framesOf(scenario.host);
      x.reclaimZone(zone, Math.max(1, Math.ceil(share)));
    }
    for (const area of areas) x.endSwapWriteback(area);
  }
}

function touch(x: Exports, scenario: Scenario, placed: PlacedGuest, areas: readonly number[]): void {
  const { guest, mm } = placed;
  for (let page = 0; page < guest.touched; page += CHUNK_PAGES) {
    const end = Math.min(page + CHUNK_PAGES, guest.touched);
    if (scenario.host.swap.length > 0) makeRoom(x, scenario, areas, end - page);
    const rc = x.accessRange(mm, page, end, true, abi.NEW_CONTENT);
    if (rc < 0) {
      throw new SimError(
        "ERR_SCENARIO",
        `scenario ${scenario.name}: guests: ${guest.name} does not fit into memory and swap at page ${page}`,
      );
    }
  }
  x.lruAddDrain();
}

/** Swaps pages out that fit, spread evenly. */
function swapOutShare(x: Exports, { guest, mm }: PlacedGuest, areas: readonly number[]): void {
  if (guest.swappedOut === 0) return;
  let share = 0;
  for (let round = 0; round < 2; round++) {
    for (let page = 0; page < guest.touched; page++) {
      share += guest.swappedOut;
      if (share < 1000) continue;
      share -= 1000;
      x.pageoutRange(mm, page, page + 1);
    }
    for (const area of areas) x.endSwapWriteback(area);
    share = 0;
  }
}

/** A page that was written is free when reclaim looks at it again. */
function freeWritten(x: Exports, core: Core, { guest, mm }: PlacedGuest): void {
  if (guest.swappedOut === 0) return;
  const ptes = core.words(abi.TABLE_PTES);
  const slots = core.words(abi.TABLE_SWAP_SLOTS);
  const first = core.words(abi.TABLE_PROCESSES)[(mm * abi.PROCESS_SIZE + abi.PROCESS_FIRST_PTE) >> 2] ?? 0;
  for (let page = 0; page < guest.touched; page++) {
    const pte = ptes[first + page] ?? 0;
    if (pte === 0 || (pte & (abi.PTE_PRESENT | abi.PTE_MIGRATION)) !== 0) continue;
    const pfn = slots[((pte >>> abi.PTE_SHIFT) * abi.SWAP_SLOT_SIZE + abi.SWAP_SLOT_PFN) >> 2] ?? 0;
    if (pfn !== 0) x.reclaimPage(pfn);
  }
}

function setUpDevices(x: Exports, host: ScenarioHost, points: Distributions): number[] {
  return host.swap.map((device) => {
    const area = x.swapOn(device.pages, device.queueDepth === 0);
    const pageNs = Math.ceil((abi.PAGE_SIZE * 1e9) / device.bytesPerSecond);
    x.setDevice(area, device.queueDepth, pageNs, points.place(device.read), points.place(device.write));
    return area;
  });
}

function setUpGuests(core: Core, x: Exports, scenario: Scenario, areas: readonly number[]): PlacedGuest[] {
  const placed = scenario.guests.map((guest): PlacedGuest => {
    const mm = x.createMm(guest.pages, 0);
    x.mmapRegion(mm, 0, guest.pages, abi.VMA_ANON, abi.PROT_RW);
    const vcpus = Array.from({ length: guest.vcpus }, () => x.createVcpu(mm));
    return { guest, mm, firstVcpu: vcpus[0] ?? 0 };
  });
  for (const one of placed) {
    touch(x, scenario, one, areas);
    swapOutShare(x, one, areas);
    freeWritten(x, core, one);
  }
  x.lruAddDrain();
  return placed;
}

interface Parts {
  readonly tasks: readonly TaskPlacement[];
  readonly jobs: readonly Placement[];
  readonly points: Distributions;
}

function startThreads(x: Exports, scenario: Scenario, guests: readonly PlacedGuest[], parts: Parts): void {
  for (const { guest, firstVcpu } of guests) {
    for (let nr = 0; nr < guest.vcpus; nr++) {
      const own = parts.tasks
        .map((task, number) => ({ task, number }))
        .filter(({ task }) => task.guest === guest && task.vcpu === nr);
      const first = own[0]?.number ?? 0;
      x.startThread(
        firstVcpu + nr,
        asyncPfModes[guest.asyncPf],
        guest.tickNs,
        guest.sliceNs,
        first,
        own.length,
      );
    }
  }
  x.setEnd(BigInt(scenario.durationNs), scenario.untilDone);
}

function setUp(core: Core, scenario: Scenario, parts: Parts): PlacedGuest[] {
  const { host } = scenario;
  return core.read((x) => {
    for (const [what, ns] of costsOf(scenario.costs)) x.setCost(what, ns);
    x.setPageCluster(host.pageCluster);
    const areas = setUpDevices(x, host, parts.points);
    const guests = setUpGuests(core, x, scenario, areas);
    x.beginTimed(host.sliceNs, host.tickNs, host.maxActive, host.memoryLimit ?? 0);
    parts.tasks.forEach((task, number) =>
      placeTask(core, x, { task, number, seed: core.config(abi.CFG_SEED_LOW) }),
    );
    parts.jobs.forEach((job, number) => placeJob(core, { job, number, guests }));
    parts.points.write(x);
    startThreads(x, scenario, guests, parts);
    parts.jobs.forEach(({ atNs }, number) => x.startJob(number, BigInt(atNs)));
    return guests;
  });
}

/**
 * Builds the machine of a scenario at time 0.
 *
 * @throws {SimError} ERR_SCENARIO if the guests do not fit, ERR_LIMIT or ERR_MEMORY if the core cannot
 * hold it.
 */
export async function buildTimedMachine(
  scenario: Scenario,
  variant: PolicyVariant,
  seed: number,
): Promise<TimedMachine> {
  const points = new Distributions();
  for (const device of scenario.host.swap) {
    points.place(device.read);
    points.place(device.write);
  }
  const jobs = jobsOf(scenario, points);
  const tasks = tasksOf(scenario, points);
  const accesses = sum(tasks.map(({ trace }) => trace?.length ?? 0));
  const counts = { tasks: tasks.length, jobs: jobs.length, points: points.length, accesses };
  const core = await Core.create(wordsOf(scenario, variant, seed, counts));
  const guests = setUp(core, scenario, { tasks, jobs, points });
  return { core, scenario, guests, jobs };
}
