/** The trace ring: what the kernel's tracepoints and a recorder's probes would have seen. */
import * as abi from "../core/abi.ts";
import type { Core } from "../core/core.ts";
import { migrateModes, migrateReasons } from "../core/names.ts";

export type TraceEvent =
  /** Entry of try_to_unmap(), try_to_migrate() since 5.14. */
  | { readonly event: "unmap"; readonly pfn: number; readonly refcount: number; readonly mapcount: number }
  /** The reference-count check, or on 6.12 the entry of the move; `ret` is what the check says. */
  | {
      readonly event: "check";
      readonly pfn: number;
      readonly refcount: number;
      readonly mapping: boolean;
      readonly ret: number;
    }
  /** Return of move_to_new_page(). */
  | { readonly event: "move"; readonly pfn: number; readonly ret: number }
  /** Return of isolate_lru_page(). */
  | { readonly event: "isolate"; readonly pfn: number; readonly ret: number }
  /** Return of migrate_pages_batch(). */
  | { readonly event: "batch"; readonly ret: number }
  /** mm_migrate_pages, and the return value of migrate_pages(). */
  | {
      readonly event: "migratePages";
      readonly mode: string;
      readonly reason: string;
      readonly succeeded: number;
      readonly failed: number;
      readonly ret: number;
    }
  /** A page has moved. */
  | { readonly event: "moved"; readonly from: number; readonly to: number };

export interface Trace {
  readonly events: readonly TraceEvent[];
  /** Events that the ring (limits.traceRecords) had no room for. */
  readonly lost: number;
}

function decode(words: Int32Array): TraceEvent {
  const [kind = 0, a = 0, b = 0, c = 0, d = 0] = words;
  switch (kind) {
    case abi.TRACE_UNMAP:
      return { event: "unmap", pfn: a, refcount: b, mapcount: c };
    case abi.TRACE_CHECK:
      return { event: "check", pfn: a, refcount: b, mapping: c !== 0, ret: d };
    case abi.TRACE_MOVE_RETURN:
      return { event: "move", pfn: a, ret: b };
    case abi.TRACE_ISOLATE:
      return { event: "isolate", pfn: a, ret: b };
    case abi.TRACE_BATCH:
      return { event: "batch", ret: a };
    case abi.TRACE_MOVED:
      return { event: "moved", from: a, to: b };
    default:
      return {
        event: "migratePages",
        mode: migrateModes[a & 3] ?? "",
        reason: migrateReasons[a >> 2] ?? "",
        succeeded: b,
        failed: c,
        ret: d,
      };
  }
}

/** Empties the ring and starts or stops tracing. */
export function setTracing(core: Core, on: boolean): void {
  core.read((exports) => exports.setTracing(on));
}

export function readTrace(core: Core): Trace {
  const words = core.words(abi.TABLE_TRACE);
  const recordWords = abi.TRACE_RECORD_SIZE / 4;
  const written = core.machineField(abi.MACHINE_NR_TRACE);
  const nr = Math.min(written, words.length / recordWords);
  const events = Array.from({ length: nr }, (_, i) =>
    decode(words.subarray(i * recordWords, (i + 1) * recordWords)),
  );
  return { events, lost: written - nr };
}
