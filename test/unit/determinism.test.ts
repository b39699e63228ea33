/** The same operations leave the same state on the release core and on the debug core. */
import * as fs from "node:fs";
import { afterEach, expect, it } from "vitest";
import { kernels, namesIn } from "../../src/core/names.ts";
import { useCore } from "../../src/core/load.ts";
import type { KernelName } from "../../src/index.ts";
import { type Layer, layers, movableBlock, pinByAsyncPf, rfcHost, twoNodes } from "./hosts.ts";

const debugCore = fs.readFileSync(new URL("../../src/generated/core.debug.wasm", import.meta.url));

afterEach(() => useCore(null));

/** Everything that processes and system calls do, with a hash after each step. */
async function syscalls(kernel: KernelName): Promise<string[]> {
  const host = await twoNodes({ kernel, cpus: 2, seed: 42 });
  const process = host.createProcess({ pages: 2000, cpu: 1 });
  const memory = process.map({ pages: 1000, node: 0 });
  const shmem = process.map({ pages: 200, kind: "shmem" });
  const steps = [
    () => memory.touch("write"),
    () => shmem.touch("write"),
    () => memory.pin(Array.from({ length: 50 }, () => host.random(1000))).releaseAt(host.nowNs + 1e7),
    () => memory.movePages({ node: 1 }),
    () => memory.discard({ start: 100, count: 300 }),
    () => memory.touch("write"),
    () => memory.protect("read", { start: 10, count: 50 }),
    () => memory.mlock({ start: 500, count: 100 }),
    () => shmem.mbind({ node: 1, move: true }),
    () => process.migratePages([1], [0]),
    () => host.offline(3, { maxRounds: 100 }),
    () => host.online(3),
    () => process.exit(),
    () => host.drainLru(),
  ];
  return steps.map((step) => {
    step();
    return host.stateHash();
  });
}

/** The RFC's situation under one layer, up to its crash if there is one. */
async function situation(layer: Layer): Promise<unknown[]> {
  const at = await rfcHost(layer, movableBlock);
  for (const gfn of [3, 4, 5]) pinByAsyncPf(at.vcpu0, gfn);
  pinByAsyncPf(at.vcpu1, 5);
  const { errno, crash } = at.host.offline(2, { maxRounds: 20 });
  if (crash === null) for (const vcpu of at.guest.vcpus) vcpu.complete();
  return [errno, crash, at.host.stateHash()];
}

it.each(namesIn(kernels))("%s: system calls", async (kernel) => {
  const release = await syscalls(kernel);
  expect(await syscalls(kernel)).toEqual(release);
  useCore(debugCore);
  expect(await syscalls(kernel)).toEqual(release);
  expect(new Set(release).size).toBeGreaterThan(10);
});

it.each(namesIn(layers))("%s: pinned pages in a block that is offlined", async (layer) => {
  const release = await situation(layer);
  useCore(debugCore);
  expect(await situation(layer)).toEqual(release);
});
