/** The queue of events alone: a device queue on it, as a plain heap of objects, and in SimPy. */
import { coreQueue } from "../device-queue/core-queue.ts";
import { type DeviceQueue, type Served, drawsOf, removeDraws, writeDraws } from "../device-queue/draws.ts";
import { serveWithObjects } from "../device-queue/object-heap.ts";
import { type Contestant, EVENT, type Question, type Size } from "../question.ts";
import { type Simpy, findSimpy, serveWithSimpy } from "../simpy/run.ts";

const PS_PER_US = 1e6;
const CORE = "queue of the core";
const OBJECTS = "heap of objects, TypeScript";
const ABSENT =
  "SimPy is left out: it needs Python and SimPy 3 or later. On Debian: apt-get install -y python3-simpy3";

/** A client that comes, and one that is served. */
const EVENTS_PER_REQUEST = 2;

/** What has to be the same with all of them: with it, every wait has been. */
function told({ completions, waitPs, endPs }: Served): string {
  return `${completions} completions, waits of ${waitPs} ps, end at ${endPs} ps`;
}

function serving(name: string, serve: () => Served, dispose: () => void = () => undefined): Contestant {
  let last: Served | undefined;
  return {
    name,
    run() {
      last = serve();
    },
    hash: () => (last === undefined ? null : told(last)),
    dispose,
  };
}

function inSimpy(simpy: Simpy, queue: DeviceQueue, draws: Float64Array<ArrayBuffer>): Contestant {
  const file = writeDraws(draws);
  return serving(
    simpy.version,
    () => serveWithSimpy(simpy, queue, file),
    () => {
      removeDraws(file);
    },
  );
}

/** 1024 clients at 64 servers, which they keep busy for nine tenths of the time. */
export function deviceQueue(size: Size): Question {
  const queue: DeviceQueue = { clients: 1024, servers: 64, requests: size === "smoke" ? 4 : 200 };
  const requests = queue.clients * queue.requests;
  const simpy = findSimpy();
  let waitPs = 0;
  return {
    title: `a device queue: ${queue.clients} clients, ${queue.servers} servers, ${requests} requests`,
    unit: EVENT,
    units: requests * EVENTS_PER_REQUEST,
    warmups: size === "smoke" ? 1 : 2,
    rounds: 7,
    contestants: async () => {
      const draws = drawsOf(queue);
      const objects = (): Served => {
        const served = serveWithObjects(queue, draws);
        waitPs = served.waitPs;
        return served;
      };
      return [
        serving(CORE, await coreQueue(queue, draws)),
        serving(OBJECTS, objects),
        ...(simpy === null ? [] : [inSimpy(simpy, queue, draws)]),
      ];
    },
    notes: (figures) => [
      `the same mean wait with all of them: ${(waitPs / requests / PS_PER_US).toFixed(3)} µs`,
      `${CORE}: ${figures.ratio(OBJECTS, CORE).toFixed(1)} times as fast as the ${OBJECTS}`,
      ...(simpy === null
        ? [ABSENT]
        : [
            `${CORE}: ${figures.ratio(simpy.version, CORE).toFixed(0)} times as fast as ${simpy.version}, ` +
              "whose process starts and reads its file meanwhile",
          ]),
    ],
  };
}
