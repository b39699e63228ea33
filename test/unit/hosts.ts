/** Small hosts on which the tests set up what they are about. */
import {
  type Guest,
  Host,
  type HostConfig,
  type Region,
  type RepairName,
  type Vcpu,
  type WorkerStep,
} from "../../src/index.ts";

export const kernels = ["v3.12", "v6.1", "v6.12"] as const;
/** What Host.leaks() says when nothing was left behind. */
export const noLeaks = { contexts: 0, lostFaults: 0, pins: 0, badPages: 0 };

/** Those with PG_anon_exclusive and FOLL_PIN. */
export const sixes = ["v6.1", "v6.12"] as const;

/** Two nodes of two memory blocks each, 8 bytes of content a page. */
export async function twoNodes(options: Partial<HostConfig> = {}): Promise<Host> {
  const zones = [{ kind: "normal", pages: 65_536 }] as const;
  return Host.create({ contentBytes: 8, nodes: [{ zones }, { zones }], ...options });
}

/** A policy with its repairs, as the layers of the RFC are called. */
export const layers = {
  pin: { policy: "pin" },
  L0: { policy: "rfc", repairs: [] },
  L1: { policy: "rfc", repairs: ["L1"] },
  L2: { policy: "rfc", repairs: ["L1", "L2"] },
  L3: { policy: "rfc", repairs: ["L1", "L2", "L3"] },
  L4: { policy: "rfc", repairs: ["L1", "L2", "L3", "L4"] },
  L5: { policy: "rfc", repairs: ["L1", "L2", "L3", "L4", "L5"] },
  U: { policy: "drop-get" },
} as const satisfies Record<string, { policy: "pin" | "rfc" | "drop-get"; repairs?: RepairName[] }>;
export type Layer = keyof typeof layers;

/** A normal zone of two memory blocks, and ZONE_MOVABLE, which is block 2. */
export const movableBlock = {
  nodes: [
    {
      zones: [
        { kind: "normal", pages: 65_536 },
        { kind: "movable", pages: 32_768 },
      ],
    },
  ],
} as const satisfies Partial<HostConfig>;

export interface RfcHost {
  readonly host: Host;
  readonly guest: Guest;
  readonly memory: Region;
  readonly vcpu0: Vcpu;
  readonly vcpu1: Vcpu;
}

/** v3.12 under one layer: two nodes, and a guest of 64 pages, all touched, with two vCPUs. */
export async function rfcHost(layer: Layer, options: Partial<HostConfig> = {}): Promise<RfcHost> {
  const host = await twoNodes({ ...layers[layer], ...options });
  const guest = host.createGuest({ pages: 64, vcpus: 2 });
  const memory = guest.map({ pages: 64 });
  memory.touch("write");
  host.drainLru();
  const [vcpu0, vcpu1] = guest.vcpus;
  if (vcpu0 === undefined || vcpu1 === undefined) throw new Error("two vCPUs were asked for");
  return { host, guest, memory, vcpu0, vcpu1 };
}

/** One asynchronous page fault whose worker has run and whose completion has not. */
export function pinByAsyncPf(vcpu: Vcpu, gfn: number): void {
  const start = vcpu.startAsyncPf(gfn);
  if (start.outcome !== "started") throw new Error(`asynchronous fault at ${gfn}: ${start.outcome}`);
  vcpu.runWorkers(start.token);
}

/** Steps of a worker up to one, which it takes. */
export function stepWorkerTo(vcpu: Vcpu, token: number, last: WorkerStep): void {
  for (;;) {
    const { done, sleeps, crash } = vcpu.stepWorker(token);
    if (sleeps || crash !== null) throw new Error(`the worker stops before ${last}`);
    if (done === last) return;
  }
}
