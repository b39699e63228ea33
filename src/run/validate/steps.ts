/** Reads the steps of a recording. */
import {
  type Action,
  type Alternation,
  type FileMemory,
  type MoveArray,
  PARENT,
  type Pages,
  type PlainMemory,
  type Timed,
  type TimedVariant,
} from "./action.ts";
import type { Field } from "./field.ts";
import { operations, regionKindNames } from "./scope.ts";

const memoryOf: Readonly<Partial<Record<(typeof regionKindNames)[number], PlainMemory | FileMemory>>> = {
  anon: { kind: "anon" },
  "anon-shared": { kind: "shmem" },
  vdso: { kind: "vdso" },
  tmpfs: { file: "tmpfs", prot: "read-write", onRootfs: false },
  "file-rootfs": { file: "tmpfs", prot: "read-write", onRootfs: true },
  "file-blockdev": { file: "buffered", prot: "read-write", onRootfs: false },
  "file-text": { file: "tmpfs", prot: "read", onRootfs: true },
};

/** Checks that a step is an operation of the format. @throws {SimError} ERR_RECORDING */
export function parseOperation(step: Field): (typeof operations)[number] {
  return step.at("op").oneOf(operations);
}

function parseBy(step: Field): string {
  const by = step.at("by");
  return by.missing ? PARENT : by.string();
}

function parseRegion(step: Field): { region: string; by: string } {
  return { region: step.at("region").string(), by: parseBy(step) };
}

/** Null if the selection depends on a rule that is not known. */
function parsePages(field: Field): Pages | null {
  if (field.value === "all") return "all";
  if (Array.isArray(field.value)) return field.items().map((item) => item.integer());
  if (!field.at("select").missing) return null;
  const optional = (name: string, otherwise: number): number =>
    field.at(name).missing ? otherwise : field.at(name).integer();
  const from = optional("from", 0);
  const every = optional("every", 1);
  return Array.from({ length: field.at("count").integer() }, (_, i) => from + i * every);
}

function parseFlags(step: Field): boolean {
  return step.at("flags").oneOf(["MOVE", "MOVE_ALL"]) === "MOVE_ALL";
}

function parseArray(step: Field): MoveArray {
  const entries = step.at("entries");
  const by = step.at("by");
  return {
    region: step.at("region").string(),
    by: by.missing ? null : by.string(),
    entries: entries.value === "all" ? undefined : entries.items().map((item) => item.integer(-1)),
    node: step.at("node").integer(-(2 ** 31)),
    moveAll: parseFlags(step),
  };
}

function parseMap(step: Field): Action {
  const recordedKind = step.at("kind").oneOf(regionKindNames);
  const memory = memoryOf[recordedKind];
  if (memory === undefined) return { op: "notModelled", reason: `${recordedKind} pages are not modelled` };
  const pages = step.at("pages").integer(1);
  const node = step.at("node");
  const perPage = step.at("nodeOfPage");
  const dontFork = step.at("dontFork");
  const mappedTwice = step.at("mappedTwice");
  step.at("fillsBlock"); // follows from the memory that is online
  if (node.value === null && perPage.items().length !== pages)
    throw perPage.error(`a list of ${pages} nodes`);
  return {
    op: "map",
    ...parseRegion(step),
    memory,
    pages,
    node: node.value === null ? perPage.items().map((item) => item.integer()) : node.integer(),
    touch: step.at("touch").oneOf(["none", "read", "write"]),
    dontFork: !dontFork.missing && dontFork.boolean(),
    mappedTwice: mappedTwice.missing ? [] : mappedTwice.items().map((item) => item.integer(0, pages - 1)),
  };
}

function parsePin(step: Field): Action {
  const how = step.at("how").oneOf(["vmsplice", "splice", "io_uring", "odirect"]);
  const pages = parsePages(step.at("pages"));
  if (pages === null) return { op: "notModelled", reason: "a selection by a rule" };
  const duration = step.at("ioDurationMs");
  return {
    op: "pin",
    ...parseRegion(step),
    pages,
    how,
    id: step.at("id").string(),
    ioDurationMs: duration.missing ? null : duration.number(),
  };
}

