/** Many long lists, in parts that run side by side. */
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { type CoreName, runOn } from "../helpers/cores.ts";
import { anyVariant, machine } from "../helpers/machines.ts";
import { bulk, bulkTimeoutMs } from "../helpers/runs.ts";
import { check } from "./check.ts";
import { type Kind, operations } from "./operations.ts";

const long = { maxLength: 200, full: true };
/** Memory blocks need large zones: differential.test.ts has them. */
const blocks: readonly Kind[] = ["offline", "online", "reserve"];

const list = fc.oneof(
  { weight: 4, arbitrary: operations({ ...long, without: [...blocks, "flag"] }) },
  {
    weight: 2,
    arbitrary: operations({
      ...long,
      without: [...blocks, "flag"],
      often: ["mapFile", "accessFile", "writeBack", "beginSteps"],
    }),
  },
  { weight: 1, arbitrary: operations({ ...long, without: blocks, often: ["flag"] }) },
);

/** Part `part` of `parts`, on one build of the core: each part has a seed of its own. */
export function bulkPart(core: CoreName, part: number, parts: number): void {
  it(
    `the ${core} core does what the reference model does, part ${part} of ${parts}`,
    async () => {
      runOn(core);
      const property = fc.asyncProperty(anyVariant, fc.boolean(), list, async (one, rodata, ops) =>
        check(machine(one, "tiny", rodata), ops, "tiny"),
      );
      await expect(fc.assert(property, bulk(part, parts))).resolves.toBeUndefined();
    },
    bulkTimeoutMs,
  );
}
