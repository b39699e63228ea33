/**
 * Snapshots: a header, the configuration words, and the arena as it is.
 *
 *   u32  magic          u32  ABI version     u32  hash of core.wasm     u32  configuration words
 *   u64  arena bytes    u64  checksum of the arena
 */
import * as abi from "../core/abi.ts";
import { Core } from "../core/core.ts";
import { coreHash } from "../core/load.ts";
import { SimError } from "../errors.ts";

const MAGIC = 0x48534e50; // "PNSH"
const HEADER_BYTES = 32;

export function takeSnapshot(core: Core, words: Int32Array): Uint8Array {
  const arena = core.arena();
  const snapshot = new Uint8Array(HEADER_BYTES + words.byteLength + arena.byteLength);
  const header = new DataView(snapshot.buffer);
  header.setUint32(0, MAGIC, true);
  header.setUint32(4, abi.ABI_VERSION, true);
  header.setUint32(8, coreHash(), true);
  header.setUint32(12, words.length, true);
  header.setBigUint64(16, BigInt(arena.byteLength), true);
  header.setBigUint64(
    24,
    BigInt.asUintN(
      64,
      core.read((exports) => exports.arenaChecksum()),
    ),
    true,
  );
  new Int32Array(snapshot.buffer, HEADER_BYTES, words.length).set(words);
  snapshot.set(arena, HEADER_BYTES + words.byteLength);
  return snapshot;
}

function refuse(why: string): SimError {
  return new SimError("ERR_SNAPSHOT", `snapshot: ${why}`);
}

/** Checks the header. @throws {SimError} ERR_SNAPSHOT or ERR_ABI_MISMATCH */
function readHeader(snapshot: Uint8Array): { words: Int32Array; arenaBytes: number; checksum: bigint } {
  const header = new DataView(snapshot.buffer, snapshot.byteOffset, snapshot.byteLength);
  if (snapshot.byteLength < HEADER_BYTES) throw refuse(`${snapshot.byteLength} bytes are less than a header`);
  if (header.getUint32(0, true) !== MAGIC) throw refuse("it does not begin as one");
  const version = header.getUint32(4, true);
  if (version !== abi.ABI_VERSION || header.getUint32(8, true) !== coreHash()) {
    throw new SimError(
      "ERR_ABI_MISMATCH",
      `snapshot: made by another build (ABI ${version}, core ${header.getUint32(8, true).toString(16)}); ` +
        `this one is ABI ${abi.ABI_VERSION}, core ${coreHash().toString(16)}`,
    );
  }
  const nrWords = header.getUint32(12, true);
  const arenaBytes = Number(header.getBigUint64(16, true));
  const wanted = HEADER_BYTES + nrWords * 4 + arenaBytes;
  if (nrWords !== abi.CFG_WORDS || snapshot.byteLength !== wanted) {
    throw refuse(`it has ${snapshot.byteLength} bytes where its header says ${wanted}`);
  }
  const words = new Int32Array(nrWords);
  for (let i = 0; i < nrWords; i++) words[i] = header.getInt32(HEADER_BYTES + i * 4, true);
  return { words, arenaBytes, checksum: header.getBigUint64(24, true) };
}

/** Builds a machine as it was when the snapshot was taken. */
export async function restoreSnapshot(snapshot: Uint8Array): Promise<{ core: Core; words: Int32Array }> {
  const { words, arenaBytes, checksum } = readHeader(snapshot);
  const core = await Core.create(words);
  const arena = core.arena();
  if (arena.byteLength !== arenaBytes)
    throw refuse(`its configuration needs ${arena.byteLength} bytes, not ${arenaBytes}`);
  arena.set(snapshot.subarray(HEADER_BYTES + words.byteLength));
  const found = BigInt.asUintN(
    64,
    core.read((exports) => exports.arenaChecksum()),
  );
  if (found !== checksum) throw refuse("its checksum does not match: it is damaged");
  return { core, words };
}
