/** The migration of one page, a step at a time: isolate, unmap, move, finish. */
import * as abi from "../../assembly/abi.ts";
import { isolate, putback } from "./lru.ts";
import { type Machine, type Page, type Pin, count, has } from "./machine.ts";
import { allocTarget, endPass } from "./migrate.ts";
import {
  type Attempt,
  type Manner,
  finishAttempt,
  lockPage,
  moveToNewPage,
  unmapPage,
} from "./migrate-page.ts";
import { forgetPin, notePin } from "./pins.ts";

export interface Stepped {
  readonly page: Page;
  readonly node: number;
  readonly manner: Manner;
  step: "isolated" | "unmapped" | "moved";
  rc: number;
  target: { readonly page: Page; readonly pin: Pin } | null;
  /** Null: the page lock is not held. */
  attempt: Attempt | null;
}

/** Returns the migration, or -EBUSY. */
export function beginSteps(m: Machine, page: Page, node: number, manner: Manner): Stepped | number {
  const err = isolate(m, page);
  if (err !== 0) return err;
  m.blamed = [];
  return { page, node, manner, step: "isolated", rc: -abi.EAGAIN, target: null, attempt: null };
}

/** Locked and unmapped: 0, or the errno of the attempt. */
function lockAndUnmap(m: Machine, stepped: Stepped): number {
  const { page, manner } = stepped;
  const busy = lockPage(page, manner);
  if (busy !== 0) return busy;
  const { rc, attempt } = unmapPage(m, page, manner);
  stepped.attempt = attempt;
  return rc;
}

export function stepUnmap(m: Machine, stepped: Stepped): number | "sleeps" {
  const { page, manner } = stepped;
  const maySleep = manner.force && manner.mode !== abi.MIGRATE_ASYNC;
  if (has(page, abi.PG_LOCKED) && maySleep) return "sleeps";
  stepped.step = "unmapped";
  const to = allocTarget(m, { only: stepped.node });
  if (to === null) {
    stepped.rc = -abi.ENOMEM;
    return stepped.rc;
  }
  const holder = { kind: abi.HOLDER_MIGRATION_TARGET, page: to, group: 0, owner: 0, token: 0 };
  stepped.target = { page: to, pin: notePin(m, holder) };
  stepped.rc = page.refcount === 1 ? 0 : lockAndUnmap(m, stepped);
  return stepped.rc;
}

export function stepMove(m: Machine, stepped: Stepped): number {
  const { page, target, attempt, rc } = stepped;
  stepped.step = "moved";
  if (rc !== 0 || target === null || attempt === null) return rc;
  stepped.rc = moveToNewPage(m, { page, to: target.page }, attempt.called, stepped.manner.mode);
  return stepped.rc;
}

/** Backs out what is not done, and puts both pages back. Returns the result of the attempt. */
export function stepFinish(m: Machine, stepped: Stepped): number {
  const { page, target, attempt } = stepped;
  const rc = stepped.step !== "moved" && stepped.rc === 0 ? -abi.EAGAIN : stepped.rc;
  if (attempt !== null) finishAttempt(m, page, attempt, rc === 0);
  if (rc === 0) count(m, abi.PGMIGRATE_SUCCESS, 1);
  else if (m.profile.failCountsAgain || (rc !== -abi.EAGAIN && rc !== -abi.ENOMEM))
    count(m, abi.PGMIGRATE_FAIL, 1);
  if (rc !== -abi.ENOMEM) count(m, abi.PROBE_ATTEMPTS, 1);
  if (rc !== 0) m.blamed.push(page);
  if (target !== null) forgetPin(m, target.pin);
  putback(m, page);
  if (target !== null) putback(m, target.page);
  endPass(m, rc === 0 ? 1 : 0, 1);
  return rc;
}
