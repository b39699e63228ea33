/** One way through the states that the outside prescribes, step by step: a schedule that is played again. */
import { machine } from "../../state/machine";
import { advance, initImages, initialPtr, loadInitial, presentPtr, saveImage } from "./image";
import { beginLayout } from "./memory";
import { brokenByStep, takeStep } from "./step";

let byStep: u64 = 0;

/** Begins at the machine as it is. Returns false without memory. */
export function beginSchedule(): bool {
  machine().interleaved = 1;
  beginLayout();
  if (!initImages()) return false;
  saveImage(initialPtr);
  saveImage(presentPtr);
  return true;
}

/** Goes back to the beginning, also after a crash. */
export function restartSchedule(): void {
  loadInitial();
}

/** Takes the next step of an actor. Returns false if it cannot take one. */
export function scheduleStep(actor: i32): bool {
  if (!takeStep(actor)) return false;
  byStep = brokenByStep();
  advance();
  return true;
}

/** The set of what the last step has done that no step may do. */
export function brokenByLastStep(): u64 {
  return byStep;
}
