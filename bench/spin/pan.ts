/** SPIN's verifier of the model: generates and compiles it, runs it, and reads what it prints. */
import { execFileSync, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { performance } from "node:perf_hooks";
import { fileURLToPath } from "node:url";
import { INV_CTX, INV_ENTRY, INV_FREE, INV_LIVE, INV_MAPC, INV_REF, INV_UAF } from "../../assembly/abi.ts";

const model = fileURLToPath(new URL("two_vcpus_migrate.pml", import.meta.url));

const invariants: Readonly<Record<number, string>> = {
  [INV_REF]: "INV-REF",
  [INV_MAPC]: "INV-MAPC",
  [INV_ENTRY]: "INV-ENTRY",
  [INV_CTX]: "INV-CTX",
  [INV_UAF]: "INV-UAF",
  [INV_FREE]: "INV-FREE",
  [INV_LIVE]: "INV-LIVE",
};

const OPTIMISE: readonly string[] = ["-O2", "-DSAFETY", "-DNOFAIR", "-DNOBOUNDCHECK", "-DMEMLIM=16000"];
const MAX_OUTPUT_BYTES = 1 << 28;
const BYTES_PER_MIB = 1 << 20;

/** Of a build: every order of steps is taken. */
export const NO_REDUCTION = "-DNOREDUCE";
/** Up to the first error. -n: no list of what was not reached. -E: the model looks for deadlocks itself. */
export const FIRST: readonly string[] = ["-n", "-E", "-m10000", "-w20"];
/** All states. */
export const ALL: readonly string[] = [...FIRST, "-c0"];

export interface Tools {
  readonly spin: string;
  readonly gcc: string;
}

export interface Build {
  /** Of the model: -DL5, -DVCPUS=3. */
  readonly model: readonly string[];
  /** Of the search: -DNOREDUCE, -DBFS. */
  readonly search: readonly string[];
}

/** A compiled verifier in a directory of its own. */
export interface Pan {
  readonly dir: string;
  readonly spinMs: number;
  readonly gccMs: number;
}

export interface Search {
  readonly wallMs: number;
  /** False if it ran out of memory or depth. */
  readonly complete: boolean;
  readonly states: number;
  readonly transitions: number;
  readonly depth: number;
  /** Transitions into a state that breaks an invariant, or that end in one. */
  readonly errors: number;
  /** Those that were named, each once. */
  readonly broken: readonly string[];
  readonly vectorBytes: number;
  /** Memory for states divided by their number; the hash table comes on top. */
  readonly bytesPerState: number;
  readonly hashTableMib: number;
}

/** First line that a tool prints about itself; null if it is not installed. */
function versionOf(command: string, option: string): string | null {
  const { error, stdout } = spawnSync(command, [option], { encoding: "utf8" });
  return error === undefined ? (stdout.split("\n")[0]?.trim() ?? "") : null;
}

/** The tools, or null if one of them is missing. */
export function findTools(): Tools | null {
  const spin = versionOf("spin", "-V");
  const gcc = versionOf("gcc", "--version");
  return spin === null || gcc === null ? null : { spin, gcc };
}

function timed(command: string, args: readonly string[], cwd: string): number {
  const start = performance.now();
  execFileSync(command, args, { cwd, stdio: ["ignore", "ignore", "inherit"] });
  return performance.now() - start;
}

/** Generates and compiles a verifier. @throws if a tool fails. */
export function buildPan(build: Build): Pan {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "pinshift-spin-"));
  const spinMs = timed("spin", [...build.model, "-a", model], dir);
  const gccMs = timed("gcc", [...OPTIMISE, ...build.search, "-o", "pan", "pan.c"], dir);
  return { dir, spinMs, gccMs };
}

export function removePan(pan: Pan): void {
  fs.rmSync(pan.dir, { recursive: true });
}

/** The number that `pattern` captures. @throws if it is not there. */
function number(output: string, pattern: RegExp): number {
  const found = pattern.exec(output)?.[1];
  if (found === undefined) throw new Error(`pan printed nothing like ${pattern}:\n${output.slice(-2000)}`);
  return Number(found);
}

/** What the assertions were about, and pan's own finding of a deadlock. */
function brokenIn(output: string): string[] {
  const names = new Set<string>();
  for (const [, text = ""] of output.matchAll(/^pan:\d+: (.*) \(at depth \d+\)$/gm)) {
    const id = /assertion violated \(crashed!=(\d+)\)/.exec(text)?.[1];
    names.add((id === undefined ? undefined : invariants[Number(id)]) ?? text);
  }
  return [...names].toSorted();
}

function parse(output: string, wallMs: number): Search {
  const states = number(output, /^ *(\d+) states, stored/m);
  const stateMib = number(
    output,
    /^ *([\d.]+)\t(?:actual|equivalent) memory usage for states(?! \(stored\*)/m,
  );
  return {
    wallMs,
    complete: !/out of memory|max search depth too small/.test(output),
    states,
    transitions: number(output, /^ *(\d+) transitions/m),
    depth: number(output, /depth reached (\d+)/),
    errors: number(output, /errors: (\d+)/),
    broken: brokenIn(output),
    vectorBytes: number(output, /^State-vector (\d+) byte/m),
    bytesPerState: Math.round((stateMib * BYTES_PER_MIB) / states),
    hashTableMib: number(output, /^ *([\d.]+)\tmemory used for hash table/m),
  };
}

/** Runs a verifier. @throws if it does not come to an end of its own. */
export function search(pan: Pan, options: readonly string[]): Search {
  const start = performance.now();
  const { stdout, signal, error } = spawnSync("./pan", options, {
    cwd: pan.dir,
    encoding: "utf8",
    maxBuffer: MAX_OUTPUT_BYTES,
  });
  const wallMs = performance.now() - start;
  if (error !== undefined) throw error;
  if (signal !== null) throw new Error(`pan was ended by ${signal}`);
  return parse(stdout, wallMs);
}
