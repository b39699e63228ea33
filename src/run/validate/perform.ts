/** Performs the steps of a recording on the simulated machine. Each returns what only that step can say. */
import { errnoNumber } from "../../core/names.ts";
import type { Pin } from "../../host/pin.ts";
import type { Region } from "../../host/region.ts";
import type { Action, Timed } from "./action.ts";
import { MS_NS, SLICE_NS } from "./costs.ts";
import type { Fields } from "./field.ts";
import { type Machine, NotModelled, groupsIn, pageName, rangesOf } from "./machine.ts";
import { type Simulated, countBy, placeName } from "./observe.ts";
import { map } from "./place.ts";
import type { Step } from "./recording.ts";

type ActionOf<K extends Action["op"]> = Extract<Action, { op: K }>;

const NOTHING: Simulated = {};
const NO_END_NS = 600_000 * MS_NS; // of an offline that nothing would end
// printk_ratelimited(): so many lines in 5 s.
const LOG_BURST = 10;
const DEADLY_SIGNALS = ["SIGKILL"]; // the recorder handles the others

function ms(duration: number): number {
  return Math.round(duration * MS_NS);
}

function number(fields: Fields | undefined, name: string): number | null {
  const value = fields?.[name];
  return typeof value === "number" ? value : null;
}

/** When something really happened, as the recording has it, or else when it was to happen: from the start. */
function happenedNs(timed: Timed, observed: Fields | undefined): number {
  const timing = observed?.["timing"];
  const times: Fields = typeof timing === "object" && timing !== null ? { ...timing } : {};
  return ms(number(times, "releasedAtMs") ?? number(times, "actedAtMs") ?? timed.atMs);
}

function change(machine: Machine, action: ActionOf<"touch" | "unmap" | "discard">): Simulated {
  const region = machine.region(action.by, action.region);
  for (const range of rangesOf(machine.indexesOf(action.pages, region))) {
    if (action.op === "touch") region.touch(action.access, range);
    else if (action.op === "unmap") region.unmap(range);
    else region.discard(range);
  }
  return NOTHING;
}

/**
 * vmsplice takes FOLL_GET references for reading, splice those of the page cache. Registered buffers are
 * pinned for long, for writing. Direct reads take FOLL_GET references for writing, since 6.2 FOLL_PIN ones.
 */
function takePin(machine: Machine, action: ActionOf<"pin">, indexes: readonly number[]): Pin {
  const region = machine.region(action.by, action.region);
  switch (action.how) {
    case "vmsplice":
      return region.pin(indexes, "get", "read");
    case "splice":
      if (indexes.some((index) => region.frameOf(index) === null)) {
        throw new NotModelled("a spliced page that is not mapped");
      }
      return region.pin(indexes, "get", "read");
    case "io_uring":
      if (machine.files.kindOf(action.region) === "buffered") {
        throw new NotModelled("a registered buffer in a file that is not in memory");
      }
      return region.pin(indexes, "longterm");
    case "odirect":
      break;
  }
  return region.pin(indexes, machine.recording.profile === "v6.12" ? "pin" : "get");
}

function nodeOf(machine: Machine, frame: number | null): number | null {
  return frame === null ? null : machine.host.pages.at(frame).node;
}

/** Registering buffers is all or nothing. */
function pin(machine: Machine, action: ActionOf<"pin">): Simulated {
  const { host } = machine;
  const { by, how } = action;
  const region = machine.region(by, action.region);
  const indexes = machine.indexesOf(action.pages, region);
  const first = indexes[0] ?? 0;
  const before = region.frameOf(first);
  const nodeBefore = nodeOf(machine, before);
  const held = takePin(machine, action, indexes);
  const refused = how === "io_uring" ? held.errno : null;
  if (refused !== null) held.release();
  const completesAtNs = action.ioDurationMs === null ? null : host.nowNs + ms(action.ioDurationMs);
  if (completesAtNs !== null) held.releaseAt(completesAtNs);
  const pages = refused === null ? indexes.map((index) => pageName(by, action.region, index)) : [];
  machine.addPin(action.id, { pin: held, pages, completesAtNs });
  const after = region.frameOf(first);
  const firstPinnedPage = { nodeBefore, nodeAfter: nodeOf(machine, after), sameFrame: before === after };
  if (how === "vmsplice") return { ret: held.pages, errno: null, firstPinnedPage };
  if (how !== "io_uring") return { firstPinnedPage };
  return { ret: refused === null ? 0 : -errnoNumber(refused), errno: refused, firstPinnedPage };
}

function unpin(machine: Machine, action: ActionOf<"unpin">): Simulated {
  const held = machine.pin(action.id);
  if (action.wait && held.completesAtNs !== null) {
    machine.host.wait(Math.max(0, held.completesAtNs - machine.host.nowNs));
  }
  held.pin.release();
  machine.forgetPin(action.id);
  return NOTHING;
}

/** Leaves as much memory free on the target as there was; what the kernel keeps free is not to be had. */
function matchFreeMemory(machine: Machine, node: number, observed: Fields | undefined): void {
  const before = number(observed, "nodeFreeKbBefore");
  if (before === null) return;
  machine.leaveFree(node, Math.max(0, before - (number(observed, "nodeFreeKbAfter") ?? 0)) >> 2);
}

