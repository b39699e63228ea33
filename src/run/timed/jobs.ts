/** Operations, pinners and background migrations as records of the core. */
import * as abi from "../../core/abi.ts";
import type { Core } from "../../core/core.ts";
import type { Scenario, ScenarioPinner, TimedOperation } from "../../scenario/scenario.ts";
import { type Distributions, exponential } from "./distributions.ts";
import type { PlacedGuest } from "./machine.ts";
import { streamOf } from "./streams.ts";

/** A job before its guest is known by a number. */
export interface Placement {
  readonly kind: number;
  readonly atNs: number;
  /** The operation that it is, or is a thread of; null of a pinner or a background of migrations. */
  readonly operation: TimedOperation | null;
  readonly guest: string | null;
  readonly fields: Readonly<Record<string, number>>;
}

const pinKinds = { get: abi.HOLDER_GET, pin: abi.HOLDER_PIN, longterm: abi.HOLDER_LONGTERM } as const;

const kindsOf: Readonly<Record<TimedOperation["do"], number>> = {
  offline: abi.JOB_OFFLINE,
  "move-pages": abi.JOB_MOVE_PAGES,
  fork: abi.JOB_FORK,
  kill: abi.JOB_KILL,
  pause: abi.JOB_PAUSE,
  resume: abi.JOB_RESUME,
  resize: abi.JOB_RESIZE,
  signal: abi.JOB_SIGNAL,
  pin: abi.JOB_PIN,
  drain: abi.JOB_DRAIN,
};

/** What a thread of move-pages takes of the range: the calls are dealt out in runs. */
function rangeOf(pages: number, batch: number, threads: number, thread: number): [number, number] {
  const calls = Math.ceil(pages / batch);
  const first = Math.floor((calls * thread) / threads) * batch;
  const end = Math.min(Math.floor((calls * (thread + 1)) / threads) * batch, pages);
  return [first, end - first];
}

function fieldsOf(operation: TimedOperation): Record<string, number>[] {
  switch (operation.do) {
    case "offline":
      return [
        {
          first: operation.block,
          giveUpNs: operation.giveUpNs ?? 0,
          giveUpRounds: operation.giveUpRounds ?? 0,
        },
      ];
    case "move-pages":
      return Array.from({ length: operation.threads }, (_, thread) => {
        const [first, nr] = rangeOf(operation.pages, operation.batch, operation.threads, thread);
        return { first: operation.firstPage + first, nr, node: operation.toNode, batch: operation.batch };
      });
    case "pause":
    case "resume":
      return [operation.vcpu === null ? {} : { first: operation.vcpu, nr: 1 }];
    case "resize":
      return [{ nr: operation.memoryLimit }];
    case "pin":
      return [{ first: operation.firstPage, nr: operation.pages, pinKind: pinKinds[operation.kind] }];
    case "drain":
    case "fork":
    case "kill":
    case "signal":
    default:
      return [{}];
  }
}

function operationJobs(operation: TimedOperation): Placement[] {
  return fieldsOf(operation).map((fields) => ({
    kind: kindsOf[operation.do],
    atNs: operation.atNs,
    operation,
    guest: "guest" in operation ? operation.guest : null,
    fields: { ...fields, isOperation: 1 },
  }));
}

function everyOf(perSecond: number, points: Distributions): number {
  return perSecond === 0 ? 0 : points.place(exponential(1e9 / perSecond));
}

function pinnerJob(pinner: ScenarioPinner, points: Distributions): Placement {
  const { kind, guest, firstPage, pages, perSecond, atOnce, hold, startNs } = pinner;
  return {
    kind: abi.JOB_PINNER,
    atNs: startNs,
    operation: null,
    guest,
    fields: {
      first: firstPage,
      nr: pages,
      pinKind: pinKinds[kind],
      every: everyOf(perSecond, points),
      hold: hold === null ? 0 : points.place(hold),
      atOnce,
    },
  };
}

/** All jobs of a scenario, operations first. */
export function jobsOf(scenario: Scenario, points: Distributions): Placement[] {
  return [
    ...scenario.operations.flatMap(operationJobs),
    ...scenario.pinners.map((pinner) => pinnerJob(pinner, points)),
    ...scenario.migrations.map(({ guest, firstPage, pages, perSecond, toNode }): Placement => ({
      kind: abi.JOB_MIGRATION,
      atNs: 0,
      operation: null,
      guest,
      fields: { first: firstPage, nr: pages, node: toNode, every: everyOf(perSecond, points) },
    })),
  ];
}

const offsets: Readonly<Record<string, number>> = {
  first: abi.JOB_FIRST,
  nr: abi.JOB_NR,
  node: abi.JOB_NODE,
  batch: abi.JOB_BATCH,
  giveUpRounds: abi.JOB_GIVE_UP_ROUNDS,
  every: abi.JOB_EVERY,
  hold: abi.JOB_HOLD,
  atOnce: abi.JOB_AT_ONCE,
  pinKind: abi.JOB_PIN_KIND,
  isOperation: abi.JOB_IS_OPERATION,
};

interface JobPlace {
  readonly job: Placement;
  readonly number: number;
  readonly guests: readonly PlacedGuest[];
}

/** Fills the record of a job. */
export function placeJob(core: Core, { job, number, guests }: JobPlace): void {
  const view = core.record(abi.TABLE_JOBS, number * abi.JOB_SIZE);
  const placed = guests.find(({ guest }) => guest.name === job.guest);
  view.setI32(abi.JOB_KIND, job.kind);
  view.setI32(abi.JOB_MM, placed?.mm ?? 0);
  for (const [name, value] of Object.entries(job.fields)) {
    const offset = offsets[name];
    if (offset !== undefined) view.setI32(offset, value);
  }
  if (job.fields["giveUpNs"] !== undefined) view.setU64(abi.JOB_GIVE_UP_NS, BigInt(job.fields["giveUpNs"]));
  const isOfVcpu = job.kind === abi.JOB_PAUSE || job.kind === abi.JOB_RESUME;
  if (isOfVcpu) view.setI32(abi.JOB_FIRST, (placed?.firstVcpu ?? 0) + (job.fields["first"] ?? 0));
  view.setU64(abi.JOB_RNG, streamOf(core.config(abi.CFG_SEED_LOW), "job", number));
}
