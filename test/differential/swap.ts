/** Swap devices and reclaim, on a host and in the reference model. */
import { FIRST_PFN } from "../../assembly/abi.ts";
import type { Host, SwapDevice } from "../../src/index.ts";
import { type Machine, at } from "../reference/machine.ts";
import { pageoutRange, reclaimPage, reclaimZone } from "../reference/reclaim.ts";
import { run } from "../reference/state.ts";
import { type SwapArea, addArea } from "../reference/swap-area.ts";
import { endWriteback, swapOff, swapOffMustWait } from "../reference/swapfile.ts";
import { calledCore, returned } from "./answers.ts";
import { orCode } from "./files.ts";
import type { SwapOperation } from "./operations/swap.ts";
import { type Pages, type RegionPair, pageBehind, pick, vpnsOf } from "./regions.ts";
import { type Answers, nothing } from "./vcpu.ts";

interface DevicePair {
  readonly core: SwapDevice;
  readonly reference: SwapArea;
}

/** In the words of Host.reclaimPage(). */
const outcomes = { kept: "kept", activated: "activated", cull: "kept", freed: "freed" } as const;

export class Swap {
  readonly #host: Host;
  readonly #machine: Machine;
  #devices: DevicePair[] = [];

  constructor(host: Host, machine: Machine) {
    this.#host = host;
    this.#machine = machine;
  }

  perform(operation: SwapOperation, regions: readonly RegionPair[]): Answers {
    const m = this.#machine;
    switch (operation.op) {
      case "swapOn":
        return this.#swapOn(operation);
      case "pageCluster":
        this.#host.setPageCluster(operation.cluster);
        m.pageCluster = operation.cluster;
        return nothing;
      case "endWriteback":
        return this.#onDevice(operation, ({ core, reference }) => {
          core.endWriteback();
          run(m, () => endWriteback(m, reference));
          return nothing;
        });
      case "swapOff":
        return this.#onDevice(operation, (device) => this.#swapOff(device));
      case "reclaimZone":
        return {
          core: this.#host.reclaim(operation),
          reference: run(m, () => reclaimZone(m, at(m.zones, operation.zone), operation.pages)) ?? 0,
        };
      case "reclaimPage":
        return this.#reclaimPage(operation, regions);
      case "pageout":
        return this.#pageout(operation, regions);
      default:
        throw new Error("an operation without a case");
    }
  }

  #onDevice({ device }: { device: number }, body: (device: DevicePair) => Answers): Answers {
    const chosen = pick(this.#devices, device);
    return chosen === undefined ? nothing : body(chosen);
  }

  #swapOn(options: { readonly pages: number; readonly synchronous: boolean }): Answers {
    const core = orCode(() => this.#host.swapOn(options));
    const reference = addArea(this.#machine, options.pages, options.synchronous);
    if (typeof core !== "string" && reference !== null) this.#devices.push({ core, reference });
    return {
      core: typeof core === "string" ? core : [core.id, core.pages],
      reference: reference === null ? "ERR_LIMIT" : [reference.id, reference.slots.length],
    };
  }

  #swapOff(device: DevicePair): Answers {
    if (swapOffMustWait(device.reference)) return nothing;
    const core = device.core.off();
    const rc = run(this.#machine, () => swapOff(this.#machine, device.reference));
    if (rc === 0) this.#devices = this.#devices.filter((other) => other !== device);
    return { core: calledCore(core), reference: returned(rc) };
  }

  #reclaimPage(
    { region, index }: { readonly region: number; readonly index: number },
    regions: readonly RegionPair[],
  ): Answers {
    const chosen = pick(regions, region);
    const page = chosen === undefined ? null : pageBehind(chosen, index % chosen.core.pages);
    if (page === null || page.pfn < FIRST_PFN) return nothing;
    const core = this.#host.reclaimPage(page.pfn);
    const outcome = run(this.#machine, () => reclaimPage(this.#machine, page));
    return { core, reference: outcome && outcomes[outcome] };
  }

  #pageout(
    { region, ...pages }: { readonly region: number } & Pages,
    regions: readonly RegionPair[],
  ): Answers {
    const chosen = pick(regions, region);
    if (chosen === undefined) return nothing;
    const start = pages.start % chosen.core.pages;
    const range = { start, count: Math.min(pages.count, chosen.core.pages - start) };
    const core = chosen.core.pageout(range);
    const m = this.#machine;
    const rc = run(m, () => pageoutRange(m, chosen.process.reference, vpnsOf(chosen, range)));
    const freed = Math.max(rc ?? 0, 0);
    return {
      core: core.crash === null ? [calledCore(core), core.freed] : null,
      reference: rc === null ? null : [returned(rc - freed), freed],
    };
  }
}
