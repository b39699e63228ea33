/**
 * The states that a search has seen: their hashes of 128 bits, how each was reached, and its sleep set. Ids
 * count from 0, the initial state. A table of ids, at most 7/8 full, finds a hash: 22 bytes a state and 4.6
 * to 9.2 of the table.
 */
import { EXPLORE_MAX_STATES } from "../../abi";
import { hasMemory, reserve } from "./memory";

/** Of the word that says how a state was reached: the actor, and whether the state was expanded. */
const PARENT_BITS: i32 = 27;
const PARENT_MASK: u32 = (1 << PARENT_BITS) - 1;
const EXPANDED: u32 = 1 << PARENT_BITS;
const ACTOR_SHIFT: i32 = PARENT_BITS + 1;
export const NO_STATE: i32 = -1;
const SMALLEST_TABLE: u32 = 1 << 10;

if (EXPLORE_MAX_STATES > 1 << PARENT_BITS) ERROR("ids of states");

let hashes: usize = 0;
let origins: usize = 0;
let sleeps: usize = 0;
let table: usize = 0;
let tableSlots: u32 = 0;
let limit: i32 = 0;
export let nrStates: i32 = 0;

/** Makes room for at most `maxStates` states. Returns false without memory. */
export function initVisited(maxStates: i32): bool {
  limit = maxStates;
  nrStates = 0;
  tableSlots = SMALLEST_TABLE;
  let slots: u64 = SMALLEST_TABLE;
  while (slots * 7 < <u64>maxStates * 8) slots <<= 1;
  hashes = reserve(<u64>maxStates * 16);
  origins = reserve(<u64>maxStates * 4);
  sleeps = reserve(<u64>maxStates * 2);
  table = reserve(slots * 4);
  if (hashes == 0 || origins == 0 || sleeps == 0 || table == 0) return false;
  memory.fill(table, 0xff, (<usize>tableSlots) << 2);
  return hasMemory(table + ((<usize>slots) << 2));
}

/** Bytes in use for the states seen so far. */
export function visitedBytes(): f64 {
  return <f64>nrStates * 22 + <f64>tableSlots * 4;
}

function slotOf(low: u64, high: u64): u32 {
  let slot = <u32>low & (tableSlots - 1);
  while (true) {
    const id = load<i32>(table + ((<usize>slot) << 2));
    if (id == NO_STATE) return slot;
    const hash = hashes + ((<usize>id) << 4);
    if (load<u64>(hash) == low && load<u64>(hash, 8) == high) return slot;
    slot = (slot + 1) & (tableSlots - 1);
  }
}

function growTable(): void {
  tableSlots <<= 1;
  memory.fill(table, 0xff, (<usize>tableSlots) << 2);
  for (let id = 0; id < nrStates; id++) {
    const hash = hashes + ((<usize>id) << 4);
    store<i32>(table + ((<usize>slotOf(load<u64>(hash), load<u64>(hash, 8))) << 2), id);
  }
}

/** The state with a hash, NO_STATE if it was not seen. */
export function findState(low: u64, high: u64): i32 {
  return load<i32>(table + ((<usize>slotOf(low, high)) << 2));
}

export function isFull(): bool {
  return nrStates >= limit;
}

/** Notes a new state, which `actor` has reached from `parent`. */
export function addState(low: u64, high: u64, parent: i32, actor: i32, sleep: i32): i32 {
  if (<u64>(nrStates + 1) * 8 > <u64>tableSlots * 7) growTable();
  const id = nrStates;
  nrStates += 1;
  const hash = hashes + ((<usize>id) << 4);
  store<u64>(hash, low);
  store<u64>(hash, high, 8);
  store<u32>(origins + ((<usize>id) << 2), (<u32>parent & PARENT_MASK) | ((<u32>actor) << ACTOR_SHIFT));
  store<u16>(sleeps + ((<usize>id) << 1), <u16>sleep);
  store<i32>(table + ((<usize>slotOf(low, high)) << 2), id);
  return id;
}

function originOf(state: i32): u32 {
  return load<u32>(origins + ((<usize>state) << 2));
}

/** The state that a state was reached from; the initial state's is itself. */
export function parentOf(state: i32): i32 {
  return <i32>(originOf(state) & PARENT_MASK);
}

/** The actor whose step led to a state. */
export function actorOf(state: i32): i32 {
  return <i32>(originOf(state) >> ACTOR_SHIFT);
}

export function hashLowOf(state: i32): u64 {
  return load<u64>(hashes + ((<usize>state) << 4));
}

export function hashHighOf(state: i32): u64 {
  return load<u64>(hashes + ((<usize>state) << 4), 8);
}

export function isExpanded(state: i32): bool {
  return (originOf(state) & EXPANDED) != 0;
}

export function setExpanded(state: i32): void {
  store<u32>(origins + ((<usize>state) << 2), originOf(state) | EXPANDED);
}

/** Actors whose next step need not be taken from a state: another order of the same steps has been. */
export function sleepOf(state: i32): i32 {
  return load<u16>(sleeps + ((<usize>state) << 1));
}

export function setSleep(state: i32, sleep: i32): void {
  store<u16>(sleeps + ((<usize>state) << 1), <u16>sleep);
}