function parseRelease(step: Field): (Timed & { readonly pin: string }) | null {
  const release = step.at("release");
  return release.missing ? null : { pin: release.at("pin").string(), atMs: release.at("atMs").number() };
}

function parseSignal(step: Field): (Timed & { readonly name: string }) | null {
  const signal = step.at("signal");
  return signal.missing ? null : { name: signal.at("name").string(), atMs: signal.at("atMs").number() };
}

/** "alternate 1, 0", "always 1", "none", or a number. */
function parseAlternation(field: Field): Alternation {
  if (typeof field.value === "number") return [field.integer()];
  const text = field.string();
  if (text === "none") return [];
  const match = /^(?:alternate|always) (\d+(?:, \d+)*)$/.exec(text);
  if (match?.[1] === undefined) throw field.error('"none", "always N" or "alternate N, M"');
  return match[1].split(", ").map(Number);
}

function parseVariant(field: Field): TimedVariant {
  const pin = field.at("pin");
  if (!pin.missing) pin.oneOf(["vmsplice"]);
  const alternate = field.at("nodes");
  return {
    name: field.at("name").string(),
    nodes: parseAlternation(alternate.missing ? field.at("node") : alternate),
    pinned: !pin.missing,
  };
}

function parseMbind(step: Field): Action {
  const flags = step
    .at("flags")
    .items()
    .map((flag) => flag.oneOf(["MOVE", "STRICT"]));
  const policy = step.at("policy").string();
  if (policy !== "bind") return { op: "notModelled", reason: `memory policy ${policy}` };
  return {
    op: "mbind",
    ...parseRegion(step),
    node: step.at("node").integer(),
    move: flags.includes("MOVE"),
    strict: flags.includes("STRICT"),
  };
}

function parseNodes(field: Field): number[] {
  return field.items().map((item) => item.integer());
}

function parseUnmapping(step: Field, op: "unmap" | "discard"): Action {
  const pages = parsePages(step.at("pages"));
  if (pages === null) return { op: "notModelled", reason: "a selection by a rule" };
  return { op, ...parseRegion(step), pages };
}

function parseTouch(step: Field, access: "read" | "write"): Action {
  const pages = parsePages(step.at("pages"));
  if (pages === null) return { op: "notModelled", reason: "a selection by a rule" };
  return { op: "touch", access, ...parseRegion(step), pages };
}

function parseUnpin(step: Field): Action {
  const wait = step.at("wait");
  return { op: "unpin", id: step.at("id").string(), wait: !wait.missing && wait.value !== false };
}

function parseExit(step: Field): Action {
  const child = step.at("child");
  return { op: "exit", child: typeof child.value === "number" ? `child:${child.integer()}` : child.string() };
}

function parseUntil(step: Field): Action {
  const maxCalls = step.at("maxCalls");
  return {
    op: "movePagesUntil",
    ...parseArray(step),
    untilRet: step.at("untilRet").integer(-1),
    maxCalls: maxCalls.missing ? 200_000 : maxCalls.integer(1),
    release: parseRelease(step),
  };
}

function parseOffline(step: Field): Action {
  for (const name of ["by", "node", "validZones"]) step.at(name); // the writer holds and maps nothing
  return {
    op: "offline",
    block: step.at("block").integer(),
    release: parseRelease(step),
    signal: parseSignal(step),
  };
}

function parseFork(step: Field): Action {
  const childTouch = step.at("childTouch");
  const mover = step.at("mover");
  const name = mover.missing ? PARENT : mover.string();
  if (!/^(?:parent|child(?::\d+)?)$/.test(name)) return { op: "notModelled", reason: `the mover ${name}` };
  return {
    op: "fork",
    by: parseBy(step),
    children: step.at("children").integer(1, 64),
    childTouch: childTouch.missing ? "none" : childTouch.oneOf(["none", "read", "write"]),
    mover: name === "child" ? "child:0" : name,
  };
}

