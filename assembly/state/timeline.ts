/**
 * Simulated time, and what is scheduled to happen on it from outside: pins that are released, a signal.
 * Things that are due take effect where the kernel would reschedule: between two passes of a migration,
 * between two rounds.
 */
import { CFG_EVENTS, EVENT_RELEASE, EVENT_SIGNAL, TABLE_EVENTS } from "../abi";
import { EVENT_RECORD_SIZE, config, tablePtr } from "../arena";
import { machine } from "./machine";
import { releaseGroup } from "./release";

@unmanaged
export class ScheduledEvent {
  atNs: u64; // u64.MAX_VALUE: after rounds instead
  afterRounds: i64; // of the offline that runs next; i64.MAX_VALUE: at a time instead
  kind: i32; // EVENT_*
  argument: i32;
}

if (offsetof<ScheduledEvent>() > EVENT_RECORD_SIZE) ERROR("size of an event record");

function eventAt(position: i32): ScheduledEvent {
  return changetype<ScheduledEvent>(tablePtr(TABLE_EVENTS) + <usize>position * EVENT_RECORD_SIZE);
}

export function initTimeline(): void {
  machine().nextEventNs = u64.MAX_VALUE;
}

export function spend(ns: u64): void {
  machine().nowNs += ns;
}

function addEvent(kind: i32, argument: i32, atNs: u64, afterRounds: i64): bool {
  const m = machine();
  if (m.nrEvents >= config(CFG_EVENTS)) return false;
  const event = eventAt(m.nrEvents);
  event.atNs = atNs;
  event.afterRounds = afterRounds;
  event.kind = kind;
  event.argument = argument;
  m.nrEvents += 1;
  m.nextEventNs = min<u64>(m.nextEventNs, atNs);
  return true;
}

/** Schedules an event at a time. Returns false when the table is full. */
export function schedule(kind: i32, argument: i32, atNs: u64): bool {
  return addEvent(kind, argument, atNs, i64.MAX_VALUE);
}

/** Schedules an event after so many rounds of the next offline. Returns false when the table is full. */
export function scheduleAfterRounds(kind: i32, argument: i32, rounds: i64): bool {
  return addEvent(kind, argument, u64.MAX_VALUE, rounds);
}

function happen(event: ScheduledEvent): void {
  if (event.kind == EVENT_RELEASE) releaseGroup(event.argument);
  else if (event.kind == EVENT_SIGNAL) machine().signalPending = 1;
}

/** Takes out the events due by `nowNs` or after `rounds` rounds; they happen unless they are cancelled. */
function takeEvents(nowNs: u64, rounds: i64, cancelled: bool): void {
  const m = machine();
  let kept = 0;
  m.nextEventNs = u64.MAX_VALUE;
  for (let i = 0; i < m.nrEvents; i++) {
    const event = eventAt(i);
    if (event.atNs <= nowNs || event.afterRounds <= rounds) {
      if (!cancelled) happen(event);
      continue;
    }
    m.nextEventNs = min<u64>(m.nextEventNs, event.atNs);
    if (kept != i) memory.copy(changetype<usize>(eventAt(kept)), changetype<usize>(event), EVENT_RECORD_SIZE);
    kept += 1;
  }
  const unused = (m.nrEvents - kept) * <i32>EVENT_RECORD_SIZE;
  memory.fill(changetype<usize>(eventAt(kept)), 0, unused);
  m.nrEvents = kept;
}

/** Lets everything happen that is due by now, in the order in which it was scheduled. */
export function runDueEvents(): void {
  const m = machine();
  if (m.nowNs >= m.nextEventNs) takeEvents(m.nowNs, -1, false);
}

/** Lets everything happen that was scheduled after at most `rounds` rounds. */
export function runRoundEvents(rounds: i64): void {
  if (nextRoundEvent() <= rounds) takeEvents(0, rounds, false);
}

/** Forgets what was scheduled after rounds that the offline did not reach. */
export function cancelRoundEvents(): void {
  if (nextRoundEvent() != i64.MAX_VALUE) takeEvents(0, i64.MAX_VALUE - 1, true);
}

/** Rounds after which the next event is due, i64.MAX_VALUE if none. */
export function nextRoundEvent(): i64 {
  let next = i64.MAX_VALUE;
  for (let i = 0; i < machine().nrEvents; i++) next = min<i64>(next, eventAt(i).afterRounds);
  return next;
}
