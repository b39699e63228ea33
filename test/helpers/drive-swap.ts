/** Operations on swap devices, and reclaim, on a host alone. */
import { type Host, type Region, SimError } from "../../src/index.ts";
import type { SwapOperation } from "../differential/operations/swap.ts";

/** A device for which there is no room is not added. */
function swapOn(host: Host, options: { readonly pages: number; readonly synchronous: boolean }): void {
  try {
    host.swapOn(options);
  } catch (error) {
    if (!(error instanceof SimError) || error.code !== "ERR_LIMIT") throw error;
  }
}

/** Performs an operation; `regions` are those that it may name. */
export function driveSwap(host: Host, operation: SwapOperation, regions: readonly Region[]): void {
  const devices = host.swapDevices();
  const device = "device" in operation ? devices[operation.device % devices.length] : undefined;
  const region = "region" in operation ? regions[operation.region % regions.length] : undefined;
  switch (operation.op) {
    case "swapOn":
      swapOn(host, operation);
      break;
    case "pageCluster":
      host.setPageCluster(operation.cluster);
      break;
    case "endWriteback":
      device?.endWriteback();
      break;
    case "swapOff":
      device?.off();
      break;
    case "reclaimZone":
      host.reclaim({ zone: 0, pages: operation.pages });
      break;
    case "reclaimPage": {
      const pfn = region?.frameOf(operation.index % region.pages) ?? 0;
      if (pfn > 1) host.reclaimPage(pfn);
      break;
    }
    case "pageout":
      if (region !== undefined) {
        const start = operation.start % region.pages;
        region.pageout({ start, count: Math.min(operation.count, region.pages - start) });
      }
      break;
    default:
  }
}
