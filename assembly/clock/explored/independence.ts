/** Which steps may be swapped without a difference: neither writes what the other reads or writes. */
import { readsOf, writesOf } from "../../actors/footprint";

/** Of a set of actors those whose next step does not depend on that of `actor`, nor the other way round. */
export function independentOf(actor: i32, actors: i32): i32 {
  if (actors == 0) return 0;
  const reads = readsOf(actor);
  const writes = writesOf(actor);
  if (writes == u64.MAX_VALUE) return 0; // it may touch everything
  let independent = 0;
  for (let rest = actors; rest != 0; rest &= rest - 1) {
    const other = ctz(rest);
    const otherWrites = writesOf(other);
    const conflict = (writes & (readsOf(other) | otherWrites)) | (otherWrites & reads);
    if (conflict == 0) independent |= 1 << other;
  }
  return independent;
}
