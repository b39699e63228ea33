/** Totals of the machine: records in use, pins of a kind, and what is 0 between two operations. */
import {
  CFG_KSM_ITEMS,
  CFG_MAPPINGS,
  CFG_PINS,
  CFG_PROCESSES,
  CFG_VMAS,
  HOLDER_ASYNC_PF,
  HOLDER_MIGRATION_TARGET,
  HOLDER_MIGRATION_WAITER,
  INV_LIST,
  INV_LIVE,
  INV_REF,
  MACHINE_LRU_DISABLED,
  MACHINE_NR_MAPPINGS,
  MACHINE_NR_PINS,
  MACHINE_NR_VMAS,
  MACHINE_STEPPING,
  TABLE_APFS,
  TABLE_BATCHES,
  TABLE_CTXS,
  TABLE_KSM_ITEMS,
  TABLE_MAPPINGS,
  TABLE_MIGRATIONS,
  TABLE_PINS,
  TABLE_PROCESSES,
  TABLE_VMAS,
} from "../abi";
import {
  APF_RECORD_SIZE,
  CTX_RECORD_SIZE,
  KSM_ITEM_RECORD_SIZE,
  MAPPING_RECORD_SIZE,
  PIN_RECORD_SIZE,
  PROCESS_RECORD_SIZE,
  VMA_RECORD_SIZE,
  config,
  tablePtr,
} from "../arena";
import { maxApfs, maxCtxs } from "../state/apf";
import { Machine, machine } from "../state/machine";
import { nrTargets } from "../state/migration";
import { pinAt } from "../state/pins";
import { expectEqual } from "./violation";

if (offsetof<Machine>("lruDisabled") != MACHINE_LRU_DISABLED) ERROR("Machine record");
if (offsetof<Machine>("nrVmas") != MACHINE_NR_VMAS) ERROR("Machine record");
if (offsetof<Machine>("nrMappings") != MACHINE_NR_MAPPINGS) ERROR("Machine record");
if (offsetof<Machine>("nrPins") != MACHINE_NR_PINS) ERROR("Machine record");
if (offsetof<Machine>("stepping") != MACHINE_STEPPING) ERROR("Machine record");

/** Records on a free list, -1 if it leads to one in use or in a circle. */
function freeRecords(records: usize, size: usize, capacity: i32, head: i32): i32 {
  let nr = 0;
  for (let id = head; id != 0; nr++) {
    const record = records + <usize>id * size;
    if (<u32>id > <u32>capacity || load<i32>(record) != 0 || nr == capacity) return -1;
    id = load<i32>(record, 4);
  }
  return nr;
}

/** Each of `capacity` records is in use, which `nr` counts, or on the free list, see pool.ts. */
function verifyPool(table: i32, size: usize, capacity: i32, head: i32, nr: i32): void {
  const records = tablePtr(table);
  let used = 0;
  for (let id = 1; id <= capacity; id++) if (load<i32>(records + <usize>id * size) != 0) used += 1;
  expectEqual(INV_LIST, 0, table, used, nr);
  expectEqual(INV_LIST, 0, table, capacity - used, freeRecords(records, size, capacity, head));
}

function verifyPools(): void {
  const m = machine();
  verifyPool(TABLE_PROCESSES, PROCESS_RECORD_SIZE, config(CFG_PROCESSES), m.freeProcess, m.nrProcesses);
  verifyPool(TABLE_VMAS, VMA_RECORD_SIZE, config(CFG_VMAS), m.freeVma, m.nrVmas);
  verifyPool(TABLE_MAPPINGS, MAPPING_RECORD_SIZE, config(CFG_MAPPINGS), m.freeMapping, m.nrMappings);
  verifyPool(TABLE_PINS, PIN_RECORD_SIZE, config(CFG_PINS), m.freePin, m.nrPins);
  verifyPool(TABLE_APFS, APF_RECORD_SIZE, maxApfs(), m.freeApf, m.nrApfs);
  verifyPool(TABLE_CTXS, CTX_RECORD_SIZE, maxCtxs(), m.freeCtx, m.nrCtxs);
  const ksmItems = config(CFG_KSM_ITEMS);
  verifyPool(TABLE_KSM_ITEMS, KSM_ITEM_RECORD_SIZE, ksmItems, m.freeKsmItem, m.nrKsmItems);
}

/** Faults that are not counted as waiting would never be woken, targets without an attempt never be freed. */
function verifyPins(): void {
  const m = machine();
  let waiters = 0;
  let asyncPfs = 0;
  let targets = 0;
  for (let id = 1; id <= config(CFG_PINS); id++) {
    const kind = pinAt(id).kind;
    if (kind == HOLDER_MIGRATION_WAITER) waiters += 1;
    else if (kind == HOLDER_ASYNC_PF) asyncPfs += 1;
    else if (kind == HOLDER_MIGRATION_TARGET) targets += 1;
  }
  expectEqual(INV_LIVE, 0, 0, waiters, m.nrWaiters);
  expectEqual(INV_LIST, 0, TABLE_PINS, asyncPfs, m.nrAsyncPfPins);
  expectEqual(INV_REF, 0, TABLE_MIGRATIONS, nrTargets(), targets);
}

export function verifyTotals(): void {
  verifyPools();
  verifyPins();
  expectEqual(INV_LIST, 0, TABLE_BATCHES, 0, machine().lruDisabled);
}
