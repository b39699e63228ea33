/** Traces of accesses, of which a scenario's tasks can take theirs: bytes in, accesses out. */
import type { TraceAccess } from "../scenario.ts";
import { readCsvTrace } from "./trace-csv.ts";
import { TraceError } from "./trace-error.ts";
import { readOracleGeneral } from "./oracle-general.ts";

/** First bytes of a zstd frame (RFC 8878, 3.1.1). */
const ZSTD_MAGIC = [0x28, 0xb5, 0x2f, 0xfd];

/**
 * Reads a trace. What it is, its name says: `*.csv`, or `*.csv.zst` once it has been decompressed, is CSV;
 * any other name is libCacheSim's oracleGeneral. Text is CSV whatever it is called.
 *
 * @throws {TraceError} naming the file and the line or record
 */
export function readTrace(content: string | Uint8Array, file: string): readonly TraceAccess[] {
  if (typeof content === "string") return readCsvTrace(content, file);
  if (ZSTD_MAGIC.every((byte, i) => content[i] === byte)) {
    throw new TraceError(`${file}: is compressed with zstd: decompress it first, with zstd -d`);
  }
  if (!/\.csv(\.zst)?$/i.test(file)) return readOracleGeneral(content, file);
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(content);
  } catch {
    throw new TraceError(`${file}: is not UTF-8`);
  }
  return readCsvTrace(text, file);
}
