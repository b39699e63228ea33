/** From a YAML text to a scenario. */
import { SimError } from "../../errors.ts";
import type { Contradiction } from "../contradiction.ts";
import { shapeProblems } from "../check-shape.ts";
import type { Scenario, TraceAccess } from "../scenario.ts";
import { applySetting } from "../setting.ts";
import { type Path, YamlText } from "../yaml-text.ts";
import { contradictions } from "./check-meaning.ts";
import { guestOf, guestNames, rangeOf } from "./references.ts";
import { type ScenarioDocument, scenarioDocument } from "./schema.ts";
import { type Traces, toScenario } from "./to-scenario.ts";
import { readTrace } from "./trace.ts";
import { TraceError } from "./trace-error.ts";

export interface LoadOptions {
  /** What the scenario must be called, if that is known from elsewhere. */
  readonly name?: string;
  /** `path=value`, as `guests[0].vcpus=8`: values that take the place of what the text says, one by one. */
  readonly set?: readonly string[];
  /**
   * Returns what a trace's file holds; the path is as the text has it. What it throws is reported where the
   * text names the file. Without it there can be no traces.
   */
  readonly trace?: (path: string) => string | Uint8Array;
}

function refuse(lines: readonly string[]): void {
  if (lines.length > 0) throw new SimError("ERR_SCENARIO", lines.join("\n"));
}

function misnamed(document: ScenarioDocument, name: string | undefined): Contradiction[] {
  if (name === undefined || document.name === name) return [];
  return [{ path: ["name"], message: `"${document.name}" is not the file's name, ${name}` }];
}

interface TraceUse {
  readonly file: string;
  readonly path: Path;
  /** Pages of the range that it goes to. */
  readonly pages: number;
}

function traceUses(document: ScenarioDocument): TraceUse[] {
  const names = guestNames(document);
  return document.guests.flatMap(({ tasks: groups }, nr) =>
    groups.flatMap((tasks, i): TraceUse[] => {
      const guest = guestOf(document, names[nr]);
      if (tasks.pattern.kind !== "trace" || guest === undefined) return [];
      const path = ["guests", nr, "tasks", i, "pattern", "trace"];
      return [{ file: tasks.pattern.file, path, pages: rangeOf(tasks, guest).pages }];
    }),
  );
}

/** @throws {TraceError} also for what `read` throws */
function traceOf(file: string, read: LoadOptions["trace"]): readonly TraceAccess[] {
  if (read === undefined) throw new TraceError(`${file}: there is nobody here to read files`);
  let content: string | Uint8Array;
  try {
    content = read(file);
  } catch (cause) {
    throw new TraceError(cause instanceof Error ? cause.message : String(cause), { cause });
  }
  return readTrace(content, file);
}

/** Reads every trace once. */
function readTraces(
  uses: readonly TraceUse[],
  trace: LoadOptions["trace"],
): { readonly traces: Traces; readonly found: readonly Contradiction[] } {
  const traces = new Map<string, readonly TraceAccess[]>();
  const found: Contradiction[] = [];
  for (const { file, path, pages } of uses) {
    try {
      const accesses = traces.get(file) ?? traceOf(file, trace);
      traces.set(file, accesses);
      const last = accesses.reduce((most, { page }) => Math.max(most, page), 0);
      if (last >= pages)
        found.push({ path, message: `${file} has ${last + 1} pages, and the range ${pages}` });
    } catch (error) {
      if (!(error instanceof TraceError)) throw error;
      found.push({ path, message: error.message });
    }
  }
  return { traces, found };
}

/**
 * Reads a scenario. Durations are in ns and sizes in pages of 4 KiB in what it returns.
 *
 * @throws {SimError} ERR_SCENARIO with all problems of the first kind that there is, one a line: what YAML
 * does not allow, settings that go nowhere, what the schema does not allow, what contradicts itself, traces
 * that cannot be read. Each is `FILE:LINE:COL: path: message`, or `--set path=value: path: message`.
 */
export function loadScenario(text: string, file: string, options: LoadOptions = {}): Scenario {
  const yaml = new YamlText(text, file);
  if (yaml.problems.length > 0) refuse([yaml.report(yaml.problems)]);
  refuse((options.set ?? []).flatMap((setting) => applySetting(yaml, setting)));
  const { data, error } = scenarioDocument.safeParse(yaml.value, { reportInput: true });
  if (error !== undefined) {
    throw new SimError("ERR_SCENARIO", yaml.report(shapeProblems(error.issues, yaml)));
  }
  const refuseContradictions = (found: readonly Contradiction[]): void => {
    const problems = found.map(({ path, message }) => ({ path, message, at: yaml.valueAt(path) }));
    if (problems.length > 0) refuse([yaml.report(problems)]);
  };
  refuseContradictions([...misnamed(data, options.name), ...contradictions(data)]);
  const { traces, found } = readTraces(traceUses(data), options.trace);
  refuseContradictions(found);
  return toScenario(data, traces);
}
