/** What a swap device is like that a scenario names by its kind alone. */
import type { DeviceKind, ScenarioDevice } from "../scenario.ts";
import { constant, quantiles, uniform } from "./distribution.ts";

type Defaults = Omit<ScenarioDevice, "kind" | "pages">;

/** Quantiles that are known to be right. */
function points(table: Readonly<Record<string, number>>) {
  const made = quantiles(table);
  if (typeof made === "string") throw new Error(`quantiles of a device: ${made}`);
  return made;
}

const US = 1e3;
const MS = 1e6;

export const deviceDefaults: Readonly<Record<DeviceKind, Defaults>> = {
  // Swap-in of 5 GiB from zram past the swap cache in 1.64 s: 1.25 µs a page (Minchan Kim, series on swap-in
  // from synchronous devices, 2017). Nothing was measured of writes: they are taken to cost the same. The CPU
  // copies within that time, so the transfer is to take none: 1 TB/s are 4 ns a page.
  zram: { queueDepth: 0, read: constant(1250), write: constant(1250), bytesPerSecond: 1e12 },
  // 75 µs is what MQSim takes for a read from NAND. Depth, 3 GB/s, the tail, and writes, which end in the
  // device's buffer, are the usual order of a server's device of 2020: no measured source.
  nvme: {
    queueDepth: 64,
    read: points({ 0: 75 * US, 0.9: 100 * US, 0.99: 200 * US, 1: 1 * MS }),
    write: points({ 0: 20 * US, 0.9: 30 * US, 0.99: 200 * US, 1: 1 * MS }),
    bytesPerSecond: 3e9,
  },
  // NCQ has 32 tags, and 530 MB/s is what 6 Gbit/s of SATA leave. Times are the usual order: no measured
  // source.
  ssd: {
    queueDepth: 32,
    read: points({ 0: 100 * US, 0.5: 200 * US, 0.99: 500 * US, 1: 5 * MS }),
    write: points({ 0: 50 * US, 0.5: 100 * US, 0.99: 1 * MS, 1: 10 * MS }),
    bytesPerSecond: 530e6,
  },
  // Seek and half a turn of 7,200 rpm: the usual order, no measured source.
  hdd: {
    queueDepth: 1,
    read: uniform(4 * MS, 15 * MS),
    write: uniform(4 * MS, 15 * MS),
    bytesPerSecond: 150e6,
  },
};
