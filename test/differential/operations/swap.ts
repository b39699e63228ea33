/** Operations on swap devices, and reclaim. */
import * as fc from "fast-check";
import { type Arbitraries, op, page, which } from "./arbitraries.ts";

export type SwapOperation =
  | { readonly op: "swapOn"; readonly pages: number; readonly synchronous: boolean }
  | { readonly op: "pageCluster"; readonly cluster: number }
  | { readonly op: "endWriteback"; readonly device: number }
  | { readonly op: "swapOff"; readonly device: number }
  | { readonly op: "reclaimZone"; readonly zone: number; readonly pages: number }
  | { readonly op: "reclaimPage"; readonly region: number; readonly index: number }
  | { readonly op: "pageout"; readonly region: number; readonly start: number; readonly count: number };

export const swapOperations: Arbitraries<SwapOperation> = {
  swapOn: fc.record({
    ...op("swapOn"),
    pages: fc.oneof(fc.integer({ min: 1, max: 8 }), fc.constantFrom(12, 16)),
    synchronous: fc.boolean(),
  }),
  pageCluster: fc.record({ ...op("pageCluster"), cluster: fc.constantFrom(0, 0, 1, 2, 3) }),
  endWriteback: fc.record({ ...op("endWriteback"), device: which }),
  swapOff: fc.record({ ...op("swapOff"), device: which }),
  reclaimZone: fc.record({
    ...op("reclaimZone"),
    zone: fc.nat({ max: 2 }),
    pages: fc.constantFrom(1, 4, 40),
  }),
  reclaimPage: fc.record({ ...op("reclaimPage"), region: which, index: page }),
  pageout: fc.record({
    ...op("pageout"),
    region: which,
    start: page,
    count: fc.integer({ min: 1, max: 12 }),
  }),
};

/** How often a kind comes, where it is not once. */
export const swapWeights = {
  swapOn: 3,
  pageout: 4,
  reclaimPage: 4,
  reclaimZone: 2,
  endWriteback: 3,
} as const;

/** Of any operation, whether it is one of these. */
export function isSwapOperation(operation: { readonly op: string }): operation is SwapOperation {
  return operation.op in swapOperations;
}
