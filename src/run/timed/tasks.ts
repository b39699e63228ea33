/** Tasks of guests as records of the core. */
import * as abi from "../../core/abi.ts";
import type { Core, Exports } from "../../core/core.ts";
import type {
  Pattern,
  Scenario,
  ScenarioGuest,
  ScenarioTasks,
  TraceAccess,
} from "../../scenario/scenario.ts";
import { type Distributions, ZIPF_POINTS } from "./distributions.ts";
import { streamOf } from "./streams.ts";

export interface TaskPlacement {
  readonly guest: ScenarioGuest;
  /** Its vCPU, counted within the guest. */
  readonly vcpu: number;
  readonly tasks: ScenarioTasks;
  /** Of a Zipf distribution: its first point. Of a trace: its first access. */
  readonly first: number;
  readonly trace: readonly TraceAccess[] | null;
}

const patternCodes: Readonly<Record<Pattern["kind"], number>> = {
  none: abi.PATTERN_NONE,
  uniform: abi.PATTERN_UNIFORM,
  zipf: abi.PATTERN_ZIPF,
  sequential: abi.PATTERN_SEQUENTIAL,
  shift: abi.PATTERN_SHIFT,
  "ping-pong": abi.PATTERN_PING_PONG,
  trace: abi.PATTERN_TRACE,
};

/** Hundredths of the skew: what the core takes. */
function skewOf(skew: number): number {
  return Math.round(skew * 100);
}

/** The tasks of all guests, those of one vCPU next to each other. */
export function tasksOf(scenario: Scenario, points: Distributions): TaskPlacement[] {
  let accesses = 0;
  const traces = new Map<readonly TraceAccess[], number>();
  const firstOf = ({ pattern, pages }: ScenarioTasks): number => {
    if (pattern.kind === "zipf") return points.placeZipf(pages, skewOf(pattern.skew));
    if (pattern.kind !== "trace") return 0;
    const known = traces.get(pattern.accesses);
    if (known !== undefined) return known;
    traces.set(pattern.accesses, accesses);
    accesses += pattern.accesses.length;
    return accesses - pattern.accesses.length;
  };
  return scenario.guests.flatMap((guest) => {
    let dealt = 0;
    const all = guest.tasks.flatMap((tasks) =>
      Array.from({ length: tasks.count }, () => ({ tasks, vcpu: dealt++ % guest.vcpus })),
    );
    const byVcpu = all.toSorted((a, b) => a.vcpu - b.vcpu);
    const placed = new Set<readonly TraceAccess[]>();
    return byVcpu.map(({ tasks, vcpu }): TaskPlacement => {
      const first = firstOf(tasks);
      const { pattern } = tasks;
      // The accesses of a trace are written once, by the first task that has it.
      const trace = pattern.kind === "trace" && !placed.has(pattern.accesses) ? pattern.accesses : null;
      if (trace !== null) placed.add(trace);
      return { guest, vcpu, tasks, first, trace };
    });
  });
}

function windowOf(pattern: Pattern, first: number): number {
  return pattern.kind === "shift" ? pattern.pages : first;
}

function everyOf(pattern: Pattern): number {
  return pattern.kind === "shift" || pattern.kind === "ping-pong" ? pattern.everyNs : 0;
}

interface TaskPlace {
  readonly task: TaskPlacement;
  readonly number: number;
  readonly seed: number;
}

/** Fills the record of a task. */
export function placeTask(core: Core, x: Exports, { task, number, seed }: TaskPlace): void {
  const { tasks, first, trace } = task;
  const { pattern } = tasks;
  if (trace !== null) {
    core.words(abi.TABLE_ACCESSES).set(
      trace.map(({ page, write }) => page * 2 + Number(write)),
      first,
    );
  }
  let step = pattern.kind === "shift" ? pattern.step : 0;
  if (pattern.kind === "zipf") step = x.setZipf(first, tasks.pages, skewOf(pattern.skew), ZIPF_POINTS);
  if (pattern.kind === "trace") step = pattern.accesses.length;
  const view = core.record(abi.TABLE_TASKS, number * abi.TASK_SIZE);
  view.setI32(abi.TASK_PATTERN, patternCodes[pattern.kind]);
  view.setI32(abi.TASK_FIRST_PAGE, tasks.firstPage);
  view.setI32(abi.TASK_PAGES, tasks.pages);
  view.setI32(abi.TASK_ACCESS_NS, tasks.accessNs);
  view.setI32(abi.TASK_WRITE_PERCENT, tasks.writePercent);
  view.setI32(abi.TASK_SLEEP_EVERY, tasks.sleepEvery);
  view.setU64(abi.TASK_RNG, streamOf(seed, "task", number));
  view.setU64(abi.TASK_SLEEP_NS, BigInt(tasks.sleepNs));
  view.setU64(abi.TASK_EVERY_NS, BigInt(everyOf(pattern)));
  view.setI32(abi.TASK_WINDOW, windowOf(pattern, first));
  view.setI32(abi.TASK_STEP, step);
}
