/** Which steps may be swapped without a difference. */

/** Of a set of actors those whose next step does not depend on that of `actor`, nor the other way round. */
export function independentOf(actor: i32, actors: i32): i32 {
  return 0;
}
