/** What operations name: mostly the first few, so that they meet. */
import * as fc from "fast-check";

/** A process, region, file, pin or vCPU: a number taken modulo how many there are. */
export const which = fc.oneof(
  { weight: 3, arbitrary: fc.nat({ max: 1 }) },
  { weight: 1, arbitrary: fc.nat({ max: 7 }) },
);

export const page = fc.oneof(
  { weight: 3, arbitrary: fc.nat({ max: 2 }) },
  { weight: 1, arbitrary: fc.nat({ max: 11 }) },
);

export const node = fc.constantFrom(0, 1);

/** 7 of 8 times. */
export const usually = fc.nat({ max: 7 }).map((n) => n > 0);
export const rarely = fc.nat({ max: 7 }).map((n) => n === 7);

/** What makes an operation of a kind. */
export type Arbitraries<O extends { readonly op: string }> = {
  readonly [K in O["op"]]: fc.Arbitrary<Extract<O, { op: K }>>;
};

export function op<K extends string>(name: K): { op: fc.Arbitrary<K> } {
  return { op: fc.constant(name) };
}
