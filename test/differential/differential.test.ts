/** The core against the reference model, operation by operation, on both of its builds. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type CoreName, cores, runOn } from "../helpers/cores.ts";
import { fuzzTimeoutMs, runs } from "../helpers/runs.ts";
import { type Variant, check, small, withBlocks } from "./check.ts";
import { type Kind, operations } from "./operations.ts";

const kernels = ["v3.12", "v6.1", "v6.12"] as const;
const repairs = ["L1", "L2", "L3", "L4", "L5"] as const;
const variant: fc.Arbitrary<Variant> = fc.oneof(
  fc.record({ kernel: fc.constantFrom(...kernels), policy: fc.constantFrom("pin", "drop-get") }),
  fc.record({
    kernel: fc.constantFrom("v3.12", "v3.12", "v3.12", "v6.1", "v6.12"),
    policy: fc.constant("rfc" as const),
    repairs: fc.oneof(
      fc.constantFrom(...[0, 1, 2, 3, 4, 5, 5].map((layer) => repairs.slice(0, layer))),
      fc.subarray([...repairs]),
    ),
  }),
);

const outside: readonly Kind[] = ["flag"];
const blocks: readonly Kind[] = ["offline", "online"];

describe.each(cores)("the %s core does what the reference model does", (core: CoreName) => {
  it(
    "with few free frames",
    async () => {
      runOn(core);
      const list = operations({ without: [...blocks, ...outside], maxLength: 40 });
      const property = fc.asyncProperty(variant, fc.boolean(), list, async (one, rodata, ops) =>
        check(small(one, rodata), ops, true),
      );
      await expect(fc.assert(property, runs())).resolves.toBeUndefined();
    },
    fuzzTimeoutMs,
  );

  it(
    "with pages that are locked, under writeback or dirty from outside",
    async () => {
      runOn(core);
      const list = operations({ without: blocks, maxLength: 40 });
      const property = fc.asyncProperty(variant, fc.boolean(), list, async (one, rodata, ops) =>
        check(small(one, rodata), ops, true),
      );
      await expect(fc.assert(property, runs(0.5))).resolves.toBeUndefined();
    },
    fuzzTimeoutMs,
  );

  it(
    "when memory goes offline and online",
    async () => {
      runOn(core);
      const list = operations({ without: outside, maxLength: 20 });
      const property = fc.asyncProperty(variant, fc.boolean(), list, async (one, rodata, ops) =>
        check(withBlocks(one, rodata), ops, false),
      );
      await expect(fc.assert(property, runs(0.25))).resolves.toBeUndefined();
    },
    fuzzTimeoutMs,
  );
});
