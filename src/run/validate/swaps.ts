/**
 * The swap devices of a case, and when they answer. One that has a latency is alone: what is written is only
 * known of all of them together.
 */
import { SimError } from "../../errors.ts";
import type { Host } from "../../host.ts";
import type { SwapDevice, SwapOptions } from "../../host/swap.ts";

interface Known {
  readonly device: SwapDevice;
  readonly ioDurationNs: number;
  /** When what it has been given so far is written. */
  endsAtNs: number;
  written: number;
}

export class Swaps {
  readonly #host: Host;
  readonly #devices = new Map<string, Known>();

  constructor(host: Host) {
    this.#host = host;
  }

  /** @throws {SimError} ERR_ARGUMENT for a second device, of which one answers late; what swapOn() throws. */
  on(name: string, options: SwapOptions, ioDurationNs: number): void {
    const slow = ioDurationNs > 0 || [...this.#devices.values()].some((known) => known.ioDurationNs > 0);
    if (slow && this.#devices.size > 0) {
      throw new SimError("ERR_ARGUMENT", `swapOn: "${name}" cannot be on beside a device with a latency`);
    }
    const device = this.#host.swapOn(options);
    this.#devices.set(name, { device, ioDurationNs, endsAtNs: 0, written: this.#written });
  }

  /** What swapoff(2) returns; without memory for what is on it, the device stays. */
  off(name: string): number {
    const known = this.#devices.get(name);
    if (known === undefined) throw new SimError("ERR_ARGUMENT", `swapOff: "${name}" is not on`);
    const { ret } = known.device.off();
    if (ret === 0) this.#devices.delete(name);
    return ret;
  }

  /** Ends what the devices have answered by now. */
  endWritebacks(): void {
    for (const known of this.#devices.values()) {
      if (this.#written > known.written) known.endsAtNs = this.#host.nowNs + known.ioDurationNs;
      known.written = this.#written;
      if (this.#host.nowNs >= known.endsAtNs) known.device.endWriteback();
    }
  }

  get #written(): number {
    return this.#host.counters().pswpout;
  }
}
