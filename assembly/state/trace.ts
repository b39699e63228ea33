/**
 * The trace ring: what the recorders' kprobes and tracepoints saw. Off unless asked for; full means lost, not
 * wrapped.
 */
import { CFG_TRACE_RECORDS, TABLE_TRACE, TRACE_RECORD_SIZE } from "../abi";
import { config, tablePtr } from "../arena";
import { machine } from "./machine";

export function tracing(): bool {
  return machine().tracing != 0;
}

/** Appends a record: kind (TRACE_*) and what that kind says of its four fields. */
export function trace(kind: i32, a: i32, b: i32, c: i32, d: i32): void {
  const m = machine();
  const nr = m.nrTrace;
  m.nrTrace = nr + 1;
  if (nr >= config(CFG_TRACE_RECORDS)) return;
  const record = tablePtr(TABLE_TRACE) + <usize>nr * TRACE_RECORD_SIZE;
  store<i32>(record, kind);
  store<i32>(record, a, 4);
  store<i32>(record, b, 8);
  store<i32>(record, c, 12);
  store<i32>(record, d, 16);
}
