/** Pins that are held, on a host and in the reference model. */
import type { Host, Pin } from "../../src/index.ts";
import { type PinKind, pinPages } from "../reference/gup.ts";
import type { Machine } from "../reference/machine.ts";
import { run } from "../reference/state.ts";
import { releaseGroup } from "../reference/time.ts";
import { errnoName } from "../../src/core/names.ts";
import { blamed } from "./answers.ts";
import type { Operation } from "./operations.ts";
import { type RegionPair, pick } from "./regions.ts";
import { type Answers, nothing } from "./vcpu.ts";

/** Calls of pin() that are held at one time, their pages, and releases that are scheduled. */
const MAX_CALLS = 20;
const MAX_PAGES = 300;
const MAX_RELEASES = 60;

export class Pins {
  readonly #host: Host;
  readonly #machine: Machine;
  #pins: { readonly core: Pin; readonly group: number }[] = [];

  constructor(host: Host, machine: Machine) {
    this.#host = host;
    this.#machine = machine;
  }

  take(region: RegionPair, indexes: readonly number[], kind: PinKind): Answers {
    const m = this.#machine;
    if (this.#pins.length > MAX_CALLS || m.pins.length + indexes.length > MAX_PAGES) return nothing;
    const core = kind === "read" ? region.core.pin(indexes, "get", "read") : region.core.pin(indexes, kind);
    const vpns = indexes.map((index) => region.core.start + index);
    const pinned = run(m, () => pinPages(m, region.process.reference, vpns, kind));
    if (pinned !== null) this.#pins.push({ core, group: pinned.group });
    return {
      core: this.#host.crash === null ? [core.pages, core.errno, core.blame.pages] : null,
      reference: pinned && [pinned.pages, errnoName(pinned.err), blamed(m)],
    };
  }

  release(operation: Extract<Operation, { op: "release" | "releaseLater" }>): Answers {
    const m = this.#machine;
    const pin = pick(this.#pins, operation.pin);
    if (pin === undefined || m.events.length > MAX_RELEASES) return nothing;
    this.#pins = this.#pins.filter((other) => other !== pin);
    if (operation.op === "release") {
      pin.core.release();
      run(m, () => releaseGroup(m, pin.group));
    } else {
      const atNs = this.#host.nowNs + operation.afterNs;
      pin.core.releaseAt(atNs);
      m.events.push({ atNs, group: pin.group });
    }
    return nothing;
  }
}
