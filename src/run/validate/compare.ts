/** Compares what a step was seen to do with what the simulated one did. */
import { type Fields, isFields } from "./field.ts";
import type { Simulated } from "./observe.ts";
import type { Observed } from "./recording.ts";
import { holds, operands } from "./relation.ts";
import { comparedFlags, fieldKinds, fieldsNotCompared, vmstatNotModelled } from "./scope.ts";

export interface Difference {
  readonly what: string;
  readonly recorded: unknown;
  readonly simulated: unknown;
}

export interface NotCompared {
  readonly what: string;
  readonly reason: string;
}

export interface Comparison {
  /** Values that were compared. */
  readonly checked: number;
  readonly differences: readonly Difference[];
  readonly notCompared: readonly NotCompared[];
}

function records(value: unknown): Fields[] {
  return Array.isArray(value) ? value.filter(isFields) : [];
}

/** The fields of `record` that `like` has, in one order, as a key. */
function keyOf(record: Fields, like: Fields, without: string): string {
  const names = Object.keys(like)
    .filter((name) => name !== without)
    .toSorted();
  return JSON.stringify(names.map((name) => record[name]));
}

/** One step's comparison under way. */
class Comparing {
  checked = 0;
  readonly differences: Difference[] = [];
  readonly notCompared: NotCompared[] = [];
  readonly #excluded: readonly string[];

  constructor(excluded: readonly string[]) {
    this.#excluded = excluded;
  }

  /** Whether the recording itself says that a path means nothing. */
  isExcluded(path: string): boolean {
    return this.#excluded.includes(path);
  }

  skip(what: string, reason: string): void {
    this.notCompared.push({ what, reason });
  }

  check(what: string, recorded: unknown, simulated: unknown): void {
    if (this.isExcluded(what)) return;
    this.checked += 1;
    if (JSON.stringify(recorded) === JSON.stringify(simulated)) return;
    this.differences.push({ what, recorded, simulated });
  }

  field(what: string, recorded: unknown, simulated: unknown): void {
    switch (fieldKinds[what]) {
      case "counts":
        this.#counts(what, recorded, simulated);
        return;
      case "vmstat":
        this.#vmstat(what, recorded, simulated);
        return;
      case "statuses":
        this.#statuses(what, recorded, simulated);
        return;
      case "histogram":
        this.#histogram(what, recorded, simulated);
        return;
      case "samples":
        this.#samples(what, recorded, simulated);
        return;
      case "frame":
        this.#record(what, recorded, simulated);
        return;
      case "log":
        this.#log(what, recorded, simulated);
        return;
      case "writer":
        this.check(what, recorded === "exited" ? "exited" : "killed", simulated);
        return;
      case "order":
        this.#order(what, recorded, simulated);
        return;
      case undefined:
      case "events":
      case "value":
        this.check(what, recorded, simulated);
    }
  }

