/** Random quantities: from distributions that are given by points, each stream with a state of its own. */
import { TABLE_QUANTILES } from "../../abi";
import { tablePtr } from "../../arena";
import { randomOf } from "../../state/prng";

/** A point: below `ns` lie `share` 2^-24 of all draws. */
@unmanaged
export class Quantile {
  ns: u64;
  share: u32;
}

const QUANTILE_SIZE: usize = 16;
const COUNT_BITS: i32 = 8;
const COUNT_MASK: i32 = (1 << COUNT_BITS) - 1;
const SHARE_BITS: i32 = 24;

export function quantileAt(number: i32): Quantile {
  return changetype<Quantile>(tablePtr(TABLE_QUANTILES) + <usize>number * QUANTILE_SIZE);
}

/** A number in 0 … bound-1 of the stream whose state is at `stream`. */
export function drawBelow(stream: usize, bound: i32): i32 {
  // The upper 32 bits of a product: no division.
  return <i32>(((randomOf(stream) >> 32) * <u64>bound) >> 32);
}

/**
 * A quantity of a distribution: number of its first point << 8 | points. Between two points it is uniform; a
 * single one is a constant; no points give 0.
 */
export function draw(stream: usize, distribution: i32): u64 {
  const nr = distribution & COUNT_MASK;
  if (nr == 0) return 0;
  const first = distribution >> COUNT_BITS;
  if (nr == 1) return quantileAt(first).ns;
  const share = <u32>(randomOf(stream) >> (64 - SHARE_BITS));
  let low = 0;
  let high = nr - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (quantileAt(first + middle).share <= share) low = middle;
    else high = middle;
  }
  const from = quantileAt(first + low);
  const to = quantileAt(first + high);
  const width = <u64>(to.share - from.share);
  return width == 0 ? to.ns : from.ns + ((to.ns - from.ns) * <u64>(share - from.share)) / width;
}
