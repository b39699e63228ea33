/** References that no page field explains, and who holds them. */
import * as abi from "../../assembly/abi.ts";
import { getPage, putPage } from "./lru.ts";
import { type Machine, type Pin, count, removeFrom } from "./machine.ts";

/** Notes who holds a reference that has been counted. */
export function notePin(m: Machine, holder: Omit<Pin, "id">): Pin {
  const pin = { ...holder, id: m.pinIds.take() };
  m.pins.push(pin);
  return pin;
}

export function forgetPin(m: Machine, pin: Pin): void {
  removeFrom(m.pins, pin);
  m.pinIds.giveBack(pin.id);
}

function isFollPin(kind: number): boolean {
  return kind === abi.HOLDER_PIN || kind === abi.HOLDER_LONGTERM;
}

export function takePin(m: Machine, holder: Omit<Pin, "id">): Pin {
  getPage(holder.page);
  if (isFollPin(holder.kind)) {
    holder.page.refcount += abi.GUP_PIN_COUNTING_BIAS - 1;
    count(m, abi.NR_FOLL_PIN_ACQUIRED, 1);
  }
  return notePin(m, holder);
}

export function releasePin(m: Machine, pin: Pin): void {
  forgetPin(m, pin);
  if (isFollPin(pin.kind)) {
    count(m, abi.NR_FOLL_PIN_RELEASED, 1);
    pin.page.refcount -= abi.GUP_PIN_COUNTING_BIAS - 1;
  }
  putPage(m, pin.page);
}
