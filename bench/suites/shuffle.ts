const SEED = 0x2f6e2b1;

/** 0 … n-1 in an order that is the same in every run. */
export function shuffled(n: number): number[] {
  const order = Array.from({ length: n }, (_, index) => index);
  let state = SEED;
  for (let i = n - 1; i > 0; i--) {
    // A 32-bit xorshift: enough to scatter neighbours.
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    const j = (state >>> 0) % (i + 1);
    const one = order[i] ?? 0;
    order[i] = order[j] ?? 0;
    order[j] = one;
  }
  return order;
}
