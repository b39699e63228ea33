/** The compiled core. It is inlined in the package, so that it loads in Node and in every bundler alike. */
import { coreBase64 } from "../generated/core-inline.ts";

let compiled: Promise<WebAssembly.Module> | undefined;

/** Compiles the core once; every host instantiates the same module. */
export function compiledCore(): Promise<WebAssembly.Module> {
  compiled ??= WebAssembly.compile(Uint8Array.from(atob(coreBase64), (c) => c.charCodeAt(0)));
  return compiled;
}

/** FNV-1a of the inlined core: snapshots are refused by any other build. */
export function coreHash(): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < coreBase64.length; i++) {
    hash = Math.imul(hash ^ coreBase64.charCodeAt(i), 0x01000193);
  }
  return hash >>> 0;
}
