/**
 * Images of the machine: copies of the tables that a search changes, one behind the other. The arena itself
 * is the state that runs; `present` is the image of the state that is being expanded. The 128 bits of a
 * state's hash are the exclusive or of a mix of each word with its place, so that a step costs only what it
 * changes.
 */
import {
  BATCH_SIZE,
  CFG_CPUS,
  CFG_NR_ZONES,
  NR_COUNTERS,
  TABLE_ACTORS,
  TABLE_APFS,
  TABLE_BATCHES,
  TABLE_CACHE_SLOTS,
  TABLE_CONTENT,
  TABLE_COUNTERS,
  TABLE_CTXS,
  TABLE_EXPECTED,
  TABLE_MACHINE,
  TABLE_MAPPINGS,
  TABLE_MIGRATIONS,
  TABLE_PAGES,
  TABLE_PINS,
  TABLE_PIN_HASH,
  TABLE_PROCESSES,
  TABLE_PTES,
  TABLE_SWAP_AREAS,
  TABLE_SWAP_CONTENT,
  TABLE_SWAP_SLOTS,
  TABLE_VCPUS,
  TABLE_VMAS,
} from "../../abi";
import { MACHINE_RECORD_SIZE, config, tablePtr, tableSize } from "../../arena";
import { zoneAt, zoneSize } from "../../state/zone";
import { reserve } from "./memory";

/** Images are compared and kept by lines of this many bytes. */
export const LINE: usize = 64;
const PART: usize = 16; // of a line, in a difference
const ALL_PARTS: i32 = 0xf;
const MAX_RANGES: i32 = 48;

@unmanaged
class Range {
  address: usize; // in the arena
  size: usize; // a multiple of LINE
}

let rangesPtr: usize = 0;
let nrRanges: i32 = 0;
export let imageSize: usize = 0;
export let nrLines: i32 = 0;
export let presentPtr: usize = 0;
export let initialPtr: usize = 0;
let linesPtr: usize = 0; // where in the arena each line is
let mapPtr: usize = 0; // lines in which the present state is not the initial one: a byte a line, which parts
let changedPtr: usize = 0; // numbers of the lines that the last step has changed
export let nrChanged: i32 = 0;
export let hashLow: u64 = 0;
export let hashHigh: u64 = 0;

function rangeAt(position: i32): Range {
  return changetype<Range>(rangesPtr + <usize>position * offsetof<Range>());
}

function addRange(address: usize, size: usize): void {
  if (size == 0) return;
  assert(nrRanges < MAX_RANGES && (address & (LINE - 1)) == 0, "addRange: too many, or not aligned");
  const range = rangeAt(nrRanges);
  range.address = address;
  range.size = (size + LINE - 1) & ~(LINE - 1); // behind a table there is padding
  nrRanges += 1;
  imageSize += range.size;
}

/** What leads from an address in the arena to the same in the present state's image. */
export function presentOf(address: usize): usize {
  let image = presentPtr;
  for (let i = 0; i < nrRanges; i++) {
    const range = rangeAt(i);
    if (address - range.address < range.size) return image - range.address;
    image += range.size;
  }
  return 0;
}

function addTable(table: i32): void {
  addRange(tablePtr(table), tableSize(table));
}

/** Everything that a transition may change. Memory blocks, nodes and pageblocks stay as they are. */
function addRanges(): void {
  addRange(tablePtr(TABLE_MACHINE), MACHINE_RECORD_SIZE);
  addRange(tablePtr(TABLE_COUNTERS), NR_COUNTERS * 8);
  for (let zone = 0; zone < config(CFG_NR_ZONES); zone++) {
    addRange(changetype<usize>(zoneAt(zone)), zoneSize());
  }
  addTable(TABLE_SWAP_AREAS);
  addRange(tablePtr(TABLE_BATCHES), <usize>config(CFG_CPUS) * BATCH_SIZE);
  addTable(TABLE_PROCESSES);
  addTable(TABLE_VMAS);
  addTable(TABLE_MAPPINGS);
  addTable(TABLE_CACHE_SLOTS);
  addTable(TABLE_PINS);
  addTable(TABLE_PIN_HASH);
  addTable(TABLE_VCPUS);
  addTable(TABLE_APFS);
  addTable(TABLE_CTXS);
  addTable(TABLE_MIGRATIONS);
  addTable(TABLE_ACTORS);
  addTable(TABLE_SWAP_SLOTS);
  addTable(TABLE_PTES);
  addTable(TABLE_EXPECTED);
  addTable(TABLE_PAGES);
  addTable(TABLE_CONTENT);
  addTable(TABLE_SWAP_CONTENT);
}

