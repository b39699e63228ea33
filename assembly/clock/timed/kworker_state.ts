/** Kworkers: what the timed clock has of each beside the worker itself. */
import { EVENT_KWORKER, TABLE_KWORKERS } from "../../abi";
import { KWORKER_RECORD_SIZE, tablePtr } from "../../arena";
import { Worker } from "../../actors/worker";
import { eventOf, schedule } from "./queue";

@unmanaged
export class Kworker extends Worker {
  cpu: i32; // its pool
  serial: u32; // of the event that is meant for it
  pinnedAtUs: u32; // when GUP has taken its reference, 0 = it has none
  nextWork: i32; // in the queue of the pool
}

if (offsetof<Kworker>() > <usize>KWORKER_RECORD_SIZE) ERROR("size of a kworker record");

/** The kworker that runs a work item: each item has its own. */
export function kworkerAt(item: i32): Kworker {
  return changetype<Kworker>(tablePtr(TABLE_KWORKERS) + <usize>item * <usize>KWORKER_RECORD_SIZE);
}

export function scheduleKworker(item: i32, atNs: u64): void {
  kworkerAt(item).serial = schedule(atNs, eventOf(EVENT_KWORKER, item));
}
