/** The swap devices of a case, and when they answer. */
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

  on(name: string, options: SwapOptions, ioDurationNs: number): void {
    const device = this.#host.swapOn(options);
    this.#devices.set(name, { device, ioDurationNs, endsAtNs: 0, written: this.#written });
  }

  off(name: string): void {
    const known = this.#devices.get(name);
    if (known === undefined) throw new SimError("ERR_ARGUMENT", `swapOff: "${name}" is not on`);
    known.device.off();
    this.#devices.delete(name);
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