/** Lays the images out. Returns false without memory. */
export function initImages(): bool {
  nrRanges = 0;
  imageSize = 0;
  rangesPtr = reserve(<u64>MAX_RANGES * offsetof<Range>());
  if (rangesPtr == 0) return false;
  addRanges();
  nrLines = <i32>(imageSize / LINE);
  presentPtr = reserve(imageSize);
  initialPtr = reserve(imageSize);
  linesPtr = reserve(<u64>nrLines * 4);
  changedPtr = reserve(<u64>nrLines * 4);
  mapPtr = reserve(mapSize());
  if (presentPtr == 0 || initialPtr == 0 || linesPtr == 0 || changedPtr == 0 || mapPtr == 0) return false;
  fillLines();
  memory.fill(mapPtr, 0, mapSize());
  nrChanged = 0;
  return true;
}

function fillLines(): void {
  let entry = linesPtr;
  for (let i = 0; i < nrRanges; i++) {
    const range = rangeAt(i);
    for (let offset: usize = 0; offset < range.size; offset += LINE) {
      store<u32>(entry, <u32>(range.address + offset));
      entry += 4;
    }
  }
}

/** Where in the arena a line is. */
function lineAt(line: i32): usize {
  return <usize>load<u32>(linesPtr + ((<usize>line) << 2));
}

/** Offset of a line in an image. */
function placeOf(line: i32): usize {
  return <usize>line * LINE;
}

function copyLine(to: usize, from: usize): void {
  v128.store(to, v128.load(from));
  v128.store(to, v128.load(from, 16), 16);
  v128.store(to, v128.load(from, 32), 32);
  v128.store(to, v128.load(from, 48), 48);
}

/** Copies the machine to an image. */
export function saveImage(image: usize): void {
  for (let i = 0; i < nrRanges; i++) {
    const range = rangeAt(i);
    memory.copy(image, range.address, range.size);
    image += range.size;
  }
}

/** Makes the machine the present state. */
export function loadPresent(): void {
  let image = presentPtr;
  for (let i = 0; i < nrRanges; i++) {
    const range = rangeAt(i);
    memory.copy(range.address, image, range.size);
    image += range.size;
  }
}

/** Makes the machine, and the present state, the initial one. */
export function loadInitial(): void {
  memory.copy(presentPtr, initialPtr, imageSize);
  memory.fill(mapPtr, 0, mapSize());
  loadPresent();
}

function mix(place: usize, word: u64): u64 {
  let x = word ^ ((<u64>place + 1) * 0x9e3779b97f4a7c15);
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  return x ^ (x >> 27);
}

/** Takes a word at a place of the image into the hash, or out of it again. */
function toggle(place: usize, word: u64): void {
  if (word == 0) return;
  const x = mix(place, word);
  const low = x * 0x94d049bb133111eb;
  const high = (x ^ 0x2545f4914f6cdd1d) * 0xd6e8feb86659fd93;
  hashLow ^= low ^ (low >> 31);
  hashHigh ^= high ^ (high >> 29);
}

/** Sets the hash to that of an image. */
export function hashImage(image: usize): void {
  hashLow = 0;
  hashHigh = 0;
  for (let place: usize = 0; place < imageSize; place += 8) toggle(place, load<u64>(image + place));
}

export function setHash(low: u64, high: u64): void {
  hashLow = low;
  hashHigh = high;
}

/**
 * Takes who came to a state last, and after how many switches, into the hash, or out of it again. The initial
 * state has none of it.
 */
export function toggleContext(actor: i32, switches: i32): void {
  toggle(imageSize, ((<u64>switches) << 8) | <u64>(actor + 1));
}

function differ(a: usize, b: usize): bool {
  const d0 = v128.xor(v128.load(a), v128.load(b));
  const d1 = v128.xor(v128.load(a, 16), v128.load(b, 16));
  const d2 = v128.xor(v128.load(a, 32), v128.load(b, 32));
  const d3 = v128.xor(v128.load(a, 48), v128.load(b, 48));
  return v128.any_true(v128.or(v128.or(d0, d1), v128.or(d2, d3)));
}

