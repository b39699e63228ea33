/** Simulated time, and pins that are released on it. */
import * as abi from "../../assembly/abi.ts";
import { putPage } from "./lru.ts";
import { type Machine, type Pin, count, removeFrom } from "./machine.ts";

export function releasePin(m: Machine, pin: Pin): void {
  removeFrom(m.pins, pin);
  m.pinIds.giveBack(pin.id);
  if (pin.kind === abi.HOLDER_PIN) {
    count(m, abi.NR_FOLL_PIN_RELEASED, 1);
    pin.page.refcount -= abi.GUP_PIN_COUNTING_BIAS - 1;
  }
  putPage(m, pin.page);
}

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
