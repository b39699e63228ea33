/** Copies frames with memory.copy and does nothing else, in wasm made by the compiler that makes the core. */
import { compileString } from "assemblyscript/asc";
import { PAGE_SHIFT, PAGE_SIZE } from "../../assembly/abi.ts";

const WASM_PAGE_SIZE = 65536;

const program = `
export function copyPages(pairs: usize, nr: i32, frames: usize): void {
  for (let i = 0; i < nr; i++) {
    const pair = pairs + ((<usize>i) << 3);
    const from = frames + ((<usize>load<u32>(pair)) << ${PAGE_SHIFT});
    const to = frames + ((<usize>load<u32>(pair, 4)) << ${PAGE_SHIFT});
    memory.copy(to, from, ${PAGE_SIZE});
  }
}

export function copyRuns(pairs: usize, nr: i32, frames: usize): void {
  for (let i = 0; i < nr;) {
    const pair = pairs + ((<usize>i) << 3);
    const from = load<u32>(pair);
    const to = load<u32>(pair, 4);
    let run: u32 = 1;
    for (i++; i < nr; i++, run++) {
      const next = pairs + ((<usize>i) << 3);
      if (load<u32>(next) != from + run || load<u32>(next, 4) != to + run) break;
    }
    memory.copy(
      frames + ((<usize>to) << ${PAGE_SHIFT}),
      frames + ((<usize>from) << ${PAGE_SHIFT}),
      (<usize>run) << ${PAGE_SHIFT},
    );
  }
}
`;

export interface BareCopy {
  /** The frames to copy from and to; stamps the sources. */
  setPairs(from: Int32Array, to: Int32Array): void;
  /** One memory.copy a page. */
  copyPages(): void;
  /** One memory.copy for as many pairs as follow each other, which is as fast as copying gets. */
  copyRuns(): void;
  /** @throws if a target does not have what its source has. */
  check(): void;
}

interface Exports {
  readonly memory: WebAssembly.Memory;
  copyPages(pairs: number, nr: number, frames: number): void;
  copyRuns(pairs: number, nr: number, frames: number): void;
}

function isExports(exports: WebAssembly.Exports): exports is WebAssembly.Exports & Exports {
  return (
    exports["memory"] instanceof WebAssembly.Memory &&
    typeof exports["copyPages"] === "function" &&
    typeof exports["copyRuns"] === "function"
  );
}

async function instantiate(): Promise<Exports> {
  const { binary, error } = await compileString(program, { optimizeLevel: 3, runtime: "stub" });
  if (binary === null) throw error ?? new Error("bench: asc made nothing");
  const { exports } = (await WebAssembly.instantiate(new Uint8Array(binary), { env: {} })).instance;
  if (!isExports(exports)) throw new Error("bench: asc made other exports than the source has");
  return exports;
}

/** Room for `nrFrames`, as many as the core has, and `nr` pairs. */
export async function bareCopy(nrFrames: number, nr: number): Promise<BareCopy> {
  const exports = await instantiate();
  const { memory } = exports;
  const frames = WASM_PAGE_SIZE;
  const pairs = frames + nrFrames * PAGE_SIZE;
  memory.grow(Math.ceil((pairs + nr * 8 - memory.buffer.byteLength) / WASM_PAGE_SIZE));
  const words = new Int32Array(memory.buffer);
  const firstWord = (pfn: number): number => (frames + (pfn << PAGE_SHIFT)) >> 2;
  const pairWords = words.subarray(pairs >> 2, (pairs >> 2) + nr * 2);
  return {
    setPairs(from, to) {
      for (let i = 0; i < nr; i++) {
        const source = from[i] ?? 0;
        pairWords[i * 2] = source;
        pairWords[i * 2 + 1] = to[i] ?? 0;
        words[firstWord(source) + 1] = i + 1;
      }
    },
    copyPages: () => exports.copyPages(pairs, nr, frames),
    copyRuns: () => exports.copyRuns(pairs, nr, frames),
    check() {
      for (let i = 0; i < nr; i++) {
        const to = pairWords[i * 2 + 1] ?? 0;
        if (words[firstWord(to) + 1] !== i + 1) throw new Error(`bench: frame ${to} was not copied`);
      }
    },
  };
}
