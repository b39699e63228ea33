/** SimPy's model of the device queue: runs it, and reads what it prints. */
import { execFileSync, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { DeviceQueue, Served } from "../device-queue/draws.ts";

const model = fileURLToPath(new URL("device_queue.py", import.meta.url));
const VERSION = "import simpy, sys; print(simpy.__version__ + ', Python', sys.version.split()[0])";
/** Debian's packages are for its own Python, which another one may hide. */
const interpreters = ["python3", "/usr/bin/python3"] as const;

export interface Simpy {
  readonly python: string;
  /** Of SimPy and of Python. */
  readonly version: string;
}

/** SimPy 3 or later; null if there is none. */
export function findSimpy(): Simpy | null {
  for (const python of interpreters) {
    const { status, stdout } = spawnSync(python, ["-c", VERSION], { encoding: "utf8" });
    if (status === 0) return { python, version: `SimPy ${stdout.trim()}` };
  }
  return null;
}

export interface SimpyServed extends Served {
  /** Without the start of the process and the reading of the file. */
  readonly wallMs: number;
}

function numberOf(result: object, key: keyof SimpyServed): number {
  const value: unknown = Reflect.get(result, key);
  if (typeof value !== "number") throw new Error(`simpy printed no ${key}`);
  return value;
}

/** @throws if Python fails. */
export function serveWithSimpy({ python }: Simpy, queue: DeviceQueue, file: string): SimpyServed {
  const { clients, servers, requests } = queue;
  const args = [model, ...[clients, servers, requests].map(String), file];
  const result: unknown = JSON.parse(execFileSync(python, args, { encoding: "utf8" }));
  if (typeof result !== "object" || result === null) throw new Error("simpy printed no object");
  return {
    completions: numberOf(result, "completions"),
    waitPs: numberOf(result, "waitPs"),
    endPs: numberOf(result, "endPs"),
    wallMs: numberOf(result, "wallMs"),
  };
}
