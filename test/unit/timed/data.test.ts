/** A guest reads what it last wrote, whatever moves its pages, and every counter is explained meanwhile. */
import { describe, expect, it } from "vitest";
import {
  MS,
  asPosted,
  at,
  constant,
  dropGet,
  guest,
  host,
  longterm,
  pin,
  pinner,
  play,
  pressed,
  repaired,
  tasks,
} from "../../helpers/scenarios.ts";
import type { Scenario } from "../../../src/scenario/scenario.ts";
import { builtinScenario } from "../../../src/scenario/timed/builtin.ts";

/** Reclaim, migration to the other node and back, fork and copies on write, others who pin. */
function storm(options: Partial<Scenario> = {}): Scenario {
  return pressed({
    durationNs: 60 * MS,
    verifyNs: 2 * MS,
    host: host({
      nodes: [{ zones: [{ kind: "normal", pages: 8192 }] }, { zones: [{ kind: "normal", pages: 8192 }] }],
      memoryLimit: 3072,
      pageCluster: 2,
    }),
    guests: [guest({ vcpus: 3, tasks: [tasks({ count: 6, writePercent: 60 })] })],
    pinners: [pinner({ perSecond: 3000, hold: constant(200_000) })],
    migrations: [
      { guest: "guest", firstPage: 0, pages: 4096, perSecond: 5000, toNode: 1 },
      { guest: "guest", firstPage: 0, pages: 4096, perSecond: 5000, toNode: 0 },
    ],
    operations: [
      at(10, {
        do: "move-pages",
        guest: "guest",
        firstPage: 0,
        pages: 4096,
        toNode: 1,
        batch: 256,
        threads: 3,
      }),
      at(20, { do: "fork", guest: "guest" }),
      at(30, {
        do: "move-pages",
        guest: "guest",
        firstPage: 0,
        pages: 4096,
        toNode: 0,
        batch: 512,
        threads: 2,
      }),
      at(40, { do: "resize", memoryLimit: 2500 }),
    ],
    ...options,
  });
}

describe.each(["v3.12", "v6.1", "v6.12"] as const)("on %s", (kernel) => {
  const variants = kernel === "v3.12" ? [pin, dropGet, longterm, repaired] : [pin, dropGet, longterm];
  it.each(variants)("under $policy", async (variant) => {
    for (const contentBytes of [8, 64]) {
      // One after the other: each takes the memory of a host.
      // oxlint-disable-next-line no-await-in-loop
      const run = await play(storm({ kernel, contentBytes }), variant);
      expect(run).toMatchObject({ violation: null, crash: null, endNs: 60 * MS });
      expect(run.metrics.swapIns).toBeGreaterThan(500);
      expect(run.metrics.migrated).toBeGreaterThan(1000);
      for (const { ending } of run.operations) expect(ending).toBe("returned");
    }
  });
});

it("the RFC as posted stops the machine, which is a result", async () => {
  const posted = builtinScenario("rfc-under-load");
  const run = await play(posted, asPosted);
  expect(run.crash?.kind).toBe("oops");
  expect(run.endNs).toBeLessThan(posted.durationNs);
  expect(run.events).toBeGreaterThan(0);
  expect(await play(posted, asPosted)).toEqual(run);
});

it("policies meet the same accesses where nothing depends on them", async () => {
  const still = { ...storm(), host: host({ memoryLimit: null }), migrations: [], operations: [] };
  const runs = await Promise.all([pin, dropGet, longterm].map(async (variant) => play(still, variant)));
  for (const { metrics } of runs) expect(metrics).toEqual(runs[0]?.metrics);
  expect(runs[0]?.metrics.accesses).toBeGreaterThan(10_000);
});
