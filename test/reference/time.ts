/** Simulated time, and pins that are released on it. */
import type { Machine } from "./machine.ts";
import { releasePin } from "./pins.ts";

export function releaseGroup(m: Machine, group: number): void {
  const pins = m.pins.filter((pin) => pin.group === group).toSorted((a, b) => a.id - b.id);
  for (const pin of pins) releasePin(m, pin);
}

export function runDueEvents(m: Machine): void {
  const due = m.events.filter(({ atNs }) => atNs <= m.nowNs);
  m.events = m.events.filter(({ atNs }) => atNs > m.nowNs);
  for (const { group } of due) releaseGroup(m, group);
}

export function wait(m: Machine, ns: number): void {
  m.nowNs += ns;
  runDueEvents(m);
}
