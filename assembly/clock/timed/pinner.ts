/** Others who pin guest pages: one at a time at a rate, or a range at once. */
import {
  COST_PIN,
  EVENT_UNPIN,
  HOLDER_LONGTERM,
  JOB_ENDED,
  METRIC_PINS,
  METRIC_SKIPPED_PINS,
} from "../../abi";
import { isAllowed } from "../../kernel/fault";
import { faultinPage, takePin } from "../../kernel/gup";
import { faultinLongtermPage } from "../../kernel/longterm";
import { machine } from "../../state/machine";
import { mmAt } from "../../state/mm";
import { pinAt, freePins, isFollPin } from "../../state/pins";
import { releasePin } from "../../state/release";
import { draw, drawBelow } from "./draw";
import { Job, endJob } from "./job_state";
import { addPinTime, addTo } from "./metrics";
import { eventOf, schedule } from "./queue";
import { PARKED, costOf, timed } from "./timed_state";

/** Draws until a page is there: so often. */
const MAX_DRAWS: i32 = 16;

/** Pins a page, which may have to be moved or faulted in first. Returns the pin, or 0 if it cannot be had. */
function pinPage(job: Job, vpn: i32): i32 {
  const kind = job.pinKind;
  if (freePins() <= 0) return 0;
  if (isFollPin(kind)) mmAt(job.mm).hasPinned = 1;
  const pfn =
    kind == HOLDER_LONGTERM ? faultinLongtermPage(job.mm, vpn, true) : faultinPage(job.mm, vpn, true);
  if (pfn <= 0) return 0;
  addPinTime(machine().nowNs);
  timed().otherPins += 1;
  addTo(METRIC_PINS, 1);
  return takePin(kind, pfn, 0, job.mm, 0);
}

/** A page of the range that can be written without a wait, -1 if none was found. */
function drawPage(job: Job): i32 {
  for (let nr = 0; nr < MAX_DRAWS; nr++) {
    const vpn = job.first + drawBelow(job.stream(), job.nr);
    if (isAllowed(job.mm, vpn, true)) return vpn;
  }
  return -1;
}

function pinOne(job: Job): void {
  const vpn = drawPage(job);
  const pin = vpn < 0 ? 0 : pinPage(job, vpn);
  // The hold time is drawn in any case, so that the numbers after it are the same.
  const hold = draw(job.stream(), job.hold);
  if (pin == 0) addTo(METRIC_SKIPPED_PINS, 1);
  else if (job.hold != 0) schedule(machine().nowNs + hold, eventOf(EVENT_UNPIN, pin));
}

/** The next pin of a pinner. Returns how long it is to the one after it, or PARKED. */
export function pinnerJobStep(job: Job): i64 {
  if (mmAt(job.mm).exiting != 0 || mmAt(job.mm).live == 0) return PARKED;
  if (job.does == 0) {
    job.does = 1;
    for (let nr = 0; nr < job.atOnce; nr++) pinOne(job);
  } else {
    pinOne(job);
  }
  job.rounds += 1;
  return job.every == 0 ? PARKED : <i64>draw(job.stream(), job.every);
}

/** A pin is released. */
export function unpin(pin: i32): void {
  if (pinAt(pin).kind == 0) return;
  addPinTime(machine().nowNs);
  timed().otherPins -= 1;
  releasePin(pin);
}

/** Pins the next page of a range, to hold it for ever. Returns how long it takes, or PARKED at the end. */
export function pinRangeStep(job: Job): i64 {
  if (job.cursor >= job.nr) {
    endJob(job, JOB_ENDED, job.moved);
    return PARKED;
  }
  const pin = pinPage(job, job.first + job.cursor);
  if (pin != 0) job.moved += 1;
  else job.left += 1;
  job.cursor += 1;
  return <i64>costOf(COST_PIN);
}
