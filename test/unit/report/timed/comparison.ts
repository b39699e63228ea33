/** A comparison with one policy of each kind of outcome. */
import { type CompareOptions, compareScenario } from "../../../../src/run/timed/compare.ts";
import type { ComparisonReport } from "../../../../src/run/timed/comparison.ts";
import type { TimedRun } from "../../../../src/run/timed/result.ts";
import {
  SECOND,
  crash,
  fakeRunner,
  gaveUp,
  metrics,
  offlined,
  scenario,
  timedRun,
  variants,
} from "../../../helpers/timed-runs.ts";

const { histograms: none } = timedRun({ seed: 0 });

/** pin gives up with 2 of 3 seeds; rfc crashes; drop-get takes 36, 37 and 38 ms. */
function resultOf(name: string, seed: number): Partial<TimedRun> {
  const common = {
    metrics: metrics({ faults: 10 * seed, pinNs: 6 * SECOND, guestNs: 3 * SECOND, stalledNs: SECOND }),
    histograms: { ...none, faultLatency: [{ from: 100_000, to: 100_001, count: 1000 }] },
  };
  if (name === "rfc") return { ...common, crash };
  if (name === "drop-get") {
    return { ...common, operations: [{ ...offlined, durationNs: (35 + seed) * 1_000_000 }] };
  }
  const vcpus = [0, 1, 3].map((vcpu) => ({
    kind: "async_pf" as const,
    guest: "vm",
    vcpu,
    pages: 2,
    blockedNs: SECOND / (1 + vcpu),
    longestNs: 500_000_000,
  }));
  return {
    ...common,
    operations: [seed === 2 ? offlined : gaveUp],
    blame: seed === 2 ? [] : vcpus,
    intervals: [
      { endNs: SECOND, metrics: metrics({ faults: 4 * seed }), pinsNow: 7, freePages: 100 },
      { endNs: 2 * SECOND, metrics: metrics({ faults: 6 * seed }), pinsNow: 5, freePages: 90 },
    ],
  };
}

export function comparison(options: Partial<CompareOptions> = {}): Promise<ComparisonReport> {
  return compareScenario({
    scenario,
    variants: variants("pin", "rfc", "drop-get"),
    seeds: [1, 2, 3],
    version: "1.2.3",
    runner: fakeRunner(resultOf),
    ...options,
  });
}
