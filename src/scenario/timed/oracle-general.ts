/**
 * libCacheSim's oracleGeneral: records of 24 bytes, little-endian, one a request: u32 time in s, u64 object,
 * u32 size in bytes, i64 number of the next request of the object. It does not tell reads from writes: all
 * are reads.
 * Source: traceReader/customizedReader/oracle/oracleGeneralBin.h of libCacheSim.
 */
import type { TraceAccess } from "../scenario.ts";
import { MAX_ACCESSES, ObjectPages, TraceError } from "./trace-error.ts";

const RECORD_BYTES = 24;
const OBJECT_AT = 4;

/** @throws {TraceError} naming the record, counted from 1 */
export function readOracleGeneral(bytes: Uint8Array, file: string): readonly TraceAccess[] {
  const records = bytes.length / RECORD_BYTES;
  if (records === 0) throw new TraceError(`${file}: has no records`);
  if (!Number.isInteger(records)) {
    const nr = Math.floor(records);
    const rest = bytes.length % RECORD_BYTES;
    throw new TraceError(`${file}: record ${nr + 1}: ends after ${rest} of ${RECORD_BYTES} bytes`);
  }
  if (records > MAX_ACCESSES) {
    throw new TraceError(`${file}: has ${records} records, at most ${MAX_ACCESSES} may be`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const pages = new ObjectPages<bigint>();
  let before = 0;
  return Array.from({ length: records }, (_, nr) => {
    const at = nr * RECORD_BYTES;
    const time = view.getUint32(at, true);
    // A file of another format is found out by this more than by anything else.
    if (time < before) {
      throw new TraceError(
        `${file}: record ${nr + 1}: its time, ${time}, is before that of the record before it, ${before}: ` +
          "is it an oracleGeneral file?",
      );
    }
    before = time;
    return { page: pages.pageOf(view.getBigUint64(at + OBJECT_AT, true)), write: false };
  });
}
