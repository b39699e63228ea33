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
  atNs: u64;
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

/** Schedules an event. Returns false when the table is full. */
export function schedule(kind: i32, argument: i32, atNs: u64): bool {
  const m = machine();
  if (m.nrEvents >= config(CFG_EVENTS)) return false;
  const event = eventAt(m.nrEvents);
  event.atNs = atNs;
  event.kind = kind;
  event.argument = argument;
  m.nrEvents += 1;
  m.nextEventNs = min<u64>(m.nextEventNs, atNs);
  return true;
}

function happen(event: ScheduledEvent): void {
  if (event.kind == EVENT_RELEASE) releaseGroup(event.argument);
  else if (event.kind == EVENT_SIGNAL) machine().signalPending = 1;
}

/**
 * Lets everything happen that is due by now, in the order in which it was scheduled. Returns true if anything
 * did.
 */
export function runDueEvents(): bool {
  const m = machine();
  if (m.nowNs < m.nextEventNs) return false;
  let kept = 0;
  let earliest = u64.MAX_VALUE;
  for (let i = 0; i < m.nrEvents; i++) {
    const event = eventAt(i);
    if (event.atNs <= m.nowNs) {
      happen(event);
      continue;
    }
    earliest = min<u64>(earliest, event.atNs);
    const target = eventAt(kept);
    target.atNs = event.atNs;
    target.kind = event.kind;
    target.argument = event.argument;
    kept += 1;
  }
  m.nrEvents = kept;
  m.nextEventNs = earliest;
  return true;
}
