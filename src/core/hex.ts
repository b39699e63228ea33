/** A hash of the core as 16 hexadecimal digits. */
export function hex(hash: bigint): string {
  return BigInt.asUintN(64, hash).toString(16).padStart(16, "0");
}
