/** vCPUs in guest mode: accesses and computing tasks of which nothing interferes. */
import { expect, it } from "vitest";
import { guest, play, scenario, tasks } from "../../helpers/scenarios.ts";

it("a task that computes is interrupted as often as one likes", async () => {
  const sleepers = tasks({ name: "sleeper", count: 20, sleepEvery: 1, sleepNs: 10_000, writePercent: 0 });
  const one = scenario({
    guests: [guest({ vcpus: 1, tasks: [tasks({ name: "computes", pattern: { kind: "none" } }), sleepers] })],
  });
  const { metrics, violation } = await play(one);
  expect(violation).toBeNull();
  expect(metrics.accesses).toBeGreaterThan(1000);
  expect(metrics.workNs).toBeGreaterThan(0);
  expect(metrics.workNs).toBeLessThanOrEqual(metrics.guestNs);
});

it("so is one whose next access is long in coming", async () => {
  const sleepers = tasks({ name: "sleeper", count: 20, sleepEvery: 1, sleepNs: 10_000, writePercent: 0 });
  const slow = tasks({ name: "slow", accessNs: 3_000_000 });
  const one = scenario({ guests: [guest({ vcpus: 1, tasks: [slow, sleepers] })] });
  const { metrics, violation } = await play(one);
  expect(violation).toBeNull();
  expect(metrics.accesses).toBeGreaterThan(1000);
});
