/** Hashes of the sections that the twin has, word for word as the core computes them. */
// oxlint-disable typescript/no-non-null-assertion -- in range; a default would hide an index that is not
import { NR_COUNTERS, PAGE_RECORD_SIZE, PROBE_OFFLINE_SKIPPED } from "../../assembly/abi.ts";
import type { TwinMemory } from "./memory.ts";

const MULTIPLIER_A = 0x9e3779b1;
const MULTIPLIER_B = 0x85ebca77;
const RECORD_WORDS = PAGE_RECORD_SIZE >> 2;

/** Two lanes of 32 bits. */
class Lanes {
  #a = 0;
  #b = 0;

  fold(word: number): void {
    this.#a = Math.imul(this.#a ^ word, MULTIPLIER_A);
    this.#b = Math.imul(this.#b ^ word, MULTIPLIER_B);
    this.#a ^= this.#a >>> 15;
    this.#b ^= this.#b >>> 13;
  }

  /** 16 hexadecimal digits. */
  get text(): string {
    return [this.#a, this.#b].map((lane) => (lane >>> 0).toString(16).padStart(8, "0")).join("");
  }
}

/** SECTION_PAGES: records that are not all zero. */
export function hashPages({ pages }: TwinMemory): string {
  const lanes = new Lanes();
  for (let first = 0; first < pages.length; first += RECORD_WORDS) {
    let any = 0;
    for (let word = 0; word < RECORD_WORDS; word++) any |= pages[first + word]!;
    if (any === 0) continue;
    lanes.fold(first / RECORD_WORDS);
    for (let word = 0; word < RECORD_WORDS; word++) lanes.fold(pages[first + word]!);
  }
  return lanes.text;
}

/** SECTION_PTES: those that are not 0. */
export function hashPtes({ ptes }: TwinMemory): string {
  const lanes = new Lanes();
  for (let number = 0; number < ptes.length; number++) {
    const pte = ptes[number]!;
    if (pte === 0) continue;
    lanes.fold(number);
    lanes.fold(pte);
  }
  return lanes.text;
}

/** SECTION_COUNTERS: 64 bits each, low word first. */
export function hashCounters({ counters }: TwinMemory): string {
  const lanes = new Lanes();
  for (let counter = 0; counter < NR_COUNTERS; counter++) {
    if (counter === PROBE_OFFLINE_SKIPPED) continue;
    const value = counters[counter]!;
    lanes.fold(value | 0);
    lanes.fold(Math.floor(value / 2 ** 32));
  }
  return lanes.text;
}
