/**
 * One instance of the simulated kernel: its memory, calls into it, and what becomes of a call that does not
 * return.
 */
import * as abi from "./abi.ts";
import { SimError } from "../errors.ts";
import { instantiate } from "../generated/core.js";
import { compiledCore } from "./load.ts";
import { type CrashKind, type Invariant, crashName, functionName, invariantName } from "./names.ts";

export type Exports = Awaited<ReturnType<typeof instantiate>>;

/**
 * A crash of the simulated kernel. It is a result, not an error: the machine stops and can still be
 * inspected.
 */
export interface KernelCrash {
  readonly kind: CrashKind;
  /** The kernel function in which it stopped. */
  readonly function: string;
  /** That function and its callers, innermost first, as far as the model names them. */
  readonly trace: readonly string[];
  /** The page that was worked on. */
  readonly pfn: number;
  readonly invariant: Invariant;
}

/** One record of a table. It is of use until the memory grows. */
export class RecordView {
  readonly #view: DataView;
  readonly #at: number;

  constructor(view: DataView, at: number) {
    this.#view = view;
    this.#at = at;
  }

  setI32(field: number, value: number): void {
    this.#view.setInt32(this.#at + field, value, true);
  }

  setU64(field: number, value: bigint): void {
    this.#view.setBigUint64(this.#at + field, value, true);
  }

  i32(field: number): number {
    return this.#view.getInt32(this.#at + field, true);
  }

  u64(field: number): number {
    return Number(this.#view.getBigUint64(this.#at + field, true));
  }
}

export class Core {
  readonly #exports: Exports;
  #panic: SimError | undefined;
  #memory: DataView;

  private constructor(exports: Exports) {
    this.#exports = exports;
    this.#memory = new DataView(exports.memory.buffer);
  }

  /**
   * Instantiates the core and builds a machine from configuration words (CFG_*).
   *
   * @throws {SimError} ERR_LIMIT if one core cannot hold it, ERR_MEMORY if the memory is not to be had,
   *   ERR_ABI_MISMATCH if the wasm is of another build.
   */
  static async create(words: Int32Array): Promise<Core> {
    const exports = await instantiate(await compiledCore(), { env: {} });
    if (exports.abiVersion() !== abi.ABI_VERSION) {
      throw new SimError(
        "ERR_ABI_MISMATCH",
        `core.wasm has ABI ${exports.abiVersion()}, this package has ${abi.ABI_VERSION}: rebuild`,
      );
    }
    new Int32Array(exports.memory.buffer, exports.configAddress(), abi.CFG_WORDS).set(words);
    const bytes = Number(exports.layOut());
    const limit = 2 ** 32;
    if (bytes > limit) {
      const nodes = Math.ceil(bytes / limit);
      throw new SimError(
        "ERR_LIMIT",
        `the host needs ${gib(bytes)} GiB of state and one core holds 4: ` +
          `split it into ${nodes} nodes or more, a core each`,
      );
    }
    if (!exports.init()) {
      throw new SimError("ERR_MEMORY", `no memory for the ${gib(bytes)} GiB of state that the host needs`);
    }
    return new Core(exports);
  }