function movePages(machine: Machine, action: ActionOf<"movePages">, observed: Fields | undefined): Simulated {
  matchFreeMemory(machine, action.node, observed);
  const { node, moveAll, entries } = action;
  const region = machine.region(action.by, action.region);
  const { ret, errno, status } = region.movePages({ node, moveAll, ...(entries && { entries }) });
  return { ret, errno, status, statusCounts: countBy(status, placeName) };
}

function movePagesUntil(
  machine: Machine,
  action: ActionOf<"movePagesUntil">,
  observed: Fields | undefined,
): Simulated {
  const { host } = machine;
  const { node, moveAll, entries, untilRet, release } = action;
  const region = machine.region(action.by, action.region);
  const releaseNs = release === null ? 0 : host.nowNs + happenedNs(release, observed);
  const releaseAt = (ns: number): void => {
    if (release !== null) machine.pin(release.pin).pin.releaseAt(ns);
  };
  // Times of an emulator say what came first, no more: whether the release came while the first call ran, or
  // after it had failed, is taken from the recording.
  const first = number(observed, "firstRet") ?? untilRet;
  if (first === untilRet) releaseAt(host.nowNs);
  const rets: number[] = [];
  let status: readonly (number | null)[] = [];
  while (rets.length < action.maxCalls && rets.at(-1) !== untilRet) {
    const result = region.movePages({ node, moveAll, ...(entries && { entries }) });
    rets.push(result.ret);
    status = result.status;
    if (rets.length === 1 && first !== untilRet) releaseAt(releaseNs);
    if (result.crash !== null) break;
  }
  if (release !== null) machine.forgetPin(release.pin);
  return {
    calls: rets.length,
    failedCalls: rets.filter((ret) => ret !== untilRet).length,
    firstRet: rets[0],
    lastRet: rets.at(-1),
    statusCounts: countBy(status, placeName),
  };
}

/** The scanner has found all that is equal by then. */
function ksmMerge(region: Region, groupsOf: number): Simulated {
  const { pagesShared, pagesSharing } = region.mergeKsm(groupsIn(region.pages, groupsOf));
  return { pagesShared, pagesSharing };
}

function mbind(machine: Machine, action: ActionOf<"mbind">): Simulated {
  const { node, move, strict } = action;
  const { ret, errno } = machine.region(action.by, action.region).mbind({ node, move, strict });
  return { ret, errno };
}

function migratePages(machine: Machine, action: ActionOf<"migratePages">): Simulated {
  const { ret, errno } = machine.process(action.by).migratePages(action.from, action.to);
  return { ret, errno };
}

function fill(machine: Machine, action: ActionOf<"fill">, observed: Fields | undefined): Simulated {
  const { node, pages } = action;
  const before = number(observed, "nodeFreeKbBefore");
  const free = before === null ? machine.recording.host.nodes[node]?.free : before >> 2;
  if (typeof free === "number") machine.leaveFree(node, free);
  machine.process(action.by).map({ pages, node }).touch("write");
  const after = number(observed, "nodeFreeKbAfter");
  if (after !== null) machine.leaveFree(node, after >> 2);
  return NOTHING;
}

/** Children touch what they inherit when all of them are there. */
function fork(machine: Machine, action: ActionOf<"fork">): Simulated {
  const inherited = Array.from({ length: action.children }, () => machine.fork(action.by)).flat();
  machine.mover = action.mover;
  if (action.childTouch !== "none") for (const region of inherited) region.touch(action.childTouch);
  return NOTHING;
}

function offline(machine: Machine, action: ActionOf<"offline">, observed: Fields | undefined): Simulated {
  const { host } = machine;
  const { block, release, signal } = action;
  if (release !== null) machine.pin(release.pin).pin.releaseAt(host.nowNs + happenedNs(release, observed));
  if (signal !== null) host.signalAt(host.nowNs + happenedNs(signal, observed));
  const lines = host.counters().migrationFailureLines;
  const endless = release === null && signal === null;
  const result = host.offline(block, endless ? { untilNs: host.nowNs + NO_END_NS } : {});
  const migratingPfnFailed = Math.min(LOG_BURST, host.counters().migrationFailureLines - lines);
  if (release !== null) machine.forgetPin(release.pin);
  const simulated = {
    rounds: result.rounds,
    stateAfter: host.blockState(block),
    writerExit: "exited",
    logLines: { migratingPfnFailed },
  };
  // Nobody is left to see what the call returned.
  if (signal !== null && DEADLY_SIGNALS.includes(signal.name)) return { ...simulated, writerExit: "killed" };
  return { ...simulated, ret: result.ret, errno: result.errno };
}

function online(machine: Machine, action: ActionOf<"online">): Simulated {
  const { ret, errno } = machine.host.online(action.block);
  return { ret, errno };
}

