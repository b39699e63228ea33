/** How fast does simulated time pass on the timed clock? */
import { ACCESS, EVENT, type Figures, type Question, type Size, type Suite } from "../question.ts";
import { MI, VCPUS, loadScenario } from "../timed/loads.ts";
import { type TimedSubject, timedSubject } from "../timed/subject.ts";
import { sixPolicies } from "./timed-offline.ts";
import { deviceQueue } from "./timed-queue.ts";

const MILLION = 1e6;
const NS_PER_S = 1e9;
const BYTES_PER_MIB = 2 ** 20;

/** Simulated time of a sample. */
const SAMPLE_NS = { full: 20_000_000, smoke: 200_000 } as const;
const EVENTS_ARE =
  "an event is a transition of a vCPU thread, a kworker, a reclaimer or a job, the end of a request, a " +
  "sleep or a slice";

function framesOf(size: Size, full: number): number {
  return size === "smoke" ? full / 1024 : full;
}

function perSecond(figures: Figures, name: string): number {
  return NS_PER_S / figures.nsPerUnit(name) / MILLION;
}

const contents = [0, 8] as const;

function withContent(bytes: number): string {
  return bytes === 0 ? "no content" : `${bytes} bytes a page`;
}

interface Resident {
  readonly size: Size;
  readonly frames: number;
  readonly accessNs: number;
}

/** Nothing faults: the guest has 31/32 of the frames, all of them touched before. */
function residentSubject(bytes: number, { size, frames, accessNs }: Resident): Promise<TimedSubject> {
  const pages = (frames / 32) * 31;
  const load = { frames, pages, contentBytes: bytes, accessNs, tasks: VCPUS, swappedOut: 0 };
  const scenario = loadScenario({ ...load, pattern: { kind: "uniform" } });
  return timedSubject({ name: withContent(bytes), scenario, sampleNs: SAMPLE_NS[size], compares: true });
}

function resident(size: Size, accessNs: number, goals: Question["goals"] = []): Question {
  const frames = framesOf(size, 4 * MI);
  let subjects: readonly TimedSubject[] = [];
  return {
    title: `memory that is there: ${VCPUS} vCPUs, ${frames} frames, an access in ${accessNs} ns each`,
    unit: ACCESS,
    units: 1,
    warmups: 1,
    rounds: 7,
    goals,
    contestants: async () => {
      subjects = await Promise.all(
        contents.map((bytes) => residentSubject(bytes, { size, frames, accessNs })),
      );
      return subjects.map((subject) => ({ ...subject, units: () => subject.accesses() }));
    },
    notes: (figures) =>
      subjects.map((subject) => {
        const events = (perSecond(figures, subject.name) * subject.events()) / subject.accesses();
        return `${subject.name}: ${events.toFixed(1)} million events/s`;
      }),
  };
}

const residentGoal: Question["goals"] = contents.map((bytes) => ({
  text: `at least 20 million accesses/s, ${withContent(bytes)}`,
  value: (figures) => perSecond(figures, withContent(bytes)),
  atLeast: 20,
}));

/**
 * Every tenth page is in swap, and as many are put out as come in: four tasks a vCPU, so that there is one to
 * run while others wait for a page.
 */
function faulting(name: string, size: Size, frames: number): Promise<TimedSubject> {
  const load = { frames, pages: (frames / 16) * 15, contentBytes: 0, accessNs: 1000, tasks: VCPUS * 4 };
  const scenario = loadScenario({ ...load, pattern: { kind: "uniform" }, swappedOut: 100 });
  return timedSubject({ name, scenario, sampleNs: SAMPLE_NS[size], compares: false });
}

const metrics = ["accesses", "faults", "swapIns", "swapOuts", "scanned"] as const;

function loadNote(subject: TimedSubject): string {
  const rate = (metric: (typeof metrics)[number]): string => (subject.perSecond(metric) / MILLION).toFixed(2);
  const counts = metrics.map((metric) => `${rate(metric)} ${metric}`).join(", ");
  const mib = (subject.memoryBytes / BYTES_PER_MIB).toFixed(0);
  return `${subject.name}, millions in a simulated second: ${counts}; ${mib} MiB`;
}

const millions = [1, 4, 16, 64] as const;

function frameCount(nr: number): string {
  return `${nr} Mi frames`;
}

/** The cost of an event as memory grows, and the guest's working set with it: all of its pages, uniformly. */
function growing(size: Size): Question {
  let subjects: readonly TimedSubject[] = [];
  const least = frameCount(millions[0]);
  const goal = (nr: number) => ({
    text: `at most twice the time for an event, ${frameCount(nr)} to ${least}`,
    value: (figures: Figures) => figures.ratio(frameCount(nr), least),
    atMost: 2,
  });
  return {
    title: `I/O: ${VCPUS} vCPUs access all of a guest of which a tenth is in swap on NVMe`,
    unit: EVENT,
    units: 1,
    warmups: 3,
    rounds: 9,
    goals: [
      {
        text: `at least 3 million events/s, ${frameCount(4)}`,
        value: (figures) => perSecond(figures, frameCount(4)),
        atLeast: 3,
      },
      ...millions.filter((nr) => nr !== millions[0]).map(goal),
    ],
    contestants: async () => {
      const made: TimedSubject[] = [];
      for (const nr of millions) {
        // One after the other: the set-up of the largest takes a while, and all there is of a core.
        // oxlint-disable-next-line no-await-in-loop
        made.push(await faulting(frameCount(nr), size, framesOf(size, nr * MI)));
      }
      subjects = made;
      return subjects.map((subject) => ({ ...subject, units: () => subject.events() }));
    },
    notes: () => [EVENTS_ARE, ...subjects.map(loadNote)],
  };
}

export const timed: Suite = {
  name: "timed",
  questions: (size) => [
    resident(size, 100, residentGoal),
    resident(size, 1000),
    growing(size),
    sixPolicies(size),
    deviceQueue(size),
  ],
};
