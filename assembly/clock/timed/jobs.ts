/** What a job does when its time has come. */
import {
  ACTOR_PROCESS,
  CFG_CPUS,
  CFG_VCPUS,
  COST_DRAIN,
  EVENT_JOB,
  JOB_DRAIN,
  JOB_ENDED,
  JOB_FORK,
  JOB_KILL,
  JOB_MIGRATION,
  JOB_MOVE_PAGES,
  JOB_OFFLINE,
  JOB_PAUSE,
  JOB_PIN,
  JOB_PINNER,
  JOB_RESIZE,
  JOB_RESUME,
  JOB_RUNNING,
  JOB_SIGNAL,
  OP_EXIT,
  OP_FORK,
  STEP_BLOCKED,
} from "../../abi";
import { config } from "../../arena";
import { placeActor } from "../../actors/actors";
import { processStep } from "../../actors/process";
import { ProcessActor } from "../../actors/process_actor";
import { actorAt } from "../../state/actor";
import { lruAddDrainAll } from "../../state/lru_batch";
import { machine } from "../../state/machine";
import { mmAt } from "../../state/mm";
import { vcpuAt } from "../../state/vcpu";
import { parkOn, wakeUpPage } from "../../state/wait_queue";
import { Job, endJob, jobAt } from "./job_state";
import { migrationJobStep, movePagesStep } from "./move_job";
import { offlineJobStep } from "./offline_job";
import { pinRangeStep, pinnerJobStep } from "./pinner";
import { shrinkToLimit } from "./pressure";
import { eventOf } from "./queue";
import { Thread, threadAt } from "./thread_state";
import { hasEnded, killThread, pauseThread, resumeThread } from "./thread_wake";
import { PARKED, costOf, semKey, timed } from "./timed_state";

/** How long it is until a process asks again what it waits for, ns. */
const RETRY_NS: i64 = 10_000;
const OPERATION_SHIFT: i32 = 4;

function isOfJob(thread: Thread, job: Job): bool {
  if (hasEnded(thread) || thread.mm != job.mm) return false;
  return job.nr != 1 || thread.vcpu == job.first;
}

/** Does the same to every thread of the guest, or to the one vCPU that the job names. */
function forThreads(job: Job): void {
  for (let vcpu = 0; vcpu < config(CFG_VCPUS); vcpu++) {
    const thread = threadAt(vcpu);
    if (!isOfJob(thread, job)) continue;
    if (job.kind == JOB_PAUSE) pauseThread(thread);
    else if (job.kind == JOB_RESUME) resumeThread(thread);
    else killThread(thread);
  }
}

/** True if all threads of the guest are gone. */
function threadsEnded(job: Job): bool {
  for (let vcpu = 0; vcpu < config(CFG_VCPUS); vcpu++) {
    if (vcpuAt(vcpu).mm == job.mm && !hasEnded(threadAt(vcpu))) return false;
  }
  return true;
}

function ended(job: Job, rc: i32): i64 {
  endJob(job, JOB_ENDED, rc);
  return PARKED;
}

/** mmap_sem is free for readers again. */
function afterUpWrite(mm: i32): void {
  const m = machine();
  if (m.semWriter == mm) m.semWriter = 0;
  wakeUpPage(semKey(mm));
}

/** A transition of the process that is behind a guest: fork, or its end. */
function processJobStep(job: Job, number: i32, sleeper: i32): i64 {
  const process = changetype<ProcessActor>(actorAt(number)); // each job has an actor of its own
  if (job.does == 0) {
    job.does = 1;
    const operation = job.kind == JOB_FORK ? OP_FORK : OP_EXIT;
    placeActor(number, ACTOR_PROCESS, job.mm, 0, operation << OPERATION_SHIFT, 0);
    if (job.kind == JOB_KILL) forThreads(job);
  }
  if (job.kind == JOB_KILL && !threadsEnded(job)) return RETRY_NS;
  const m = machine();
  if (processStep(process) == STEP_BLOCKED) {
    if (job.kind != JOB_FORK || mmAt(job.mm).mmapSem == 0) return RETRY_NS;
    m.semWriter = job.mm; // readers that come now queue behind it
    parkOn(semKey(job.mm), sleeper);
    return PARKED;
  }
  const cost = <i64>costOf(process.transition);
  job.rounds += 1;
  if (process.ended == 0) return cost;
  if (job.kind == JOB_FORK) afterUpWrite(job.mm);
  return ended(job, job.kind == JOB_FORK && process.child == 0 ? -1 : 0);
}

/** The guests may have less charged, or more, from now on. */
function resizeStep(job: Job, sleeper: i32): i64 {
  timed().limitPages = job.nr;
  if (job.rounds < 64 && shrinkToLimit(sleeper)) {
    job.rounds += 1;
    return PARKED;
  }
  return ended(job, 0);
}

function drain(job: Job): i64 {
  if (job.does == 0) {
    job.does = 1;
    return <i64>costOf(COST_DRAIN);
  }
  lruAddDrainAll(config(CFG_CPUS));
  return ended(job, 0);
}

/** The next transition of a job. Returns how long it takes, or PARKED. */
export function jobStep(number: i32): i64 {
  const job = jobAt(number);
  const sleeper = eventOf(EVENT_JOB, number);
  if (job.state == 0) {
    job.state = JOB_RUNNING;
    job.startNs = machine().nowNs;
  }
  if (job.state != JOB_RUNNING) return PARKED;
  switch (job.kind) {
    case JOB_OFFLINE:
      return offlineJobStep(job, number, sleeper);
    case JOB_MOVE_PAGES:
      return movePagesStep(job, sleeper);
    case JOB_MIGRATION:
      return migrationJobStep(job, sleeper);
    case JOB_PINNER:
      return pinnerJobStep(job);
    case JOB_PIN:
      return pinRangeStep(job);
    case JOB_FORK:
    case JOB_KILL:
      return processJobStep(job, number, sleeper);
    case JOB_RESIZE:
      return resizeStep(job, sleeper);
    case JOB_DRAIN:
      return drain(job);
    case JOB_SIGNAL:
      machine().signalPending = timed().offliner != 0 ? 1 : 0;
      return ended(job, 0);
    default:
      assert(job.kind == JOB_PAUSE || job.kind == JOB_RESUME, "jobStep: no such kind");
      forThreads(job);
      return ended(job, 0);
  }
}
