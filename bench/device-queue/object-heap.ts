/** The device queue as one writes it in TypeScript: a binary heap of objects. */
import type { DeviceQueue, Served } from "./draws.ts";

interface Event {
  readonly at: number;
  readonly serial: number;
  readonly client: Client;
  readonly ends: "thought" | "service";
}

interface Client {
  readonly number: number;
  request: number;
  cameAt: number;
}

function isBefore(one: Event, other: Event): boolean {
  return one.at < other.at || (one.at === other.at && one.serial < other.serial);
}

class Heap {
  readonly #events: Event[] = [];

  push(event: Event): void {
    const events = this.#events;
    let position = events.length;
    events.push(event);
    while (position > 0) {
      const parent = (position - 1) >> 1;
      const above = events[parent];
      if (above === undefined || isBefore(above, event)) break;
      events[position] = above;
      position = parent;
    }
    events[position] = event;
  }

  pop(): Event | undefined {
    const events = this.#events;
    const first = events[0];
    const last = events.pop();
    if (first === undefined || last === undefined || events.length === 0) return first;
    let position = 0;
    for (;;) {
      let child = position * 2 + 1;
      const left = events[child];
      if (left === undefined) break;
      const right = events[child + 1];
      let least = left;
      if (right !== undefined && isBefore(right, left)) {
        least = right;
        child += 1;
      }
      if (!isBefore(least, last)) break;
      events[position] = least;
      position = child;
    }
    events[position] = last;
    return first;
  }
}

/** Where the service time of a client's present request stands; how long it thinks before is in front. */
function serviceAt({ number, request }: Client, { requests }: DeviceQueue): number {
  return (number * requests + request) * 2 + 1;
}

class Simulation {
  readonly #queue: DeviceQueue;
  readonly #draws: Float64Array;
  readonly #heap = new Heap();
  #waiting: Client[] = [];
  #firstWaiting = 0;
  #serial = 0;
  #busy = 0;
  #now = 0;
  #completions = 0;
  #waitPs = 0;

  constructor(queue: DeviceQueue, draws: Float64Array) {
    this.#queue = queue;
    this.#draws = draws;
  }

  #schedule(client: Client, ends: Event["ends"], position: number): void {
    const at = this.#now + (this.#draws[position] ?? Number.NaN);
    this.#heap.push({ at, serial: this.#serial++, client, ends });
  }

  #think(client: Client): void {
    this.#schedule(client, "thought", serviceAt(client, this.#queue) - 1);
  }

  #serve(client: Client): void {
    this.#waitPs += this.#now - client.cameAt;
    this.#schedule(client, "service", serviceAt(client, this.#queue));
  }

  #come(client: Client): void {
    client.cameAt = this.#now;
    if (this.#busy === this.#queue.servers) {
      this.#waiting.push(client);
      return;
    }
    this.#busy += 1;
    this.#serve(client);
  }

  /** The first that waits. Those before it are forgotten now and then. */
  #nextWaiting(): Client | undefined {
    const client = this.#waiting[this.#firstWaiting];
    if (client !== undefined) this.#firstWaiting += 1;
    if (this.#firstWaiting * 2 > this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#firstWaiting);
      this.#firstWaiting = 0;
    }
    return client;
  }

  #leave(client: Client): void {
    this.#completions += 1;
    client.request += 1;
    const next = this.#nextWaiting();
    if (next === undefined) this.#busy -= 1;
    else this.#serve(next);
    if (client.request < this.#queue.requests) this.#think(client);
  }

  run(): Served {
    for (let number = 0; number < this.#queue.clients; number++) {
      this.#think({ number, request: 0, cameAt: 0 });
    }
    for (let event = this.#heap.pop(); event !== undefined; event = this.#heap.pop()) {
      this.#now = event.at;
      if (event.ends === "thought") this.#come(event.client);
      else this.#leave(event.client);
    }
    return { completions: this.#completions, waitPs: this.#waitPs, endPs: this.#now };
  }
}

export function serveWithObjects(queue: DeviceQueue, draws: Float64Array): Served {
  return new Simulation(queue, draws).run();
}
