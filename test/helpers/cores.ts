/** Tests that run on both builds of the core. */
import * as fs from "node:fs";
import { useCore } from "../../src/core/load.ts";
import { forgetInstances } from "./host-and-core.ts";

export const cores = ["release", "debug"] as const;
export type CoreName = (typeof cores)[number];

/** Makes hosts from now on run on a build of the core. */
export function runOn(core: CoreName): void {
  forgetInstances();
  const debug = new URL("../../src/generated/core.debug.wasm", import.meta.url);
  useCore(core === "debug" ? Uint8Array.from(fs.readFileSync(debug)) : null);
}
