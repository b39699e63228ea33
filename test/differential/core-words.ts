/** The tables of a core, as the numbers that are compared with the reference model. */
import * as abi from "../../assembly/abi.ts";
import type { Core } from "../../src/core/core.ts";
import type { Words } from "./words.ts";

/** Views of the tables: a core's memory does not grow any more. */
export class CoreTables {
  readonly pages: Int32Array;
  readonly ptes: Int32Array;
  readonly expected: Int32Array;
  readonly #machine: Int32Array;
  readonly #counters: Int32Array;
  readonly #zones: Int32Array;
  readonly #batches: Int32Array;
  readonly #processes: Int32Array;
  readonly #vmas: Int32Array;
  readonly #mappings: Int32Array;
  readonly #slots: Int32Array;
  readonly #pins: Int32Array;
  readonly #areas: Int32Array;
  readonly #swapSlots: Int32Array;
  readonly #nrZones: number;

  constructor(core: Core) {
    this.pages = core.words(abi.TABLE_PAGES);
    this.ptes = core.words(abi.TABLE_PTES);
    this.expected = core.words(abi.TABLE_EXPECTED);
    this.#machine = core.words(abi.TABLE_MACHINE);
    this.#counters = core.words(abi.TABLE_COUNTERS);
    this.#zones = core.words(abi.TABLE_ZONES);
    this.#batches = core.words(abi.TABLE_BATCHES);
    this.#processes = core.words(abi.TABLE_PROCESSES);
    this.#vmas = core.words(abi.TABLE_VMAS);
    this.#mappings = core.words(abi.TABLE_MAPPINGS);
    this.#slots = core.words(abi.TABLE_CACHE_SLOTS);
    this.#pins = core.words(abi.TABLE_PINS);
    this.#areas = core.words(abi.TABLE_SWAP_AREAS);
    this.#swapSlots = core.words(abi.TABLE_SWAP_SLOTS);
    this.#nrZones = core.config(abi.CFG_NR_ZONES);
  }

