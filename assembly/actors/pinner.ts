/** A thread that pins pages as O_DIRECT does, with get_user_pages() for a write, and gives them back. */
import {
  HOLDER_GET,
  OP_PIN,
  OP_UNPIN,
  STEP_BLOCKED,
  STEP_TAKEN,
  TRANSITION_PIN_FAULT,
  TRANSITION_PIN_GET,
  TRANSITION_UNPIN,
} from "../abi";
import { faultinPage, takePin } from "../kernel/gup";
import { endOperation, nextOperation, nextPage, numberOf } from "../state/actor";
import { mmAt } from "../state/mm";
import { freePins } from "../state/pins";
import { releaseGroup } from "../state/release";
import { FAULT_ALLOWED, FAULT_FAILED, Faulter, endFault, faultStep, isBusy } from "./faulter";

/** Groups of pins of the pinners: above those that newGroup() gives. */
const FIRST_GROUP: i32 = 1 << 24;

/** The group of what the actor has pinned of the page that its operation is about. */
function groupOf(pinner: Faulter): i32 {
  return FIRST_GROUP + (numberOf(pinner) << 4) + nextPage(pinner);
}

/** get_user_pages() of one page: the fault, then the reference under the lock of the PTE. */
function pinStep(pinner: Faulter): i32 {
  const mm = pinner.mm;
  const vpn = nextPage(pinner);
  const rc = faultStep(pinner, mm, vpn, TRANSITION_PIN_FAULT);
  if (rc != FAULT_ALLOWED && rc != FAULT_FAILED) return rc;
  if (rc == FAULT_ALLOWED && freePins() > 0) {
    if (pinner.pc == 0) pinner.transition = TRANSITION_PIN_GET;
    takePin(HOLDER_GET, faultinPage(mm, vpn, true), groupOf(pinner), mm, 0);
  }
  endFault(pinner, mm);
  return STEP_TAKEN;
}

/** The next transition of a pinner. A thread that was killed pins nothing more, but gives back. */
export function pinnerStep(pinner: Faulter): i32 {
  if (pinner.ended != 0) return STEP_BLOCKED;
  const operation = nextOperation(pinner);
  assert(operation == OP_PIN || operation == OP_UNPIN, "pinnerStep: no such operation");
  if (operation == OP_PIN && (isBusy(pinner) || mmAt(pinner.mm).exiting == 0)) return pinStep(pinner);
  pinner.transition = operation == OP_PIN ? TRANSITION_PIN_FAULT : TRANSITION_UNPIN;
  if (operation == OP_UNPIN) releaseGroup(groupOf(pinner));
  endOperation(pinner);
  return STEP_TAKEN;
}