function rehashLine(place: usize, before: usize, after: usize): void {
  for (let offset: usize = 0; offset < LINE; offset += 8) {
    const was = load<u64>(before + offset);
    const is = load<u64>(after + offset);
    if (was == is) continue;
    toggle(place + offset, was);
    toggle(place + offset, is);
  }
}

function noteChanged(line: i32): void {
  store<u32>(changedPtr + ((<usize>nrChanged) << 2), <u32>line);
  nrChanged += 1;
}

function changedLine(position: i32): i32 {
  return load<i32>(changedPtr + ((<usize>position) << 2));
}

/** Finds what the machine has that the present state has not, and makes the hash the machine's. */
export function compareWithPresent(): void {
  nrChanged = 0;
  for (let line = 0; line < nrLines; line++) {
    const place = placeOf(line);
    const address = lineAt(line);
    if (!differ(presentPtr + place, address)) continue;
    noteChanged(line);
    rehashLine(place, presentPtr + place, address);
  }
}

/** True if the last step has changed something in a part of the arena. */
export function hasChangedWithin(start: usize, size: usize): bool {
  for (let i = 0; i < nrChanged; i++) if (lineAt(changedLine(i)) - start < size) return true;
  return false;
}

/** Takes the last step back: the machine is the present state again. */
export function revert(): void {
  for (let i = 0; i < nrChanged; i++) {
    const line = changedLine(i);
    copyLine(lineAt(line), presentPtr + placeOf(line));
  }
}

/** Goes on from the last step: the present state is the machine. */
export function advance(): void {
  for (let i = 0; i < nrChanged; i++) {
    const line = changedLine(i);
    copyLine(presentPtr + placeOf(line), lineAt(line));
    store<u8>(mapPtr + <usize>line, <u8>ALL_PARTS);
  }
}

/** Bytes of the map that says which parts of each line a difference has: a byte a line, padded to words. */
export function mapSize(): usize {
  return (<usize>nrLines + 7) & ~7;
}

/** Copies a part of a line to a difference if it is not the initial one. Returns where the next one goes. */
function encodePart(to: usize, initial: usize, address: usize): usize {
  const part = v128.load(address);
  v128.store(to, part);
  return v128.any_true(v128.xor(part, v128.load(initial))) ? to + PART : to;
}

/** Copies what a line has that the initial one has not. Returns where the next part goes. */
function encodeLine(map: usize, to: usize, line: i32): usize {
  const initial = initialPtr + placeOf(line);
  const address = lineAt(line);
  let parts = 0;
  for (let part: usize = 0; part < LINE / PART; part++) {
    const next = encodePart(to, initial + part * PART, address + part * PART);
    if (next != to) parts |= 1 << (<i32>part);
    to = next;
  }
  store<u8>(map + <usize>line, <u8>parts);
  return to;
}

/**
 * Writes what the machine, one step from the present state, has that the initial state has not: a map, then
 * parts. Returns the size.
 */
export function encodeDifference(to: usize): usize {
  memory.copy(to, mapPtr, mapSize());
  for (let i = 0; i < nrChanged; i++) store<u8>(to + <usize>changedLine(i), <u8>ALL_PARTS);
  let parts = to + mapSize();
  for (let word: usize = 0; word < mapSize(); word += 8) {
    for (let bytes = load<u64>(to + word); bytes != 0;) {
      const byte = <i32>ctz(bytes) >> 3;
      bytes &= ~((<u64>0xff) << (byte << 3));
      parts = encodeLine(to, parts, <i32>word + byte);
    }
  }
  return parts - to;
}

/** Makes a line of the present state, and of the machine, the initial one with parts of a difference. */
function decodeLine(line: i32, bits: i32, parts: usize): usize {
  const present = presentPtr + placeOf(line);
  copyLine(present, initialPtr + placeOf(line));
  for (; bits != 0; bits &= bits - 1) {
    v128.store(present + <usize>ctz(bits) * PART, v128.load(parts));
    parts += PART;
  }
  copyLine(lineAt(line), present);
  return parts;
}

/**
 * The other way: the present state and the machine, which must be the present state, become the initial state
 * with a difference.
 */
export function decodeDifference(from: usize): void {
  let parts = from + mapSize();
  for (let line = 0; line < nrLines; line++) {
    const bits = <i32>load<u8>(from + <usize>line);
    if (bits != 0 || load<u8>(mapPtr + <usize>line) != 0) parts = decodeLine(line, bits, parts);
  }
  memory.copy(mapPtr, from, mapSize());
}