  /** Another instance in the same state. @throws {SimError} ERR_MEMORY */
  async copy(): Promise<Core> {
    const words = this.wordsAt(this.#exports.configAddress(), abi.CFG_WORDS).slice();
    const other = await Core.create(words);
    other.arena().set(this.arena());
    return other;
  }

  /** Memory of the instance in bytes. */
  get memoryBytes(): number {
    return this.#exports.memory.buffer.byteLength;
  }

  /** The crash that stopped the machine, if one did. */
  get crash(): KernelCrash | null {
    const at = (field: number): number => this.#i32(abi.TABLE_MACHINE, field);
    const kind = at(abi.MACHINE_CRASH_KIND);
    if (kind === abi.CRASH_NONE) return null;
    const trace = [abi.MACHINE_CRASH_FUNCTION, abi.MACHINE_CRASH_CALLER, abi.MACHINE_CRASH_CALLER2]
      .map(at)
      .filter((fn) => fn !== 0)
      .map(functionName);
    return {
      kind: crashName(kind),
      function: functionName(at(abi.MACHINE_CRASH_FUNCTION)),
      trace,
      pfn: at(abi.MACHINE_CRASH_PFN),
      invariant: invariantName(at(abi.MACHINE_CRASH_INVARIANT)),
    };
  }

  /** Simulated time since the machine was built. */
  get nowNs(): number {
    return Number(this.#view().getBigUint64(this.tablePtr(abi.TABLE_MACHINE) + abi.MACHINE_NOW_NS, true));
  }

  /** Calls into wasm for inspection, also after a crash. One call per batch of pages, never one per page. */
  read<T>(body: (core: Exports) => T): T {
    if (this.#panic) throw this.#panic;
    try {
      return body(this.#exports);
    } catch (cause) {
      this.#panic = new SimError("ERR_CORE_PANIC", `simulator core: ${String(cause)}`, { cause });
      throw this.#panic;
    }
  }

  /**
   * Calls into wasm to change the machine. Undefined means that the simulated kernel crashed meanwhile.
   *
   * @throws {SimError} ERR_STOPPED if it had crashed before, ERR_CORE_PANIC on a bug of ours.
   */
  run<T>(body: (core: Exports) => T): T | undefined {
    if (this.#panic) throw this.#panic;
    const before = this.crash;
    if (before) {
      throw new SimError(
        "ERR_STOPPED",
        `the simulated kernel has stopped (${before.kind} in ${before.trace.join(" ← ")}): ` +
          "it can only be inspected",
      );
    }
    try {
      return body(this.#exports);
    } catch (cause) {
      this.#expectCrash(cause);
      return undefined;
    }
  }

  /**
   * As run(), but for who goes on after a crash: `afterCrash` has to leave a machine that runs, and `body` is
   * called again. No stack is taken down meanwhile, which would cost more than all the rest; an assertion of
   * ours names its place itself.
   *
   * @throws {SimError} ERR_CORE_PANIC on a bug of ours.
   */
  runThroughCrashes<T>(body: (core: Exports) => T, afterCrash: (core: Exports) => void): T {
    if (this.#panic) throw this.#panic;
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 0;
    try {
      for (;;) {
        try {
          return body(this.#exports);
        } catch (cause) {
          this.#expectCrash(cause);
          afterCrash(this.#exports);
        }
      }
    } finally {
      Error.stackTraceLimit = limit;
    }
  }

  /** What was thrown is the trap of a crash; anything else is a panic. */
  #expectCrash(cause: unknown): void {
    if (this.machineField(abi.MACHINE_CRASH_KIND) !== abi.CRASH_NONE) return;
    this.#panic = new SimError("ERR_CORE_PANIC", `simulator core: ${String(cause)}`, { cause });
    throw this.#panic;
  }

  tablePtr(table: number): number {
    return this.#exports.tablePtr(table);
  }

  /** A table as i32 words, for reading or, for the io tables, filling before a call. */
  words(table: number): Int32Array {
    return new Int32Array(this.#buffer(), this.tablePtr(table), this.#exports.tableSize(table) >>> 2);
  }

  /** i32 words anywhere in the memory, for reading. */
  wordsAt(address: number, length: number): Int32Array {
    return new Int32Array(this.#buffer(), address, length);
  }

  /** A record for filling and reading, field by field; `offset` is its place within the table. */
  record(table: number, offset: number): RecordView {
    return new RecordView(this.#view(), this.tablePtr(table) + offset);
  }

  /** A table as u32 words. */
  unsignedWords(table: number): Uint32Array {
    return new Uint32Array(this.#buffer(), this.tablePtr(table), this.#exports.tableSize(table) >>> 2);
  }

  /** A table as u64 words. */
  counters(): BigInt64Array {
    return new BigInt64Array(this.#buffer(), this.tablePtr(abi.TABLE_COUNTERS), abi.NR_COUNTERS);
  }

  /** The violation that the last verify() noted: expected and found values, page and object. */
  violation(): { pfn: number; object: number; expected: number; found: number } {
    const base = this.tablePtr(abi.TABLE_MACHINE);
    const view = this.#view();
    return {
      pfn: view.getInt32(base + abi.MACHINE_BAD_PFN, true),
      object: view.getInt32(base + abi.MACHINE_BAD_OBJECT, true),
      expected: Number(view.getBigInt64(base + abi.MACHINE_BAD_EXPECTED, true)),
      found: Number(view.getBigInt64(base + abi.MACHINE_BAD_FOUND, true)),
    };
  }

  /** A word of the configuration (CFG_*). */
  config(word: number): number {
    return this.#view().getInt32(this.#exports.configAddress() + word * 4, true);
  }

  /** A field of the machine record (MACHINE_*). */
  machineField(field: number): number {
    return this.#i32(abi.TABLE_MACHINE, field);
  }

  /** The arena: all state, and nothing else. */
  arena(): Uint8Array {
    const start = this.#exports.arenaAddress();
    return new Uint8Array(this.#buffer(), start, this.#exports.arenaLimit() - start);
  }

  #buffer(): ArrayBuffer {
    return this.#exports.memory.buffer;
  }

  #view(): DataView {
    if (this.#memory.buffer !== this.#exports.memory.buffer) {
      this.#memory = new DataView(this.#exports.memory.buffer);
    }
    return this.#memory;
  }

  #i32(table: number, field: number): number {
    return this.#view().getInt32(this.tablePtr(table) + field, true);
  }
}

function gib(bytes: number): string {
  return (bytes / 2 ** 30).toFixed(1);
}
