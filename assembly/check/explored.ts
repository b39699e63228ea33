/**
 * What the explored clock asks of every state beside verify(): the sets of what does not hold, a bit each
 * (violation.ts).
 */
import {
  ACTOR_MIGRATOR,
  BROKEN_DANGLING,
  CFG_MAX_PFN,
  CFG_POLICY,
  FIRST_PFN,
  INV_DATA,
  INV_ENTRY,
  INV_FREE,
  INV_LIST,
  INV_LIVE,
  INV_MAPC,
  INV_MOVE,
  INV_PTE,
  INV_REF,
  INV_UAF,
  POLICY_DROP_GET,
  POLICY_RFC,
} from "../abi";
import { config } from "../arena";
import { actorAt, nrActors } from "../state/actor";
import { ctxAt, ctxOf } from "../state/apf";
import { machine } from "../state/machine";
import { pageAt } from "../state/page";
import { verify } from "./verify";
import { beginCollecting, endCollecting, expectEqual } from "./violation";

/** The page in use whose page->private points to a freed context (not that anybody would follow it). */
function pageWithDanglingPrivate(): i32 {
  for (let pfn = FIRST_PFN; pfn < config(CFG_MAX_PFN); pfn++) {
    const page = pageAt(pfn);
    const ctx = ctxOf(page);
    if (ctx != 0 && page.refcount > 0 && ctxAt(ctx).live == 0) return pfn;
  }
  return 0;
}

/** The page that has not moved although nobody but async_pf held it, where the policy promises it. */
function stuckPage(): i32 {
  const policy = config(CFG_POLICY);
  if (policy != POLICY_RFC && policy != POLICY_DROP_GET) return 0;
  for (let number = 0; number < nrActors(); number++) {
    const actor = actorAt(number);
    if (actor.kind == ACTOR_MIGRATOR && actor.heldByAsyncPf != 0) return actor.heldByAsyncPf;
  }
  return 0;
}

/**
 * What leaves memory in a state from which anything may follow: a count that is wrong, a freed page in use.
 * As after a crash, what comes then says nothing about the order of steps.
 */
const CORRUPT: u64 =
  (1 << INV_REF) |
  (1 << INV_MAPC) |
  (1 << INV_UAF) |
  (1 << INV_FREE) |
  (1 << INV_LIST) |
  (1 << INV_ENTRY) |
  (1 << INV_DATA) |
  (1 << INV_PTE);

/** True if a set has something after which no step is worth taking. */
export function isCorrupt(broken: u64): bool {
  return (broken & CORRUPT) != 0;
}

/** Leaves no record behind: it would be state. */
function forgetViolation(): void {
  const m = machine();
  m.badInvariant = 0;
  m.badPfn = 0;
  m.badObject = 0;
  m.badExpected = 0;
  m.badFound = 0;
}

function verifyAll(resting: bool, wantedBit: i32): u64 {
  const m = machine();
  m.interleaved = resting ? 0 : 1;
  beginCollecting(wantedBit);
  verify();
  // At the end nobody sleeps on a page any more.
  if (resting) expectEqual(INV_LIVE, 0, 0, 0, m.nrWaiters);
  const broken = endCollecting();
  m.interleaved = 1;
  return broken;
}

/** The set of what does not hold in the present state; `resting`: and of what must hold at its end. */
export function brokenIn(resting: bool): u64 {
  let broken = verifyAll(resting, -1);
  forgetViolation();
  if (pageWithDanglingPrivate() != 0) broken |= (<u64>1) << BROKEN_DANGLING;
  if (stuckPage() != 0) broken |= (<u64>1) << INV_MOVE;
  return broken;
}

/** Leaves the record of the violation behind a bit of that set: page, object, expected and found. */
export function describeBroken(bit: i32, resting: bool): void {
  const m = machine();
  verifyAll(resting, bit);
  m.badInvariant = 0;
  if (bit == BROKEN_DANGLING) m.badPfn = pageWithDanglingPrivate();
  if (bit == INV_MOVE) m.badPfn = stuckPage();
}
