/** Whether the process that an object was made for still exists: its record may belong to another by now. */
import * as abi from "../core/abi.ts";
import type { Core } from "../core/core.ts";
import { SimError } from "../errors.ts";

export class Life {
  readonly #core: Core;
  readonly #mm: number;
  readonly #serial: number;

  constructor(core: Core, mm: number) {
    this.#core = core;
    this.#mm = mm;
    this.#serial = this.#now();
  }

  /** @throws {SimError} ERR_ARGUMENT if the process has exited. */
  check(): void {
    if (this.#now() !== this.#serial) throw new SimError("ERR_ARGUMENT", `process ${this.#mm} has exited`);
  }

  #now(): number {
    return this.#core.words(abi.TABLE_PROCESSES)[(this.#mm * abi.PROCESS_SIZE + abi.PROCESS_LIVE) >> 2] ?? 0;
  }
}