function parseTouchWhileMoving(step: Field): Action {
  return {
    op: "touchWhileMoving",
    ...parseRegion(step),
    durationMs: step.at("durationMs").number(),
    nodes: parseAlternation(step.at("moves")),
    moveAll: parseFlags(step),
  };
}

function parseTimeCalls(step: Field): Action {
  return {
    op: "timeCalls",
    ...parseRegion(step),
    calls: step.at("calls").integer(1, 1_000_000),
    variants: step.at("variants").items().map(parseVariant),
  };
}

function parseSwapOn(step: Field): Action {
  const duration = step.at("ioDurationMs");
  step.at("note");
  return {
    op: "swapOn",
    device: step.at("device").string(),
    pages: step.at("pages").integer(1),
    synchronous: step.at("synchronousIo").boolean(),
    ioDurationMs: duration.missing ? null : duration.number(),
  };
}

function parsePageout(step: Field): Action {
  const pages = parsePages(step.at("pages"));
  if (pages === null) return { op: "notModelled", reason: "a selection by a rule" };
  if (!step.at("repeatUntilAllSwapped").missing) {
    return { op: "notModelled", reason: "MADV_PAGEOUT until all is swapped out" };
  }
  return { op: "pageout", ...parseRegion(step), pages };
}

function parseSwapin(step: Field): Action {
  const pages = parsePages(step.at("pages"));
  if (pages === null) return { op: "notModelled", reason: "a selection by a rule" };
  return {
    op: "swapin",
    ...parseRegion(step),
    pages,
    access: step.at("access").oneOf(["read", "write"]),
    pageCluster: step.at("pageCluster").integer(0, 6),
  };
}

const parsers: Readonly<Partial<Record<(typeof operations)[number], (step: Field) => Action>>> = {
  map: parseMap,
  read: (step) => parseTouch(step, "read"),
  write: (step) => parseTouch(step, "write"),
  fork: parseFork,
  exit: parseExit,
  unmap: (step) => parseUnmapping(step, "unmap"),
  discard: (step) => parseUnmapping(step, "discard"),
  protect: (step) => ({
    op: "protect",
    ...parseRegion(step),
    prot: step.at("prot").oneOf(["none", "read", "read-write"]),
  }),
  mlock: (step) => ({ op: "mlock", ...parseRegion(step) }),
  ksmMerge: (step) => ({
    op: "ksmMerge",
    ...parseRegion(step),
    groupsOf: step.at("groupsOf").integer(1),
  }),
  pin: parsePin,
  unpin: parseUnpin,
  movePages: (step) => ({ op: "movePages", ...parseArray(step) }),
  movePagesUntil: parseUntil,
  mbind: parseMbind,
  migratePages: (step) => ({
    op: "migratePages",
    by: parseBy(step),
    from: parseNodes(step.at("fromNodes")),
    to: parseNodes(step.at("toNodes")),
  }),
  fill: (step) => ({
    op: "fill",
    by: parseBy(step),
    node: step.at("node").integer(),
    pages: step.at("pages").integer(1),
  }),
  swapOn: parseSwapOn,
  swapOff: (step) => ({ op: "swapOff", device: step.at("device").string() }),
  pageout: parsePageout,
  swapin: parseSwapin,
  writeback: (step) => ({
    op: "writeback",
    ...parseRegion(step),
    durationMs: step.at("durationMs").number(),
  }),
  onlineMovable: (step) => ({ op: "online", block: step.at("block").integer() }),
  online: (step) => ({ op: "online", block: step.at("block").integer() }),
  offline: parseOffline,
  wait: (step) => ({ op: "wait", ms: step.at("ms").number() }),
  timeCalls: parseTimeCalls,
  touchWhileMoving: parseTouchWhileMoving,
};

/** Reads the parameters of a step. @throws {SimError} ERR_RECORDING */
export function parseAction(step: Field): Action {
  const op = parseOperation(step);
  const parse = parsers[op];
  return parse === undefined ? { op: "notModelled", reason: `the operation ${op}` } : parse(step);
}
