/** References taken by one call and released by one. */
import * as abi from "../core/abi.ts";
import type { Core } from "../core/core.ts";
import type { Errno } from "../core/names.ts";
import { SimError } from "../errors.ts";
import { integer } from "./config.ts";
import { type Blame, noBlame } from "./holders.ts";

/** Why a call of pin() stopped before its end. */
export interface Refusal {
  readonly errno: Errno | null;
  readonly blame: Blame;
}

const noRefusal: Refusal = { errno: null, blame: noBlame };

export class Pin {
  /**
   * Pages that were pinned, a page that was asked for twice counted twice. Fewer than asked for: pin()
   * stopped at the first page that could not be had.
   */
  readonly pages: number;
  /**
   * Why the next page could not be had. Null also if that one waits, as for a migration that is under way.
   */
  readonly errno: Errno | null;
  /** What kept a page that could not be moved to where it may be pinned for long. */
  readonly blame: Blame;
  readonly #core: Core;
  readonly #group: number;

  /** Pins come from Region.pin() and Host.pins(). */
  constructor(core: Core, group: number, pages: number, refusal: Refusal = noRefusal) {
    this.#core = core;
    this.#group = group;
    this.pages = pages;
    this.errno = refusal.errno;
    this.blame = refusal.blame;
  }

  /** put_page() or unpin_user_page() of every page. Releasing twice does nothing. */
  release(): void {
    this.#core.run((core) => core.releaseGroup(this.#group));
  }

  /**
   * Lets the pin be released at a point in simulated time (Host.nowNs), also while a call runs: it takes
   * effect between two passes of a migration or two rounds of an offline.
   *
   * @throws {SimError} ERR_LIMIT if limits.events are scheduled already.
   */
  releaseAt(ns: number): void {
    schedule(this.#core, abi.EVENT_RELEASE, this.#group, { atNs: ns });
  }

  /**
   * Lets the pin be released after so many rounds of the next offline; an offline that ends before forgets
   * it.
   */
  releaseAfterRounds(rounds: number): void {
    schedule(this.#core, abi.EVENT_RELEASE, this.#group, { afterRounds: rounds });
  }
}

const releasable: ReadonlySet<number> = new Set([abi.HOLDER_GET, abi.HOLDER_PIN, abi.HOLDER_LONGTERM]);

/** The pins that are held, in the order in which they were taken. */
export function heldPins(core: Core): Pin[] {
  const words = core.words(abi.TABLE_PINS);
  const pages = new Map<number, number>();
  // Record 0 is none.
  for (let record = abi.PIN_SIZE >> 2; record < words.length; record += abi.PIN_SIZE >> 2) {
    const kind = words[record + (abi.PIN_KIND >> 2)];
    if (kind === undefined || !releasable.has(kind)) continue;
    const group = words[record + (abi.PIN_GROUP >> 2)] ?? 0;
    pages.set(group, (pages.get(group) ?? 0) + 1);
  }
  return [...pages].toSorted(([a], [b]) => a - b).map(([group, nr]) => new Pin(core, group, nr));
}

function wholeNumber(name: string, value: number): number {
  return integer(name, value, 0, Number.MAX_SAFE_INTEGER);
}

/** When something from outside happens: at a point in simulated time, or after rounds of the next offline. */
export type When = { readonly atNs: number } | { readonly afterRounds: number };

/** Schedules something from outside (EVENT_*). */
export function schedule(core: Core, kind: number, argument: number, when: When): void {
  // Checked before: what is thrown inside run() is taken for a bug of the core.
  const due = "atNs" in when ? wholeNumber("atNs", when.atNs) : wholeNumber("afterRounds", when.afterRounds);
  const done = core.run((exports) =>
    "atNs" in when
      ? exports.schedule(kind, argument, BigInt(due))
      : exports.scheduleAfterRounds(kind, argument, BigInt(due)),
  );
  if (done === false) {
    const limit = core.config(abi.CFG_EVENTS);
    throw new SimError("ERR_LIMIT", `limits.events: ${limit} are scheduled, and it allows no more`);
  }
}
