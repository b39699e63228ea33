/**
 * Streams of random numbers: each task and job has its own, so that what one draws does not change what
 * another one does, and every policy meets the same numbers. Those of devices come from the core's own.
 */

const kinds = { task: 1n, job: 3n } as const;
const MASK = (1n << 64n) - 1n;

/** The finaliser of splitmix64. */
function mix(word: bigint): bigint {
  let z = word & MASK;
  z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & MASK;
  z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & MASK;
  return z ^ (z >> 31n);
}

/** The state with which a stream begins. */
export function streamOf(seed: number, kind: keyof typeof kinds, number: number): bigint {
  return mix(mix(BigInt(seed) * 4n + kinds[kind]) + BigInt(number) + 1n);
}