  /** Everything but pages and PTEs. */
  putObjects(words: Words): void {
    this.#putMachine(words);
    for (let i = 0; i < this.#counters.length; i++) {
      if (i >> 1 !== abi.PROBE_OFFLINE_SKIPPED) words.put("counter, half word", i, this.#counters[i] ?? 0);
    }
    for (let zone = 0; zone < this.#nrZones; zone++) {
      words.put("free pages", zone, field(this.#zones, zone, abi.ZONE_SIZE, abi.ZONE_FREE_PAGES));
    }
    this.#putBatches(words);
    this.#putProcesses(words);
    this.#putMappings(words);
    this.#putPins(words);
    this.#putSwap(words);
  }

  #putSwap(words: Words): void {
    for (let id = 1; id <= abi.MAX_SWAP_AREAS; id++) {
      const at = (offset: number): number => field(this.#areas, id, abi.SWAP_AREA_SIZE, offset);
      if (at(abi.SWAP_AREA_LIVE) === 0) continue;
      words.put("swap area", id, at(abi.SWAP_AREA_FIRST));
      words.put("used slots of swap area", id, at(abi.SWAP_AREA_USED));
      for (let slot = at(abi.SWAP_AREA_FIRST); slot < at(abi.SWAP_AREA_END); slot++) {
        const record = (slot * abi.SWAP_SLOT_SIZE) >> 2;
        words.put("count of swap slot", slot, this.#swapSlots[record + (abi.SWAP_SLOT_COUNT >> 2)] ?? 0);
        words.put("page of swap slot", slot, this.#swapSlots[record + (abi.SWAP_SLOT_PFN >> 2)] ?? 0);
      }
    }
  }

  #putMachine(words: Words): void {
    const at = (offset: number): number => this.#machine[offset >> 2] ?? 0;
    words.put("time, low word", 0, at(abi.MACHINE_NOW_NS));
    words.put("time, high word", 0, at(abi.MACHINE_NOW_NS + 4));
    words.put("crash kind", 0, at(abi.MACHINE_CRASH_KIND));
    words.put("crash function", 0, at(abi.MACHINE_CRASH_FUNCTION));
    words.put("crash caller", 0, at(abi.MACHINE_CRASH_CALLER));
    words.put("crash caller", 1, at(abi.MACHINE_CRASH_CALLER2));
    words.put("crash pfn", 0, at(abi.MACHINE_CRASH_PFN));
    words.put("crash invariant", 0, at(abi.MACHINE_CRASH_INVARIANT));
    words.put("contexts", 0, at(abi.MACHINE_NR_CTXS));
    words.put("bad pages", 0, at(abi.MACHINE_NR_BAD_PAGES));
    words.put("mappings", 0, at(abi.MACHINE_NR_MAPPINGS));
    words.put("pins", 0, at(abi.MACHINE_NR_PINS));
  }

  #putBatches(words: Words): void {
    const size = abi.BATCH_SIZE / 4;
    for (let at = 0; at < this.#batches.length; at += size) {
      const nr = this.#batches[at] ?? 0;
      words.put("batch length", at / size, nr);
      for (let i = 1; i <= nr; i++) words.put("batch", at / size, this.#batches[at + i] ?? 0);
    }
  }

  #putProcesses(words: Words): void {
    let id = this.#machine[abi.MACHINE_FIRST_MM >> 2] ?? 0;
    while (id !== 0) {
      const at = (offset: number): number => field(this.#processes, id, abi.PROCESS_SIZE, offset);
      words.put("first PTE", id, at(abi.PROCESS_FIRST_PTE));
      words.put("anon rss", id, at(abi.PROCESS_RSS_ANON));
      words.put("file rss", id, at(abi.PROCESS_RSS_FILE));
      words.put("swap rss", id, at(abi.PROCESS_RSS_SWAP));
      this.#putVmas(words, id, at(abi.PROCESS_FIRST_VMA));
      id = at(abi.PROCESS_NEXT);
    }
  }

  #putVmas(words: Words, process: number, first: number): void {
    for (let id = first; id !== 0; id = field(this.#vmas, id, abi.VMA_SIZE, abi.VMA_NEXT)) {
      words.put("VMA start", process, field(this.#vmas, id, abi.VMA_SIZE, abi.VMA_START));
      words.put("VMA end", process, field(this.#vmas, id, abi.VMA_SIZE, abi.VMA_END));
      words.put("VMA kind", process, field(this.#vmas, id, abi.VMA_SIZE, abi.VMA_KIND));
      words.put("VMA object", process, field(this.#vmas, id, abi.VMA_SIZE, abi.VMA_OBJECT));
    }
  }

  #putMappings(words: Words): void {
    let left = this.#machine[abi.MACHINE_NR_MAPPINGS >> 2] ?? 0;
    for (let id = 1; left > 0 && id * abi.MAPPING_SIZE < this.#mappings.byteLength; id++) {
      if (field(this.#mappings, id, abi.MAPPING_SIZE, abi.MAPPING_KIND) === 0) continue;
      left -= 1;
      words.put(
        "references of mapping",
        id,
        field(this.#mappings, id, abi.MAPPING_SIZE, abi.MAPPING_REFCOUNT),
      );
      const first = field(this.#mappings, id, abi.MAPPING_SIZE, abi.MAPPING_FIRST_SLOT);
      const nr = field(this.#mappings, id, abi.MAPPING_SIZE, abi.MAPPING_NR_SLOTS);
      words.put("size of mapping", id, nr);
      for (let slot = first; slot < first + nr; slot++) {
        words.put("cached pfn", id, this.#slots[slot * 2] ?? 0);
        words.put("expected of cached", id, this.#slots[slot * 2 + 1] ?? 0);
      }
    }
  }

  #putPins(words: Words): void {
    const size = abi.PIN_SIZE / 4;
    let left = this.#machine[abi.MACHINE_NR_PINS >> 2] ?? 0;
    for (let at = size; left > 0 && at < this.#pins.length; at += size) {
      const kind = this.#pins[at + (abi.PIN_KIND >> 2)] ?? 0;
      if (kind === abi.HOLDER_NONE) continue;
      left -= 1;
      words.put("pin kind", at / size, kind);
      words.put("pin pfn", at / size, this.#pins[at + (abi.PIN_PFN >> 2)] ?? 0);
      words.put("pin group", at / size, this.#pins[at + (abi.PIN_GROUP >> 2)] ?? 0);
      words.put("pin owner", at / size, this.#pins[at + (abi.PIN_OWNER >> 2)] ?? 0);
      words.put("pin token", at / size, this.#pins[at + (abi.PIN_TOKEN >> 2)] ?? 0);
    }
  }
}

/** Field of record `id` in a table of records. */
function field(table: Int32Array, id: number, size: number, offset: number): number {
  return table[(id * size + offset) >> 2] ?? 0;
}
