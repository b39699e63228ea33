/** Merging equal pages, on a host and on the reference model. */
import * as ksm from "../reference/ksm.ts";
import type { Machine } from "../reference/machine.ts";
import { run } from "../reference/state.ts";
import type { Operation } from "./operations.ts";
import { type RegionPair, pick } from "./regions.ts";
import { type Answers, nothing } from "./vcpu.ts";

type Groups = Extract<Operation, { readonly op: "mergeKsm" }>["groups"];

/** A page of any region is named by two numbers, taken modulo how many there are. */
export function mergeKsm(m: Machine, regions: readonly RegionPair[], groups: Groups): Answers {
  const [first] = regions;
  if (first === undefined) return nothing;
  const named = groups.map((group) =>
    group.flatMap(({ region: number, index: page }) => {
      const region = pick(regions, number);
      return region === undefined ? [] : [{ region, index: page % region.core.pages }];
    }),
  );
  const core = first.core.mergeKsm(
    named.map((group) => group.map(({ region, index }) => ({ region: region.core, index }))),
  );
  const places = named.map((group) =>
    group.map(({ region, index }) => ({ process: region.process.reference, vpn: region.core.start + index })),
  );
  const { crash, ...merged } = core;
  return { core: crash === null ? merged : null, reference: run(m, () => ksm.mergeKsm(m, places)) };
}
