/** The compiled core. It is inlined in the package, so that it loads in Node and in every bundler alike. */
import { coreBase64 } from "../generated/core-inline.ts";

let inlined: Promise<WebAssembly.Module> | undefined;
let another: { readonly module: Promise<WebAssembly.Module>; readonly hash: number } | undefined;

function fnv1a(length: number, unit: (position: number) => number): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < length; i++) hash = Math.imul(hash ^ unit(i), 0x01000193);
  return hash >>> 0;
}

/**
 * Makes hosts from now on run on another build of the core, or again on the inlined one. For tests, which run
 * on the debug core too; the package does not export it.
 */
export function useCore(wasm: Uint8Array<ArrayBuffer> | null): void {
  another =
    wasm === null
      ? undefined
      : { module: WebAssembly.compile(wasm), hash: fnv1a(wasm.length, (i) => wasm[i] ?? 0) };
}

/** Compiles the core once; every host instantiates the same module. */
export function compiledCore(): Promise<WebAssembly.Module> {
  if (another !== undefined) return another.module;
  inlined ??= WebAssembly.compile(Uint8Array.from(atob(coreBase64), (c) => c.charCodeAt(0)));
  return inlined;
}

/** FNV-1a of the core in use: snapshots are refused by any other build. */
export function coreHash(): number {
  return another?.hash ?? fnv1a(coreBase64.length, (i) => coreBase64.charCodeAt(i));
}
