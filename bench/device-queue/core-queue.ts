/** The device queue on the core's queue of events: its own module, compiled as the core is. */
import * as fs from "node:fs";
import * as path from "node:path";
import { fileURLToPath } from "node:url";
import { main } from "assemblyscript/asc";
import * as abi from "../../assembly/abi.ts";
import type { DeviceQueue, Served } from "./draws.ts";

const assembly = fileURLToPath(new URL("../../assembly", import.meta.url));
const ENTRY = "device_queue.ts";
const WASM_PAGE_SIZE = 65536;

/** A target is a client, of one kind when it comes and of another when its request is done. */
const program = `
import { claim, configPtr, layOut } from "./arena";
import { eventOf, kindOf, numberOf, popEvent, schedule } from "./clock/timed/queue";
import { timed } from "./clock/timed/timed_state";

export { claim, layOut };

const COMES: i32 = 1;
const LEAVES: i32 = 2;

@unmanaged
class Client {
  cameAt: u64;
  request: i32;
  nextWaiting: i32; // number + 1, 0 = none
}

let clientsPtr: usize = 0;
let drawsPtr: usize = 0;
let requests: i32 = 0;
let completions: i32 = 0;
let waited: u64 = 0;
let now: u64 = 0;

export function configAddress(): usize {
  return configPtr;
}

export function completed(): i32 {
  return completions;
}

export function waitedPs(): u64 {
  return waited;
}

export function endedPs(): u64 {
  return now;
}

function clientAt(number: i32): Client {
  return changetype<Client>(clientsPtr + ((<usize>number) << 4));
}

function drawAt(number: i32, client: Client): usize {
  return drawsPtr + ((<usize>(number * requests + client.request)) << 4);
}

function think(number: i32, client: Client): void {
  schedule(now + <u64>load<f64>(drawAt(number, client)), eventOf(COMES, number));
}

function serve(number: i32, client: Client): void {
  waited += now - client.cameAt;
  schedule(now + <u64>load<f64>(drawAt(number, client), 8), eventOf(LEAVES, number));
}

export function run(clients: i32, servers: i32, each: i32, clientsAt: usize, drawsAt: usize): void {
  clientsPtr = clientsAt;
  drawsPtr = drawsAt;
  requests = each;
  completions = 0;
  waited = 0;
  now = 0;
  let busy = 0;
  let first = 0;
  let last = 0;
  memory.fill(clientsAt, 0, (<usize>clients) << 4);
  for (let number = 0; number < clients; number++) think(number, clientAt(number));
  while (timed().nrEvents > 0) {
    now = timed().nextNs;
    const target = popEvent();
    const number = numberOf(target);
    const client = clientAt(number);
    if (kindOf(target) == COMES) {
      client.cameAt = now;
      if (busy < servers) {
        busy += 1;
        serve(number, client);
      } else {
        if (first == 0) first = number + 1;
        else clientAt(last - 1).nextWaiting = number + 1;
        last = number + 1;
      }
    } else {
      completions += 1;
      client.request += 1;
      if (first == 0) {
        busy -= 1;
      } else {
        const next = first - 1;
        first = clientAt(next).nextWaiting;
        clientAt(next).nextWaiting = 0;
        serve(next, clientAt(next));
      }
      if (client.request < requests) think(number, client);
    }
  }
}
`;

interface Exports {
  readonly memory: WebAssembly.Memory;
  configAddress(): number;
  layOut(): bigint;
  claim(): number;
  run(clients: number, servers: number, requests: number, clientsAt: number, drawsAt: number): void;
  completed(): number;
  waitedPs(): bigint;
  endedPs(): bigint;
}

const functions = ["configAddress", "layOut", "claim", "run", "completed", "waitedPs", "endedPs"];

function isExports(exports: WebAssembly.Exports): exports is WebAssembly.Exports & Exports {
  return (
    exports["memory"] instanceof WebAssembly.Memory &&
    functions.every((name) => typeof exports[name] === "function")
  );
}

async function compile(): Promise<Uint8Array<ArrayBuffer>> {
  let binary: Uint8Array<ArrayBuffer> | undefined;
  const options = ["--runtime", "stub", "--enable", "simd", "-O3", "--converge", "--outFile", "out.wasm"];
  const { error } = await main([ENTRY, ...options, "--baseDir", assembly], {
    readFile(name, baseDir) {
      if (name === ENTRY) return program;
      const file = path.resolve(baseDir, name);
      return fs.existsSync(file) ? fs.readFileSync(file, "utf8") : null;
    },
    writeFile(name, contents) {
      if (name === "out.wasm" && typeof contents !== "string") binary = new Uint8Array(contents);
    },
    listFiles: () => null,
  });
  if (error !== null || binary === undefined) throw error ?? new Error("bench: asc made nothing");
  return binary;
}

/** A failed assertion of the core. */
function abort(_message: number, _file: number, line: number, column: number): never {
  throw new Error(`bench: the queue stopped at ${line}:${column}`);
}

async function instantiate(): Promise<Exports> {
  const { exports } = (await WebAssembly.instantiate(await compile(), { env: { abort } })).instance;
  if (!isExports(exports)) throw new Error("bench: asc made other exports than the source has");
  return exports;
}

/** The machine has no more than it needs for its queue to hold an event of each client. */
function configure(exports: Exports, clients: number): number {
  const words = new Int32Array(exports.memory.buffer, exports.configAddress(), abi.CFG_WORDS);
  words[abi.CFG_CPUS] = 1;
  words[abi.CFG_TASKS] = clients;
  const size = Number(exports.layOut());
  if (exports.claim() === 0) throw new Error("bench: no memory for the queue");
  return size;
}

/** Gives back a function that serves all clients, as often as it is called. */
export async function coreQueue(
  { clients, servers, requests }: DeviceQueue,
  draws: Float64Array,
): Promise<() => Served> {
  const exports = await instantiate();
  const { memory } = exports;
  const clientsAt = Math.ceil(configure(exports, clients) / WASM_PAGE_SIZE) * WASM_PAGE_SIZE;
  const drawsAt = clientsAt + clients * 16;
  const bytes = drawsAt + draws.byteLength;
  memory.grow(Math.ceil((bytes - memory.buffer.byteLength) / WASM_PAGE_SIZE));
  new Float64Array(memory.buffer, drawsAt, draws.length).set(draws);
  return () => {
    exports.run(clients, servers, requests, clientsAt, drawsAt);
    return {
      completions: exports.completed(),
      waitPs: Number(exports.waitedPs()),
      endPs: Number(exports.endedPs()),
    };
  };
}
