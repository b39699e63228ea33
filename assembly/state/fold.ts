/**
 * The mixing function of state hashes: two lanes of 32 bits, so that a twin in plain JavaScript computes the
 * same with Math.imul(). A hash is a u64: lane a above, lane b below.
 */
const MULTIPLIER_A: u32 = 0x9e3779b1;
const MULTIPLIER_B: u32 = 0x85ebca77;

/** Mixes a word into a hash. */
export function fold(hash: u64, word: i32): u64 {
  let a = (<u32>(hash >> 32) ^ <u32>word) * MULTIPLIER_A;
  let b = (<u32>hash ^ <u32>word) * MULTIPLIER_B;
  a ^= a >> 15;
  b ^= b >> 13;
  return ((<u64>a) << 32) | <u64>b;
}

/** Mixes `size` bytes, a multiple of 4, into a hash. */
export function foldRange(hash: u64, address: usize, size: usize): u64 {
  for (let offset: usize = 0; offset < size; offset += 4) hash = fold(hash, load<i32>(address + offset));
  return hash;
}

/** Mixes the words of a table that are not 0, each after its index. */
export function foldSparse(hash: u64, address: usize, size: usize): u64 {
  for (let offset: usize = 0; offset < size; offset += 4) {
    const word = load<i32>(address + offset);
    if (word != 0) hash = fold(fold(hash, <i32>(offset >> 2)), word);
  }
  return hash;
}
