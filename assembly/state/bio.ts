/**
 * Pages on their way to or from a swap device, as long as a request has not taken them (struct bio). On the
 * timed clock alone: elsewhere I/O ends when its actor takes a step, or is told to.
 */
import { CFG_REQUESTS, TABLE_BIOS } from "../abi";
import { BIO_RECORD_SIZE, config, tablePtr } from "../arena";
import { machine } from "./machine";
import { poolFree, poolInit, poolNext } from "./pool";

@unmanaged
export class Bio {
  pfn: i32; // 0 = free
  next: i32; // in the list of submitted ones, or of its request
  slot: i32;
  write: i32;
  nr: i32; // of the first one of a request: its pages
  nextRequest: i32; // of that: the one that the device takes after it
}

if (offsetof<Bio>() > <usize>BIO_RECORD_SIZE) ERROR("size of a bio record");

export function bioAt(id: i32): Bio {
  return changetype<Bio>(tablePtr(TABLE_BIOS) + <usize>id * <usize>BIO_RECORD_SIZE);
}

export function initBios(): void {
  machine().freeBio = poolInit(tablePtr(TABLE_BIOS), <usize>BIO_RECORD_SIZE, config(CFG_REQUESTS) + 1);
}

/** How many more pages can be in flight. */
export function freeBios(): i32 {
  return config(CFG_REQUESTS) - machine().nrBios;
}

/** submit_bio() of one page. */
export function submitBio(pfn: i32, slot: i32, write: bool): void {
  const m = machine();
  if (m.timed == 0) return;
  const id = m.freeBio;
  assert(id != 0, "submitBio: no record left");
  m.freeBio = poolNext(tablePtr(TABLE_BIOS), <usize>BIO_RECORD_SIZE, id);
  m.nrBios += 1;
  const bio = bioAt(id);
  bio.pfn = pfn;
  bio.slot = slot;
  bio.write = write ? 1 : 0;
  bio.next = 0;
  if (m.firstSubmitted == 0) m.firstSubmitted = id;
  else bioAt(m.lastSubmitted).next = id;
  m.lastSubmitted = id;
}

export function freeBio(id: i32): void {
  const m = machine();
  m.freeBio = poolFree(tablePtr(TABLE_BIOS), <usize>BIO_RECORD_SIZE, id, m.freeBio);
  m.nrBios -= 1;
}
