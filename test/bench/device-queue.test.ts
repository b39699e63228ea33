import { afterAll, describe, expect, it } from "vitest";
import { coreQueue } from "../../bench/device-queue/core-queue.ts";
import { removeDraws, writeDraws } from "../../bench/device-queue/draws.ts";
import { serveWithObjects } from "../../bench/device-queue/object-heap.ts";
import { findSimpy, serveWithSimpy } from "../../bench/simpy/run.ts";

const queue = { clients: 2, servers: 1, requests: 2 };
// The first client comes at 10, is served up to 15, comes again at 16, waits for the second up to 19 and
// leaves at 24. The second comes at 11, waits up to 15, leaves at 19, comes again at 119 and leaves at 126.
const draws = Float64Array.of(10, 5, 1, 5, 11, 4, 100, 7);
const served = { completions: 4, waitPs: 4 + 3, endPs: 126 };
const simpy = findSimpy();
const file = writeDraws(draws);

afterAll(() => {
  removeDraws(file);
});

describe("a device queue of two clients and one server", () => {
  it("is served by a heap of objects", () => {
    expect(serveWithObjects(queue, draws)).toEqual(served);
  });

  it("is served by the core's queue, each time alike", async () => {
    const serve = await coreQueue(queue, draws);
    expect([serve(), serve()]).toEqual([served, served]);
  });

  it.skipIf(simpy === null)("is served by SimPy", () => {
    if (simpy === null) return;
    expect(serveWithSimpy(simpy, queue, file)).toMatchObject(served);
  });
});
