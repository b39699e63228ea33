/**
 * References that no page field explains: pins, waiters, the kernel's own pages. Pins are few, so this is a
 * side table, found by pfn through a hash. Who holds a pin is the simulator's knowledge, not the kernel's:
 * reports and checks read it, migration does not.
 */
import {
  CFG_PINS,
  GUP_PIN_COUNTING_BIAS,
  HOLDER_ASYNC_PF,
  HOLDER_LONGTERM,
  HOLDER_PIN,
  PIN_GROUP,
  PIN_KIND,
  PIN_OWNER,
  PIN_PFN,
  PIN_TOKEN,
  TABLE_PINS,
  TABLE_PIN_HASH,
} from "../abi";
import { PIN_RECORD_SIZE, config, pinHashBuckets, tablePtr } from "../arena";
import { maxApfs } from "./apf";
import { machine } from "./machine";
import { poolFree, poolInit, poolNext } from "./pool";

@unmanaged
export class Pin {
  kind: i32; // HOLDER_*, 0 = free
  nextInBucket: i32;
  pfn: i32;
  group: i32; // pins that were taken by one call are released by one
  owner: i32; // process, or vCPU of an async page fault
  token: i32; // of an async page fault
  apf: i32; // its work item
  blamedUs: u32; // when it was first seen to keep its page from moving, in µs; 0 = never
}

if (offsetof<Pin>() > PIN_RECORD_SIZE) ERROR("size of a pin record");
if (offsetof<Pin>("kind") != PIN_KIND) ERROR("Pin record");
if (offsetof<Pin>("pfn") != PIN_PFN) ERROR("Pin record");
if (offsetof<Pin>("group") != PIN_GROUP) ERROR("Pin record");
if (offsetof<Pin>("owner") != PIN_OWNER) ERROR("Pin record");
if (offsetof<Pin>("token") != PIN_TOKEN) ERROR("Pin record");

export function pinAt(id: i32): Pin {
  return changetype<Pin>(tablePtr(TABLE_PINS) + <usize>id * PIN_RECORD_SIZE);
}

/** True for a reference taken by pin_user_pages(). */
export function isFollPin(kind: i32): bool {
  return kind == HOLDER_PIN || kind == HOLDER_LONGTERM;
}

/** References that a holder of `kind` counts. */
export function refsOfKind(kind: i32): i32 {
  return isFollPin(kind) ? GUP_PIN_COUNTING_BIAS : 1;
}

export function initPins(): void {
  machine().freePin = poolInit(tablePtr(TABLE_PINS), PIN_RECORD_SIZE, config(CFG_PINS) + 1);
}

/** How many more pins fit, beside the one that each work item of async_pf may hold. */
export function freePins(): i32 {
  const m = machine();
  return config(CFG_PINS) - m.nrPins - (maxApfs() - m.nrAsyncPfPins);
}

function bucketOf(pfn: i32): usize {
  return tablePtr(TABLE_PIN_HASH) + ((<usize>(pfn & (pinHashBuckets() - 1))) << 2);
}

/** First pin of a page, 0 if none; pinAt(id).nextInBucket leads on, past pins of other pages. */
export function nextPinOf(pfn: i32, after: i32): i32 {
  let id = after == 0 ? load<i32>(bucketOf(pfn)) : pinAt(after).nextInBucket;
  while (id != 0 && pinAt(id).pfn != pfn) id = pinAt(id).nextInBucket;
  return id;
}

/** Notes that a reference of `pfn` is held; the caller has counted it. Returns the id of the pin. */
export function addPin(kind: i32, pfn: i32, group: i32, owner: i32, token: i32): i32 {
  const m = machine();
  const id = m.freePin;
  assert(id != 0, "addPin: no record left");
  m.freePin = poolNext(tablePtr(TABLE_PINS), PIN_RECORD_SIZE, id);
  m.nrPins += 1;
  if (kind == HOLDER_ASYNC_PF) m.nrAsyncPfPins += 1;
  const pin = pinAt(id);
  pin.kind = kind;
  pin.pfn = pfn;
  pin.group = group;
  pin.owner = owner;
  pin.token = token;
  const bucket = bucketOf(pfn);
  pin.nextInBucket = load<i32>(bucket);
  store<i32>(bucket, id);
  return id;
}

function leaveBucket(id: i32): void {
  const pin = pinAt(id);
  const bucket = bucketOf(pin.pfn);
  let before = load<i32>(bucket);
  if (before == id) {
    store<i32>(bucket, pin.nextInBucket);
    return;
  }
  while (pinAt(before).nextInBucket != id) before = pinAt(before).nextInBucket;
  pinAt(before).nextInBucket = pin.nextInBucket;
}

/** Forgets a pin; the caller drops the reference. */
export function removePin(id: i32): void {
  const m = machine();
  if (pinAt(id).kind == HOLDER_ASYNC_PF) m.nrAsyncPfPins -= 1;
  leaveBucket(id);
  m.freePin = poolFree(tablePtr(TABLE_PINS), PIN_RECORD_SIZE, id, m.freePin);
  m.nrPins -= 1;
}

/** The reference of a pin has passed to another page. */
export function retargetPin(id: i32, pfn: i32): void {
  leaveBucket(id);
  const pin = pinAt(id);
  pin.pfn = pfn;
  const bucket = bucketOf(pfn);
  pin.nextInBucket = load<i32>(bucket);
  store<i32>(bucket, id);
}
