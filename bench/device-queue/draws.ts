/**
 * The random numbers of the device queue. Its clients think, wait for one of the servers in the order in
 * which they came, and are served; each does so a number of times. All contestants take the same numbers and
 * have to come to the same answer.
 */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

/** What all contestants simulate: an M/G/c queue with so many clients. */
export interface DeviceQueue {
  readonly clients: number;
  readonly servers: number;
  /** Requests of each client. */
  readonly requests: number;
}

/** In ps, whole numbers: at ns some events would coincide, and each contestant has an order of its own. */
const MEAN_THINK_PS = 1.5e9;
const LEAST_SERVICE_PS = 75e6;
const SERVICE_WIDTH_PS = 25e6;
const SEED = 0x2f6e2b1;
const STATES = 2 ** 32;

/** 32-bit xorshift: numbers above 0 and below 1. */
function generator(): () => number {
  let state = SEED;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / STATES;
  };
}

/** Of each request of the first client, then of the next one's: the thinking before it, and its service. */
export function drawsOf({ clients, requests }: DeviceQueue): Float64Array<ArrayBuffer> {
  const draw = generator();
  const draws = new Float64Array(clients * requests * 2);
  for (let i = 0; i < draws.length; i += 2) {
    draws[i] = Math.ceil(-Math.log(draw()) * MEAN_THINK_PS);
    draws[i + 1] = Math.ceil(LEAST_SERVICE_PS + draw() * SERVICE_WIDTH_PS);
  }
  return draws;
}

/** Writes them into a file of 64-bit floating-point numbers in a directory of its own. */
export function writeDraws(draws: Float64Array<ArrayBuffer>): string {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "pinshift-device-queue-"));
  const file = path.join(dir, "draws.f64");
  fs.writeFileSync(file, new Uint8Array(draws.buffer));
  return file;
}

export function removeDraws(file: string): void {
  fs.rmSync(path.dirname(file), { recursive: true });
}

/** What a simulation has come to: exact, since all sums stay below 2^53. */
export interface Served {
  readonly completions: number;
  /** Sum of the times between the coming of a request and the beginning of its service. */
  readonly waitPs: number;
  readonly endPs: number;
}