/** Mean times in µs of each variant, under the names that recordings use. */
function timeCalls(machine: Machine, action: ActionOf<"timeCalls">): Simulated {
  const { host } = machine;
  const region = machine.region(action.by, action.region);
  const means = action.variants.map(({ name, nodes, pinned }): [string, number] => {
    const held = pinned ? region.pin([0]) : null;
    const startNs = host.nowNs;
    for (let call = 0; call < action.calls; call++) {
      region.movePages({ node: nodes[call % nodes.length] ?? 0 });
    }
    held?.release();
    return [`${name}Us`, (host.nowNs - startNs) / action.calls / 1000];
  });
  return { timing: Object.fromEntries(means) };
}

/**
 * A writer that never sleeps faults once in each window in which its PTE is a migration entry, or is cleared
 * until it turns out that the page may be pinned. The straight clock lets nobody run inside a call, so the
 * windows are counted instead: each call of try_to_unmap() opens one.
 */
function touchWhileMoving(machine: Machine, action: ActionOf<"touchWhileMoving">): Simulated {
  const { host } = machine;
  const { nodes, moveAll } = action;
  const region = machine.region(action.by, action.region);
  const endNs = host.nowNs + ms(action.durationMs);
  const windows = host.counters().tryToUnmapCalls;
  const rets: number[] = [];
  let faults = 0;
  while (host.nowNs < endNs) {
    const node = nodes[rets.length % nodes.length];
    if (node !== undefined) rets.push(region.movePages({ node, moveAll }).ret);
    host.wait(SLICE_NS);
    faults += region.touch("write").faults;
  }
  return {
    moveCalls: rets.length,
    ret0: rets.filter((ret) => ret === 0).length,
    retNonzero: rets.filter((ret) => ret !== 0).length,
    retPositive: rets.filter((ret) => ret > 0).length,
    retNegative: rets.filter((ret) => ret < 0).length,
    toucherMinorFaults: faults + host.counters().tryToUnmapCalls - windows,
  };
}

function swapOn(machine: Machine, action: ActionOf<"swapOn">): Simulated {
  const { device, ioDurationMs, ...options } = action;
  machine.swaps.on(device, options, ms(ioDurationMs ?? 0));
  return { ret: 0 };
}

function pageout(machine: Machine, action: ActionOf<"pageout">): Simulated {
  const { by } = action;
  const region = machine.region(by, action.region);
  const indexes = machine.indexesOf(action.pages, region);
  const results = rangesOf(indexes).map((range) => region.pageout(range));
  const failed = results.find(({ ret }) => ret !== 0);
  const { pinned } = machine;
  const swapped = indexes.filter((index) => region.swapSlotOf(index) !== null);
  const held = swapped.filter((index) => pinned.has(pageName(by, action.region, index))).length;
  return {
    ret: failed?.ret ?? 0,
    errno: failed?.errno ?? null,
    pinnedSwapped: held,
    unpinnedSwapped: swapped.length - held,
  };
}

function swapin(machine: Machine, action: ActionOf<"swapin">): Simulated {
  machine.host.setPageCluster(action.pageCluster);
  return change(machine, { ...action, op: "touch" });
}

function act(machine: Machine, step: Step): Simulated {
  const { action } = step;
  const observed = step.observed?.fields;
  switch (action.op) {
    case "map":
      map(machine, action);
      return NOTHING;
    case "touch":
    case "unmap":
    case "discard":
      return change(machine, action);
    case "protect":
      machine.region(action.by, action.region).protect(action.prot);
      return NOTHING;
    case "mlock":
      machine.region(action.by, action.region).mlock();
      return NOTHING;
    case "ksmMerge":
      return ksmMerge(machine.region(action.by, action.region), action.groupsOf);
    case "pin":
      return pin(machine, action);
    case "unpin":
      return unpin(machine, action);
    case "movePages":
      return movePages(machine, action, observed);
    case "movePagesUntil":
      return movePagesUntil(machine, action, observed);
    case "mbind":
      return mbind(machine, action);
    case "migratePages":
      return migratePages(machine, action);
    case "fill":
      return fill(machine, action, observed);
    case "fork":
      return fork(machine, action);
    case "exit":
      machine.exit(action.child);
      return NOTHING;
    case "writeback":
      machine.files.startWriteback(action.region, ms(action.durationMs));
      return NOTHING;
    case "swapOn":
      return swapOn(machine, action);
    case "swapOff":
      return { ret: machine.swaps.off(action.device) };
    case "pageout":
      return pageout(machine, action);
    case "swapin":
      return swapin(machine, action);
    case "online":
      return online(machine, action);
    case "offline":
      return offline(machine, action, observed);
    case "wait":
      machine.host.wait(ms(action.ms));
      return NOTHING;
    case "timeCalls":
      return timeCalls(machine, action);
    case "touchWhileMoving":
      return touchWhileMoving(machine, action);
    case "notModelled":
      break;
  }
  throw new NotModelled(action.reason);
}

/** Performs a step and returns what it says of itself, in the words of a recording. */
export function perform(machine: Machine, step: Step): Simulated {
  const simulated = act(machine, step);
  machine.files.endWritebacks();
  machine.swaps.endWritebacks();
  return simulated;
}
