/**
 * Simulated time of a replay. The recordings were made under an emulator (QEMU TCG, one thread), so these are
 * not latencies of a machine: they put releases and signals, which are recorded in ms, into the right order
 * with the calls around them.
 *
 * Two points calibrate a profile, without tracing the means of timing.json (6.1: a call that does nothing 15
 * µs, one that moves a page 45, one that fails ten attempts 154; 6.12: 40, 201, 237), with tracing what the
 * traced runs took: 512 pages in 15.7 ms (release-52of512-0ms), 0.41 ms for a call that fails ten attempts
 * (release-1of1-500ms), 28000 pages in 1.57 s (offline-unpinned on 6.12). The fixed part of an offline round
 * is what is left of the mean round of offline-1-release and offline-1-sigusr1 (1.0 and 1.7 ms on 6.1, 1.6
 * and 1.4 ms on 6.12) without its ten attempts. 3.11 was recorded without times and has those of 6.1.
 */
import type { KernelName } from "../../core/names.ts";
import type { Costs } from "../../host/config.ts";

const v6_1: Costs = {
  syscallNs: 15_000,
  movedPageNs: 30_000,
  failedAttemptNs: 40_000,
  offlineRoundNs: 900_000,
};

const traced: Readonly<Record<KernelName, Costs>> = {
  "v3.12": v6_1,
  "v6.1": v6_1,
  "v6.12": { syscallNs: 40_000, movedPageNs: 56_000, failedAttemptNs: 40_000, offlineRoundNs: 1_100_000 },
};

const untraced: Readonly<Record<KernelName, Costs>> = {
  "v3.12": { ...v6_1, failedAttemptNs: 14_000 },
  "v6.1": { ...v6_1, failedAttemptNs: 14_000 },
  "v6.12": { ...traced["v6.12"], movedPageNs: 161_000, failedAttemptNs: 20_000 },
};

/** Costs of a recording; tracing was off while the mean time of calls was taken. */
export function costsOf(kernel: KernelName, tracing: boolean): Costs {
  return (tracing ? traced : untraced)[kernel];
}

export const MS_NS = 1_000_000;

/** With a thread that never sleeps beside it, a call waits for that one's slice: a tick of 250 Hz. */
export const SLICE_NS = 4 * MS_NS;
