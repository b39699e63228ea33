/** The only randomness: splitmix64 over a word in the arena. */
import { machine } from "./machine";

const STEP: u64 = 0x9e3779b97f4a7c15;

/** What splitmix64 makes of its state. */
function mix(state: u64): u64 {
  let z = state;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

export function random64(): u64 {
  const m = machine();
  m.prng += STEP;
  return mix(m.prng);
}

/** The next number of another stream, whose state is the word at `address`. */
export function randomOf(address: usize): u64 {
  const state = load<u64>(address) + STEP;
  store<u64>(address, state);
  return mix(state);
}

/** A number in 0 … bound-1; the bias of the modulus is below bound / 2^64. */
export function randomBelow(bound: i32): i32 {
  return <i32>(random64() % <u64>bound);
}