  #counts(what: string, recorded: unknown, simulated: unknown): void {
    if (!isFields(recorded) || !isFields(simulated)) return;
    for (const name of new Set([...Object.keys(recorded), ...Object.keys(simulated)])) {
      this.check(`${what}.${name}`, recorded[name] ?? 0, simulated[name] ?? 0);
    }
  }

  /** A counter that is not listed has not changed. */
  #vmstat(what: string, recorded: unknown, simulated: unknown): void {
    if (!isFields(recorded) || !isFields(simulated)) return;
    for (const name of new Set([...Object.keys(recorded), ...Object.keys(simulated)])) {
      const foreign = vmstatNotModelled.find(({ prefix }) => name.startsWith(prefix));
      if (foreign === undefined) this.check(`${what}.${name}`, recorded[name] ?? 0, simulated[name] ?? 0);
      else this.skip(`${what}.${name}`, foreign.reason);
    }
  }

  #statuses(what: string, recorded: unknown, simulated: unknown): void {
    if (!Array.isArray(recorded) || !Array.isArray(simulated)) return;
    this.check(`${what}.length`, recorded.length, simulated.length);
    for (const [entry, status] of recorded.entries())
      this.check(`${what}[${entry}]`, status, simulated[entry]);
  }

  /** Records in any order; `times` or `folios` says how many there were of each. */
  #histogram(what: string, recorded: unknown, simulated: unknown): void {
    const wanted = records(recorded);
    const like = wanted[0] ?? {};
    const unit = "folios" in like ? "folios" : "times";
    const tally = (list: readonly Fields[]): Record<string, number> => {
      const counts: Record<string, number> = {};
      for (const one of list) {
        const key = keyOf(one, like, unit);
        counts[key] = (counts[key] ?? 0) + Number(one[unit] ?? 1);
      }
      return counts;
    };
    const [before, after] = [tally(wanted), tally(records(simulated))];
    const same = Object.keys({ ...before, ...after }).every((key) => before[key] === after[key]);
    this.check(what, recorded, same ? recorded : simulated);
  }

  /** Event by event, as far as the list goes; neighbours that are equal stand there once with `times`. */
  events(recorded: unknown, simulated: unknown, cut: boolean): void {
    const wanted = records(recorded).flatMap(({ times, ...event }) =>
      Array.from({ length: typeof times === "number" ? times : 1 }, () => event),
    );
    const found = records(simulated).slice(0, cut ? wanted.length : undefined);
    const same =
      found.length === wanted.length &&
      wanted.every((event, i) => keyOf(event, event, "") === keyOf(found[i] ?? {}, event, ""));
    this.check("migratePagesEvents", recorded, same ? recorded : joined(found));
  }

  #samples(what: string, recorded: unknown, simulated: unknown): void {
    const found = records(simulated);
    for (const [i, page] of records(recorded).entries()) this.#record(`${what}[${i}]`, page, found[i]);
  }

  #record(what: string, recorded: unknown, simulated: unknown): void {
    if (!isFields(recorded) || !isFields(simulated)) return;
    for (const [name, value] of Object.entries(recorded)) {
      const wanted = name === "flags" && Array.isArray(value) ? meaningful(value) : value;
      this.check(`${what}.${name}`, wanted, simulated[name]);
    }
  }

  #log(what: string, recorded: unknown, simulated: unknown): void {
    if (!isFields(recorded) || !isFields(simulated)) return;
    for (const name of Object.keys(recorded)) {
      if (name in simulated) this.check(`${what}.${name}`, recorded[name], simulated[name]);
      else this.skip(`${what}.${name}`, "is the text of messages");
    }
  }

  /** Names by ascending time. */
  #order(what: string, recorded: unknown, simulated: unknown): void {
    if (!isFields(recorded) || !isFields(simulated)) return;
    const names = Object.keys(recorded).filter((name) => name in simulated);
    const sorted = (times: Fields): string[] => names.toSorted((a, b) => Number(times[a]) - Number(times[b]));
    this.checked += 1;
    const [wanted, found] = [sorted(recorded), sorted(simulated)];
    if (wanted.join() === found.join()) return;
    this.differences.push({ what: `order of ${what}`, recorded: wanted, simulated: found });
  }
}

function meaningful(flags: readonly unknown[]): string[] {
  return flags
    .filter((flag) => typeof flag === "string" && comparedFlags.has(flag))
    .map(String)
    .toSorted();
}

function joined(events: readonly Fields[]): Fields[] {
  const found: Fields[] = [];
  for (const event of events) {
    const last = found.at(-1);
    if (last !== undefined && keyOf(last, event, "times") === keyOf(event, event, "times")) {
      found[found.length - 1] = { ...event, times: Number(last["times"] ?? 1) + 1 };
    } else {
      found.push(event);
    }
  }
  return found;
}

function whyAbsent(name: string, missing: string | null): string {
  if (name === "timing") return "are times of the emulator";
  return name in fieldKinds ? (missing ?? "says nothing of a simulated step") : "is not modelled";
}

function compareRelations(comparing: Comparing, observed: Observed, simulated: Simulated): void {
  for (const relation of observed.relations) {
    const result = holds(relation, simulated);
    if (result === null) {
      comparing.skip(relation.text, "names a field that is not modelled");
      continue;
    }
    comparing.checked += 1;
    if (result) continue;
    comparing.differences.push({
      what: relation.text,
      recorded: operands(relation, observed.fields),
      simulated: operands(relation, simulated),
    });
  }
}

/**
 * Compares everything that a step recorded. `missing` says why fields that come from the trace are not there,
 * if they are not.
 */
export function compare(observed: Observed, simulated: Simulated, missing: string | null): Comparison {
  const { fields, excluded } = observed;
  const comparing = new Comparing(excluded);
  for (const [what, recorded] of Object.entries(fields)) {
    const reason = fieldsNotCompared[what];
    if (what === "timeDependent" || what === "uncontrolled" || what === "relations") continue;
    if (reason !== undefined) comparing.skip(what, reason);
    // The order of times means something even where the times do not.
    else if (comparing.isExcluded(what) && fieldKinds[what] !== "order") continue;
    else if (simulated[what] === undefined) comparing.skip(what, whyAbsent(what, missing));
    else if (what !== "migratePagesEvents") comparing.field(what, recorded, simulated[what]);
    else comparing.events(recorded, simulated[what], "migratePagesEventsTraced" in fields);
  }
  compareRelations(comparing, observed, simulated);
  return comparing;
}
