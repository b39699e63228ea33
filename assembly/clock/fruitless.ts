/**
 * Recognises offline rounds that change nothing. If a round left the machine as it found it, and counted what
 * the round before it counted, every further one does the same until something happens from outside: their
 * counts and their time are added instead of executing them. Where several targets are held at one time and
 * then freed (6.12), they come off the free list in reverse order in the next round, so that it takes two
 * rounds to leave the machine as it was; such rounds are counted in pairs.
 */
import { CFG_CPUS, CFG_ENTRIES, CFG_NR_ZONES, NR_COUNTERS, TABLE_BLAME, TABLE_ROUND } from "../abi";
import {
  BATCH_RECORD_SIZE,
  ROUND_BUDGET_OFFSET,
  ZONE_RECORD_SIZE,
  batchesPtr,
  config,
  countersPtr,
  tablePtr,
  zonesPtr,
} from "../arena";
import { machine } from "../state/machine";
import { Page, pageAt } from "../state/page";
import { fold, foldRange } from "../state/fold";

@unmanaged
class Rounds {
  endedNs: u64; // when the last round ended
  lastNs: u64; // how long it took
  fingerprint: u64; // as it left the machine
  fingerprintBefore: u64; // as the round before it did
  period: i32; // after so many rounds the machine is as it was, 0 = something changes
}

// Behind the record: counters when the last round ended, and what it counted.
const COUNTERS_SIZE: usize = <usize>NR_COUNTERS * 8;
const ENDED: usize = 64;
const COUNTED: usize = ENDED + COUNTERS_SIZE;
if (COUNTED + COUNTERS_SIZE > ROUND_BUDGET_OFFSET) ERROR("round region too small");

function rounds(): Rounds {
  return changetype<Rounds>(tablePtr(TABLE_ROUND));
}

/**
 * A fingerprint of all that a round can touch if it moves nothing: heads and lengths of the lists of every
 * zone, the LRU batches, and the records of the pages it left.
 */
function fingerprint(): u64 {
  let hash = foldRange(0, zonesPtr, <usize>config(CFG_NR_ZONES) * ZONE_RECORD_SIZE);
  hash = foldRange(hash, batchesPtr, <usize>config(CFG_CPUS) * BATCH_RECORD_SIZE);
  const m = machine();
  const blamed = tablePtr(TABLE_BLAME);
  for (let i = 0; i < min<i32>(m.nrBlamed, config(CFG_ENTRIES)); i++) {
    const page = pageAt(load<i32>(blamed + ((<usize>i) << 2)));
    hash = foldRange(hash, changetype<usize>(page), offsetof<Page>());
  }
  return fold(hash, m.nrBlamed);
}

/** Forgets rounds of an earlier call; the first one is measured from here. */
export function forgetRounds(): void {
  const table = tablePtr(TABLE_ROUND);
  memory.fill(table, 0, COUNTED + COUNTERS_SIZE);
  memory.copy(table + ENDED, countersPtr, COUNTERS_SIZE);
  rounds().endedNs = machine().nowNs;
}

/** Compares what a round has done with what the one before it did, from end to end. */
export function endRound(): void {
  const ended = tablePtr(TABLE_ROUND) + ENDED;
  const counted = tablePtr(TABLE_ROUND) + COUNTED;
  const m = machine();
  const r = rounds();
  let same = r.lastNs == m.nowNs - r.endedNs;
  for (let i: usize = 0; i < COUNTERS_SIZE; i += 8) {
    const now = load<i64>(countersPtr + i);
    const delta = now - load<i64>(ended + i);
    same = same && delta == load<i64>(counted + i);
    store<i64>(counted + i, delta);
    store<i64>(ended + i, now);
  }
  const print = fingerprint();
  // More pages than can be noted: not all of them are in the fingerprint.
  same = same && m.nrBlamed <= config(CFG_ENTRIES);
  r.period = !same ? 0 : print == r.fingerprint ? 1 : print == r.fingerprintBefore ? 2 : 0;
  r.lastNs = m.nowNs - r.endedNs;
  r.endedNs = m.nowNs;
  r.fingerprintBefore = r.fingerprint;
  r.fingerprint = print;
}

/** True if the next round would repeat an earlier one. */
export function roundRepeats(): bool {
  return rounds().period != 0;
}

/**
 * Counts whole periods of rounds that end before `limitNs`, before anything that is scheduled, and are at
 * most `maxRounds`. Returns how many.
 */
export function repeatRound(limitNs: u64, maxRounds: i64): i64 {
  const r = rounds();
  const m = machine();
  const end = min<u64>(limitNs, m.nextEventNs);
  if (r.period == 0 || r.lastNs == 0 || end <= m.nowNs) return 0;
  let nr = min<i64>(<i64>((end - 1 - m.nowNs) / r.lastNs), maxRounds);
  nr -= nr % r.period;
  if (nr <= 0) return 0;
  const counted = tablePtr(TABLE_ROUND) + COUNTED;
  for (let i: usize = 0; i < COUNTERS_SIZE; i += 8) {
    store<i64>(countersPtr + i, load<i64>(countersPtr + i) + load<i64>(counted + i) * nr);
  }
  m.nowNs += <u64>nr * r.lastNs;
  r.endedNs = m.nowNs;
  memory.copy(tablePtr(TABLE_ROUND) + ENDED, countersPtr, COUNTERS_SIZE);
  return nr;
}
